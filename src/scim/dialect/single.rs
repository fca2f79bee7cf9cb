//! One object where a list of objects belongs.

use serde_json::Value;

use super::Rule;
use super::walk::{Carrier, Site};
use crate::scim::schema::Type;

/// `"emails": {"value": …}` in POST and PUT: bodies rendered from a template an admin wrote (`OneLogin`).
///
/// In a PATCH the RFC itself allows one value of a list to be given alone. Only objects are listed: a bare text for
/// a complex attribute does not say which sub-attribute it is.
/// Departs from RFC 7643 §2.4: the value of a multi-valued attribute is an array.
pub(super) const SINGLE_VALUE_LISTED: Rule = Rule {
    name: "single-value-listed",
    clients: "OneLogin templates",
    does: "reads one object as a list of one where the attribute is multi-valued",
    departs: "RFC 7643 §2.4",
};

/// Puts a single object of a multi-valued attribute into a list.
pub(super) fn list(site: &Site<'_>, value: &mut Value) -> u32 {
    let wanted = site.attribute.multi_valued && site.attribute.kind == Type::Complex;
    if site.carrier != Carrier::Resource || !wanted || !value.is_object() {
        return 0;
    }
    *value = Value::Array(vec![value.take()]);
    1
}
