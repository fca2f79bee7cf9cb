//! The envelope of a PATCH operation.

use serde_json::{Map, Value};

use super::Rule;
use super::lookup::member_mut;

/// `"op": "Add"`: Entra ID without its compliance flag.
///
/// Departs from RFC 7644 §3.5.2: the verbs are `add`, `remove` and `replace`, and a JSON string has one spelling.
pub(super) const OPERATION_CASE: Rule = Rule {
    name: "operation-case",
    clients: "Entra ID",
    does: "reads the verb of a PATCH operation in any letter case",
    departs: "RFC 7644 §3.5.2",
};

/// `"path": null` and `"path": ""`: authentik and others that serialise an absent path.
///
/// Departs from RFC 7644 §3.5.2: `path` is a String holding an attribute path, or it is left out.
pub(super) const BLANK_PATH: Rule = Rule {
    name: "blank-path",
    clients: "authentik",
    does: "reads a path of null or \"\" as no path",
    departs: "RFC 7644 §3.5.2",
};

/// What an operation can do.
pub(super) const VERBS: [&str; 3] = ["add", "remove", "replace"];

/// Spells the verb as the RFC does.
pub(super) fn lower_verb(operation: &mut Map<String, Value>) -> u32 {
    let Some(Value::String(verb)) = member_mut(operation, "op") else {
        return 0;
    };
    match VERBS.iter().find(|known| known.eq_ignore_ascii_case(verb)) {
        Some(known) if verb != known => {
            (*known).clone_into(verb);
            1
        }
        _ => 0,
    }
}

/// Drops a path that says nothing.
pub(super) fn drop_blank_path(operation: &mut Map<String, Value>) -> u32 {
    let blank = |value: &Value| value.is_null() || value.as_str() == Some("");
    let before = operation.len();
    operation.retain(|name, value| !(name.eq_ignore_ascii_case("path") && blank(value)));
    u32::from(operation.len() < before)
}
