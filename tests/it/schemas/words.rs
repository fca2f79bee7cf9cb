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

/// The schema of the resource type of every kind of attribute, and its extension, which is required.
pub const TEST: &str = "urn:ietf:params:scim:schemas:test:2.0:TestResource";
pub const TEST_EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource";
/// The schema of robots, which are made of two attributes.
pub const ROBOT: &str = "urn:example:robot:1.0:Robot";

/// Definitions as the files of `conformance/schemas` have them.
pub const TESTRESOURCE_FILE: &str = include_str!("../../../conformance/schemas/testresource.json");
pub const DEVICE_FILE: &str = include_str!("../../../conformance/schemas/device.json");

/// Defines all that a file has.
pub async fn define(desk: &Desk, file: &str) {
    let file: Value = serde_json::from_str(file).unwrap();
    for schema in file["schemas"].as_array().unwrap() {
        set(desk, schema).await.status(200);
    }
    let types = file["resourceTypes"].as_array().cloned();
    for ty in types.unwrap_or_else(|| vec![file["resourceType"].clone()]) {
        attach(desk, &ty).await.status(200);
    }
}

/// A resource type with an endpoint of its own.
pub fn own_type(name: &str, endpoint: &str, core: &str) -> Value {
    let mut definition = extends(name, &[]);
    definition["endpoint"] = endpoint.into();
    definition["schema"] = core.into();
    definition
}

/// There are robots from now on.
pub async fn robots(desk: &Desk) {
    let attributes = json!([
        {"name": "name", "type": "string", "required": true, "uniqueness": "server"},
        {"name": "wheels", "type": "integer"},
    ]);
    set(desk, &schema(ROBOT, &attributes)).await.status(200);
    attach(desk, &own_type("Robot", "/Robots", ROBOT)).await.status(200);
}

/// A robot.
pub fn robot(name: &str, wheels: i64) -> Value {
    json!({"schemas": [ROBOT], "name": name, "wheels": wheels})
}

/// A test resource with more than what it needs.
pub fn test_resource(identifier: &str, more: &Value) -> Value {
    let mut body = json!({
        "schemas": [TEST, TEST_EXTENSION],
        "identifier": identifier,
        TEST_EXTENSION: {"extRequired": "there"},
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}
