//! Tests of groups mean what `scim::filter::eval` means by them, and read no more than they say.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::access::rule::GroupsRead;
use crate::access::{Condition, Facts, GroupFact, GroupSet};
use crate::base::fold::fold;
use crate::base::id::Pk;
use crate::scim::filter::{Filter, check, eval};
use crate::scim::schema::Registry;

const NAMES: &[&str] = &["", "a", "A", "ab", "É", "é", "work", "direct"];

fn term() -> impl Strategy<Value = String> {
    let sub = prop::sample::select(vec!["value", "display", "type", "$ref"]);
    let op = prop::sample::select(vec!["eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let text = prop::sample::select(vec![
        "",
        "a",
        "AB",
        "é",
        "g1",
        "G2",
        "direct",
        "Indirect",
        "/Groups/g1",
        "https://h/scim/v2/Groups/g2",
        "work",
    ]);
    let null = (
        prop::sample::select(vec!["value", "display"]),
        prop::sample::select(vec!["pr", "eq null", "ne null"]),
    );
    prop_oneof![
        6 => (sub, op, text).prop_map(|(sub, op, text)| format!("{sub} {op} \"{text}\"")),
        1 => null.prop_map(|(sub, test)| format!("{sub} {test}")),
    ]
}

fn joined(inner: impl Strategy<Value = String> + Clone + 'static) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => inner.clone(),
        1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) and ({other})")),
        1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) or ({other})")),
        1 => inner.prop_map(|part| format!("not ({part})")),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let test = prop_oneof![
        4 => term().prop_map(|term| format!("groups.{term}")),
        3 => joined(term().boxed()).prop_map(|inner| format!("groups[{inner}]")),
        1 => prop::sample::select(vec!["groups pr", "groups eq null", "groups eq \"g1\"", "groups ne \"g1\""])
            .prop_map(str::to_owned),
        2 => prop::sample::select(vec!["title eq \"a\"", "title pr", "nickName pr", "userName sw \"a\""])
            .prop_map(str::to_owned),
    ];
    joined(joined(joined(test.boxed()).boxed()).boxed())
}

fn groups() -> impl Strategy<Value = Vec<GroupFact>> {
    let one = (prop::sample::select(NAMES), any::<bool>());
    prop::collection::vec(one, 0..4).prop_map(|groups| {
        let fact = |((display, direct), pk): ((&str, bool), i64)| GroupFact {
            pk: Pk(pk),
            id: format!("g{pk}"),
            display: display.to_owned(),
            direct,
            parents: Vec::new(),
        };
        groups.into_iter().zip(1..).map(fact).collect()
    })
}

fn user(facts: &Facts, title: &str) -> Value {
    let group = |group: &GroupFact| {
        json!({
            "value": group.id,
            "$ref": format!("https://idp.example/scim/v2/Groups/{}", group.id),
            "display": group.display,
            "type": if group.direct { "direct" } else { "indirect" },
        })
    };
    let mut user = json!({ "id": "u1", "userName": "ada", "title": title });
    if !facts.groups.is_empty() {
        user["groups"] = facts.groups.iter().map(group).collect();
    }
    user
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_condition_means_what_the_filter_means(
        text in condition(),
        groups in groups(),
        title in prop::sample::select(vec!["", "a", "b"]),
    ) {
        let registry = Registry::builtin();
        let ty = registry.resource_type("User").unwrap();
        let mut facts = Facts::new(Pk(1), "u1", true);
        facts.groups = groups;
        let expected = eval(&check(&Filter::parse(&text).unwrap(), &[ty]).unwrap(), &user(&facts, title));
        let condition = Condition::compile(&text, ty).unwrap();
        let bits = condition.bits(&user(&Facts::new(Pk(1), "u1", true), title));
        prop_assert_eq!(condition.holds(bits, &GroupSet::stored(&facts)), expected, "{}", text);

        if let GroupsRead::Named { names, ids } = condition.groups_read() {
            facts.groups.retain(|group| names.contains(&fold(&group.display)) || ids.contains(&group.id));
            prop_assert_eq!(condition.holds(bits, &GroupSet::stored(&facts)), expected, "reads more than it says: {}", text);
        }
    }
}
