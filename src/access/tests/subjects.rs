//! Whom grants reach.

use super::house::{ADA, MANAGER, READ_ONLY, house, on, to_group};
use crate::access::{Entry, GroupStep, Path, Provenance, Reach, Target, Validity};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk};

#[test]
fn nobody_who_is_not_active_has_anything() {
    let mut house = house();
    house.hers(MANAGER, Reach::All);
    house.rule(
        "title pr",
        crate::access::Outcome::Role {
            role: MANAGER,
            reach: Reach::All,
        },
    );
    assert!(house.may("record.edit", Target::Organisation));
    house.ada.active = false;
    assert!(!house.may("record.edit", Target::Organisation));
    assert!(house.access().is_empty());
}

#[test]
fn a_grant_counts_from_its_start_until_just_before_its_end() {
    let mut house = house();
    house.hers(MANAGER, Reach::All).validity = Validity {
        from: Some(Timestamp(10)),
        to: Some(Timestamp(20)),
    };
    let at = [9, 10, 19, 20].map(|at| {
        house.now = Timestamp(at);
        house.may("record.edit", Target::Organisation)
    });
    assert_eq!(at, [false, true, true, false]);
}

#[test]
fn grants_of_a_group_reach_those_nested_in_it_by_the_shortest_way() {
    let mut house = house();
    house.territory(1, None);
    house.grant(to_group(30), MANAGER, on(1));
    house.grant(to_group(99), MANAGER, Reach::All);
    house.in_group(30, "Company", false, &[]);
    house.in_group(12, "Sales", true, &[20]);
    house.in_group(11, "Leads", true, &[20, 21]);
    house.in_group(21, "South", false, &[30]);
    house.in_group(20, "North", false, &[30, 12]);
    assert!(house.may_on("record.edit", 1));
    assert!(!house.may("record.edit", Target::Organisation));
    let access = house.access();
    let why: Vec<_> = access.iter().flat_map(|assignment| assignment.why.clone()).collect();
    let step = |group, entry| GroupStep {
        group: Pk(group),
        entry,
    };
    let way = vec![
        step(11, Entry::Direct),
        step(20, Entry::Nested),
        step(30, Entry::Nested),
    ];
    assert_eq!(
        why,
        [Provenance::Grant {
            grant: GrantKey(1),
            through: Path(way)
        }]
    );
}

#[test]
fn a_path_shows_what_is_known() {
    let mut house = house();
    house.in_group(11, "Leads", true, &[]);
    house.in_group(30, "Company", false, &[]);
    house.grant(to_group(30), READ_ONLY, Reach::All);
    let entries = |house: &super::house::House| {
        let access = house.access();
        let Provenance::Grant { through, .. } = &access.iter().next().unwrap().why[0] else {
            panic!("{access:?}");
        };
        through
            .0
            .iter()
            .map(|step| (step.group.0, step.entry))
            .collect::<Vec<_>>()
    };
    assert_eq!(entries(&house), [(30, Entry::Nested)], "the nesting was not read");
    house.group(11, "Leads", &[30]);
    house.group(30, "Company", &[]);
    assert_eq!(
        entries(&house),
        [(11, Entry::Direct), (30, Entry::Nested)],
        "the policy knows it"
    );
}

#[test]
fn one_assignment_has_all_its_reasons() {
    let mut house = house();
    house.in_group(11, "Leads", true, &[]);
    house.grant(to_group(11), MANAGER, Reach::All);
    house.hers(MANAGER, Reach::All);
    let expired = house.hers(MANAGER, Reach::All);
    expired.validity.to = Some(Timestamp(1));
    let access = house.access();
    assert_eq!(access.len(), 1);
    let one = access.iter().next().unwrap();
    assert_eq!((one.report, one.role, one.why.len()), (None, Some(MANAGER), 2));
    let book = house.book();
    let subjects: Vec<_> = one
        .why
        .iter()
        .map(|why| match why {
            Provenance::Grant { grant, .. } => book.grant_of(&house.ada, *grant).unwrap().subject,
            Provenance::Rule { .. } => panic!("{why:?}"),
        })
        .collect();
    assert_eq!(subjects, [to_group(11), crate::access::Subject::User(ADA)]);
}
