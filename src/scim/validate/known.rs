//! What a type has of a document that was stored before: its schemas may have been changed since.

use serde_json::{Map, Value};

use super::resource::carry_schemas;
use super::value::is_of;
use crate::scim::Document;
use crate::scim::schema::{Attribute, Field, ResourceType, Type};

/// The same document without what the type does not have, or has with values of another kind.
#[must_use]
pub fn known(ty: &ResourceType, document: Document) -> Document {
    let mut members = document.into_map();
    members.retain(|name, value| {
        if ty.extension(name).is_some() {
            let Value::Object(inner) = value else { return false };
            return keep(inner, |member| ty.field(Some(name), member).map(Field::attribute));
        }
        let field = ty.field(None, name).filter(|_| name != "schemas");
        field.is_some_and(|field| fits(field.attribute(), value))
    });
    carry_schemas(ty, members)
}

/// Keeps what is an attribute and fits; whether anything is.
fn keep<'a>(members: &mut Map<String, Value>, attribute: impl Fn(&str) -> Option<&'a Attribute>) -> bool {
    members.retain(|name, value| attribute(name).is_some_and(|attribute| fits(attribute, value)));
    !members.is_empty()
}

fn fits(attribute: &Attribute, value: &mut Value) -> bool {
    match (attribute.multi_valued, value) {
        (true, Value::Array(items)) => {
            items.retain_mut(|item| one_fits(attribute, item));
            !items.is_empty()
        }
        (true, _) => false,
        (false, one) => one_fits(attribute, one),
    }
}

fn one_fits(attribute: &Attribute, value: &mut Value) -> bool {
    match (attribute.kind, value) {
        (Type::Complex, Value::Object(parts)) => keep(parts, |name| attribute.sub(name)),
        (Type::Complex, _) => false,
        (kind, value) => is_of(kind, value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{ENTERPRISE_USER, Registry, Schema, USER};

    const BADGE: &str = "urn:example:badge:1.0:User";

    #[test]
    fn what_has_another_kind_by_now_is_not_taken_over() {
        let schema = json!({"id": BADGE, "name": "Badge", "attributes": [
            {"name": "level", "type": "integer"},
            {"name": "color", "type": "string"},
            {"name": "tags", "type": "string", "multiValued": true},
            {"name": "doors", "type": "complex", "multiValued": true, "subAttributes": [
                {"name": "value", "type": "string"},
                {"name": "floor", "type": "integer"},
            ]},
        ]});
        let registry = Registry::builtin()
            .with_extension("User", Schema::parse(&schema).unwrap())
            .unwrap();
        let ty = registry.resource_type("User").unwrap();
        let of = |badge: Value| {
            let manager = json!({"manager": {"value": "m", "displayName": "Mia"}});
            let text = json!({"schemas": [USER, ENTERPRISE_USER, BADGE], "userName": "ada", "active": true, ENTERPRISE_USER: manager, BADGE: badge});
            let known = known(ty, Document::from_stored(&text.to_string()).unwrap());
            assert_eq!(known.as_map()[ENTERPRISE_USER], manager);
            Value::Object(known.into_map())
        };
        let whole = json!({"level": 3, "color": "red", "tags": ["a"], "doors": [{"value": "d", "floor": 1}]});
        assert_eq!(of(whole.clone())[BADGE], whole);
        let other = json!({"level": "three", "color": 7, "tags": "a", "doors": [{"value": "d", "floor": "1", "gone": 1}, {"floor": "2"}], "gone": 1});
        assert_eq!(of(other)[BADGE], json!({"doors": [{"value": "d"}]}));
        let none = of(json!({"level": "three"}));
        assert!(none.get(BADGE).is_none());
        assert_eq!(none["schemas"], json!([USER, ENTERPRISE_USER]));
    }
}
