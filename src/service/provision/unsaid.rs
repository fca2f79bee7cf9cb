//! A request that is kept has nothing of what is never returned: whoever decides about it reads all that it says.

use serde_json::Value;

use crate::scim::path::PatchPath;
use crate::scim::schema::{Attribute, Place, ResourceType, Returned, Target};

/// A body in clean form, of a PUT or a PATCH, without what is never returned.
pub(super) fn without_secrets(kind: &ResourceType, mut body: Value) -> Value {
    if kind.is_secretive() {
        let listed = body.get_mut("Operations").and_then(Value::as_array_mut);
        match listed {
            Some(operations) => operations.retain_mut(|operation| says_more(kind, operation)),
            None => strip(kind, None, &mut body),
        }
    }
    body
}

/// Takes it out of an operation of a PATCH; whether the operation says anything else.
fn says_more(kind: &ResourceType, operation: &mut Value) -> bool {
    let path = operation["path"].as_str().and_then(|path| PatchPath::parse(path).ok());
    let Some(value) = operation.get_mut("value") else {
        return true;
    };
    let Some(path) = path else {
        strip(kind, None, value);
        return true;
    };
    match kind.resolve(&path.attr) {
        Some(Target::Attribute(place)) => return may_stay(place, path.sub.as_deref(), value),
        Some(Target::Extension(extension)) => strip(kind, Some(&extension.schema.id), value),
        Some(Target::Core(_)) => strip(kind, None, value),
        None => {}
    }
    true
}

/// Takes it out of the value of an attribute or of a part of one; whether anything of that may be kept.
fn may_stay(place: Place<'_>, sub: Option<&str>, value: &mut Value) -> bool {
    let leaf = sub.and_then(|sub| place.with_sub(sub)).unwrap_or(place);
    if is_secret(place.top()) || is_secret(leaf.leaf()) {
        return false;
    }
    strip_parts(leaf.leaf(), value);
    true
}

/// Takes it out of a resource, or of the part of it that is in an extension.
fn strip(kind: &ResourceType, extension: Option<&str>, value: &mut Value) {
    let Value::Object(members) = value else { return };
    members.retain(|name, value| {
        // A PATCH reads its keys as paths, with filters and all.
        let Ok(mut path) = PatchPath::parse(name) else {
            return !name.contains('[');
        };
        if path.attr.urn.is_none() {
            path.attr.urn = extension.map(str::to_owned);
        }
        match kind.resolve(&path.attr) {
            Some(Target::Attribute(place)) => return may_stay(place, path.sub.as_deref(), value),
            Some(Target::Extension(inner)) if extension.is_none() => strip(kind, Some(&inner.schema.id), value),
            Some(Target::Core(schema)) if extension.is_none() => strip(kind, Some(&schema.id), value),
            Some(Target::Extension(_) | Target::Core(_)) | None => {}
        }
        true
    });
}

fn strip_parts(attribute: &Attribute, value: &mut Value) {
    match value {
        Value::Object(parts) => parts.retain(|name, _| !attribute.sub(name).is_some_and(is_secret)),
        Value::Array(items) => items.iter_mut().for_each(|item| strip_parts(attribute, item)),
        _ => {}
    }
}

fn is_secret(attribute: &Attribute) -> bool {
    attribute.returned == Returned::Never
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{Registry, Schema};

    const VAULT: &str = "urn:example:vault:1.0:User";

    #[test]
    fn a_kept_request_has_nothing_that_is_never_returned_wherever_it_was() {
        let never =
            |name: &str| json!({"name": name, "type": "string", "mutability": "writeOnly", "returned": "never"});
        let schema = json!({"id": VAULT, "name": "Vault", "attributes": [
            never("pin"),
            {"name": "color", "type": "string"},
            {"name": "keys", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value", "type": "string"}, never("code")]},
        ]});
        let registry = Registry::builtin()
            .with_extension("User", Schema::parse(&schema).unwrap())
            .unwrap();
        let without = |body: Value| without_secrets(registry.resource_type("User").unwrap(), body);
        let put =
            json!({"userName": "ada", VAULT: {"PIN": "1", "color": "red", "keys": [{"value": "k", "code": "2"}]}});
        let left = json!({"userName": "ada", VAULT: {"color": "red", "keys": [{"value": "k"}]}});
        assert_eq!(without(put), left);
        let patch = json!({"Operations": [
            {"op": "replace", "path": format!("{VAULT}:pin"), "value": "1"},
            {"op": "replace", "path": format!("{VAULT}:keys[value eq \"k\"].code"), "value": "2"},
            {"op": "add", "path": format!("{VAULT}:keys"), "value": [{"value": "k", "code": "2"}]},
            {"op": "add", "path": VAULT, "value": {"pin": "1", "color": "red"}},
            {"op": "add", "value": {format!("{VAULT}:pin"): "1", "active": false, VAULT: {"pin": "1"}}},
            {"op": "add", "value": {format!("{VAULT}:keys[value eq \"k\"].code"): "2", format!("{VAULT}:keys[value eq \"k\"]"): {"code": "2", "value": "k"}}},
            {"op": "remove", "path": format!("{VAULT}:pin")},
        ]});
        let left = json!({"Operations": [
            {"op": "add", "path": format!("{VAULT}:keys"), "value": [{"value": "k"}]},
            {"op": "add", "path": VAULT, "value": {"color": "red"}},
            {"op": "add", "value": {"active": false, VAULT: {}}},
            {"op": "add", "value": {format!("{VAULT}:keys[value eq \"k\"]"): {"value": "k"}}},
            {"op": "remove", "path": format!("{VAULT}:pin")},
        ]});
        assert_eq!(without(patch), left);
    }
}
