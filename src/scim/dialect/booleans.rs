//! Booleans in quotes.

use serde_json::Value;

use super::Rule;
use super::walk::Site;
use crate::scim::schema::Type;

/// `"True"`, `"False"`, `"true"`, `"false"` where the schema says boolean: Entra ID without its compliance flag,
/// Keycloak. In `active`, in `primary`, in attributes of extensions, in PATCH values and in filters.
///
/// Departs from RFC 7643 §2.3.2: a boolean is the literal `true` or `false`.
pub(super) const STRING_BOOLEANS: Rule = Rule {
    name: "string-booleans",
    clients: "Entra ID, Entra validator, Keycloak",
    does: "reads \"true\" and \"false\" in quotes as booleans where the schema says boolean",
    departs: "RFC 7643 §2.3.2",
};

/// Coerces the value of a boolean attribute.
pub(super) fn coerce(site: &Site<'_>, value: &mut Value) -> u32 {
    if site.attribute.kind != Type::Boolean {
        return 0;
    }
    match value {
        Value::Array(items) if site.attribute.multi_valued => items.iter_mut().map(coerce_one).sum(),
        single => coerce_one(single),
    }
}

fn coerce_one(value: &mut Value) -> u32 {
    let Some(truth) = value.as_str().and_then(read) else {
        return 0;
    };
    *value = Value::Bool(truth);
    1
}

/// What a boolean in quotes means, in any letter case.
pub(super) fn read(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
