//! References in shapes of their own: a manager as text or in a list, an empty one, a `$ref` of null.
//!
//! "Reference" is any single-valued complex attribute with `value` and `$ref`; `manager` is the one the RFC has.

use serde_json::{Map, Value, json};

use super::Rule;
use super::walk::Site;
use crate::scim::schema::{Attribute, Type};

/// `"manager": "26118915"`, or `[{"$ref": null, "value": "26118915"}]`, and `manager eq "26118915"` in filters:
/// Entra ID and its validator.
///
/// Departs from RFC 7643 §4.3: `manager` is a complex, single-valued attribute.
pub(super) const REFERENCE_AS_TEXT: Rule = Rule {
    name: "reference-as-text",
    clients: "Entra ID, Entra validator",
    does: "reads the bare id of a manager, or a list of one manager, as the manager object",
    departs: "RFC 7643 §4.3, §2.3.8",
};

/// `"manager": ""`, or `{"value": ""}`: how Entra ID clears a manager.
///
/// Departs from RFC 7643 §2.5: an attribute is cleared with null, `[]` or a PATCH remove.
pub(super) const BLANK_REFERENCE_CLEARED: Rule = Rule {
    name: "blank-reference-cleared",
    clients: "Entra ID, Entra validator",
    does: "reads an empty manager id as no manager",
    departs: "RFC 7643 §2.5, RFC 7644 §3.5.2.2",
};

/// `{"$ref": null, "value": "…"}` in lists of members: Entra ID without its compliance flag.
///
/// Null says "no value" (RFC 7643 §2.5), so the element means the same without it.
/// Departs from RFC 7643 §2.3.7: a reference is a URI.
pub(super) const NULL_REF_DROPPED: Rule = Rule {
    name: "null-ref-dropped",
    clients: "Entra ID",
    does: "drops `$ref` from list elements where it is null",
    departs: "RFC 7643 §2.3.7",
};

/// Whether values of the attribute point at a resource by `value`, one at most.
pub(super) fn is_reference(attribute: &Attribute) -> bool {
    let pointer = attribute.sub("value").is_some() && attribute.sub("$ref").is_some();
    attribute.kind == Type::Complex && !attribute.multi_valued && pointer
}

/// Makes a blank reference null.
pub(super) fn clear_blank(site: &Site<'_>, value: &mut Value) -> u32 {
    if !is_reference(site.attribute) || !is_blank(value) {
        return 0;
    }
    *value = Value::Null;
    1
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Object(parts) => {
            let target = parts.iter().find(|(name, _)| name.eq_ignore_ascii_case("value"));
            let others_absent = parts
                .iter()
                .all(|(name, part)| part.is_null() || name.eq_ignore_ascii_case("value"));
            others_absent && target.is_some_and(|(_, id)| id.as_str() == Some(""))
        }
        Value::Array(elements) => {
            matches!(elements.as_slice(), [only] if !only.is_array() && is_blank(only))
        }
        _ => false,
    }
}

/// Whether an empty text for a sub-attribute means that the reference goes: `"…:manager.value": ""`.
pub(super) fn is_cleared_by_part(parent: &Attribute, part: &Attribute, value: &Value) -> bool {
    is_reference(parent) && part.name.eq_ignore_ascii_case("value") && value.as_str() == Some("")
}

/// Makes the reference object out of a bare id or a list of one.
pub(super) fn wrap_text(site: &Site<'_>, value: &mut Value) -> u32 {
    if !is_reference(site.attribute) {
        return 0;
    }
    let inner = match value {
        Value::Array(elements) => match elements.as_mut_slice() {
            [only] if only.is_string() || only.is_object() => only.take(),
            _ => return 0,
        },
        Value::String(_) => value.take(),
        _ => return 0,
    };
    *value = match inner {
        Value::Object(mut parts) => {
            without_null_ref(&mut parts);
            Value::Object(parts)
        }
        id => json!({ "value": id }),
    };
    1
}

/// Drops `$ref` from the elements of a list where it is null. Single objects keep it: there a PATCH clears by it.
pub(super) fn drop_null_ref(site: &Site<'_>, value: &mut Value) -> u32 {
    let Value::Array(elements) = value else {
        return 0;
    };
    if site.attribute.kind != Type::Complex || !site.attribute.multi_valued {
        return 0;
    }
    elements
        .iter_mut()
        .filter_map(Value::as_object_mut)
        .map(without_null_ref)
        .sum()
}

fn without_null_ref(parts: &mut Map<String, Value>) -> u32 {
    if !parts.get("$ref").is_some_and(Value::is_null) {
        return 0;
    }
    parts.shift_remove("$ref");
    1
}
