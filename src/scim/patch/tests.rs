//! The rules of PATCH one by one.

use serde_json::{Value, json};

use super::vector_tests::{registry, stored};
use super::{MemberOp, OpOutcome, Patched, apply, parse};
use crate::base::id::ResourceId;
use crate::scim::message::PATCH_OP;
use crate::scim::schema::{ENTERPRISE_USER, GROUP, USER};
use crate::scim::{Error, ScimType, validate};

const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

/// What became of each operation.
fn outcomes(patched: &Patched) -> Vec<OpOutcome> {
    patched.ended.iter().map(|ended| ended.outcome).collect()
}

pub(super) fn nora() -> Value {
    json!({
        "schemas": [USER],
        "userName": "nora@acme.test",
        "name": { "givenName": "Nora", "familyName": "Quinn" },
        "nickName": "Nor",
        "active": true,
        "emails": [
            { "value": "nora@acme.test", "type": "work", "primary": true },
            { "value": "nora@home.example", "type": "home" }
        ]
    })
}

pub(super) fn patch(before: &Value, operations: &Value) -> Result<Patched, Error> {
    let registry = registry();
    let group = before["schemas"][0] == GROUP;
    let ty = registry.resource_type(if group { "Group" } else { "User" }).unwrap();
    let (document, external_id, _) = stored(ty, before);
    let mut request = parse(&json!({ "schemas": [PATCH_OP], "Operations": operations }))?;
    request.lenient = true;
    apply(ty, &request, &document, external_id.as_deref())
}

/// The attributes of `nora` after the operations, without `schemas`.
fn after(operations: &Value) -> Value {
    let mut members = patch(&nora(), operations).unwrap().document.into_map();
    members.shift_remove("schemas");
    Value::Object(members)
}

fn refusal(before: &Value, operations: &Value) -> ScimType {
    patch(before, operations)
        .map(|patched| patched.document)
        .unwrap_err()
        .scim_type
        .unwrap()
}

pub(super) fn refused(operations: &Value) -> ScimType {
    refusal(&nora(), operations)
}

#[test]
fn a_request_knows_what_it_speaks_of() {
    let mentions = |operation: Value| {
        let request = parse(&json!({ "schemas": [PATCH_OP], "Operations": [operation] })).unwrap();
        request.mentions("roles")
    };
    for about in [
        json!({ "op": "remove", "path": "Roles" }),
        json!({ "op": "add", "path": "roles[primary eq true].value", "value": "x" }),
        json!({ "op": "replace", "path": format!("{USER}:roles.value"), "value": "x" }),
        json!({ "op": "add", "value": { "title": "t", "ROLES": [] } }),
        json!({ "op": "add", "value": { "roles.value": "x" } }),
    ] {
        assert!(mentions(about.clone()), "{about}");
    }
    for other in [
        json!({ "op": "remove", "path": "title" }),
        json!({ "op": "add", "path": "emails[type eq \"roles\"].value", "value": "roles" }),
        json!({ "op": "add", "value": { "title": "roles" } }),
    ] {
        assert!(!mentions(other.clone()), "{other}");
    }
}

#[test]
fn null_and_empty_lists_unassign_with_replace_and_add_nothing() {
    let cleared = after(&json!([
        { "op": "replace", "path": "emails", "value": [] },
        { "op": "replace", "value": { "name": null, "nickName": null } }
    ]));
    assert_eq!(cleared, json!({ "userName": "nora@acme.test", "active": true }));
    let same = patch(
        &nora(),
        &json!([
            { "op": "add", "path": "emails", "value": [] },
            { "op": "add", "value": { "nickName": null, "name": {} } },
            { "op": "add", "path": "nickName", "value": null },
            { "op": "add", "path": "name.givenName", "value": null },
            { "op": "add", "path": "emails[type eq \"fax\"].value", "value": null }
        ]),
    );
    let same = same.unwrap();
    assert!(!same.changed);
    assert_eq!(outcomes(&same), [OpOutcome::AlreadyTrue; 5]);
    assert_eq!(
        refused(&json!([{ "op": "add", "path": "nickName" }])),
        ScimType::InvalidValue
    );
    assert_eq!(
        refused(&json!([{ "op": "replace", "path": "nickName" }])),
        ScimType::InvalidValue
    );
}

#[test]
fn a_pathless_value_takes_the_names_of_attributes_and_schemas() {
    let state = after(&json!([{ "op": "replace", "value": {
        "NAME": { "GivenName": "N" },
        ENTERPRISE_USER.to_uppercase(): { "DEPARTMENT": "Night", "manager": { "value": "u9", "displayName": null }, "costCenter": "7" },
        USER: { "title": "Cook" },
        "Emails": [{ "value": "nora@acme.test", "type": "work" }, { "value": "n@x.example", "type": "home" }]
    } }]));
    assert_eq!(state["name"], json!({ "givenName": "N", "familyName": "Quinn" }));
    let enterprise = json!({ "department": "Night", "manager": { "value": "u9" }, "costCenter": "7" });
    assert_eq!(state[ENTERPRISE_USER], enterprise);
    assert_eq!(
        (&state["title"], &state["emails"][1]["value"]),
        (&json!("Cook"), &json!("n@x.example"))
    );
    assert_eq!(state.as_object().unwrap().len(), 7);
}

#[test]
fn a_read_only_part_of_a_value_is_refused_or_left_out_and_named() {
    let value = json!({ "value": "u9", "displayName": "Boss" });
    let operations = json!([{ "op": "replace", "path": format!("{ENTERPRISE_USER}:manager"), "value": value }]);
    let registry = registry();
    let ty = registry.resource_type("User").unwrap();
    let (document, _, _) = stored(ty, &nora());
    let mut request = parse(&json!({ "schemas": [PATCH_OP], "Operations": operations })).unwrap();
    let refused = apply(ty, &request, &document, None).unwrap_err();
    assert_eq!(refused.scim_type, Some(ScimType::Mutability));
    request.lenient = true;
    let patched = apply(ty, &request, &document, None).unwrap();
    assert_eq!(patched.ignored, [format!("{ENTERPRISE_USER}:manager.displayName")]);
    let ended = &patched.ended[0];
    assert_eq!((ended.outcome, ended.ignored), (OpOutcome::Applied, 1));
    assert_eq!(
        patched.document.as_map()[ENTERPRISE_USER],
        json!({ "manager": { "value": "u9" } })
    );
}

#[test]
fn an_extension_can_be_named_as_a_whole() {
    let operations = json!([
        { "op": "add", "path": ENTERPRISE_USER, "value": { "department": "Night", "costCenter": "7" } },
        { "op": "replace", "path": ENTERPRISE_USER, "value": { "department": "Day" } }
    ]);
    let patched = patch(&nora(), &operations).unwrap();
    assert_eq!(
        patched.document.as_map()[ENTERPRISE_USER],
        json!({ "department": "Day", "costCenter": "7" })
    );
    assert_eq!(patched.document.as_map()["schemas"], json!([USER, ENTERPRISE_USER]));
    let gone = patch(
        &Value::Object(patched.document.into_map()),
        &json!([{ "op": "remove", "path": ENTERPRISE_USER }]),
    );
    let gone = gone.unwrap();
    assert_eq!(gone.document.as_map()["schemas"], json!([USER]));
    assert_eq!(outcomes(&gone), [OpOutcome::Applied]);
}

#[test]
fn names_that_mean_nothing_are_reported_in_values_and_refused_in_paths() {
    let patched = patch(
        &nora(),
        &json!([{ "op": "add", "value": { "foo": 1, "name": { "bar": 2 }, "a b": 3 } }]),
    );
    let patched = patched.unwrap();
    assert_eq!(
        (patched.ignored, patched.changed),
        (vec!["foo".into(), "name.bar".into(), "a b".into()], false)
    );
    let error = patch(&nora(), &json!([{ "op": "add", "path": "nickname2", "value": "x" }])).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::InvalidPath));
    assert!(error.detail.contains("`nickName`"), "{error}");
    assert_eq!(
        refused(&json!([{ "op": "remove", "path": "emails[type eq \"x\"].foo" }])),
        ScimType::InvalidPath
    );
    assert_eq!(
        refused(&json!([{ "op": "remove", "path": "emails[foo eq \"x\"]" }])),
        ScimType::InvalidFilter
    );
    assert_eq!(
        refused(&json!([{ "op": "remove", "path": "emails[value gt true]" }])),
        ScimType::InvalidFilter
    );
}

#[test]
fn a_filter_that_matches_nothing_creates_with_add_and_has_no_target_with_replace() {
    let state = after(&json!([
        { "op": "add", "path": "phoneNumbers[type eq \"work\" and primary eq true].value", "value": "+1" },
        { "op": "add", "path": "emails[type eq \"other\"]", "value": { "value": "o@x.example", "primary": true } }
    ]));
    assert_eq!(
        state["phoneNumbers"],
        json!([{ "type": "work", "primary": true, "value": "+1" }])
    );
    assert_eq!(
        state["emails"][2],
        json!({ "type": "other", "value": "o@x.example", "primary": true })
    );
    assert_eq!(state["emails"][0]["primary"], false);
    for operation in [
        json!({ "op": "replace", "path": "emails[type eq \"fax\"]", "value": { "value": "x" } }),
        json!({ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": null }),
        json!({ "op": "add", "path": "emails[type eq \"fax\" or type eq \"x\"].value", "value": "x" }),
        json!({ "op": "add", "path": "emails[value eq \"fax\"].value", "value": "x" }),
        json!({ "op": "add", "path": format!("{BADGE}:tags[value eq \"red\"]"), "value": "blue" }),
    ] {
        assert_eq!(refused(&json!([operation])), ScimType::NoTarget, "{operation}");
    }
}

#[test]
fn at_most_one_value_is_primary() {
    let state = after(&json!([{ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true }]));
    assert_eq!(
        (&state["emails"][0]["primary"], &state["emails"][1]["primary"]),
        (&json!(false), &json!(true))
    );
    let both = json!([{ "op": "replace", "path": "emails[value pr].primary", "value": true }]);
    assert_eq!(refused(&both), ScimType::InvalidValue);
    let again = json!([{ "op": "add", "path": "emails", "value":
        { "value": "nora@home.example", "type": "home", "primary": true } }]);
    let state = after(&again);
    assert_eq!(state["emails"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&state["emails"][0]["primary"], &state["emails"][1]["primary"]),
        (&json!(false), &json!(true))
    );
}

#[test]
fn adding_what_is_there_changes_nothing() {
    for operation in [
        json!({ "op": "add", "path": "nickName", "value": "Nor" }),
        json!({ "op": "add", "path": "name", "value": { "givenName": "Nora" } }),
        json!({ "op": "add", "path": "emails", "value":
            [{ "primary": false, "TYPE": "home", "value": "nora@home.example" }] }),
        json!({ "op": "add", "path": "emails[type eq \"work\"]", "value": { "primary": true } }),
        json!({ "op": "remove", "path": "title" }),
        json!({ "op": "remove", "path": "emails[type eq \"fax\"].value" }),
        json!({ "op": "remove", "path": "name.middleName" }),
        json!({ "op": "remove", "path": ENTERPRISE_USER }),
        json!({ "op": "add", "path": "schemas", "value": [ENTERPRISE_USER] }),
        json!({ "op": "replace", "value": { "schemas": [USER] } }),
    ] {
        let patched = patch(&nora(), &json!([operation])).unwrap();
        assert!(!patched.changed, "{operation}");
        assert_eq!(outcomes(&patched), [OpOutcome::AlreadyTrue], "{operation}");
    }
}

#[test]
fn what_is_read_only_required_or_immutable_is_kept() {
    for operation in [
        json!({ "op": "replace", "path": "id", "value": "x" }),
        json!({ "op": "add", "path": "meta.created", "value": "2024-01-01T00:00:00Z" }),
        json!({ "op": "replace", "value": { "meta": { "version": "x" } } }),
        json!({ "op": "remove", "path": "groups[value eq \"g1\"]" }),
        json!({ "op": "remove", "path": "userName" }),
        json!({ "op": "remove", "path": "schemas" }),
        json!({ "op": "remove", "path": "password" }),
    ] {
        assert_eq!(refused(&json!([operation])), ScimType::Mutability, "{operation}");
    }
    let mut badged = nora();
    badged[BADGE] = json!({ "serial": "S-1" });
    for operation in [
        json!({ "op": "replace", "path": format!("{BADGE}:serial"), "value": "S-2" }),
        json!({ "op": "remove", "path": format!("{BADGE}:serial") }),
        json!({ "op": "remove", "path": BADGE }),
        json!({ "op": "replace", "value": { BADGE: { "serial": null } } }),
    ] {
        assert_eq!(
            refusal(&badged, &json!([operation])),
            ScimType::Mutability,
            "{operation}"
        );
    }
    assert_eq!(
        refused(&json!([{ "op": "replace", "path": "userName", "value": "" }])),
        ScimType::InvalidValue
    );
    assert_eq!(
        refused(&json!([{ "op": "replace", "path": "userName", "value": " x" }])),
        ScimType::InvalidValue
    );
}

#[test]
fn remove_with_a_value_takes_away_what_is_listed_and_nothing_else() {
    let state = after(&json!([{ "op": "remove", "path": "emails", "value": [{ "value": "NORA@home.example" }] }]));
    assert_eq!(state["emails"].as_array().unwrap().len(), 1);
    let other =
        json!([{ "op": "remove", "path": "emails", "value": [{ "value": "nora@home.example", "type": "work" }] }]);
    assert_eq!(after(&other)["emails"].as_array().unwrap().len(), 2);
    let state = after(&json!([{ "op": "remove", "path": "emails", "value": [] }]));
    assert_eq!(state["emails"].as_array().unwrap().len(), 2);
    let state = after(&json!([{ "op": "remove", "path": "emails", "value": [{}, { "foo": 1 }] }]));
    assert_eq!(state["emails"].as_array().unwrap().len(), 2);
    let state = after(&json!([{ "op": "remove", "path": "emails", "value": null }]));
    assert!(state.get("emails").is_none());
}

#[test]
fn replacing_an_element_leaves_nothing_of_it_and_adding_to_it_leaves_the_rest() {
    let element = json!({ "value": "n@x.example" });
    let state = after(&json!([{ "op": "replace", "path": "emails[type eq \"work\"]", "value": element }]));
    assert_eq!(state["emails"][0], element);
    let state = after(&json!([{ "op": "add", "path": "emails[type eq \"work\"]", "value": element }]));
    assert_eq!(
        state["emails"][0],
        json!({ "value": "n@x.example", "type": "work", "primary": true })
    );
}

#[test]
fn paths_that_do_not_fit_are_invalid() {
    for path in [
        "name[givenName eq \"Nora\"].familyName",
        "emails[0]",
        "/emails",
        "emails.type[value pr]",
        "name.foo",
        "",
    ] {
        assert_eq!(
            refused(&json!([{ "op": "replace", "path": path, "value": "x" }])),
            ScimType::InvalidPath,
            "{path}"
        );
    }
    assert_eq!(refused(&json!([{ "op": "remove" }])), ScimType::NoTarget);
    assert_eq!(refused(&json!([{ "op": "add", "value": "x" }])), ScimType::InvalidValue);
}

#[test]
fn a_malformed_body_is_invalid_syntax() {
    for operations in [
        json!([]),
        json!({}),
        json!(["x"]),
        json!([{ "path": "nickName", "value": "x" }]),
        json!([{ "op": "Add", "path": "nickName", "value": "x" }]),
        json!([{ "op": "move", "path": "nickName", "from": "title" }]),
        json!([{ "op": "add", "OP": "add", "path": "nickName", "value": "x" }]),
        json!([{ "op": "add", "path": ["nickName"], "value": "x" }]),
        json!([{ "op": "add", "value": { "nickName": "x", "NICKNAME": "y" } }]),
    ] {
        assert_eq!(refused(&operations), ScimType::InvalidSyntax, "{operations}");
    }
    let body = json!({ "SCHEMAS": [PATCH_OP], "operations": [{ "OP": "remove", "Path": "nickName" }] });
    assert_eq!(parse(&body).unwrap().operations.len(), 1);
    let many = vec![json!({ "op": "remove", "path": "nickName" }); 1001];
    assert_eq!(patch(&nora(), &json!(many)).unwrap_err().status, 413);
}

#[test]
fn a_resource_does_not_grow_without_end() {
    let value = "x".repeat(validate::MAX_TEXT);
    let photos: Vec<_> = (0..17)
        .map(|n| json!({ "type": n.to_string(), "value": value }))
        .collect();
    let error = patch(&nora(), &json!([{ "op": "add", "path": "photos", "value": photos }])).unwrap_err();
    assert_eq!(error.status, 413);
}

#[test]
fn an_error_names_the_operation() {
    let operations = json!([
        { "op": "replace", "path": "nickName", "value": "Zed" },
        { "op": "replace", "path": "active", "value": "yes" }
    ]);
    let error = patch(&nora(), &operations).unwrap_err();
    assert_eq!(
        error.detail,
        "operation 2: `active` must be `true` or `false`, without quotes"
    );
}

#[test]
fn passwords_and_external_ids_are_kept_apart() {
    let operations = json!([{ "op": "replace", "value": { "password": "s3cret-!", "externalId": "E1" } }]);
    let patched = patch(&nora(), &operations).unwrap();
    assert_eq!(patched.password.unwrap().expose(), "s3cret-!");
    assert_eq!((patched.external_id.as_deref(), patched.changed), (Some("E1"), true));
    assert!(!patched.document.to_text().contains("s3cret-!"));
    assert!(!patched.document.to_text().contains("E1"));
    assert_eq!(
        refused(&json!([{ "op": "add", "path": "password", "value": "" }])),
        ScimType::InvalidValue
    );
}

#[test]
fn what_is_shown_on_request_only_is_noted_when_written() {
    let path = format!("{BADGE}:secretHint");
    let patched = patch(&nora(), &json!([{ "op": "add", "path": path, "value": "cat" }])).unwrap();
    assert_eq!(patched.asked_for, [path]);
}

fn members(operations: &Value) -> Result<Vec<MemberOp>, Error> {
    let group = json!({ "schemas": [GROUP], "displayName": "Night Shift" });
    patch(&group, operations).map(|patched| {
        assert!(!patched.changed);
        patched.members
    })
}

#[test]
fn members_become_operations_for_the_store() {
    let done = members(&json!([
        { "op": "add", "path": "members", "value": [{ "value": "u1" }, { "value": "u1" },
            { "$ref": "https://x/Groups/g2", "type": "Group", "display": "G" }] },
        { "op": "remove", "path": "members[value eq \"u1\" or VALUE eq \"u2\"]" },
        { "op": "remove", "path": "members[type eq \"User\"]" },
        { "op": "remove", "path": "members", "value": { "value": "u3" } },
        { "op": "replace", "value": { "members": [] } },
        { "op": "remove", "path": "members" }
    ]));
    let done = done.unwrap();
    let ids = |values: &[ResourceId]| values.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    assert!(matches!(&done[0], MemberOp::Add(added) if added.len() == 2 && added[1].value.as_str() == "g2"));
    assert!(matches!(&done[1], MemberOp::RemoveValues(values) if ids(values) == ["u1", "u2"]));
    assert!(matches!(&done[2], MemberOp::RemoveWhere(_)));
    assert!(matches!(&done[3], MemberOp::RemoveValues(values) if ids(values) == ["u3"]));
    assert!(matches!((&done[4], &done[5]), (MemberOp::Clear, MemberOp::Clear)));
}

#[test]
fn members_are_not_edited() {
    for operation in [
        json!({ "op": "replace", "path": "members[value eq \"u1\"].type", "value": "User" }),
        json!({ "op": "replace", "path": "members[value eq \"u1\"]", "value": { "value": "u2" } }),
        json!({ "op": "add", "path": "members.value", "value": "u2" }),
        json!({ "op": "remove", "path": "members[value eq \"u1\"].display" }),
    ] {
        let error = members(&json!([operation])).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::Mutability), "{operation}");
    }
    let nothing = members(&json!([{ "op": "remove", "path": "members", "value": [] }])).unwrap();
    assert!(nothing.is_empty());
    assert!(members(&json!([{ "op": "add", "path": "members", "value": ["u1"] }])).is_err());
}
