//! The `schemas` of resources and messages.

use serde_json::{Map, Value};

use super::Rule;
use super::lookup::member_mut;
use crate::scim::schema::ResourceType;

/// POST and PUT bodies without `schemas`: hand-written templates and scripts.
///
/// The endpoint says what is meant. A PATCH without `schemas` is refused: no client is known to send one.
/// Departs from RFC 7643 §3: `schemas` is required.
pub(super) const SCHEMAS_ADDED: Rule = Rule {
    name: "schemas-added",
    clients: "OneLogin templates, scripts",
    does: "takes a resource without `schemas` for the type of its endpoint",
    departs: "RFC 7643 §2.1, §3",
};

/// URIs in `schemas` the resource type does not have, in a resource or among the attributes of a PATCH value: Entra ID
/// adds one of Microsoft's own to groups.
///
/// The base schema must be among those left, or nothing is dropped and validation says what is wrong. Not where a PATCH
/// adds: what it lists comes beside what is there.
/// Departs from RFC 7643 §3: only the schemas of the type may be listed.
pub(super) const UNKNOWN_SCHEMAS_DROPPED: Rule = Rule {
    name: "unknown-schemas-dropped",
    clients: "Entra ID",
    does: "ignores URIs in `schemas` that the resource type does not have",
    departs: "RFC 7643 §3",
};

/// Schema of a PATCH message.
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Lists the base schema and the extensions of which the body has an object, if it lists nothing.
pub(super) fn add(ty: &ResourceType, body: &mut Map<String, Value>) -> u32 {
    let silent = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if member_mut(body, "schemas").is_some_and(|value| !silent(value)) {
        return 0;
    }
    body.retain(|name, _| !name.eq_ignore_ascii_case("schemas"));
    let extensions = ty.extensions().iter().map(|extension| extension.schema.id.as_str());
    let present = extensions.filter(|urn| body.keys().any(|name| name.eq_ignore_ascii_case(urn)));
    let list: Vec<&str> = std::iter::once(ty.schema().id.as_str()).chain(present).collect();
    let list = Value::from(list);
    body.shift_insert(0, "schemas".to_owned(), list);
    1
}

/// Drops what the type does not have.
pub(super) fn drop_unknown(ty: &ResourceType, body: &mut Map<String, Value>) -> u32 {
    keep(body, Some(&ty.schema().id), |urn| is_of(ty, urn))
}

/// The same in an operation of a PATCH: in its value, or, where its path is `schemas`, in that value itself.
pub(super) fn drop_unknown_in(ty: &ResourceType, operation: &mut Map<String, Value>) -> u32 {
    let adds = member_mut(operation, "op").is_some_and(|verb| verb == "add");
    let base = (!adds).then_some(ty.schema().id.as_str());
    let named = member_mut(operation, "path").is_some();
    match member_mut(operation, "value") {
        Some(Value::Array(list)) if named => keep_in(list, base, |urn| is_of(ty, urn)),
        Some(Value::Object(value)) if !named => keep(value, base, |urn| is_of(ty, urn)),
        _ => 0,
    }
}

fn is_of(ty: &ResourceType, urn: &str) -> bool {
    urn.eq_ignore_ascii_case(&ty.schema().id) || ty.extension(urn).is_some()
}

/// Drops what is not the schema of a PATCH message.
pub(super) fn drop_beside_patch_op(message: &mut Map<String, Value>) -> u32 {
    keep(message, Some(PATCH_OP), |urn| urn.eq_ignore_ascii_case(PATCH_OP))
}

fn keep(object: &mut Map<String, Value>, base: Option<&str>, known: impl Fn(&str) -> bool) -> u32 {
    match member_mut(object, "schemas") {
        Some(Value::Array(list)) => keep_in(list, base, known),
        _ => 0,
    }
}

/// Where a base is demanded that is not listed, nothing is dropped.
fn keep_in(list: &mut Vec<Value>, base: Option<&str>, known: impl Fn(&str) -> bool) -> u32 {
    let listed = |base: &str| {
        let mut texts = list.iter().filter_map(Value::as_str);
        texts.any(|urn| urn.eq_ignore_ascii_case(base))
    };
    if !base.is_none_or(listed) {
        return 0;
    }
    let before = list.len();
    list.retain(|urn| urn.as_str().is_none_or(&known));
    u32::try_from(before - list.len()).unwrap_or(u32::MAX)
}
