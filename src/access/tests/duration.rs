//! A decision costs as much as it has to look at, not as much as there is.

use std::time::{Duration, Instant};

use super::house::{ADA, MANAGER, READ_ONLY, house, on, to_group};
use crate::access::{Outcome, Reach, Target, decide, evaluate};
use crate::base::id::{Pk, ScopeKey};

/// Grants that reach Ada, each on a scope of its own.
const GRANTS: i64 = 10_000;

/// Far above what it takes, in a debug build on a busy machine too, and far below what a scan of all grants takes.
const MOST: Duration = Duration::from_micros(500);

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
    let rounds = 200;
    let started = Instant::now();
    for round in 0..rounds {
        let target = Target::Scope(ScopeKey(GRANTS - i64::from(round)));
        assert!(!decide(&house.ada, &book, house.now, permission, &target).allowed);
    }
    let each = started.elapsed() / rounds;
    assert!(each < MOST, "{each:?} a decision");
    assert_eq!(evaluate(&house.ada, &book, house.now).len(), 10_000);
}

/// Says how long the engine takes; run by hand with `--release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn how_long_it_takes() {
    let mut house = house();
    house.territory(1, None);
    for group in 1..=1000 {
        house.group(group, &format!("Group {group}"), &[]);
        house.grant(to_group(group), if group % 2 == 0 { READ_ONLY } else { MANAGER }, on(1));
    }
    for rule in 1..=200 {
        let role = Outcome::Role {
            role: READ_ONLY,
            reach: if rule % 10 == 0 { Reach::All } else { on(1) },
        };
        let (when, then) = match rule % 4 {
            0 => (format!("groups.display eq \"Group {rule}\" and title pr"), role),
            1 => (format!("title eq \"{rule}\""), Outcome::Group(Pk(1000 - rule))),
            2 => (format!("groups.value eq \"g{rule}\" or title eq \"x\""), role),
            _ => ("title pr".to_owned(), role),
        };
        house.rule(&when, then);
    }
    for group in 1..=10 {
        house.in_group(group * 7, &format!("Group {}", group * 7), group < 4, &[]);
    }
    house.ada.bits.retain(|row| row.bits != 0);
    let started = Instant::now();
    let book = house.book();
    println!("compile: {:?}", started.elapsed());
    let permission = book.catalogue().find("data.erase").unwrap();
    for (name, rounds) in [("warm", 1_000), ("hot", 100_000)] {
        let started = Instant::now();
        let found: usize = (0..rounds).map(|_| evaluate(&house.ada, &book, house.now).len()).sum();
        println!(
            "{name}: {rounds} times evaluate: {:?}, {found} found",
            started.elapsed()
        );
        let started = Instant::now();
        let target = Target::Scope(ScopeKey(1));
        let allowed = (0..rounds).filter(|_| decide(&house.ada, &book, house.now, permission, &target).allowed);
        assert_eq!((allowed.count(), house.ada.user), (0, ADA));
        println!("{name}: {rounds} times decide: {:?}", started.elapsed());
    }
}
