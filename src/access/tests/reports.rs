//! What managers have through those who report to them.

use super::house::{ADMIN, House, MANAGER, house, on};
use crate::access::{Facts, Grant, Origin, Outcome, Provenance, Restriction, Subject, Target, Validity};
use crate::base::id::{GrantKey, Pk, ScopeKey};

/// Ada's report Bob is an administrator of scope 1.
fn with_bob() -> House {
    let mut house = house();
    house.territory(1, None);
    let mut bob = Facts::new(Pk(2), "bob", true);
    bob.grants.push(Grant {
        key: GrantKey(50),
        id: "grant50".to_owned(),
        subject: Subject::User(bob.user),
        role: ADMIN,
        reach: on(1),
        validity: Validity::ALWAYS,
        restriction: Restriction::NONE,
        origin: Origin::Manual,
    });
    house.ada.reports.push(bob);
    house
}

#[test]
fn a_manager_sees_what_reports_see_and_does_not_do_what_they_do() {
    let house = with_bob();
    assert!(house.may_on("data.view_identified", 1));
    assert!(!house.may_on("record.edit", 1));
    assert!(!house.may("data.view_identified", Target::Organisation));
    let access = house.access();
    let one = access.iter().next().unwrap();
    assert_eq!((one.report, one.role), (Some(Pk(2)), Some(ADMIN)));
    assert!(matches!(&one.why[..], [Provenance::Grant { grant, .. }] if *grant == GrantKey(50)));
}

#[test]
fn both_must_be_active() {
    let mut house = with_bob();
    house.ada.reports[0].active = false;
    assert!(!house.may_on("data.view_identified", 1));
    house.ada.reports[0].active = true;
    house.ada.active = false;
    assert!(!house.may_on("data.view_identified", 1));
}

#[test]
fn own_access_and_that_of_reports_stand_side_by_side() {
    let mut house = with_bob();
    house.hers(MANAGER, on(1));
    assert!(house.may_on("record.edit", 1));
    assert!(!house.may_on("data.erase", 1));
    assert_eq!(house.access().len(), 2);
}

#[test]
fn memberships_are_not_inherited_nor_reports_of_reports() {
    let mut house = house();
    house.territory(1, None);
    house.rule("title pr", Outcome::Member(ScopeKey(1)));
    let mut bob = house.ada.clone();
    bob.user = Pk(2);
    house.ada.bits.clear();
    let mut below = with_bob().ada.reports.remove(0);
    std::mem::swap(&mut below, &mut bob);
    below.reports.push(bob);
    house.ada.reports.push(below);
    assert!(house.access().is_empty(), "{:?}", house.access());
    assert!(!house.may_on("data.view_identified", 1));
}
