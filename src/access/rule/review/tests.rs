//! What a review tells, and that what it takes for weaker is weaker.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use super::{Finding, implies, review};
use crate::access::grant::Validity;
use crate::access::invariant::Cap;
use crate::access::rule::names::tests::house;
use crate::access::rule::{Condition, Outcome, Rule, State};
use crate::access::scope::Reach;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};
use crate::scim::filter::{Checked, Filter, check, eval};
use crate::scim::schema::Registry;

const GERMANY: ScopeKey = ScopeKey(1);
const SPRING: ScopeKey = ScopeKey(2);
const LEADS: ScopeKey = ScopeKey(3);
const NORTH: ScopeKey = ScopeKey(4);

fn rule(number: i64, when: &str, then: Vec<Outcome>) -> Rule {
    let registry = Registry::builtin();
    Rule {
        key: RuleKey(number),
        id: format!("r{number}"),
        name: format!("Rule {number}"),
        version: 1,
        matched: 1,
        state: State::Active,
        when: Condition::compile(when, registry.resource_type("User").unwrap()).unwrap(),
        then,
        validity: Validity::ALWAYS,
    }
}

fn role(role: i64, reach: Reach) -> Outcome {
    Outcome::Role {
        role: RoleKey(role),
        reach,
    }
}

/// North is below Germany, Leads below the program Spring, and that below Germany.
fn found(rules: &[Rule]) -> Vec<Finding> {
    let mut policy = house();
    policy.scopes[3].parent = Some(GERMANY);
    policy.scopes[2].parent = Some(SPRING);
    policy.scopes[1].parent = Some(GERMANY);
    let registry = Registry::builtin();
    review(rules, &policy, registry.resource_type("User").unwrap(), Cap::BelowAdmin)
}

fn redundant(rule: i64, by: &[i64]) -> Finding {
    Finding::Redundant {
        rule: RuleKey(rule),
        by: by.iter().copied().map(RuleKey).collect(),
    }
}

#[test]
fn the_same_rule_twice_is_a_duplicate_of_the_earlier() {
    let member = vec![Outcome::Group(Pk(1)), Outcome::Member(NORTH)];
    let turned = vec![Outcome::Member(NORTH), Outcome::Group(Pk(1))];
    let rules = [
        rule(2, "userType eq \"A\" and active eq true", member),
        rule(1, "active eq true and USERTYPE eq \"a\"", turned),
    ];
    let duplicate = Finding::Duplicate {
        rule: RuleKey(2),
        of: RuleKey(1),
    };
    assert_eq!(found(&rules), [duplicate]);
}

#[test]
fn a_rule_that_others_stand_in_for_is_redundant() {
    let narrow = vec![role(5, Reach::Scope(NORTH)), Outcome::Group(Pk(1))];
    let rules = [
        rule(1, "title eq \"boss\" and active eq true", narrow.clone()),
        rule(2, "title co \"os\"", vec![role(4, Reach::Scope(GERMANY))]),
        rule(3, "title pr or nickName pr", vec![Outcome::Group(Pk(1))]),
    ];
    assert_eq!(found(&rules), [redundant(1, &[2, 3])]);
    assert_eq!(found(&rules[..2]), [], "the group is given by nothing else");
    let stronger = [rule(1, "title pr", narrow), rules[1].clone(), rules[2].clone()];
    assert_eq!(found(&stronger), [], "its condition is weaker");
}

#[test]
fn a_program_between_two_scopes_keeps_both_rules() {
    let on = |number, scope| rule(number, "title pr", vec![role(4, Reach::Scope(scope))]);
    assert_eq!(found(&[on(1, LEADS), on(2, GERMANY)]), []);
    assert_eq!(found(&[on(1, LEADS), on(2, SPRING)]), []);
    assert_eq!(found(&[on(1, SPRING), on(2, GERMANY)]), [redundant(1, &[2])]);
    assert_eq!(
        found(&[on(1, LEADS), rule(2, "title pr", vec![role(4, Reach::All)])]),
        [redundant(1, &[2])]
    );
}

#[test]
fn validity_and_state_count() {
    let mut short = rule(1, "title pr", vec![role(4, Reach::All)]);
    short.validity.to = Some(Timestamp(5));
    let long = rule(2, "title pr", vec![role(4, Reach::All)]);
    assert_eq!(found(&[short.clone(), long.clone()]), [redundant(1, &[2])]);
    let draft = Rule {
        state: State::Draft,
        ..long.clone()
    };
    assert_eq!(found(&[short.clone(), draft.clone()]), [], "a draft gives nothing yet");
    let earlier = Rule {
        key: RuleKey(0),
        ..draft.clone()
    };
    let duplicate = Finding::Duplicate {
        rule: RuleKey(0),
        of: RuleKey(2),
    };
    assert_eq!(found(&[earlier, long.clone()]), [duplicate], "the draft goes");
    let retired = Rule {
        state: State::Retired,
        key: RuleKey(3),
        ..long.clone()
    };
    assert_eq!(found(&[retired, long]), []);
}

#[test]
fn of_rules_that_stand_in_for_each_other_one_stays() {
    let rules = [
        rule(1, "title pr", vec![role(4, Reach::All)]),
        rule(2, "title pr", vec![role(4, Reach::All), role(4, Reach::Scope(NORTH))]),
    ];
    assert_eq!(found(&rules), [redundant(2, &[1])]);
}

#[test]
fn what_a_rule_may_not_give_and_what_may_not_be_meant_is_told() {
    let rules = [
        rule(
            1,
            "title pr and groups.display ne \"Guests\"",
            vec![role(2, Reach::All)],
        ),
        rule(
            2,
            "emails[type ne \"home\"] and title ne \"x\" and emails ne null",
            vec![role(3, Reach::All)],
        ),
    ];
    let told = [
        Finding::Capped {
            rule: RuleKey(1),
            role: RoleKey(2),
        },
        Finding::HoldsForMost {
            rule: RuleKey(1),
            filter: "groups.display ne \"Guests\"".to_owned(),
        },
    ];
    assert_eq!(found(&rules), told);
}

fn checked(text: &str) -> Checked {
    let registry = Registry::builtin();
    check(
        &Filter::parse(text).unwrap(),
        &[registry.resource_type("User").unwrap()],
    )
    .unwrap()
}

#[test]
fn weaker_is_what_can_be_read_to_be() {
    for (stronger, weaker) in [
        ("title eq \"Boss\"", "title sw \"bo\""),
        ("title eq \"boss\"", "title pr"),
        ("title sw \"bo\"", "title co \"b\""),
        ("title gt \"m\"", "title ge \"m\""),
        ("title pr and active eq true", "active eq true or nickName pr"),
        ("not (title pr or nickName pr)", "not (title pr)"),
        (
            "emails[type eq \"work\" and value ew \"@x\"]",
            "emails[type eq \"work\"]",
        ),
        (
            "emails[type eq \"work\" and value ew \"@x\"]",
            "emails.type eq \"work\"",
        ),
        ("title eq \"a\"", "title ne null"),
        (
            "(title eq \"a\" or title eq \"b\") and nickName pr",
            "title eq \"a\" or title eq \"b\" or title eq \"c\"",
        ),
    ] {
        assert!(implies(&checked(stronger), &checked(weaker)), "{stronger} / {weaker}");
        assert!(!implies(&checked(weaker), &checked(stronger)), "{weaker} / {stronger}");
    }
    let (one, turned) = (
        checked("title pr and active eq true"),
        checked("active eq true and title pr"),
    );
    assert!(implies(&one, &turned) && implies(&turned, &one));
}

fn condition() -> impl Strategy<Value = String> {
    let op = || prop::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let text = || prop::sample::select(vec!["", "a", "ab", "b"]);
    let leaf = prop_oneof![
        (
            prop::sample::select(vec!["title", "emails.type", "emails"]),
            op(),
            text()
        )
            .prop_map(|(name, op, text)| format!("{name} {op} \"{text}\"")),
        (
            prop::sample::select(vec!["title", "emails"]),
            prop::sample::select(vec!["pr", "eq null", "ne null"])
        )
            .prop_map(|(name, test)| format!("{name} {test}")),
        (op(), text(), text())
            .prop_map(|(op, text, other)| format!("emails[type {op} \"{text}\" and value co \"{other}\"]")),
        (op(), text()).prop_map(|(op, text)| format!("emails[not (type {op} \"{text}\")]")),
    ];
    leaf.prop_recursive(2, 5, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) and ({other})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) or ({other})")),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

/// Every user whose title and up to two e-mail addresses are made of these texts.
fn users() -> Vec<Value> {
    let texts = [json!(null), json!(""), json!("a"), json!("ab"), json!("bb")];
    let emails: Vec<_> = texts
        .iter()
        .flat_map(|kind| {
            texts[2..]
                .iter()
                .map(move |value| json!({ "type": kind, "value": value }))
        })
        .collect();
    let mut lists = vec![json!([]), json!([{}])];
    lists.extend(emails.iter().map(|one| json!([one])));
    lists.extend(
        emails
            .iter()
            .zip(emails.iter().skip(4))
            .map(|(one, other)| json!([one, other])),
    );
    texts
        .iter()
        .flat_map(|title| {
            lists
                .iter()
                .map(move |emails| json!({ "title": title, "emails": emails }))
        })
        .collect()
}

#[test]
fn what_counts_as_weaker_holds_for_everyone_the_stronger_holds_for() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (users, strategy) = (users(), condition());
    let mut next = || strategy.new_tree(&mut runner).unwrap().current();
    let mut seen = 0;
    for _ in 0..3000 {
        let (one, other) = (next(), next());
        let (part, whole) = (checked(&format!("({one}) and ({other})")), checked(&one));
        assert!(implies(&part, &whole), "{one} and {other}");
        let (stronger, weaker) = (checked(&one), checked(&other));
        if implies(&stronger, &weaker) {
            seen += 1;
            let against = users.iter().find(|user| eval(&stronger, user) && !eval(&weaker, user));
            assert_eq!(against, None, "`{one}` implies `{other}`");
        }
    }
    assert!(seen > 50, "{seen}");
}
