//! Habits of Microsoft Entra ID alone.

use serde_json::{Map, Value, json};

use super::Rule;
use super::lookup::member_mut;
use super::walk::{Carrier, Site};
use crate::scim::filter::{Filter, Literal, Op};
use crate::scim::path::PatchPath;
use crate::scim::schema::Type;

/// `replace` of `emails[type eq "work"].value` when there is no such entry yet: Entra ID expects it to be made.
///
/// The operation becomes `add`, which differs from `replace` only when nothing matches, and then makes the entry out
/// of the terms of the filter. So it is done for a sub-attribute below a filter that consists of equalities, and not
/// for whole elements, where `add` and `replace` differ for entries that exist.
/// Departs from RFC 7644 §3.5.2.3: a filter that matches nothing is `noTarget`.
pub(super) const REPLACE_CREATES: Rule = Rule {
    name: "entra-replace-creates",
    clients: "Entra ID",
    does: "lets a replace below a value filter make the entry it does not find",
    departs: "RFC 7644 §3.5.2.3",
};

/// `{"value": "{\"id\":…,\"value\":…,\"displayName\":…}"}`: a role as JSON text, from the mapping function
/// `AppRoleAssignmentsComplex` in a PATCH.
///
/// Becomes what the same mapping sends in a POST, so that one role is not stored in two shapes.
/// Departs from RFC 7643 §4.1.2: the value of a role is its name.
pub(super) const ROLE_AS_JSON_TEXT: Rule = Rule {
    name: "entra-role-as-json-text",
    clients: "Entra ID",
    does: "reads a role written as JSON text",
    departs: "RFC 7643 §4.1.2",
};

/// `"value": [{"$ref": null, "value": "…"}]` for a plain attribute in a PATCH: older jobs.
///
/// Departs from RFC 7644 §3.5.2: the value has the type of the attribute.
pub(super) const VALUE_IN_LIST: Rule = Rule {
    name: "entra-value-in-list",
    clients: "Entra ID, jobs in the format of 2017",
    does: "takes the plain value out of a list of one object",
    departs: "RFC 7644 §3.5.2",
};

/// `"Operations": []`: a preview test of the Entra validator.
///
/// Becomes an `add` of no attributes, the RFC's own way to change nothing.
/// Departs from RFC 7644 §3.5.2: there is one operation at least.
pub(super) const EMPTY_OPERATIONS: Rule = Rule {
    name: "entra-empty-operations",
    clients: "Entra validator",
    does: "answers a PATCH without operations as one that changes nothing",
    departs: "RFC 7644 §3.5.2",
};

/// Verbs as only Entra ID spells them.
const VERBS: [&str; 3] = ["Add", "Remove", "Replace"];

/// What Entra ID calls a role in a POST.
const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";

/// Whether a list of operations is spelled as Entra ID does it without its compliance flag.
pub(super) fn spelled_by_entra(operations: &mut [Value]) -> bool {
    operations.iter_mut().filter_map(Value::as_object_mut).any(|operation| {
        member_mut(operation, "op").is_some_and(|verb| verb.as_str().is_some_and(|verb| VERBS.contains(&verb)))
    })
}

/// Gives an empty list of operations one that changes nothing.
pub(super) fn fill_operations(operations: &mut Vec<Value>) -> u32 {
    if !operations.is_empty() {
        return 0;
    }
    operations.push(json!({ "op": "add", "value": {} }));
    1
}

/// Turns a replace that may have to make its entry into an add.
pub(super) fn replace_creates(operation: &mut Map<String, Value>, path: &PatchPath) -> u32 {
    let makes = path.sub.is_some() && path.filter.as_ref().is_some_and(is_equalities);
    let clears = |value: &mut Value| value.is_null() || value.as_str() == Some("");
    if !makes || member_mut(operation, "value").is_none_or(clears) {
        return 0;
    }
    match member_mut(operation, "op") {
        Some(Value::String(verb)) if verb == "replace" => {
            "add".clone_into(verb);
            1
        }
        _ => 0,
    }
}

fn is_equalities(filter: &Filter) -> bool {
    match filter {
        Filter::And(terms) => terms.iter().all(is_equalities),
        Filter::Compare { op, value, .. } => *op == Op::Eq && *value != Literal::Null,
        _ => false,
    }
}

/// Takes the value of a plain, single-valued attribute out of its list.
pub(super) fn take_out_of_list(site: &Site<'_>, value: &mut Value) -> u32 {
    let plain = site.attribute.kind != Type::Complex && !site.attribute.multi_valued;
    if !site.entra || site.carrier != Carrier::Operation || !plain {
        return 0;
    }
    let Value::Array(elements) = value else {
        return 0;
    };
    let [Value::Object(only)] = elements.as_mut_slice() else {
        return 0;
    };
    let lone = only
        .iter()
        .all(|(name, part)| name == "value" || (name == "$ref" && part.is_null()));
    match only.get_mut("value").filter(|inner| lone && !inner.is_null()) {
        Some(inner) => {
            *value = inner.take();
            1
        }
        None => 0,
    }
}

/// Reads roles written as JSON text.
pub(super) fn read_role(site: &Site<'_>, value: &mut Value) -> u32 {
    let list = site.attribute.kind == Type::Complex && site.attribute.multi_valued;
    if !site.entra || site.carrier != Carrier::Operation || !list {
        return 0;
    }
    let elements = match value {
        Value::Array(elements) => elements.as_mut_slice(),
        single => std::slice::from_mut(single),
    };
    elements
        .iter_mut()
        .filter_map(Value::as_object_mut)
        .map(|role| u32::from(read_one(site, role)))
        .sum()
}

fn read_one(site: &Site<'_>, role: &mut Map<String, Value>) -> bool {
    let text = role
        .get("value")
        .and_then(Value::as_str)
        .filter(|text| text.starts_with('{'));
    let Some(Value::Object(mut inner)) = text.and_then(|text| serde_json::from_str(text).ok()) else {
        return false;
    };
    let named = inner.contains_key("id") || inner.contains_key("displayName");
    let Some(name) = inner
        .get_mut("value")
        .map(Value::take)
        .filter(|name| named && name.is_string())
    else {
        return false;
    };
    role.insert("value".to_owned(), name);
    let display = inner.get_mut("displayName").map(Value::take).filter(Value::is_string);
    for (part, given) in [("display", display), ("type", Some(Value::from(ROLE_TYPE)))] {
        if let Some(given) = given.filter(|_| site.attribute.sub(part).is_some()) {
            role.entry(part).or_insert(given);
        }
    }
    true
}
