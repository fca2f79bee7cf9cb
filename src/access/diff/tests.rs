//! What a change is told to be.

use std::collections::BTreeMap;

use super::{Access, Diff, Differ, Moment};
use crate::access::rule::names::tests::house;
use crate::access::{
    Assignment, Assignments, Catalogue, Path, Permissions, Policy, Provenance, Reach, RecordRef, Restriction, Rulebook,
    ScopeKind,
};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, RoleKey, ScopeKey};

const ADMIN: RoleKey = RoleKey(2);
const ANALYST: RoleKey = RoleKey(4);
const READ_ONLY: RoleKey = RoleKey(5);
const GERMANY: ScopeKey = ScopeKey(1);
const SPRING: ScopeKey = ScopeKey(2);
const NORTH: ScopeKey = ScopeKey(4);
const NOW: Timestamp = Timestamp(50);

/// North is below Germany, if it is told to be.
fn book(north_below: Option<ScopeKey>) -> Rulebook {
    let mut policy: Policy = house();
    policy.scopes[3].parent = north_below;
    policy.scopes[1].kind = ScopeKind::Program;
    Rulebook::compile(policy).unwrap()
}

fn narrow(values: &[&str]) -> Restriction {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Restriction(BTreeMap::from([("region".to_owned(), values)]))
}

fn held(role: RoleKey, reach: Reach, restriction: Restriction) -> Assignment {
    Assignment {
        report: None,
        reach,
        role: Some(role),
        restriction,
        why: vec![Provenance::Grant {
            grant: GrantKey(1),
            through: Path::default(),
        }],
    }
}

fn diff(books: (&Rulebook, &Rulebook), before: Vec<Assignment>, after: Vec<Assignment>) -> Diff {
    let record = RecordRef::parse("lead:7").unwrap();
    let records = BTreeMap::from([(record, vec![NORTH])]);
    let moment = |rulebook| Moment {
        rulebook,
        now: NOW,
        records: &records,
    };
    let differ = Differ::new(moment(books.0), moment(books.1));
    differ.diff(&Assignments::ordered(before), &Assignments::ordered(after))
}

/// Under one policy in which North is below Germany.
fn same(before: Vec<Assignment>, after: Vec<Assignment>) -> Diff {
    let book = book(Some(GERMANY));
    diff((&book, &book), before, after)
}

fn set(keys: &[&str]) -> Permissions {
    Catalogue::builtin().set(keys.iter().copied()).unwrap()
}

fn access(reach: Reach, restriction: Restriction, keys: &[&str]) -> Access {
    Access {
        reach,
        restriction,
        permissions: set(keys),
    }
}

const ANYWHERE: Restriction = Restriction::NONE;

#[test]
fn what_is_also_held_further_up_is_not_lost() {
    let record = Reach::Record(RecordRef::parse("lead:7").unwrap());
    let everything = vec![
        held(ANALYST, Reach::All, ANYWHERE),
        held(ANALYST, Reach::Scope(GERMANY), ANYWHERE),
        held(READ_ONLY, Reach::Scope(NORTH), narrow(&["EU"])),
        held(ANALYST, record, ANYWHERE),
    ];
    assert!(same(everything.clone(), vec![held(ANALYST, Reach::All, ANYWHERE)]).is_empty());
    let left = same(
        everything[1..].to_vec(),
        vec![held(ANALYST, Reach::Scope(GERMANY), ANYWHERE)],
    );
    assert!(
        left.is_empty(),
        "the record lies in North, and North in Germany: {left:?}"
    );
}

#[test]
fn what_is_lost_is_told_once_and_as_large_as_it_is() {
    let before = vec![
        held(ANALYST, Reach::Scope(GERMANY), ANYWHERE),
        held(READ_ONLY, Reach::Scope(NORTH), ANYWHERE),
    ];
    let found = same(before, vec![held(READ_ONLY, Reach::Scope(GERMANY), ANYWHERE)]);
    let lost = access(
        Reach::Scope(GERMANY),
        ANYWHERE,
        &["data.view_identified", "data.act", "data.export_share"],
    );
    assert_eq!((found.lost, found.gained), (vec![lost], vec![]));
}

#[test]
fn several_narrow_ones_cover_a_wide_one_together() {
    let wide = || vec![held(READ_ONLY, Reach::All, narrow(&["EU", "US"]))];
    let parts = |values: &[&str]| -> Vec<_> {
        values
            .iter()
            .map(|value| held(READ_ONLY, Reach::All, narrow(&[value])))
            .collect()
    };
    assert!(same(wide(), parts(&["EU", "US"])).is_empty());
    let found = same(wide(), parts(&["EU", "APAC"]));
    assert_eq!(
        found.lost,
        [access(Reach::All, narrow(&["EU", "US"]), &["data.view_anonymised"])]
    );
    assert_eq!(
        found.gained,
        [access(Reach::All, narrow(&["APAC"]), &["data.view_anonymised"])]
    );
}

#[test]
fn what_is_of_the_organisation_counts_on_all_alone() {
    let scoped = vec![held(ADMIN, Reach::Scope(GERMANY), ANYWHERE)];
    let found = same(scoped, vec![held(ADMIN, Reach::All, ANYWHERE)]);
    assert!(found.lost.is_empty());
    assert_eq!(found.gained[0].permissions, Catalogue::builtin().all());
    let narrowed = same(vec![], vec![held(ADMIN, Reach::All, narrow(&["EU"]))]);
    assert_eq!(narrowed.gained[0].permissions.len(), 10);
}

#[test]
fn a_scope_that_moves_takes_its_access_along() {
    let (inside, outside) = (book(Some(GERMANY)), book(None));
    let german = || vec![held(READ_ONLY, Reach::Scope(GERMANY), ANYWHERE)];
    let found = diff((&inside, &outside), german(), german());
    let lost = [access(Reach::Scope(NORTH), ANYWHERE, &["data.view_anonymised"])];
    assert_eq!((&found.lost[..], &found.gained[..]), (&lost[..], &[][..]));
    assert_eq!(diff((&outside, &inside), german(), german()).gained, lost);
}

#[test]
fn membership_without_a_role_is_told_apart() {
    let member = Assignment {
        role: None,
        ..held(ADMIN, Reach::Scope(SPRING), ANYWHERE)
    };
    let found = same(vec![], vec![member]);
    assert_eq!((found.joined, found.gained), (vec![SPRING], vec![]));
}
