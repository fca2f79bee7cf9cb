//! What is refused unless a client is known to do it, and what is never lost in silence.

use serde_json::{Value, json};

use super::tests::{nora, patch, refused};
use super::vector_tests::{registry, stored};
use super::{MemberOp, OpOutcome, apply, parse};
use crate::scim::document::MemberKind;
use crate::scim::message::PATCH_OP;
use crate::scim::schema::{ENTERPRISE_USER, GROUP, Registry, Schema, USER};
use crate::scim::{ScimType, validate};

#[test]
fn a_path_as_a_key_is_refused_wherever_it_stands() {
    for value in [
        json!({ "name.givenName": "N" }),
        json!({ format!("{ENTERPRISE_USER}:department"): "Night" }),
        json!({ format!("{USER}:title"): "Cook" }),
        json!({ ENTERPRISE_USER: { "manager.value": "u9" } }),
        json!({ ENTERPRISE_USER: { "department": "a" }, format!("{ENTERPRISE_USER}:department"): "b" }),
    ] {
        for verb in ["add", "replace"] {
            assert_eq!(
                refused(&json!([{ "op": verb, "value": value }])),
                ScimType::InvalidSyntax,
                "{value}"
            );
        }
    }
}

#[test]
fn a_key_selects_elements_only_where_that_is_tolerated() {
    let body = json!({ "schemas": [PATCH_OP], "Operations": [
        { "op": "replace", "value": { "emails[type eq \"home\"].value": "n@x.example" } },
        { "op": "replace", "value": { "emails.display": "N" } },
    ] });
    let registry = registry();
    let ty = registry.resource_type("User").unwrap();
    let (document, ..) = stored(ty, &nora());
    let mut request = parse(&body).unwrap();
    let strict = apply(ty, &request, &document, None).unwrap();
    assert!(!strict.changed);
    assert_eq!(strict.ignored, ["emails[type eq \"home\"].value", "emails.display"]);
    request.lenient = true;
    let lenient = apply(ty, &request, &document, None).unwrap();
    let emails = &lenient.document.as_map()["emails"];
    assert_eq!(
        (&emails[1]["value"], &emails[0]["display"]),
        (&json!("n@x.example"), &json!("N"))
    );
    assert!(lenient.ignored.is_empty());
}

#[test]
fn a_removal_with_a_value_is_refused_unless_that_is_tolerated() {
    let registry = registry();
    let ty = registry.resource_type("User").unwrap();
    let (document, ..) = stored(ty, &nora());
    for (path, value) in [
        ("emails", json!([{ "value": "nora@home.example" }])),
        ("emails[type eq \"home\"]", json!([{ "value": "zzz" }])),
        ("nickName", json!("other")),
        ("emails", json!([])),
    ] {
        let operation = json!({ "op": "remove", "path": path, "value": value });
        let body = json!({ "schemas": [PATCH_OP], "Operations": [operation] });
        let strict = apply(ty, &parse(&body).unwrap(), &document, None).unwrap_err();
        assert_eq!(strict.scim_type, Some(ScimType::InvalidSyntax), "{operation}");
        patch(&nora(), &json!([operation])).unwrap();
    }
    let plain = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "remove", "path": "nickName", "value": null }] });
    assert!(apply(ty, &parse(&plain).unwrap(), &document, None).unwrap().changed);
}

#[test]
fn what_an_operation_has_beside_its_parts_is_reported() {
    let operation = json!([{ "op": "add", "path": "title", "VALUE": "Cook", "name": "x", "foo": 1 }]);
    let patched = patch(&nora(), &operation).unwrap();
    assert_eq!(patched.ignored, ["name", "foo"]);
    assert_eq!(
        (patched.ended[0].outcome, patched.ended[0].ignored),
        (OpOutcome::Applied, 2)
    );
}

#[test]
fn an_account_that_is_off_does_not_come_on_unseen() {
    let mut off = nora();
    off["active"] = json!(false);
    let active = |before: &Value, operation: Value| {
        let patched = patch(
            before,
            &json!([operation, { "op": "add", "path": "title", "value": "Cook" }]),
        )
        .unwrap();
        (
            patched.document.as_map().get("active").cloned(),
            patched.ended[0].outcome,
        )
    };
    let removal = json!({ "op": "remove", "path": "active" });
    assert_eq!(active(&off, removal.clone()), (None, OpOutcome::Applied));
    for nothing in [
        json!({ "op": "replace", "path": "active", "value": null }),
        json!({ "op": "replace", "value": { "active": null } }),
        json!({ "op": "add", "path": "active", "value": null }),
    ] {
        assert_eq!(active(&off, nothing), (Some(json!(false)), OpOutcome::AlreadyTrue));
    }
    // Where it is on, nobody is let in by that.
    assert_eq!(active(&nora(), removal), (None, OpOutcome::Applied));
}

#[test]
fn members_say_nothing_that_contradicts_itself_or_means_nothing() {
    let crew = json!({ "schemas": [GROUP], "displayName": "Crew" });
    let adding = |member: Value| patch(&crew, &json!([{ "op": "add", "path": "members", "value": [member] }]));
    for contradiction in [
        json!({ "value": "u1", "$ref": "https://x.example/scim/v2/Users/u2" }),
        json!({ "value": "u1", "type": "Group", "$ref": "../Users/u1" }),
        json!({ "value": "u1", "type": "Robot" }),
    ] {
        let error = adding(contradiction.clone()).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{contradiction}");
    }
    for (plain, kind) in [
        (
            json!({ "value": "u1", "$ref": "Users/u1", "type": "user" }),
            Some(MemberKind::User),
        ),
        (
            json!({ "$ref": "https://x.example/v2/groups/u1/" }),
            Some(MemberKind::Group),
        ),
        (json!({ "value": "u1", "$ref": null, "type": null }), None),
        (json!({ "value": "u1", "$ref": "u1" }), None),
    ] {
        let patched = adding(plain.clone()).unwrap();
        let MemberOp::Add(members) = &patched.members[0] else {
            panic!("{plain}")
        };
        assert_eq!((members[0].value.as_str(), members[0].kind), ("u1", kind), "{plain}");
    }
    let patched = adding(json!({ "value": "u1", "display": "Una", "foo": 1 })).unwrap();
    assert_eq!(
        (patched.ignored, patched.ended[0].ignored),
        (vec!["members.foo".to_owned()], 1)
    );
}

#[test]
fn an_immutable_part_of_an_element_stays_whatever_form_the_request_has() {
    let schema = json!({"id": "urn:x:doors:1.0:User", "name": "Doors", "attributes": [
        {"name": "doors", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "type": "string"},
            {"name": "key", "type": "string", "mutability": "immutable"},
            {"name": "floor", "type": "string"},
        ]},
    ]});
    let registry = Registry::builtin()
        .with_extension("User", Schema::parse(&schema).unwrap())
        .unwrap();
    let ty = registry.resource_type("User").unwrap();
    let body =
        |doors: Value| json!({ "schemas": [USER], "userName": "ada", "urn:x:doors:1.0:User": { "doors": doors } });
    let (document, ..) = stored(ty, &body(json!([{ "value": "a", "key": "1" }, { "value": "b" }])));
    let put = |doors: Value| validate::replace(ty, &body(doors), &document);
    let patched = |doors: Value| {
        let operation = json!({ "op": "replace", "path": "urn:x:doors:1.0:User:doors", "value": doors });
        let request = parse(&json!({ "schemas": [PATCH_OP], "Operations": [operation] })).unwrap();
        apply(ty, &request, &document, None)
    };
    let other = json!([{ "value": "a", "key": "2" }]);
    assert_eq!(put(other.clone()).unwrap_err().scim_type, Some(ScimType::Mutability));
    assert_eq!(patched(other).unwrap_err().scim_type, Some(ScimType::Mutability));
    for fine in [
        json!([{ "value": "a", "key": "1", "floor": "2" }, { "value": "b", "key": "9" }]),
        json!([{ "value": "c", "key": "2" }]),
        json!([]),
    ] {
        put(fine.clone()).unwrap();
        patched(fine).unwrap();
    }
    // What a PUT leaves out of an element is not cleared where it cannot be.
    let kept = put(json!([{ "value": "a", "floor": "2" }]))
        .unwrap()
        .document
        .into_map();
    assert_eq!(
        kept["urn:x:doors:1.0:User"]["doors"],
        json!([{ "value": "a", "floor": "2", "key": "1" }])
    );
}
