//! Sentences of conditions and rules, and that no two conditions of different meaning read alike.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::{condition, sentence};
use crate::access::grant::Validity;
use crate::access::rule::names::tests::house;
use crate::access::rule::{Condition, Outcome, Rule, State};
use crate::access::scope::{Reach, RecordRef};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};
use crate::scim::filter::{Checked, Filter, Node, check};
use crate::scim::schema::{Registry, ResourceType};

fn registry() -> Registry {
    let badge = serde_json::json!({
        "id": "urn:example:badge:2.0:User", "name": "Badge",
        "attributes": [
            { "name": "level", "type": "integer" },
            { "name": "tags", "type": "string", "multiValued": true },
            { "name": "title", "type": "string" },
        ],
    });
    let badge = crate::scim::schema::Schema::parse(&badge).unwrap();
    Registry::builtin().with_extension("User", badge).unwrap()
}

fn user(registry: &Registry) -> &ResourceType {
    registry.resource_type("User").unwrap()
}

fn said(text: &str) -> String {
    let registry = registry();
    let filter = Filter::parse(text).unwrap();
    check(&filter, &[user(&registry)]).unwrap();
    condition(&filter, &house(), user(&registry))
}

#[test]
fn every_operator_has_its_words() {
    for (filter, words) in [
        ("userType eq \"partner\"", "has userType \"partner\""),
        ("USERTYPE ne \"partner\"", "does not have userType \"partner\""),
        ("userType co \"part\"", "has userType containing \"part\""),
        ("userType sw \"part\"", "has userType starting with \"part\""),
        ("userType ew \"ner\"", "has userType ending with \"ner\""),
        ("userType gt \"m\"", "has userType sorting after \"m\""),
        ("userType ge \"m\"", "has userType sorting at or after \"m\""),
        ("userType lt \"m\"", "has userType sorting before \"m\""),
        ("userType le \"m\"", "has userType sorting at or before \"m\""),
        ("userType pr", "has a userType"),
        ("not (id pr)", "has no id"),
        ("userType eq null", "has userType not set"),
        ("userType ne null", "has userType set"),
        ("active eq true", "is active"),
        ("not (active eq true)", "is not active"),
        ("active ne true", "is not active"),
        ("active eq false", "has active false"),
        ("name.familyName eq \"L\"", "has name.familyName \"L\""),
        ("name pr", "has any name"),
        ("urn:example:badge:2.0:User:level gt 3", "has level above 3"),
        ("urn:example:badge:2.0:User:level ge 3", "has level of at least 3"),
        ("urn:example:badge:2.0:User:level lt 3", "has level below 3"),
        ("urn:example:badge:2.0:User:level le 3.5", "has level of at most 3.5"),
        ("urn:example:badge:2.0:User:level eq -3", "has level -3"),
        (
            "meta.created ge \"2027-03-01T09:00:00+01:00\"",
            "has meta.created at or after 08:00 UTC on 1 March 2027",
        ),
        (
            "meta.created eq \"2027-03-01T00:00:00.25Z\"",
            "has meta.created at 00:00:00.25 UTC on 1 March 2027",
        ),
    ] {
        assert_eq!(said(filter), words, "{filter}");
    }
}

#[test]
fn an_extension_attribute_stands_without_its_urn_while_its_name_is_its_own() {
    assert_eq!(
        said("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"u7\""),
        "has manager.value \"u7\""
    );
    assert_eq!(
        said("title eq \"a\" and urn:example:badge:2.0:User:title eq \"b\""),
        "has title \"a\" and has urn:example:badge:2.0:User:title \"b\""
    );
    assert_eq!(
        said("urn:example:badge:2.0:User pr"),
        "carries the schema urn:example:badge:2.0:User"
    );
}

#[test]
fn many_values_are_asked_one_by_one() {
    for (filter, words) in [
        ("emails eq \"a@x\"", "has emails.value \"a@x\""),
        ("emails.value eq \"a@x\"", "has emails.value \"a@x\""),
        ("not (emails.value eq \"a@x\")", "does not have emails.value \"a@x\""),
        (
            "emails.value ne \"a@x\"",
            "does not have \"a@x\" as the only emails.value",
        ),
        ("not (emails.value ne \"a@x\")", "has \"a@x\" as the only emails.value"),
        ("emails pr", "has any emails"),
        ("not (emails pr)", "has no emails"),
        ("emails eq null", "has emails not set"),
        ("emails[type eq \"work\"]", "has one of emails with type \"work\""),
        (
            "not (emails[type eq \"work\"])",
            "has none of emails with type \"work\"",
        ),
        (
            "emails[type eq \"work\" and not (value ew \"@x\" or primary eq true)]",
            "has one of emails with (type \"work\", no value ending with \"@x\" and no primary true)",
        ),
        (
            "emails[type pr and (value ne \"a\" or display eq null)]",
            "has one of emails with (any type and (no value \"a\" or display not set))",
        ),
        (
            "urn:example:badge:2.0:User:tags[value sw \"r\"]",
            "has one of tags with value starting with \"r\"",
        ),
        ("urn:example:badge:2.0:User:tags eq \"red\"", "has tags \"red\""),
    ] {
        assert_eq!(said(filter), words, "{filter}");
    }
}

#[test]
fn groups_are_spoken_of_as_groups() {
    for (filter, words) in [
        ("groups.display eq \"Sales EMEA\"", "is in the group \"Sales EMEA\""),
        ("not (groups.display eq \"Sales\")", "is not in the group \"Sales\""),
        (
            "groups.display ne \"Sales\"",
            "does not have \"Sales\" as the only groups.display",
        ),
        ("groups eq \"nobody-knows\"", "is in the group with id \"nobody-knows\""),
        (
            "groups.value eq \"g1\"",
            "is in the group \"Sales EMEA\" with id \"g1\"",
        ),
        (
            "groups.display sw \"Sales\"",
            "is in a group with display starting with \"Sales\"",
        ),
        ("not (groups.type eq \"direct\")", "is in no group with type \"direct\""),
        ("groups pr", "is in a group"),
        ("not (groups pr)", "is in no group"),
        (
            "groups[type eq \"direct\" and display eq \"Sales\"]",
            "is directly in the group \"Sales\"",
        ),
        (
            "not (groups[display eq \"Sales\" and type eq \"indirect\"])",
            "is in no group with (display \"Sales\" and type \"indirect\")",
        ),
    ] {
        assert_eq!(said(filter), words, "{filter}");
    }
}

#[test]
fn not_is_carried_to_the_single_parts_and_brackets_show_what_belongs_together() {
    assert_eq!(
        said("title pr and (userType eq \"a\" or userType eq \"b\") and active eq true"),
        "has a title, (has userType \"a\" or has userType \"b\") and is active"
    );
    assert_eq!(
        said("not (title pr and (userType eq \"a\" or not (active eq true)))"),
        "has no title or (does not have userType \"a\" and is active)"
    );
    assert_eq!(
        said("(title pr and nickName pr) and id pr"),
        "has a title, has a nickName and has an id"
    );
}

fn rule(when: &str, then: Vec<Outcome>, validity: Validity) -> String {
    let registry = registry();
    let rule = Rule {
        key: RuleKey(1),
        id: "r1".to_owned(),
        name: "R".to_owned(),
        version: 1,
        matched: 1,
        state: State::Active,
        when: Condition::compile(when, user(&registry)).unwrap(),
        then,
        validity,
    };
    sentence(&rule, &house(), user(&registry))
}

#[test]
fn a_rule_is_one_sentence() {
    let manager = |reach| Outcome::Role {
        role: RoleKey(3),
        reach,
    };
    let from = Validity {
        from: Some(Timestamp(1_803_859_200_000_000)),
        to: None,
    };
    assert_eq!(
        rule(
            "userType eq \"partner\" and groups.display eq \"Sales EMEA\"",
            vec![manager(Reach::Scope(ScopeKey(1)))],
            from
        ),
        "Whoever has userType \"partner\" and is in the group \"Sales EMEA\" is Manager in Germany, from 1 March 2027."
    );
    assert_eq!(
        rule(
            "active eq true",
            vec![
                manager(Reach::All),
                manager(Reach::Scope(ScopeKey(2))),
                manager(Reach::Scope(ScopeKey(3))),
                manager(Reach::Record(RecordRef::parse("lead:7").unwrap())),
                Outcome::Member(ScopeKey(1)),
                Outcome::Member(ScopeKey(2)),
                Outcome::Group(Pk(2)),
            ],
            Validity::ALWAYS
        ),
        "Whoever is active is Manager everywhere, is Manager in the program \"spring push\", is Manager for the record \
         group Leads, is Manager on the record \"lead:7\", belongs to the territory Germany, takes part in the program \
         \"spring push\" and is a member of the group \"Partners\"."
    );
}

/// The meaning of a checked filter without what makes no difference: negation at the leaves, flat connectives.
fn meaning(node: &Node, plain: bool) -> String {
    let (parts, all) = match node {
        Node::Not(part) => return meaning(part, !plain),
        Node::And(parts) => (parts, plain),
        Node::Or(parts) => (parts, !plain),
        Node::Some { path, node } => {
            let sign = if plain { "some" } else { "none" };
            return format!("{sign} {path}[{}]", meaning(node, true));
        }
        leaf => return format!("{}{leaf:?}", if plain { "" } else { "not " }),
    };
    let mut flat = Vec::new();
    for part in parts {
        let text = meaning(part, plain);
        let same = if all { "all{" } else { "any{" };
        match text.strip_prefix(same) {
            Some(inner) => flat.push(inner.trim_end_matches('}').to_owned()),
            None => flat.push(text),
        }
    }
    format!("{}{{{}}}", if all { "all" } else { "any" }, flat.join(";"))
}

fn leaf() -> impl Strategy<Value = String> {
    let name = || {
        prop::sample::select(vec![
            "title",
            "urn:example:badge:2.0:User:title",
            "urn:example:badge:2.0:User:tags",
            "emails.type",
            "emails",
            "groups.display",
            "groups",
            "groups.type",
            "name.givenName",
        ])
    };
    let op = || prop::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let text = || prop::sample::select(vec!["a", "a\\\" or has title \\\"b", "direct", ""]);
    let inner = (prop::sample::select(vec!["type", "display", "value"]), op(), text());
    prop_oneof![
        (name(), op(), text()).prop_map(|(name, op, text)| format!("{name} {op} \"{text}\"")),
        (name(), prop::sample::select(vec!["pr", "eq null", "ne null"]))
            .prop_map(|(name, test)| format!("{name} {test}")),
        prop::sample::select(vec!["eq true", "ne true", "eq false", "pr", "ne null"])
            .prop_map(|test| format!("active {test}")),
        (op(), -1..2).prop_filter_map("numbers", |(op, number)| (!matches!(op, "co" | "sw" | "ew"))
            .then(|| format!("urn:example:badge:2.0:User:level {op} {number}"))),
        (
            prop::sample::select(vec!["emails", "groups"]),
            inner,
            any::<bool>(),
            any::<bool>()
        )
            .prop_map(|(name, (sub, op, text), negated, more)| {
                let one = format!("{sub} {op} \"{text}\"");
                let one = if negated { format!("not ({one})") } else { one };
                let rest = if more { " and type eq \"direct\"" } else { "" };
                format!("{name}[{one}{rest}]")
            }),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) and ({other})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) or ({other})")),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

#[test]
fn conditions_of_different_meaning_never_read_alike() {
    let registry = registry();
    let mut known: HashMap<String, (String, String)> = HashMap::new();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = filter();
    for _ in 0..6000 {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        let filter = Filter::parse(&text).unwrap();
        let checked: Checked = check(&filter, &[user(&registry)]).unwrap();
        let meaning = meaning(checked.root(), true);
        let said = condition(&filter, &house(), user(&registry));
        let (earlier, other) = known.entry(said.clone()).or_insert((meaning.clone(), text.clone()));
        assert_eq!(*earlier, meaning, "`{text}` and `{other}` both read: {said}");
    }
    assert!(known.len() > 3000, "{}", known.len());
}
