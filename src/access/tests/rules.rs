//! What rules give, and whom.

use super::house::{ANALYST, House, MANAGER, READ_ONLY, house, on, to_group};
use crate::access::{Entry, GroupStep, Outcome, Path, Provenance, Reach, State, Target};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};

fn everywhere(role: RoleKey) -> Outcome {
    Outcome::Role {
        role,
        reach: Reach::All,
    }
}

fn edits(house: &House) -> bool {
    house.may("record.edit", Target::Organisation)
}

#[test]
fn an_active_rule_that_holds_gives_its_role() {
    for (when, holds) in [("title eq \"Boss\"", true), ("title eq \"clerk\"", false)] {
        let mut house = house();
        house.rule(when, everywhere(MANAGER));
        assert_eq!(edits(&house), holds, "{when}");
    }
}

#[test]
fn drafts_retired_rules_and_rules_out_of_time_give_nothing() {
    let mut house = house();
    house.rule("title pr", everywhere(MANAGER));
    assert!(edits(&house));
    for state in [State::Draft, State::Retired] {
        house.policy.rules[0].state = state;
        assert!(!edits(&house), "{state}");
    }
    house.policy.rules[0].state = State::Active;
    house.policy.rules[0].validity.to = Some(house.now);
    assert!(!edits(&house));
    house.policy.rules[0].validity = crate::access::Validity {
        from: Some(Timestamp(house.now.0 + 1)),
        to: None,
    };
    assert!(!edits(&house));
}

#[test]
fn bits_of_another_version_say_nothing() {
    let mut house = house();
    house.rule("title pr", everywhere(MANAGER));
    house.policy.rules[0].matched = 2;
    assert!(!edits(&house));
    house.ada.bits.insert(
        0,
        crate::access::RuleBits {
            rule: RuleKey(1),
            version: 2,
            bits: 1,
        },
    );
    assert!(edits(&house), "in any order, also beside the old ones");
}

#[test]
fn a_rule_may_hold_without_bits() {
    let mut house = house();
    house.rule(
        "title eq \"clerk\" or not (groups.display eq \"Sales\")",
        everywhere(MANAGER),
    );
    house.ada.bits.clear();
    assert!(edits(&house));
    house.in_group(11, "SALES", false, &[]);
    assert!(!edits(&house));
}

#[test]
fn membership_of_a_scope_is_no_permission() {
    let mut house = house();
    house.territory(1, None);
    house.rule("title pr", Outcome::Member(ScopeKey(1)));
    assert!(!house.may_on("data.view_anonymised", 1));
    let access = house.access();
    let one = access.iter().next().unwrap();
    assert_eq!((one.role, &one.reach), (None, &on(1)));
}

#[test]
fn a_smart_group_is_read_by_higher_rules_and_holds_grants() {
    let mut house = house();
    house.group(1, "Bosses", &[2]);
    house.group(2, "Staff", &[]);
    house.group(3, "Top", &[]);
    house.rule("groups.display eq \"staff\"", Outcome::Group(Pk(3)));
    house.rule("title eq \"boss\"", Outcome::Group(Pk(1)));
    house.rule("groups[value eq \"g3\" and type eq \"direct\"]", everywhere(ANALYST));
    house.grant(to_group(3), MANAGER, Reach::All);
    house.grant(to_group(2), READ_ONLY, Reach::All);
    assert!(edits(&house));
    let access = house.access();
    let whys: Vec<_> = access.iter().map(|one| (one.role.unwrap(), one.why.clone())).collect();
    let by = |group, rule| GroupStep {
        group: Pk(group),
        entry: Entry::Rule {
            rule: RuleKey(rule),
            version: 1,
        },
    };
    let nested = GroupStep {
        group: Pk(2),
        entry: Entry::Nested,
    };
    let grant = |key, steps: &[GroupStep]| Provenance::Grant {
        grant: crate::base::id::GrantKey(key),
        through: Path(steps.to_vec()),
    };
    let rule = Provenance::Rule {
        rule: RuleKey(3),
        version: 1,
        through: vec![Path(vec![by(3, 1)])],
    };
    assert_eq!(
        whys,
        [
            (MANAGER, vec![grant(1, &[by(3, 1)])]),
            (ANALYST, vec![rule]),
            (READ_ONLY, vec![grant(2, &[by(1, 2), nested])]),
        ]
    );
    house.document = serde_json::json!({ "title": "clerk" });
    house.ada.bits.clear();
    assert!(
        house.access().is_empty(),
        "what falls away with a group falls away at once"
    );
}

#[test]
fn a_smart_group_is_no_longer_one_when_its_rule_is_retired() {
    let mut house = house();
    house.group(1, "Bosses", &[]);
    house.rule("title eq \"boss\"", Outcome::Group(Pk(1)));
    house.grant(to_group(1), MANAGER, Reach::All);
    assert!(edits(&house) && house.book().is_smart(Pk(1)));
    house.policy.rules[0].state = State::Retired;
    assert!(!edits(&house) && !house.book().is_smart(Pk(1)));
}
