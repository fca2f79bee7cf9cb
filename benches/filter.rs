//! What a filter costs: reading it, checking it, evaluating it, and taking a document apart into leaves.

use criterion::{Criterion, criterion_group, criterion_main};
use muster::scim::filter::{Filter, check, eval, leaves};
use muster::scim::schema::Registry;
use serde_json::Value;
use std::hint::black_box;

const DATA: &str = include_str!("../conformance/vectors/filters.json");

/// What directories ask most, and the longest thing people write by hand.
const FILTERS: [(&str, &str); 3] = [
    ("lookup", r#"userName eq "alice@acme.test""#),
    ("element", r#"emails[type eq "work" and value ew "@acme.test"]"#),
    (
        "report",
        r#"(userType eq "Employee" or userType eq "Contractor") and active eq true and not (title pr)
            and meta.lastModified ge "2024-03-01T00:00:00Z" and
            urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw "R""#,
    ),
];

fn filters(criterion: &mut Criterion) {
    let registry = Registry::builtin();
    let data: Value = serde_json::from_str(DATA).unwrap_or_default();
    let user = &data["resources"][0];
    let (Some(ty), Some(document)) = (registry.resource_type("User"), user.as_object()) else {
        return;
    };
    for (name, text) in FILTERS {
        let text = text.replace("\n            ", " ");
        let Ok(filter) = Filter::parse(&text) else {
            return;
        };
        let Ok(checked) = check(&filter, &[ty]) else {
            return;
        };
        criterion.bench_function(&format!("parse {name}"), |bench| {
            bench.iter(|| Filter::parse(black_box(&text)));
        });
        criterion.bench_function(&format!("check {name}"), |bench| {
            bench.iter(|| check(black_box(&filter), &[ty]));
        });
        criterion.bench_function(&format!("eval {name}"), |bench| {
            bench.iter(|| eval(black_box(&checked), black_box(user)));
        });
    }
    criterion.bench_function("leaves of a user", |bench| {
        bench.iter(|| {
            let mut bytes = 0;
            leaves(black_box(document), ty, &mut |leaf| {
                bytes += leaf.fold.len();
            });
            bytes
        });
    });
}

criterion_group!(benches, filters);
criterion_main!(benches);
