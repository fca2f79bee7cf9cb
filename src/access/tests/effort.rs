//! A decision looks at what can count where it is asked, not at all there is.

use super::house::{READ_ONLY, house, on, to_group};
use crate::access::{Target, decide, evaluate};
use crate::base::id::{Pk, ScopeKey};

/// Grants that reach Ada, each on a scope of its own.
const GRANTS: i64 = 10_000;

#[test]
fn a_decision_does_not_look_at_grants_of_other_places() {
    let mut house = house();
    for group in 1..=10 {
        house.in_group(group, &format!("Group {group}"), true, &[]);
    }
    for scope in 1..=GRANTS {
        house.territory(scope, (scope > 10).then_some(scope / 10));
        house.grant(to_group(scope % 10 + 1), READ_ONLY, on(scope));
    }
    let book = house.book();
    let permission = book.catalogue().find("record.edit").unwrap();
    for scope in GRANTS - 200..=GRANTS {
        let target = Target::Scope(ScopeKey(scope));
        let located = book.locate(target, house.now);
        let shelves = (1..=10).filter_map(|group| book.offers(Pk(group)));
        let looked_at: usize = shelves.map(|shelf| shelf.covering(&located).count()).sum();
        assert_eq!(looked_at, 4, "the grants on the scope and on the three above it");
        assert!(!decide(&house.ada, &book, house.now, permission, &target).allowed);
    }
    assert_eq!(evaluate(&house.ada, &book, house.now).len(), 10_000);
}
