//! Recorded payloads, one or more for each rule, and requests no rule may touch.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Applied, Client, Dialect, Hints, RULES, Setting};
use crate::scim::filter::Filter;
use crate::scim::schema::{ENTERPRISE_USER, GROUP, Registry, ResourceType, Schema, USER};

/// Rules that leave something in the request, and say so each time.
const REPORTED: [&str; 5] = [
    super::COUNTRY_AS_SENT.name,
    super::address::URI_AS_SENT.name,
    super::operations::REMOVE_BY_VALUE.name,
    super::server_owned::READ_ONLY_DROPPED.name,
    super::undeclared::UNDECLARED_EXTENSION_KEPT.name,
];

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

/// Attributes whose names or values invite a wrong guess.
fn registry() -> Registry {
    let badge = json!({
        "id": BADGE,
        "name": "Badge",
        "attributes": [
            { "name": "active", "type": "string" },
            { "name": "primary", "type": "string" },
            { "name": "country", "type": "string" },
            { "name": "costCenter", "type": "string" },
            { "name": "locked", "type": "boolean" },
            { "name": "tags", "type": "string", "multiValued": true },
            { "name": "number", "type": "string", "mutability": "readOnly" },
            {
                "name": "salary",
                "type": "complex",
                "subAttributes": [{ "name": "value", "type": "string" }, { "name": "unit", "type": "string" }],
            },
        ],
    });
    Registry::builtin()
        .with_extension("User", Schema::parse(&badge).unwrap())
        .unwrap()
}

struct Recording {
    file: String,
    content: Value,
}

impl Recording {
    fn all() -> Vec<Self> {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/dialect"));
        let mut found: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let content = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
                Self {
                    file: path.file_name().unwrap().to_string_lossy().into_owned(),
                    content,
                }
            })
            .collect();
        found.sort_by(|a, b| a.file.cmp(&b.file));
        found
    }

    fn text(&self, pointer: &str) -> &str {
        self.content
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{}: {pointer}", self.file))
    }

    /// What was asked: a body, or the text of a filter.
    fn request(&self) -> Value {
        let request = &self.content["request"];
        request.get("body").unwrap_or(&request["filter"]).clone()
    }

    fn dialect(&self, setting: Setting) -> Dialect {
        let headers = self.content.pointer("/request/headers").and_then(Value::as_object);
        let header = |name: &str| {
            headers?
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .and_then(|(_, value)| value.as_str())
        };
        Dialect::recognise(
            &setting,
            &Hints {
                user_agent: header("User-Agent"),
                header: &header,
            },
        )
    }

    fn rewrite(&self, setting: Setting, request: Value) -> (Value, Applied) {
        let registry = registry();
        let endpoint = self.text("/request/path").split('/').nth(1).unwrap();
        let ty = registry.by_endpoint(endpoint).unwrap();
        rewrite(self.dialect(setting), ty, self.text("/request/method"), request)
    }
}

fn rewrite(dialect: Dialect, ty: &ResourceType, method: &str, request: Value) -> (Value, Applied) {
    match (method, request) {
        ("POST", body) => dialect.create(ty, body),
        ("PUT", body) => dialect.replace(ty, body),
        ("PATCH", body) => dialect.patch(ty, body),
        (_, Value::String(text)) => {
            let (rewritten, applied) = dialect.filter(&[ty], Filter::parse(&text).unwrap());
            (Value::String(rewritten.to_string()), applied)
        }
        (method, _) => panic!("{method}"),
    }
}

fn of_client(setting: Setting, user_agent: &str) -> Dialect {
    Dialect::recognise(
        &setting,
        &Hints {
            user_agent: Some(user_agent),
            header: &|_| None,
        },
    )
}

#[test]
fn recorded_payloads_become_clean_requests() {
    for recording in Recording::all() {
        let (clean, applied) = recording.rewrite(Setting::Auto, recording.request());
        assert_eq!(clean, recording.content["clean"], "{}", recording.file);
        assert!(
            applied.allows(recording.text("/rule")),
            "{}: {applied:?}",
            recording.file
        );
    }
}

#[test]
fn clean_requests_stay_as_they_are() {
    for recording in Recording::all() {
        let clean = &recording.content["clean"];
        let (again, applied) = recording.rewrite(Setting::Auto, clean.clone());
        assert_eq!(&again, clean, "{}", recording.file);
        let reports_only = applied.iter().all(|(rule, _)| REPORTED.contains(&rule));
        assert!(reports_only, "{}: {applied:?}", recording.file);
    }
}

#[test]
fn strict_connections_see_what_was_sent() {
    for recording in Recording::all() {
        for setting in [Setting::Strict, Setting::InteropProfile] {
            let (same, applied) = recording.rewrite(setting, recording.request());
            assert_eq!(same, recording.request(), "{}", recording.file);
            assert!(applied.is_empty(), "{}", recording.file);
        }
    }
}

#[test]
fn recorded_clients_are_recognised_by_their_headers() {
    for recording in Recording::all() {
        let client = recording.dialect(Setting::Auto).client();
        let named = recording.text("/client");
        // These do not say who they are; Entra ID never says which of its formats it speaks.
        let expected = match named {
            "keycloak" => "generic",
            "entra-legacy" => "entra",
            named => named,
        };
        assert_eq!(client.name(), expected, "{}", recording.file);
    }
}

#[test]
fn every_rule_has_a_recorded_payload_and_every_payload_a_rule() {
    let recordings = Recording::all();
    for rule in RULES {
        assert!(
            recordings.iter().any(|recording| recording.text("/rule") == rule.name),
            "{}",
            rule.name
        );
    }
    for recording in &recordings {
        assert!(
            RULES.iter().any(|rule| rule.name == recording.text("/rule")),
            "{}",
            recording.file
        );
    }
}

/// A role whose name is JSON text.
const ROLE: &str = r#"{"id":"1","value":"Editor","displayName":"Editors"}"#;

fn valid_user() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE_USER, BADGE],
        "userName": "false",
        "displayName": "True",
        "nickName": "null",
        "title": "",
        "locale": null,
        "photos": [],
        "active": false,
        "name": { "givenName": "true", "familyName": "[{\"value\":\"x\"}]" },
        "emails": [{ "value": "a.b.c@true.example", "type": "True", "display": "", "primary": true }],
        "addresses": [{ "country": "DE", "formatted": "Germany" }],
        "roles": [{ "value": "True", "type": "False" }],
        "favouriteTea": "True",
        ENTERPRISE_USER: { "department": "true", "employeeNumber": "0", "manager": { "value": "u2", "$ref": null } },
        BADGE: {
            "active": "True", "primary": "false", "country": "Germany", "locked": true, "tags": ["true"],
            "salary": { "value": "", "unit": "EUR" },
        },
    })
}

fn valid_operations() -> Value {
    json!([
        { "op": "replace", "path": "title", "value": "" },
        { "op": "replace", "path": "displayName", "value": "True" },
        { "op": "add", "path": "nickName", "value": "false" },
        { "op": "replace", "path": "name", "value": { "familyName": "True" } },
        { "op": "replace", "path": "emails[value eq \"true\"].display", "value": "False" },
        { "op": "replace", "path": "emails[type eq \"True\" and primary eq true]", "value": { "value": "x@y.example" } },
        { "op": "add", "path": "emails", "value": { "value": "n@third.example" } },
        { "op": "remove", "path": "emails[type  eq  \"work\"]" },
        { "op": "remove", "path": "members" },
        { "op": "replace", "path": "NICKNAME", "value": null },
        { "op": "replace", "path": format!("{ENTERPRISE_USER}:manager"), "value": { "value": "u2", "$ref": null } },
        { "op": "replace", "path": format!("{BADGE}:active"), "value": "True" },
        { "op": "replace", "path": format!("{BADGE}:salary.value"), "value": "" },
        { "op": "replace", "path": format!("{BADGE}:salary"), "value": { "value": "" } },
        { "op": "add", "path": ENTERPRISE_USER, "value": { "costCenter": "true" } },
        { "op": "add", "path": "roles", "value": [{ "value": ROLE }] },
        { "op": "add", "value": {} },
        { "op": "replace", "value": {
            "userName": "true", "active": true, ENTERPRISE_USER: { "department": "False" },
            "schemas": [USER, BADGE], "name": { "givenName": "True" }, BADGE: { "active": "False" },
        } },
    ])
}

/// Requests that are valid by the RFC and look like one habit or another.
fn valid_requests() -> Vec<(&'static str, &'static str, Value)> {
    let group = json!({
        "schemas": [GROUP],
        "displayName": "False",
        "members": [{ "value": "u1", "$ref": "../Users/u1", "type": "User" }],
    });
    let membership = json!([
        { "op": "add", "path": "members", "value": [{ "display": "Ana", "$ref": "../Users/u1", "value": "u1" }] },
        { "op": "remove", "path": "members[value eq \"True\"]" },
    ]);
    vec![
        (
            "Group",
            "PATCH",
            json!({ "schemas": [PATCH_OP], "Operations": membership }),
        ),
        ("User", "POST", valid_user()),
        ("User", "PUT", valid_user()),
        (
            "User",
            "PATCH",
            json!({ "schemas": [PATCH_OP], "Operations": valid_operations() }),
        ),
        (
            "User",
            "POST",
            json!({ "schemas": [USER], "userName": "x", "roles": [{ "value": ROLE }] }),
        ),
        ("Group", "POST", group),
        ("User", "GET", json!(r#"userName eq "True" or displayName eq "false""#)),
        (
            "User",
            "GET",
            json!(r#"active eq true and emails[value eq "true" and primary eq false]"#),
        ),
        (
            "User",
            "GET",
            json!(format!(r#"{ENTERPRISE_USER}:department eq "true""#)),
        ),
        (
            "User",
            "GET",
            json!(format!(r#"{BADGE}:active ne "True" and {BADGE}:salary.value eq """#)),
        ),
        ("Group", "GET", json!(r#"members eq "True""#)),
    ]
}

#[test]
fn valid_requests_are_left_alone_whoever_sends_them() {
    let registry = registry();
    for setting in Setting::all() {
        // What an entry that is missing means is the one thing Entra ID sees otherwise in a request of valid form.
        let entra = matches!(setting, Setting::Named(client) if client.is_entra());
        for (ty, method, request) in valid_requests() {
            if entra && method == "PATCH" {
                continue;
            }
            let ty = registry.resource_type(ty).unwrap();
            let (same, applied) = rewrite(of_client(setting, "curl/8"), ty, method, request.clone());
            assert_eq!(same, request, "{setting}");
            assert!(applied.is_empty(), "{setting}: {applied:?}");
        }
    }
}

fn patched(dialect: Dialect, operation: &Value) -> (Value, Applied) {
    let registry = registry();
    let body = json!({ "schemas": [PATCH_OP], "Operations": [operation] });
    let (mut body, applied) = dialect.patch(registry.resource_type("User").unwrap(), body);
    (body["Operations"][0].take(), applied)
}

#[test]
fn only_entra_makes_entries_by_replace() {
    let path = r#"emails[type eq "work"].value"#;
    let operation = |verb: &str| json!({ "op": verb, "path": path, "value": "x@y.example" });
    let verb = |setting, agent, verb| patched(of_client(setting, agent), &operation(verb)).0["op"].take();
    assert_eq!(verb(Setting::Auto, "curl/8", "replace"), "replace");
    assert_eq!(verb(Setting::Auto, "curl/8", "Replace"), "add");
    assert_eq!(verb(Setting::Auto, "OneLogin SCIM", "Replace"), "replace");
    assert_eq!(verb(Setting::Named(Client::Generic), "curl/8", "Replace"), "replace");
    assert_eq!(verb(Setting::Named(Client::Okta), "curl/8", "Replace"), "replace");
    assert_eq!(verb(Setting::Named(Client::EntraLegacy), "curl/8", "replace"), "add");
}

#[test]
fn entra_makes_entries_from_equalities_and_from_nothing_else() {
    let entra = of_client(Setting::Named(Client::Entra), "");
    for path in [
        r#"emails[type ne "work"].value"#,
        r#"emails[type eq "a" or type eq "b"].value"#,
        "emails.value",
    ] {
        let operation = json!({ "op": "replace", "path": path, "value": "x" });
        assert_eq!(patched(entra, &operation), (operation, Applied::default()));
    }
    for cleared in [json!(null), json!("")] {
        let operation = json!({ "op": "replace", "path": r#"emails[type eq "work"].value"#, "value": cleared });
        assert_eq!(patched(entra, &operation), (operation, Applied::default()));
    }
}

#[test]
fn what_is_no_boolean_stays_for_validation_to_refuse() {
    for value in [json!("yes please"), json!(""), json!(1), json!(["True"])] {
        let operation = json!({ "op": "replace", "path": "active", "value": value });
        assert_eq!(patched(of_client(Setting::Auto, ""), &operation).0, operation);
    }
}

#[test]
fn a_patch_of_read_only_attributes_alone_stays_for_validation_to_refuse() {
    let operations = [
        json!({ "op": "replace", "value": { "id": "p1" } }),
        json!({ "op": "add", "path": "groups", "value": [{ "value": "g1" }] }),
        json!({ "op": "replace", "path": format!("{ENTERPRISE_USER}:manager.displayName"), "value": "Boss" }),
    ];
    for operation in operations {
        assert_eq!(
            patched(of_client(Setting::Auto, ""), &operation),
            (operation, Applied::default())
        );
    }
}

#[test]
fn read_only_attributes_of_extensions_are_dropped_as_those_of_the_core_are() {
    let rewritten = |operation: Value| patched(of_client(Setting::Auto, ""), &operation);
    let (within, applied) =
        rewritten(json!({ "op": "add", "path": BADGE, "value": { "number": "7", "locked": true } }));
    assert_eq!(within["value"], json!({ "locked": true }));
    assert!(applied.allows("read-only-dropped"));
    let (beside, applied) = rewritten(json!({ "op": "add", "value": { BADGE: { "number": "7" }, "title": "Cook" } }));
    assert_eq!(beside["value"], json!({ "title": "Cook" }));
    assert!(applied.allows("read-only-dropped"));
    for alone in [
        json!({ "op": "add", "path": BADGE, "value": { "number": "7" } }),
        json!({ "op": "add", "value": { BADGE: { "number": "7" }, "id": "p1" } }),
        json!({ "op": "replace", "path": format!("{BADGE}:number"), "value": "7" }),
    ] {
        assert_eq!(rewritten(alone.clone()), (alone, Applied::default()));
    }
}

#[test]
fn unknown_schemas_are_dropped_from_what_a_patch_adds() {
    let rewritten = |operation: Value| patched(of_client(Setting::Auto, ""), &operation);
    for (operation, left) in [
        (
            json!({ "op": "add", "value": { "schemas": ["urn:no"], "title": "S" } }),
            json!({ "schemas": [], "title": "S" }),
        ),
        (
            json!({ "op": "add", "path": "schemas", "value": ["urn:no", BADGE] }),
            json!([BADGE]),
        ),
        (
            json!({ "op": "replace", "path": "schemas", "value": ["urn:no", USER] }),
            json!([USER]),
        ),
    ] {
        let (clean, applied) = rewritten(operation);
        assert_eq!(clean["value"], left);
        assert_eq!(applied.iter().collect::<Vec<_>>(), [("unknown-schemas-dropped", 1)]);
    }
    let baseless = json!({ "op": "replace", "path": "schemas", "value": ["urn:no"] });
    assert_eq!(rewritten(baseless.clone()), (baseless, Applied::default()));
}

#[test]
fn a_short_name_two_extensions_have_is_not_guessed() {
    let operation = json!({ "op": "replace", "path": "costCenter", "value": "C1" });
    assert_eq!(
        patched(of_client(Setting::Auto, ""), &operation),
        (operation, Applied::default())
    );
}

#[test]
fn messages_of_no_sense_pass_through() {
    let registry = registry();
    let ty = registry.resource_type("User").unwrap();
    let dialect = of_client(Setting::Named(Client::Entra), "");
    let operations = json!([7, null, { "op": 1, "path": 2, "value": 3 }, { "path": "a[", "value": "" }, {}]);
    for body in [
        json!([]),
        json!("x"),
        json!({ "Operations": operations }),
        json!({ "Operations": {} }),
    ] {
        assert_eq!(dialect.patch(ty, body.clone()), (body, Applied::default()));
    }
    let body = json!({ "schemas": "x", ENTERPRISE_USER: 5, "emails": [[[]], 7], "name": "Ada", ":": 1, ".": 2 });
    assert_eq!(dialect.create(ty, body.clone()), (body, Applied::default()));
}

#[test]
fn only_a_blank_reference_removes_what_it_is_set_on() {
    let entra = of_client(Setting::Named(Client::Entra), "");
    let operations = [
        json!({ "op": "replace", "path": "name.givenName", "value": [{ "value": null }] }),
        json!({ "op": "replace", "path": "name", "value": "" }),
        json!({ "op": "move", "path": format!("{ENTERPRISE_USER}:manager"), "value": null }),
    ];
    for operation in operations {
        assert_eq!(patched(entra, &operation), (operation, Applied::default()));
    }
    let path = format!("{ENTERPRISE_USER}:manager");
    let (operation, _) = patched(entra, &json!({ "op": "test", "path": path, "value": "" }));
    assert_eq!(operation["op"], "test");
}

#[test]
fn a_path_as_a_key_is_moved_unless_another_value_is_there() {
    let flat = format!("{ENTERPRISE_USER}:department");
    let rewritten = |value: Value| {
        let (mut operation, applied) = patched(of_client(Setting::Auto, ""), &json!({ "op": "add", "value": value }));
        let fired = applied.iter().map(|(_, times)| times).sum::<u32>();
        (operation["value"].take(), fired)
    };
    let nested = json!({ ENTERPRISE_USER: { "department": "a" } });
    assert_eq!(rewritten(json!({ &flat: "a" })), (nested.clone(), 1));
    let same = json!({ ENTERPRISE_USER: { "department": "a" }, &flat: "a" });
    assert_eq!(rewritten(same), (nested, 1));
    let other = json!({ ENTERPRISE_USER: { "department": "b" }, &flat: "a" });
    assert_eq!(rewritten(other.clone()), (other, 0));
    let within = json!({ ENTERPRISE_USER: { "manager.value": "m" } });
    let clean = json!({ ENTERPRISE_USER: { "manager": { "value": "m" } } });
    assert_eq!(rewritten(within), (clean, 1));
    // What selects elements stays, and is counted.
    let selecting = json!({ "emails[type eq \"work\"].value": "a@x", "emails.display": "A", BADGE: { "tags": ["t"] } });
    assert_eq!(rewritten(selecting.clone()), (selecting, 2));
}

#[test]
fn firings_are_counted() {
    let operation = json!({ "op": "replace", "value": { "active": "True", "roles": [{ "primary": "false" }] } });
    let (_, applied) = patched(of_client(Setting::Auto, ""), &operation);
    assert_eq!(applied.iter().collect::<Vec<_>>(), [("string-booleans", 2)]);
}
