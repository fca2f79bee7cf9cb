//! Which rules can be used together.

use super::house::{MANAGER, house, on};
use crate::access::{Outcome, RuleFault, Rulebook};
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};

fn texts(faults: &[RuleFault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_circle_is_refused_with_its_way() {
    let mut house = house();
    for (key, name) in [(1, "A"), (2, "B"), (3, "C")] {
        house.group(key, name, &[]);
    }
    house.rule("groups.display eq \"b\"", Outcome::Group(Pk(1)));
    house.rule("title pr and not (groups.value eq \"g1\")", Outcome::Group(Pk(2)));
    house.rule("groups.display eq \"A\"", Outcome::Group(Pk(3)));
    let faults = house.faults();
    assert_eq!(
        texts(&faults),
        [
            "smart groups depend on each other in a circle: `A` is filled by rule `Rule 1`, which reads `B`, \
          `B` is filled by rule `Rule 2`, which reads `A`"
        ]
    );
    let concerned = [1, 2, 3].map(|rule| faults[0].concerns(RuleKey(rule)));
    assert_eq!(
        concerned,
        [true, true, false],
        "who merely reads a circle is not part of it"
    );
}

#[test]
fn nesting_counts_as_reading() {
    let mut house = house();
    house.group(1, "Smart", &[2]);
    house.group(2, "Outer", &[3]);
    house.group(3, "Outermost", &[]);
    house.rule("groups.display eq \"outermost\"", Outcome::Group(Pk(1)));
    assert_eq!(
        texts(&house.faults()),
        ["smart groups depend on each other in a circle: `Smart` is filled by rule `Rule 1`, which reads `Outermost`"]
    );
}

#[test]
fn a_rule_that_fills_a_group_cannot_read_them_all() {
    for when in [
        "groups.display co \"a\"",
        "groups pr",
        "groups.display ne \"x\"",
        "not (groups[type eq \"direct\"])",
    ] {
        let mut house = house();
        house.group(1, "Smart", &[]);
        house.rule(when, Outcome::Group(Pk(1)));
        assert!(texts(&house.faults())[0].ends_with("which reads all groups"), "{when}");
    }
    let mut house = house();
    house.rule(
        "groups.display co \"a\"",
        Outcome::Role {
            role: MANAGER,
            reach: on(1),
        },
    );
    house.territory(1, None);
    house.book();
}

#[test]
fn what_rules_name_must_be_there() {
    let mut house = house();
    house.rule(
        "title pr",
        Outcome::Role {
            role: RoleKey(77),
            reach: on(8),
        },
    );
    house.rule("title pr", Outcome::Member(ScopeKey(8)));
    house.rule("title pr", Outcome::Group(Pk(9)));
    let rule = house.policy.rules[2].clone();
    house.policy.rules.push(rule);
    assert_eq!(
        texts(&house.faults()),
        [
            "a rule is active twice",
            "rule `Rule 1` gives a role that does not exist",
            "rule `Rule 1` names a scope that does not exist",
            "rule `Rule 2` names a scope that does not exist",
            "rule `Rule 3` fills a group that does not exist",
            "rule `Rule 3` fills a group that does not exist",
        ]
    );
}

#[test]
fn what_is_broken_by_others_is_left_out_and_the_rest_counts() {
    let mut house = house();
    house.territory(1, None);
    house.group(1, "A", &[]);
    house.rule("groups.display eq \"a\"", Outcome::Group(Pk(1)));
    house.rule(
        "title pr",
        Outcome::Role {
            role: MANAGER,
            reach: on(1),
        },
    );
    let (book, faults) = Rulebook::salvage(house.policy.clone());
    assert_eq!(faults.len(), 1);
    assert_eq!(
        book.rules().iter().map(|rule| rule.key).collect::<Vec<_>>(),
        [RuleKey(2)]
    );
}
