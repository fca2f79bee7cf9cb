//! Compares what users have under two policies, or at two instants.

use std::collections::{BTreeMap, BTreeSet};

use super::item::{Item, is_within, items, uncovered};
use crate::access::assignment::Assignments;
use crate::access::grant::Restriction;
use crate::access::permission::Permissions;
use crate::access::rulebook::Rulebook;
use crate::access::scope::{Reach, RecordRef};
use crate::access::target::Target;
use crate::base::clock::Timestamp;
use crate::base::id::ScopeKey;

/// A policy at an instant: what assignments were evaluated with.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The policy.
    pub rulebook: &'a Rulebook,
    /// The instant.
    pub now: Timestamp,
    /// Scopes of the records that roles are held on one by one. A record that is not here lies in no scope, and then
    /// nothing but *All* is known to cover it.
    pub records: &'a BTreeMap<RecordRef, Vec<ScopeKey>>,
}

/// Some access, as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Where.
    pub reach: Reach,
    /// On which records there.
    pub restriction: Restriction,
    /// What one may do; not empty.
    pub permissions: Permissions,
}

/// What one user gains and loses. Nothing in a list covers another part of the same list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Permitted after and not before, ordered by reach and restriction.
    pub gained: Vec<Access>,
    /// Permitted before and not after, in the same order.
    pub lost: Vec<Access>,
    /// Scopes the user is a member of after, without a role, and not before.
    pub joined: Vec<ScopeKey>,
    /// The other way round.
    pub left: Vec<ScopeKey>,
}

impl Diff {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && self.joined.is_empty() && self.left.is_empty()
    }
}

/// Two moments, made ready to compare many users. Both have the same catalogue of permissions.
#[derive(Debug)]
pub struct Differ<'a> {
    before: Side<'a>,
    after: Side<'a>,
    /// Whether a scope lies in the same scopes before and after.
    same_tree: bool,
}

#[derive(Debug)]
struct Side<'a> {
    moment: Moment<'a>,
    /// By scope that exists: what reaches it, itself first; empty for a program that does not run.
    above: BTreeMap<ScopeKey, Vec<ScopeKey>>,
    /// By scope: what it reaches, itself included.
    below: BTreeMap<ScopeKey, Vec<ScopeKey>>,
}

impl<'a> Differ<'a> {
    /// Prepares the comparison.
    #[must_use]
    pub fn new(before: Moment<'a>, after: Moment<'a>) -> Self {
        let (before, after) = (Side::new(before), Side::new(after));
        let same_records = before.moment.records == after.moment.records;
        Self {
            same_tree: same_records && before.above == after.above,
            before,
            after,
        }
    }

    /// What one user gains and loses between what they have before and what they have after.
    #[must_use]
    pub fn diff(&self, before: &Assignments, after: &Assignments) -> Diff {
        let had = items(before, self.before.moment.rulebook);
        let have = items(after, self.after.moment.rulebook);
        let (was_in, is_in) = (memberships(before), memberships(after));
        Diff {
            gained: self.missing(&self.after, &have, &self.before, &had),
            lost: self.missing(&self.before, &had, &self.after, &have),
            joined: is_in.difference(&was_in).copied().collect(),
            left: was_in.difference(&is_in).copied().collect(),
        }
    }

    /// What is held on one side and not on the other.
    fn missing(&self, side: &Side<'_>, held: &[Item], other: &Side<'_>, there: &[Item]) -> Vec<Access> {
        let mut found: BTreeMap<(Reach, Restriction), Permissions> = BTreeMap::new();
        // What is there exactly alike, as nearly everything is, needs no search for what covers it.
        for item in held.iter().filter(|item| !(self.same_tree && there.contains(item))) {
            for reach in self.places(side, &item.reach) {
                let covering = there.iter().filter(|item| other.covers(&item.reach, &reach));
                let missing = uncovered(item.permissions, &item.restriction, &covering);
                if !missing.is_empty() {
                    *found.entry((reach, item.restriction.clone())).or_default() |= missing;
                }
            }
        }
        largest(side, &found)
    }

    /// The places to look at for something held with a reach: where the trees differ, each scope below it may be
    /// another matter.
    fn places(&self, side: &Side<'_>, reach: &Reach) -> Vec<Reach> {
        match reach {
            Reach::Scope(scope) if !self.same_tree => {
                let below = side.below.get(scope).map_or(&[][..], Vec::as_slice);
                let records = side.moment.records.keys().cloned().map(Reach::Record);
                let records = records.filter(|record| side.covers(reach, record));
                below.iter().copied().map(Reach::Scope).chain(records).collect()
            }
            _ => vec![reach.clone()],
        }
    }
}

impl<'a> Side<'a> {
    fn new(moment: Moment<'a>) -> Self {
        let scopes = &moment.rulebook.policy().scopes;
        let chain = |key| moment.rulebook.locate(Target::Scope(key), moment.now).scopes().to_vec();
        let above: BTreeMap<_, _> = scopes.iter().map(|scope| (scope.key, chain(scope.key))).collect();
        let mut below: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (scope, chain) in &above {
            for up in chain {
                below.entry(*up).or_default().push(*scope);
            }
        }
        Self { moment, above, below }
    }

    /// Whether what is held with one reach is held all over another.
    fn covers(&self, wide: &Reach, narrow: &Reach) -> bool {
        let reaches =
            |scope: &ScopeKey, from: &ScopeKey| self.above.get(from).is_some_and(|above| above.contains(scope));
        match (wide, narrow) {
            (Reach::All, _) => true,
            (_, Reach::All) | (Reach::Record(_), Reach::Scope(_)) => false,
            (Reach::Scope(wide), Reach::Scope(narrow)) => reaches(wide, narrow),
            (Reach::Record(wide), Reach::Record(narrow)) => wide == narrow,
            (Reach::Scope(wide), Reach::Record(record)) => {
                let own = self.moment.records.get(record);
                own.is_some_and(|own| own.iter().any(|scope| reaches(wide, scope)))
            }
        }
    }
}

/// Without what is covered by another part of the same list.
fn largest(side: &Side<'_>, found: &BTreeMap<(Reach, Restriction), Permissions>) -> Vec<Access> {
    let covered = |(reach, restriction): &(Reach, Restriction)| {
        let wider = found.iter().filter(|((wide, of), _)| {
            let same = wide == reach && of == restriction;
            let both_ways = side.covers(reach, wide) && is_within(of, restriction);
            !same && !both_ways && side.covers(wide, reach) && is_within(restriction, of)
        });
        wider.fold(Permissions::NONE, |all, (_, permissions)| all | *permissions)
    };
    let mut kept = Vec::new();
    for (place, permissions) in found {
        let permissions = *permissions - covered(place);
        if !permissions.is_empty() {
            let (reach, restriction) = place.clone();
            kept.push(Access {
                reach,
                restriction,
                permissions,
            });
        }
    }
    kept
}

fn memberships(assignments: &Assignments) -> BTreeSet<ScopeKey> {
    let bare = assignments.iter().filter(|assignment| assignment.role.is_none());
    bare.filter_map(|assignment| assignment.reach.scope()).collect()
}
