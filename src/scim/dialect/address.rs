//! References that are no URIs.

use serde_json::Value;

use super::Rule;
use super::walk::Site;
use crate::base::uri::is_reference;

/// `"profileUrl": "www.acme.test/my page"` or `"profileUrl": "n/a"`: whatever the directory of the customer holds.
///
/// Nothing is rewritten, since values are stored as sent; the rule only reports.
/// Departs from RFC 7643 §2.3.7: a reference is a URI, absolute or relative (RFC 3986).
pub(super) const URI_AS_SENT: Rule = Rule {
    name: "uri-as-sent",
    clients: "any client that copies a free-text directory attribute",
    does: "stores a reference that is not written as a URI as it was sent",
    departs: "RFC 7643 §2.3.7",
};

/// Reports values of a reference that cannot be URIs.
pub(super) fn notice(site: &Site<'_>, value: &mut Value) -> u32 {
    if !site.attribute.holds_uris() {
        return 0;
    }
    let values = match value {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let odd = values
        .iter()
        .filter_map(Value::as_str)
        .filter(|text| !is_reference(text));
    u32::try_from(odd.count()).unwrap_or(u32::MAX)
}
