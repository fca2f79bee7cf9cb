//! Schemas of the tests, and how they are set.

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::api::bodies::{USER, user};
use crate::support::answer::Answer;

/// An extension of users.
pub const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";
/// The schema of a Schema.
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

/// A schema of these attributes.
pub fn schema(urn: &str, attributes: &Value) -> Value {
    json!({"schemas": [SCHEMA], "id": urn, "name": "Badge", "description": "Of the tests", "attributes": attributes})
}

/// One of each characteristic.
pub fn badge() -> Value {
    schema(
        BADGE,
        &json!([
            {"name": "color", "type": "string", "canonicalValues": ["red", "blue"]},
            {"name": "code", "type": "string", "caseExact": true},
            {"name": "level", "type": "integer"},
            {"name": "serial", "type": "string", "mutability": "immutable"},
            {"name": "printed", "type": "dateTime", "mutability": "readOnly"},
            {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
            {"name": "note", "type": "string", "returned": "request"},
            {"name": "number", "type": "string", "uniqueness": "server"},
            {"name": "doors", "type": "complex", "multiValued": true, "subAttributes": [
                {"name": "value", "type": "string"},
                {"name": "type", "type": "string"},
                {"name": "primary", "type": "boolean"},
            ]},
        ]),
    )
}

/// What extends a resource type, and whether every resource must have it.
pub fn extends(name: &str, extensions: &[(&str, bool)]) -> Value {
    let extension = |(urn, required): &(&str, bool)| json!({"schema": urn, "required": required});
    let extensions: Vec<Value> = extensions.iter().map(extension).collect();
    json!({"schemas": [RESOURCE_TYPE], "name": name, "schemaExtensions": extensions})
}

/// Adds a schema or changes it.
pub async fn set(desk: &Desk, schema: &Value) -> Answer {
    let path = format!("/api/v1/schemas/{}", schema["id"].as_str().unwrap());
    desk.ask(Method::PUT, &path, Some(schema.clone()), &[]).await
}

/// Says what a resource type has.
pub async fn attach(desk: &Desk, definition: &Value) -> Answer {
    let path = format!("/api/v1/resource-types/{}", definition["name"].as_str().unwrap());
    desk.ask(Method::PUT, &path, Some(definition.clone()), &[]).await
}

/// Users have badges from now on.
pub async fn badges(desk: &Desk) {
    set(desk, &badge()).await.status(200);
    attach(desk, &extends("User", &[(BADGE, false)])).await.status(200);
}

/// A user with such a badge.
pub fn worn(name: &str, badge: &Value) -> Value {
    user(name, json!({"schemas": [USER, BADGE], BADGE: badge}))
}
