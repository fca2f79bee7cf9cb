//! What a PATCH costs: reading the body and applying it, for what identity providers send.

use criterion::{Criterion, criterion_group, criterion_main};
use muster::scim::patch::{apply, parse};
use muster::scim::schema::{ENTERPRISE_USER, GROUP, Registry, ResourceType, USER};
use muster::scim::{Document, validate};
use serde_json::{Value, json};
use std::hint::black_box;

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn user() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE_USER],
        "userName": "alice@acme.test",
        "name": { "givenName": "Alice", "familyName": "O'Malley", "formatted": "Alice O'Malley" },
        "displayName": "Alice O'Malley",
        "active": true,
        "emails": [
            { "value": "alice@acme.test", "type": "work", "primary": true },
            { "value": "alice@home.example", "type": "home" }
        ],
        "phoneNumbers": [{ "value": "+1 555 0100", "type": "work" }],
        ENTERPRISE_USER: { "employeeNumber": "E-100", "department": "R&D", "manager": { "value": "u2" } }
    })
}

fn members(count: usize) -> Value {
    (0..count)
        .map(|n| json!({ "value": format!("0192f0c1-0000-7000-8000-{n:012}") }))
        .collect()
}

fn requests() -> Vec<(&'static str, &'static str, Value)> {
    let department = format!("{ENTERPRISE_USER}:department");
    vec![
        (
            "deactivate",
            "User",
            json!([{ "op": "replace", "value": { "active": false } }]),
        ),
        (
            "profile",
            "User",
            json!([
                { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@acme.test" },
                { "op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1 555 0101" },
                { "op": "replace", "value": { "name.givenName": "Al", "title": "Cook", department: "Kitchen" } }
            ]),
        ),
        (
            "one member",
            "Group",
            json!([{ "op": "add", "path": "members", "value": members(1) }]),
        ),
        (
            "1000 members",
            "Group",
            json!([{ "op": "add", "path": "members", "value": members(1000) }]),
        ),
    ]
}

fn stored(ty: &ResourceType) -> Option<Document> {
    let group = json!({ "schemas": [GROUP], "displayName": "Night Shift" });
    let body = if ty.name() == "User" { user() } else { group };
    validate::create(ty, &body).ok().map(|incoming| incoming.document)
}

fn patches(criterion: &mut Criterion) {
    let registry = Registry::builtin();
    for (name, kind, operations) in requests() {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        let Some(ty) = registry.resource_type(kind) else {
            return;
        };
        let (Some(document), Ok(request)) = (stored(ty), parse(&body)) else {
            return;
        };
        criterion.bench_function(&format!("read {name}"), |bench| bench.iter(|| parse(black_box(&body))));
        criterion.bench_function(&format!("apply {name}"), |bench| {
            bench.iter(|| apply(ty, black_box(&request), black_box(&document), None));
        });
    }
}

fn creates(criterion: &mut Criterion) {
    let registry = Registry::builtin();
    let Some(ty) = registry.resource_type("User") else {
        return;
    };
    let body = user();
    criterion.bench_function("validate a user", |bench| {
        bench.iter(|| validate::create(ty, black_box(&body)));
    });
}

criterion_group!(benches, patches, creates);
criterion_main!(benches);
