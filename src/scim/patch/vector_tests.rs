//! The vectors, over a document and a list of members as a store keeps them.

use serde_json::{Map, Value, json};

use super::{MemberOp, apply, parse};
use crate::scim::document::MemberRef;
use crate::scim::filter::matches_element;
use crate::scim::schema::{Registry, ResourceType, Schema};
use crate::scim::{Document, ScimType, validate};

pub(super) fn registry() -> Registry {
    let vectors = include_str!("../../../conformance/vectors/filters.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    Registry::builtin()
        .with_extension("User", Schema::parse(&vectors["extensionSchema"]).unwrap())
        .unwrap()
}

/// The clean form of a representation.
pub(super) fn stored(ty: &ResourceType, representation: &Value) -> (Document, Option<String>, Vec<MemberRef>) {
    let incoming = validate::create(ty, representation).unwrap();
    (
        incoming.document,
        incoming.external_id,
        incoming.members.unwrap_or_default(),
    )
}

/// What a store does with member operations.
fn play(operations: &[MemberOp], members: &mut Vec<MemberRef>) -> bool {
    let before = members.clone();
    for operation in operations {
        match operation {
            MemberOp::Add(added) => {
                for member in added {
                    if !members.iter().any(|known| known.value == member.value) {
                        members.push(member.clone());
                    }
                }
            }
            MemberOp::RemoveValues(values) => members.retain(|member| !values.contains(&member.value)),
            MemberOp::RemoveWhere(filter) => members.retain(|member| !matches_element(filter, &shown(member))),
            MemberOp::ReplaceAll(new) => members.clone_from(new),
            MemberOp::Clear => members.clear(),
        }
    }
    before != *members
}

fn shown(member: &MemberRef) -> Value {
    let mut element = json!({ "value": member.value.as_str() });
    if let Some(kind) = member.kind {
        element["type"] = kind.as_str().into();
    }
    element
}

/// A state in which absent, `null`, `[]`, `{}` and `primary` false are one, and order does not matter.
fn canon(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canon).collect();
            items.sort_by_cached_key(Value::to_string);
            items.into()
        }
        Value::Object(members) => {
            let mut kept: Vec<_> = members
                .iter()
                .filter(|(name, value)| *name != "id" && (*name != "primary" || **value != Value::Bool(false)))
                .map(|(name, value)| (name.clone(), canon(value)))
                .filter(|(_, value)| !validate::is_absent(value))
                .collect();
            kept.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(Map::from_iter(kept))
        }
        other => other.clone(),
    }
}

/// Vectors a dialect has to rewrite first, with how they end when none does.
const STRICT: &[(&str, ScimType)] = &[("P14", ScimType::InvalidSyntax), ("P22", ScimType::InvalidSyntax)];

#[test]
fn every_vector_ends_as_it_says() {
    let vectors: Value = serde_json::from_str(include_str!("../../../conformance/vectors/patches.json")).unwrap();
    let registry = registry();
    for vector in vectors["vectors"].as_array().unwrap() {
        let id = vector["id"].as_str().unwrap();
        let ty = registry
            .resource_type(vector["resourceType"].as_str().unwrap())
            .unwrap();
        let (document, external_id, mut members) = stored(ty, &vector["before"]);
        let patched = parse(&vector["request"]).and_then(|mut request| {
            request.lenient = true;
            apply(ty, &request, &document, external_id.as_deref())
        });
        let strict = STRICT.iter().find(|(strict, _)| *strict == id);
        let expected = &vector["expect"];
        match patched {
            Err(error) => {
                let keyword = error.scim_type.unwrap();
                let listed = expected["error"]["scimType"].as_array();
                let named = listed.is_some_and(|listed| listed.contains(&json!(keyword.as_str())));
                assert!(
                    named || strict.is_some_and(|(_, strict)| *strict == keyword),
                    "{id}: {error} {keyword:?}"
                );
            }
            Ok(patched) => {
                assert!(
                    expected.get("error").is_none(),
                    "{id}: expected {}, got {patched:?}",
                    expected["error"]
                );
                let moved = play(&patched.members, &mut members);
                let mut state = Value::Object(patched.document.into_map());
                state["members"] = members.iter().map(shown).collect();
                state["externalId"] = patched.external_id.into();
                assert_eq!(canon(&state), canon(&expected["after"]), "{id}");
                assert_eq!(patched.changed || moved, expected["metaChanged"] == true, "{id}");
            }
        }
    }
}
