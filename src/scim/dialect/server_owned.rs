//! Attributes the server owns, sent back to it.

use serde_json::{Map, Value};

use super::Rule;
use super::lookup::{member_mut, parse};
use super::walk::{Carrier, Site};
use crate::scim::schema::{Mutability, ResourceType, Type};

/// `id`, `meta`, `groups` beside what is really changed, in a PATCH value without path, and the same in extensions; `displayName`
/// in a manager: Okta group renames, authentik group updates.
///
/// `schemas` is not among them: it can be written, and says nothing new (see `unknown-schemas-dropped`).
/// A PATCH that asks for no other attribute, or names a read-only one by path, is still refused. In POST and PUT bodies
/// the RFC itself has them ignored (RFC 7644 §3.3, §3.5.1).
/// Departs from RFC 7644 §3.5.2: a client must not modify a read-only attribute.
pub(super) const READ_ONLY_DROPPED: Rule = Rule {
    name: "read-only-dropped",
    clients: "Okta, authentik",
    does: "ignores read-only attributes sent along with others in a PATCH, and read-only parts of a value",
    departs: "RFC 7644 §3.5.2",
};

/// Drops read-only attributes from a PATCH value without path, also those within the objects of extensions.
pub(super) fn drop_attributes(ty: &ResourceType, value: &mut Map<String, Value>) -> u32 {
    let extension = |name: &str| ty.extension(name).map(|found| found.schema.id.as_str());
    let all_owned = |(name, value): (&String, &Value)| match (extension(name), value) {
        (Some(urn), Value::Object(inner)) => inner.keys().all(|name| owned(ty, Some(urn), name)),
        _ => owned(ty, None, name),
    };
    if value.iter().all(all_owned) {
        return 0;
    }
    let mut count = 0;
    value.retain(|name, value| {
        if let (Some(urn), Value::Object(inner)) = (extension(name), value) {
            let before = inner.len();
            inner.retain(|name, _| !owned(ty, Some(urn), name));
            count += before - inner.len();
            // Nothing is left to be said of it, but for what was empty before.
            return before == 0 || !inner.is_empty();
        }
        let owned = owned(ty, None, name);
        count += usize::from(owned);
        !owned
    });
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The same from the value of an operation whose path is the URN of a schema.
pub(super) fn drop_within(ty: &ResourceType, urn: &str, operation: &mut Map<String, Value>) -> u32 {
    let Some(Value::Object(value)) = member_mut(operation, "value") else {
        return 0;
    };
    match ty.extension(urn) {
        Some(_) => drop_unless_all(value, |name| owned(ty, Some(urn), name)),
        None => drop_attributes(ty, value),
    }
}

fn owned(ty: &ResourceType, extension: Option<&str>, name: &str) -> bool {
    let Some(path) = parse(name).filter(|path| path.urn.is_none()) else {
        return false;
    };
    ty.field(extension, &path.name)
        .is_some_and(|field| field.attribute().mutability == Mutability::ReadOnly)
}

/// Counts read-only sub-attributes in the value of an attribute that can be written.
///
/// They stay in the value: what reads it knows what is there already, leaves out what would change it, and names it.
/// Not those of members: the RFC's own PATCH of members has their names in it (RFC 7644 §3.5.2.1). Nor `$ref`, which
/// follows from `value`.
pub(super) fn notice_sub_attributes(site: &Site<'_>, value: &mut Value) -> u32 {
    let attribute = site.attribute;
    let writable = attribute.kind == Type::Complex && attribute.mutability != Mutability::ReadOnly;
    if site.carrier != Carrier::Operation || !writable || attribute.name == "members" {
        return 0;
    }
    let elements = match value {
        Value::Array(elements) => elements.as_slice(),
        one => std::slice::from_ref(one),
    };
    let parts = elements.iter().filter_map(Value::as_object).flatten();
    let read_only = parts.filter(|(name, value)| {
        let sub = attribute.sub(name).filter(|_| !value.is_null());
        sub.is_some_and(|sub| sub.mutability == Mutability::ReadOnly && sub.name != "$ref")
    });
    u32::try_from(read_only.count()).unwrap_or(u32::MAX)
}

fn drop_unless_all(object: &mut Map<String, Value>, unwanted: impl Fn(&str) -> bool) -> u32 {
    if object.keys().all(|name| unwanted(name)) {
        return 0;
    }
    let names: Vec<String> = object.keys().filter(|name| unwanted(name)).cloned().collect();
    names
        .iter()
        .map(|name| u32::from(object.shift_remove(name).is_some()))
        .sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{ENTERPRISE_USER, Registry};

    #[test]
    fn a_read_only_part_of_a_value_is_counted_and_stays() {
        let registry = Registry::builtin();
        let count = |ty: &str, urn: Option<&str>, name: &str, value: &Value| {
            let field = registry.resource_type(ty).unwrap().field(urn, name).unwrap();
            let site = Site {
                attribute: field.attribute(),
                parent: None,
                carrier: Carrier::Operation,
                entra: false,
            };
            let mut left = value.clone();
            let counted = notice_sub_attributes(&site, &mut left);
            assert_eq!(left, *value);
            counted
        };
        let manager = |value: Value| count("User", Some(ENTERPRISE_USER), "manager", &value);
        assert_eq!(manager(json!({ "displayName": "Boss" })), 1);
        assert_eq!(manager(json!({ "value": "u9", "DISPLAYNAME": "Boss" })), 1);
        assert_eq!(
            manager(json!({ "value": "u9", "$ref": "../Users/u9", "displayName": null })),
            0
        );
        let named = json!([{ "value": "u9", "display": "Ada" }]);
        assert_eq!(count("User", None, "emails", &named), 0);
        assert_eq!(count("Group", None, "members", &named), 0);
    }
}
