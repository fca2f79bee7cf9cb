//! Evaluation over the resource and evaluation over its leaves agree.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{BADGE, FILE, checked, object, resources, type_of};
use crate::scim::filter::{Checked, Leaf, Match, Node, Test, eval, leaves};

/// What a store does: it knows leaves only.
fn over_leaves(filter: &Checked, resource: &Value) -> bool {
    let mut all = Vec::new();
    leaves(object(resource), type_of(resource), &mut |leaf| {
        all.push(leaf);
    });
    holds(filter.root(), &all, None)
}

fn holds(node: &Node, all: &[Leaf<'_>], elem: Option<u32>) -> bool {
    match node {
        Node::And(parts) => parts.iter().all(|part| holds(part, all, elem)),
        Node::Or(parts) => parts.iter().any(|part| holds(part, all, elem)),
        Node::Not(part) => !holds(part, all, elem),
        Node::Constant(constant) => *constant,
        Node::Test(test) => all.iter().any(|leaf| {
            leaf.path == test.path && elem.is_none_or(|elem| elem == leaf.elem) && passes(test, &leaf.fold)
        }),
        Node::Some { path, node } => {
            let elements: BTreeSet<_> = all
                .iter()
                .filter(|leaf| leaf.path == path)
                .map(|leaf| leaf.elem)
                .collect();
            elements.into_iter().any(|elem| holds(node, all, Some(elem)))
        }
    }
}

fn passes(test: &Test, fold: &str) -> bool {
    match &test.check {
        Match::Present => !fold.is_empty(),
        Match::Equal(operand) => fold == operand,
        Match::Contains(operand) => fold.contains(operand),
        Match::StartsWith(operand) => fold.starts_with(operand),
        Match::EndsWith(operand) => fold.ends_with(operand),
        Match::Less(operand) => fold < operand.as_str(),
        Match::AtMost(operand) => fold <= operand.as_str(),
        Match::Greater(operand) => fold > operand.as_str(),
        Match::AtLeast(operand) => fold >= operand.as_str(),
    }
}

#[test]
fn leaves_answer_every_vector_as_the_resource_does() {
    let mut asked = 0;
    for vector in FILE["vectors"].as_array().unwrap() {
        let endpoint = vector["endpoint"].as_str().unwrap();
        let Ok(filter) = checked(endpoint, vector["filter"].as_str().unwrap()) else {
            continue;
        };
        for resource in resources(endpoint) {
            assert_eq!(
                over_leaves(&filter, resource),
                eval(&filter, resource),
                "{}",
                vector["filter"]
            );
            asked += 1;
        }
    }
    assert!(asked > 200);
}

#[test]
fn a_document_gives_these_leaves() {
    let registry = &super::world::REGISTRY;
    let user = registry.resource_type("User").unwrap();
    let document = json!({
        "userName": "Ada", "nickName": "", "title": null, "active": true, "password": "secret", "name": {}, "unknown": 1,
        "emails": [{"value": "A@x", "primary": true}, {}, {"type": "home"}],
        BADGE: {"level": 4.0, "tags": ["Red", "blue"]},
    });
    let mut found = Vec::new();
    leaves(object(&document), user, &mut |leaf| {
        found.push(format!("{} {} {}", leaf.path, leaf.elem, leaf.fold));
    });
    assert_eq!(
        found,
        [
            "userName 0 ada".to_owned(),
            "nickName 0 ".into(),
            "active 0 true".into(),
            "emails.value 0 a@x".into(),
            "emails.primary 0 true".into(),
            "emails 0 *".into(),
            "emails.type 2 home".into(),
            "emails 2 *".into(),
            format!("{BADGE}:level 0 250004"),
            format!("{BADGE}:tags 0 red"),
            format!("{BADGE}:tags 1 blue"),
        ]
    );
}

fn condition() -> impl Strategy<Value = String> {
    let op = || proptest::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let text = || proptest::sample::select(vec!["", "a", "A", "work", "b", "ab", "é", "%"]);
    let name = proptest::sample::select(vec![
        "userName",
        "title",
        "nickName",
        "externalId",
        "name.givenName",
        "emails",
        "emails.type",
        "emails.value",
        "TAGS",
        "CODE",
        "roles.value",
    ]);
    prop_oneof![
        (name, op(), text()).prop_map(|(name, op, text)| format!("{name} {op} \"{text}\"")),
        (op(), -2..3).prop_filter_map("numbers", |(op, number)| {
            (!matches!(op, "co" | "sw" | "ew")).then(|| format!("LEVEL {op} {number}"))
        }),
        (proptest::sample::select(vec!["eq", "ne"]), any::<bool>(), any::<bool>()).prop_map(|(op, value, which)| {
            format!("{} {op} {value}", if which { "active" } else { "emails.primary" })
        }),
        proptest::sample::select(vec![
            "title",
            "name",
            "emails",
            "emails.type",
            "TAGS",
            "active",
            "nickName"
        ])
        .prop_flat_map(|name| proptest::sample::select(vec!["pr", "eq null", "ne null"])
            .prop_map(move |test| format!("{name} {test}"))),
        (proptest::sample::select(vec!["type", "value"]), op(), text())
            .prop_map(|(sub, op, text)| format!("emails[{sub} {op} \"{text}\" or primary eq false]")),
        text().prop_map(|text| format!("emails[not (type eq \"{text}\") and value ne \"a\"]")),
        text().prop_map(|text| format!("TAGS[not (value eq \"{text}\")]")),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    let condition = condition().prop_map(|text| {
        text.replace("TAGS", &format!("{BADGE}:tags"))
            .replace("CODE", &format!("{BADGE}:code"))
            .replace("LEVEL", &format!("{BADGE}:level"))
    });
    condition.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) and ({other})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) or ({other})")),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn resource() -> impl Strategy<Value = Value> {
    let text = || {
        proptest::sample::select(vec![
            json!(null),
            json!(""),
            json!("a"),
            json!("B"),
            json!("AB"),
            json!("É"),
            json!("work"),
        ])
    };
    let flag = || proptest::sample::select(vec![json!(null), json!(true), json!(false)]);
    let email = (text(), text(), flag())
        .prop_map(|(value, kind, primary)| json!({"value": value, "type": kind, "primary": primary}));
    let emails = proptest::collection::vec(
        prop_oneof![4 => email, 1 => Just(json!({})), 1 => Just(json!(null))],
        0..3,
    );
    let tags = proptest::collection::vec(text(), 0..3);
    (text(), text(), text(), flag(), emails, tags, -2..3).prop_map(
        |(name, title, given, active, emails, tags, level)| {
            json!({
                "id": "x", "userName": name, "externalId": title, "title": title, "nickName": given,
                "name": {"givenName": given}, "active": active, "emails": emails, "meta": {"resourceType": "User"},
                BADGE: {"tags": tags, "level": level, "code": name},
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn leaves_answer_as_the_resource_does(text in filter(), resource in resource()) {
        let filter = checked("/Users", &text).unwrap();
        prop_assert_eq!(over_leaves(&filter, &resource), eval(&filter, &resource), "{}", text);
    }
}
