//! What an answer costs: cutting a representation down to what is asked for, and putting a page together.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use muster::scim::message::{Page, list_response};
use muster::scim::project::View;
use muster::scim::schema::{ENTERPRISE_USER, Registry, USER};
use serde_json::{Map, Value, json};
use std::hint::black_box;

fn user() -> Map<String, Value> {
    let user = json!({
        "schemas": [USER, ENTERPRISE_USER],
        "id": "0192f0c1-0000-7000-8000-000000000001",
        "userName": "alice@acme.test",
        "name": { "givenName": "Alice", "familyName": "O'Malley", "formatted": "Alice O'Malley" },
        "displayName": "Alice O'Malley",
        "active": true,
        "emails": [
            { "value": "alice@acme.test", "type": "work", "primary": true },
            { "value": "alice@home.example", "type": "home" }
        ],
        "groups": [{ "value": "g1", "display": "Ops", "type": "direct" }],
        ENTERPRISE_USER: { "employeeNumber": "E-100", "department": "R&D", "manager": { "value": "u2" } },
        "meta": { "resourceType": "User", "location": "https://idp.example/scim/v2/Users/u1" }
    });
    if let Value::Object(user) = user {
        user
    } else {
        Map::new()
    }
}

fn views(criterion: &mut Criterion) {
    let registry = Registry::builtin();
    let Some(ty) = registry.resource_type("User") else {
        return;
    };
    let cases = [
        ("everything", None, None),
        ("attributes", Some("userName,emails.value,active"), None),
        ("excluded", None, Some("groups,emails.type")),
    ];
    for (name, attributes, excluded) in cases {
        let Ok(view) = View::parse(attributes, excluded, &[ty]) else {
            return;
        };
        criterion.bench_function(&format!("project {name}"), |bench| {
            bench.iter_batched(
                user,
                |full| view.project(black_box(full), ty, &[]),
                BatchSize::SmallInput,
            );
        });
    }
}

fn pages(criterion: &mut Criterion) {
    let resources = vec![Value::Object(user()).to_string(); 100];
    let page = Page {
        total: 50_000,
        start_index: Some(1),
        ..Page::default()
    };
    criterion.bench_function("list 100 users", |bench| {
        bench.iter(|| list_response(black_box(&page), black_box(&resources)));
    });
}

criterion_group!(benches, views, pages);
criterion_main!(benches);
