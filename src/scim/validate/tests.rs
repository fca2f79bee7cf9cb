//! What a POST and a PUT may say.

use serde_json::{Value, json};

use super::{Incoming, MAX_TEXT, countries, create, replace};
use crate::scim::document::MemberKind;
use crate::scim::schema::{ENTERPRISE_USER, GROUP, Registry, Schema, USER};
use crate::scim::{Document, Error, ScimType};

const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

fn registry() -> Registry {
    let vectors: Value = serde_json::from_str(include_str!("../../../conformance/vectors/filters.json")).unwrap();
    Registry::builtin()
        .with_extension("User", Schema::parse(&vectors["extensionSchema"]).unwrap())
        .unwrap()
}

/// A user with more attributes; `null` takes one away.
fn body(more: &Value) -> Value {
    let mut body = json!({ "schemas": [USER], "userName": "ada" });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn user(more: &Value) -> Result<Incoming, Error> {
    create(registry().resource_type("User").unwrap(), &body(more))
}

fn group(more: &Value) -> Result<Incoming, Error> {
    let mut body = json!({ "schemas": [GROUP], "displayName": "Ops" });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    create(registry().resource_type("Group").unwrap(), &body)
}

fn put(stored: &Document, more: &Value) -> Result<Incoming, Error> {
    replace(registry().resource_type("User").unwrap(), &body(more), stored)
}

fn refused(more: &Value) -> ScimType {
    user(more).unwrap_err().scim_type.unwrap()
}

#[test]
fn names_and_urns_take_their_canonical_spelling() {
    let body = json!({
        "SCHEMAS": [USER.to_uppercase()],
        "USERNAME": "Ada",
        "Name": { "GIVENNAME": "Ada" },
        "eMails": [{ "VALUE": "a@x.example", "Primary": true }],
        ENTERPRISE_USER.to_lowercase(): { "DEPARTMENT": "R" }
    });
    let incoming = create(registry().resource_type("User").unwrap(), &body).unwrap();
    let expected = json!({
        "schemas": [USER, ENTERPRISE_USER],
        "userName": "Ada",
        "name": { "givenName": "Ada" },
        "emails": [{ "value": "a@x.example", "primary": true }],
        ENTERPRISE_USER: { "department": "R" }
    });
    assert_eq!(Value::Object(incoming.document.into_map()), expected);
}

#[test]
fn names_that_differ_in_case_alone_are_ambiguous() {
    for more in [
        json!({ "USERNAME": "x" }),
        json!({ "name": { "givenName": "a", "GivenName": "b" } }),
        json!({ ENTERPRISE_USER: {}, ENTERPRISE_USER.to_uppercase(): {} }),
        json!({ "foo": 1, "FOO": 2 }),
        (0..20)
            .map(|n| (format!("foo{n}"), json!(n)))
            .chain([("FOO7".to_owned(), json!(1))])
            .collect(),
    ] {
        assert_eq!(refused(&more), ScimType::InvalidSyntax, "{more}");
    }
}

#[test]
fn schemas_name_the_type_and_its_extensions_alone() {
    assert_eq!(refused(&json!({ "schemas": null })), ScimType::InvalidSyntax);
    assert_eq!(refused(&json!({ "schemas": [] })), ScimType::InvalidSyntax);
    assert_eq!(refused(&json!({ "schemas": USER })), ScimType::InvalidSyntax);
    assert_eq!(refused(&json!({ "schemas": [1] })), ScimType::InvalidSyntax);
    assert_eq!(
        refused(&json!({ "schemas": [ENTERPRISE_USER] })),
        ScimType::InvalidValue
    );
    assert_eq!(refused(&json!({ "schemas": [USER, GROUP] })), ScimType::InvalidValue);
    let incoming = user(&json!({ "schemas": [ENTERPRISE_USER, USER, USER, BADGE], BADGE: { "level": 1 } })).unwrap();
    assert_eq!(incoming.document.as_map()["schemas"], json!([USER, BADGE]));
}

#[test]
fn null_and_empty_are_absent_and_read_only_input_is_ignored() {
    let incoming = user(&json!({
        "title": null, "emails": [], "name": {}, "phoneNumbers": [null, {}], "roles": [{ "value": null }],
        "id": "mine", "meta": { "version": 7 }, "groups": "x",
        ENTERPRISE_USER: { "manager": { "displayName": "Boss" }, "department": null }
    }));
    assert_eq!(
        incoming.unwrap().document.to_text(),
        format!(r#"{{"schemas":["{USER}"],"userName":"ada"}}"#)
    );
}

#[test]
fn unknown_names_are_reported_with_their_place() {
    let incoming = user(&json!({ "foo": 1, "name": { "first": 2 }, ENTERPRISE_USER: { "bar": 3 }, "urn:x:y": {} }));
    let expected = [
        "foo".to_owned(),
        "name.first".to_owned(),
        format!("{ENTERPRISE_USER}:bar"),
        "urn:x:y".to_owned(),
    ];
    assert_eq!(incoming.unwrap().ignored, expected);
}

#[test]
fn values_have_the_type_of_their_attribute() {
    for more in [
        json!({ "active": "true" }),
        json!({ "title": 5 }),
        json!({ "name": "Ada" }),
        json!({ "emails": { "value": "a" } }),
        json!({ "emails": ["a"] }),
        json!({ "emails": [{ "primary": "true" }] }),
        json!({ "profileUrl": ["x"] }),
        json!({ "x509Certificates": [{ "value": "!!" }] }),
        json!({ "x509Certificates": [{ "value": "a-_b" }] }),
        json!({ BADGE: "x" }),
        json!({ BADGE: { "level": 1.5 } }),
        json!({ BADGE: { "level": 1e2 } }),
        json!({ BADGE: { "level": "1" } }),
        json!({ BADGE: { "score": "1" } }),
        json!({ BADGE: { "issuedAt": "2024-01-01" } }),
        json!({ BADGE: { "tags": "red" } }),
        json!({ "title": "a\u{0}b" }),
        json!({ "title": "x".repeat(MAX_TEXT + 1) }),
        json!({ "roles": (0..1001).map(|n| json!({ "value": n.to_string() })).collect::<Vec<_>>() }),
        json!({ "externalId": 5 }),
        json!({ "password": "" }),
        json!({ "password": ["x"] }),
    ] {
        assert_eq!(
            refused(&more),
            ScimType::InvalidValue,
            "{}",
            &more.to_string()[..60.min(more.to_string().len())]
        );
    }
    let fine = json!({
        "x509Certificates": [{ "value": "AQI" }, { "value": "AQID" }],
        BADGE: { "level": 7, "score": 1e2, "issuedAt": "2024-01-15T08:00:00+02:00", "tags": ["red", "red"] }
    });
    assert_eq!(user(&fine).unwrap().document.as_map()[BADGE]["tags"], json!(["red"]));
}

#[test]
fn what_is_required_must_have_a_value() {
    for more in [
        json!({ "userName": null }),
        json!({ "userName": "" }),
        json!({ "userName": " ada" }),
    ] {
        let error = user(&more).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
        assert!(error.detail.contains("`userName`"));
    }
    assert!(
        group(&json!({ "displayName": "" }))
            .unwrap_err()
            .detail
            .contains("`displayName`")
    );
}

#[test]
fn equal_elements_are_one_and_one_is_primary_at_most() {
    let incoming = user(&json!({ "emails": [
        { "value": "a", "type": "work" }, { "type": "work", "value": "a", "primary": true }, { "value": "a" }
    ] }));
    let expected = json!([{ "value": "a", "type": "work", "primary": true }, { "value": "a" }]);
    assert_eq!(incoming.unwrap().document.as_map()["emails"], expected);
    let two = json!({ "emails": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] });
    assert_eq!(refused(&two), ScimType::InvalidValue);
}

#[test]
fn what_lives_elsewhere_is_not_in_the_document() {
    let incoming = user(&json!({ "externalId": "E1", "password": "s3cret-!", "active": true })).unwrap();
    assert_eq!(incoming.external_id.as_deref(), Some("E1"));
    assert_eq!(incoming.password.as_ref().unwrap().expose(), "s3cret-!");
    assert!(incoming.active_given);
    assert!(incoming.members.is_none());
    assert_eq!(incoming.document.as_map().len(), 3);
    assert!(!user(&json!({ "active": null })).unwrap().active_given);
    assert!(!format!("{incoming:?}").contains("s3cret-!"));
}

#[test]
fn members_are_named_by_value_or_reference() {
    let incoming = group(&json!({ "members": [
        { "value": "u1", "type": "user", "display": "U" }, { "value": "u1" }, { "$ref": "../Groups/g1", "TYPE": "Group" },
        { "value": "u2", "$ref": null, "type": null }, null
    ] }));
    let members = incoming.unwrap().members.unwrap();
    let read: Vec<_> = members
        .iter()
        .map(|member| (member.value.as_str(), member.kind))
        .collect();
    assert_eq!(
        read,
        [
            ("u1", Some(MemberKind::User)),
            ("g1", Some(MemberKind::Group)),
            ("u2", None)
        ]
    );
    assert_eq!(group(&json!({ "members": null })).unwrap().members, Some(vec![]));
    assert_eq!(group(&json!({})).unwrap().members, None);
    for members in [
        json!("u1"),
        json!(["u1"]),
        json!({ "value": "u1" }),
        json!([{ "type": "User" }]),
        json!([{ "value": 1 }]),
    ] {
        let error = group(&json!({ "members": members })).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    }
    assert!(
        user(&json!({ "members": [{ "value": "u1" }] }))
            .unwrap()
            .members
            .is_none()
    );
}

#[test]
fn a_put_clears_what_it_omits_but_keeps_active() {
    let stored = user(&json!({ "active": false, "title": "Cook", "name": { "givenName": "A" } }))
        .unwrap()
        .document;
    let incoming = put(&stored, &json!({ "nickName": "a" })).unwrap();
    assert!(!incoming.active_given);
    let expected = json!({ "schemas": [USER], "userName": "ada", "nickName": "a", "active": false });
    assert_eq!(Value::Object(incoming.document.into_map()), expected);
    // Without a value it is as if it were not there.
    let null = put(&stored, &json!({ "active": null })).unwrap();
    assert_eq!(null.document.as_map()["active"], false);
}

#[test]
fn a_put_keeps_immutable_values_and_refuses_others() {
    let stored = user(&json!({ BADGE: { "serial": "S-1", "level": 1 } }))
        .unwrap()
        .document;
    let omitted = put(&stored, &json!({})).unwrap().document;
    assert_eq!(omitted.as_map()[BADGE], json!({ "serial": "S-1" }));
    assert_eq!(omitted.as_map()["schemas"], json!([USER, BADGE]));
    assert!(put(&stored, &json!({ BADGE: { "serial": "S-1" } })).is_ok());
    let error = put(&stored, &json!({ BADGE: { "serial": "s-1" } })).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::Mutability));
    let fresh = put(
        &user(&json!({})).unwrap().document,
        &json!({ BADGE: { "serial": "S-2" } }),
    )
    .unwrap();
    assert_eq!(fresh.document.as_map()[BADGE]["serial"], "S-2");
}

#[test]
fn a_required_extension_must_be_there() {
    use crate::scim::schema::{Extension, ResourceType};
    let badge = registry();
    let schema = |urn: &str| std::sync::Arc::new(badge.schema(urn).unwrap().clone());
    let extensions = vec![Extension {
        schema: schema(BADGE),
        required: true,
    }];
    let ty = ResourceType::new("User", "", "/Users", schema(USER), extensions).unwrap();
    assert_eq!(
        create(&ty, &body(&json!({}))).unwrap_err().scim_type,
        Some(ScimType::InvalidValue)
    );
    assert!(create(&ty, &body(&json!({ BADGE: { "level": 1 } }))).is_ok());
}

#[test]
fn a_country_has_two_letters_for_those_who_insist() {
    let with = |country: &str| {
        user(&json!({ "addresses": [{ "country": country }] }))
            .unwrap()
            .document
    };
    assert!(countries(&with("DE")).is_ok());
    for country in ["DEU", "Germany", "", "D1", "ÄÖ"] {
        assert_eq!(
            countries(&with(country)).unwrap_err().scim_type,
            Some(ScimType::InvalidValue),
            "{country}"
        );
    }
}

#[test]
fn what_is_shown_on_request_only_is_noted() {
    let incoming = user(&json!({ BADGE: { "secretHint": "cat", "level": 1 } })).unwrap();
    assert_eq!(incoming.asked_for, [format!("{BADGE}:secretHint")]);
}
