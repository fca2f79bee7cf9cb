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

/// `"op": "remove"` with a `value`: the RFC has no value there, and read by the letter such an operation would clear the
/// whole attribute, which nobody who lists some of its elements means.
///
/// Nothing is rewritten, as a list can be longer than a filter may be. What is listed goes, and nothing else of that
/// attribute; where the path says already what goes, the value is passed over.
/// Departs from RFC 7644 §3.5.2.2.
pub(super) const REMOVE_BY_VALUE: Rule = Rule {
    name: "remove-by-value",
    clients: "Entra ID, JumpCloud, authentik",
    does: "removes those elements of an attribute that the value of a `remove` lists; elsewhere passes over such a value",
    departs: "RFC 7644 §3.5.2.2",
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

/// Whether it removes and has a value.
pub(super) fn count_removal_by_value(operation: &mut Map<String, Value>) -> u32 {
    let removes = member_mut(operation, "op").is_some_and(|verb| verb == "remove");
    u32::from(removes && member_mut(operation, "value").is_some_and(|value| !value.is_null()))
}

/// Drops a path that says nothing.
pub(super) fn drop_blank_path(operation: &mut Map<String, Value>) -> u32 {
    let blank = |value: &Value| value.is_null() || value.as_str() == Some("");
    let before = operation.len();
    operation.retain(|name, value| !(name.eq_ignore_ascii_case("path") && blank(value)));
    u32::from(operation.len() < before)
}
