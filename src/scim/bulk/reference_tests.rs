//! Which texts refer, and which are text.

use serde_json::{Value, json};

use super::reference::{need, resolve, take_members};
use super::request::{Asked, Name, Operation, parse};
use crate::base::id::ResourceId;
use crate::scim::message::{BULK_REQUEST, PATCH_OP};
use crate::scim::schema::{ENTERPRISE_USER, Registry, ResourceType, Schema, TypeDefinition};

fn operation(value: Value) -> Operation {
    let mut body = json!({"schemas": [BULK_REQUEST]});
    body["Operations"] = Value::Array(vec![value]);
    parse(body, 1).unwrap().operations.remove(0)
}

fn kind(name: &str) -> ResourceType {
    Registry::builtin().resource_type(name).unwrap().clone()
}

/// What an operation is after `a` was made as `1` and `b` as `2`.
fn resolved(name: &str, value: Value) -> Asked {
    let mut asked = operation(value).asked.unwrap();
    let made = |name: &str| ["a", "b"].iter().position(|one| *one == name);
    let made = |name: &str| made(name).map(|at| ResourceId::new((at + 1).to_string()));
    resolve(&mut asked, &kind(name), made).unwrap();
    asked
}

#[test]
fn references_are_resolved_wherever_the_schema_has_them() {
    let put = |data: Value| json!({"method": "PUT", "path": "/X/bulkId:b", "data": data});
    let group = resolved(
        "Group",
        put(json!({"displayName": "bulkId:a", "members": [{"value": "bulkId:a"}, {"$ref": "../Users/bulkId:b"}]})),
    );
    assert_eq!(group.name, Some(Name::Id(ResourceId::new("2"))));
    assert_eq!(
        group.data,
        json!({"displayName": "bulkId:a", "members": [{"value": "1"}, {"$ref": "../Users/2"}]})
    );
    let user = json!({
        "nickName": "bulkId:a", "profileUrl": "bulkId:a", "groups": [{"value": "bulkId:none"}],
        ENTERPRISE_USER: {"manager": {"value": "bulkId:a", "displayName": "bulkId:a"}},
    });
    let user = resolved("User", put(user)).data;
    assert_eq!(
        user[ENTERPRISE_USER]["manager"],
        json!({"value": "1", "displayName": "bulkId:a"})
    );
    assert_eq!(user["nickName"], "bulkId:a");
    assert_eq!(user["profileUrl"], "bulkId:a");
    assert_eq!(user["groups"][0]["value"], "bulkId:none");
}

#[test]
fn a_patch_refers_in_its_values_and_in_its_filters() {
    let patch = |operations: Value| {
        let data = json!({"schemas": [PATCH_OP], "Operations": operations});
        json!({"method": "PATCH", "path": "/X/1", "data": data})
    };
    let group = resolved(
        "Group",
        patch(json!([
            {"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]},
            {"op": "remove", "path": "members[value eq \"bulkId:b\"]"},
            {"op": "replace", "value": {"displayName": "bulkId:a", "members": {"value": "bulkId:b"}}},
            {"op": "replace", "path": "displayName", "value": "bulkId:a"},
        ])),
    );
    let operations = &group.data["Operations"];
    assert_eq!(operations[0]["value"], json!([{"value": "1"}]));
    assert_eq!(operations[1]["path"], "members[value eq \"2\"]");
    assert_eq!(
        operations[2]["value"],
        json!({"displayName": "bulkId:a", "members": {"value": "2"}})
    );
    assert_eq!(operations[3]["value"], "bulkId:a");
    let manager = format!("{ENTERPRISE_USER}:manager");
    let user = resolved(
        "User",
        patch(json!([
            {"op": "add", "path": manager, "value": "bulkId:a"},
            {"op": "add", "path": format!("{manager}.value"), "value": "bulkId:b"},
            {"op": "add", "path": ENTERPRISE_USER, "value": {"manager": {"value": "bulkId:a"}}},
            {"op": "add", "value": {format!("{manager}.value"): "bulkId:b"}},
            {"op": "replace", "path": "nickName", "value": "bulkId:a"},
        ])),
    );
    let values: Vec<&Value> = user.data["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["value"])
        .collect();
    assert_eq!(
        values,
        [
            &json!("1"),
            &json!("2"),
            &json!({"manager": {"value": "1"}}),
            &json!({format!("{manager}.value"): "2"}),
            &json!("bulkId:a")
        ]
    );
}

#[test]
fn a_text_of_a_filter_refers_where_it_is_compared_with_what_does() {
    let path = r#"members[display eq "say \"bulkId:a\"" and value eq "bulkId:a" or display sw "bulkId:b"]"#;
    let remove = json!({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": path}]});
    let change = json!({"method": "PATCH", "path": "/Groups/1", "data": remove});
    let found = need(&mut operation(change.clone()), Some(&kind("Group")));
    assert_eq!(found.refers, [("a".to_owned(), false)]);
    let asked = resolved("Group", change);
    let path = r#"members[display eq "say \"bulkId:a\"" and value eq "1" or display sw "bulkId:b"]"#;
    assert_eq!(asked.data["Operations"][0]["path"], path);
}

#[test]
fn what_was_not_made_is_named() {
    let group = json!({"members": [{"value": "bulkId:ghost"}]});
    let mut asked = operation(json!({"method": "PUT", "path": "/Groups/1", "data": group}))
        .asked
        .unwrap();
    let fault = resolve(&mut asked, &kind("Group"), |_| None).unwrap_err();
    assert_eq!(fault.status, 409);
    assert!(fault.detail.contains("`ghost`"));
}

#[test]
fn a_need_tells_what_is_changed_and_spoken_of() {
    let user = json!({"userName": "ADA", "externalId": "7", ENTERPRISE_USER: {"manager": {"value": "m"}}});
    let mut create = operation(json!({"method": "POST", "path": "/Users", "bulkId": "a", "data": user}));
    let found = need(&mut create, Some(&kind("User")));
    assert_eq!(found.makes.as_deref(), Some("a"));
    assert_eq!(found.writes, ["bulkId:a", "Users userName ada", "Users externalId 7"]);
    assert_eq!(found.reads, ["m"]);
    let mut end = operation(json!({"method": "DELETE", "path": "/Users/bulkId:a"}));
    let found = need(&mut end, Some(&kind("User")));
    assert_eq!((found.makes, found.refers), (None, vec![("a".to_owned(), false)]));
}

#[test]
fn a_name_is_what_it_is_compared_as_wherever_only_one_may_have_it() {
    let badge = json!({"id": "urn:example:badge:1.0:User", "name": "Badge", "attributes": [
        {"name": "card", "type": "complex", "subAttributes": [
            {"name": "number", "type": "integer", "uniqueness": "server"},
            {"name": "color", "type": "string"},
        ]},
    ]});
    let registry = Registry::builtin()
        .with_extension("User", Schema::parse(&badge).unwrap())
        .unwrap();
    let user = json!({"userName": "\u{ff21}da", "displayName": "Ada", "urn:example:badge:1.0:User": {"card": {"number": 7, "color": "red"}}});
    let writes = |endpoint: &str, ty: &str, data: Value| {
        let mut create = operation(json!({"method": "POST", "path": endpoint, "bulkId": "a", "data": data}));
        need(&mut create, registry.resource_type(ty)).writes
    };
    assert_eq!(
        writes("/Users", "User", user),
        [
            "bulkId:a",
            "Users userName ada",
            "urn:example:badge:1.0:User:card.number 7"
        ]
    );
    assert_eq!(
        writes("/Groups", "Group", json!({"displayName": "Sales"})),
        ["bulkId:a", "Groups displayName sales"]
    );
}

#[test]
fn a_name_is_compared_over_what_it_is_unique_in() {
    let unique = |urn: &str, name: &str| {
        let schema =
            json!({"id": urn, "name": "x", "attributes": [{"name": name, "type": "string", "uniqueness": "server"}]});
        Schema::parse(&schema).unwrap()
    };
    let (core, tag) = ("urn:example:robot:1.0:Robot", "urn:example:tag:1.0");
    let mut registry = Registry::builtin()
        .with_schema(unique(core, "displayName"))
        .and_then(|registry| registry.with_schema(unique(tag, "number")))
        .unwrap();
    let tagged = json!([{"schema": tag, "required": false}]);
    for definition in [
        json!({"name": "Robot", "endpoint": "/Robots", "schema": core, "schemaExtensions": tagged}),
        json!({"name": "Drone", "endpoint": "/Drones", "schema": core, "schemaExtensions": tagged}),
    ] {
        let definition = TypeDefinition::parse(&definition).unwrap();
        registry = registry.with_type(&definition).unwrap();
    }
    let writes = |ty: &str| {
        let data = json!({"displayName": "A", tag: {"number": "7"}});
        let path = format!("/{ty}s");
        let mut create = operation(json!({"method": "POST", "path": path, "bulkId": "a", "data": data}));
        need(&mut create, registry.resource_type(ty)).writes
    };
    assert_eq!(
        writes("Robot"),
        ["bulkId:a", "Robot:displayName a", "urn:example:tag:1.0:number 7"]
    );
    assert_eq!(
        writes("Drone"),
        ["bulkId:a", "Drone:displayName a", "urn:example:tag:1.0:number 7"]
    );
}

#[test]
fn members_that_are_made_later_are_taken_out_of_a_new_group() {
    let mut data =
        json!({"displayName": "x", "Members": [{"value": "bulkId:a"}, {"value": "7"}, {"value": "bulkId:b"}]});
    let later = |name: &str| name == "b";
    assert_eq!(
        take_members(&kind("Group"), &mut data, later),
        [json!({"value": "bulkId:b"})]
    );
    assert_eq!(data["Members"], json!([{"value": "bulkId:a"}, {"value": "7"}]));
    let mut lone = json!({"members": {"value": "bulkId:b"}});
    assert_eq!(take_members(&kind("Group"), &mut lone, later).len(), 1);
    assert!(lone["members"].is_null());
    let mut user = json!({"members": [{"value": "bulkId:b"}]});
    assert!(take_members(&kind("User"), &mut user, later).is_empty());
}
