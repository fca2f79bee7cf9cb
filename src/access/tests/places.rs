//! Where things count.

use serde_json::json;

use super::house::{ADMIN, MANAGER, OWNER, READ_ONLY, house, on, record};
use crate::access::{Reach, Restriction, ScopeKind, Target};
use crate::base::clock::Timestamp;
use crate::base::id::RoleKey;

fn only(property: &str, value: &str) -> Restriction {
    Restriction([(property.to_owned(), [value.to_owned()].into())].into())
}

#[test]
fn a_territory_holds_below_it_and_not_above() {
    let mut house = house();
    house.territory(1, None);
    house.territory(2, Some(1));
    house.territory(3, Some(2));
    house.territory(4, Some(1));
    house.hers(READ_ONLY, on(2));
    let seen = [1, 2, 3, 4].map(|scope| house.may_on("data.view_anonymised", scope));
    assert_eq!(seen, [false, true, true, false]);
    assert!(house.may_see("x", &[4, 3], &json!({})));
    assert!(!house.may_see("x", &[4], &json!({})));
    assert!(!house.may("data.view_anonymised", Target::Organisation));
}

#[test]
fn all_holds_on_what_is_in_no_scope_and_on_scopes_made_a_moment_ago() {
    let mut house = house();
    house.hers(READ_ONLY, Reach::All);
    assert!(house.may_see("x", &[], &json!({})));
    assert!(house.may_on("data.view_anonymised", 99));
    assert!(house.may("data.view_anonymised", Target::Organisation));
}

#[test]
fn organisation_permissions_count_only_on_all() {
    let mut house = house();
    house.territory(1, None);
    house.hers(ADMIN, on(1));
    assert!(!house.may("org.users.manage", Target::Organisation));
    assert!(!house.may_on("org.users.manage", 1));
    assert!(house.may_on("record.edit", 1));
    house.hers(OWNER, Reach::All);
    assert!(house.may("org.users.manage", Target::Organisation));
    assert!(
        house.may_on("org.users.manage", 1),
        "it is not about a scope, so a scope does not matter"
    );
}

#[test]
fn a_grant_on_one_record_is_for_that_record() {
    let mut house = house();
    house.territory(1, None);
    house.hers(READ_ONLY, Reach::Record(record("7")));
    assert!(house.may_see("7", &[1], &json!({})));
    assert!(!house.may_see("8", &[1], &json!({})));
    assert!(!house.may_on("data.view_anonymised", 1));
}

#[test]
fn a_program_counts_while_it_runs() {
    let mut house = house();
    house.territory(1, None);
    let program = house.scope(2, ScopeKind::Program, Some(1));
    program.starts = Some(Timestamp(100));
    program.ends = Some(Timestamp(200));
    house.territory(3, Some(2));
    house.hers(READ_ONLY, on(1));
    house.hers(MANAGER, on(2));
    for (at, runs) in [(99, false), (100, true), (199, true), (200, false)] {
        house.now = Timestamp(at);
        assert_eq!(house.may_on("record.edit", 2), runs, "at {at}");
        assert_eq!(
            house.may_on("data.view_anonymised", 2),
            runs,
            "what reaches into it, at {at}"
        );
        assert_eq!(
            house.may_on("data.view_anonymised", 3),
            runs,
            "what reaches through it, at {at}"
        );
        assert_eq!(house.access().len(), if runs { 2 } else { 1 }, "at {at}");
        assert!(house.may_on("data.view_anonymised", 1));
    }
}

#[test]
fn a_restriction_narrows_and_never_widens() {
    let mut house = house();
    house.territory(1, None);
    house.hers(OWNER, Reach::All).restriction = only("region", "EU");
    assert!(house.may_see("x", &[], &json!({ "region": "EU" })));
    assert!(!house.may_see("x", &[], &json!({ "region": "US" })));
    assert!(!house.may_see("x", &[], &json!({})));
    assert!(!house.may_on("data.view_anonymised", 1));
    assert!(!house.may("data.view_anonymised", Target::Organisation));
    assert!(!house.may("org.users.view", Target::Organisation));
}

#[test]
fn overlaps_are_unions() {
    let mut house = house();
    house.territory(1, None);
    house.hers(READ_ONLY, on(1));
    house.hers(MANAGER, on(1)).restriction = only("region", "EU");
    assert!(
        house.may_see("x", &[1], &json!({ "region": "US" })),
        "the weaker grant is not narrowed by the stronger"
    );
    assert!(!house.may_on("record.edit", 1));
}

#[test]
fn what_is_not_there_gives_nothing() {
    let mut house = house();
    house.hers(RoleKey(555), Reach::All);
    house.hers(MANAGER, on(42));
    assert!(!house.may_on("record.edit", 42));
    assert!(!house.may("record.edit", Target::Organisation));
    assert_eq!(house.access().len(), 1, "the role that is not there, on all");
}

#[test]
fn a_circle_of_scopes_ends() {
    let mut house = house();
    house.territory(1, Some(2));
    house.territory(2, Some(1));
    house.hers(READ_ONLY, on(1));
    assert!(house.may_on("data.view_anonymised", 2));
}
