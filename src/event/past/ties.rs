//! Memberships.

use std::collections::{BTreeMap, BTreeSet};

use super::policy::PolicyPast;
use crate::access::GroupFact;
use crate::base::id::Pk;
use crate::event::{Seq, Turn};

/// One word about one membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tie {
    /// Where it stands.
    pub seq: Seq,
    /// Who.
    pub resource: Pk,
    /// In which group.
    pub group: Pk,
    /// Joined or left.
    pub turn: Turn,
}

/// The last word about each membership.
#[derive(Debug, Clone, Default)]
pub struct Ties(BTreeMap<Pk, BTreeMap<Pk, (Seq, Turn)>>);

impl Ties {
    /// These, in the order of the log.
    #[must_use]
    pub fn told(words: impl IntoIterator<Item = Tie>) -> Self {
        let mut ties = Self::default();
        for word in words {
            let of = ties.0.entry(word.resource).or_default();
            of.insert(word.group, (word.seq, word.turn));
        }
        ties
    }

    /// The groups that it was in directly, by a policy of the same position.
    pub fn groups_of<'a>(&'a self, resource: Pk, policy: &'a PolicyPast) -> impl Iterator<Item = Pk> + 'a {
        let of = self.0.get(&resource).into_iter().flatten();
        of.filter(move |(group, (seq, turn))| {
            let known = policy.group(**group);
            *turn == Turn::Joined && known.is_some_and(|group| group.there && group.emptied < *seq)
        })
        .map(|(group, _)| *group)
    }

    /// The groups a user was in, directly and through others: `nesting` says which groups were in which.
    #[must_use]
    pub fn facts(&self, user: Pk, policy: &PolicyPast, nesting: &Self) -> Vec<GroupFact> {
        let direct: BTreeSet<Pk> = self.groups_of(user, policy).collect();
        let mut rest: Vec<Pk> = direct.iter().copied().collect();
        let mut found = BTreeSet::new();
        while let Some(group) = rest.pop() {
            if found.insert(group) {
                rest.extend(nesting.groups_of(group, policy));
            }
        }
        let known = found.into_iter().filter_map(|pk| policy.group(pk));
        known
            .map(|group| GroupFact {
                pk: group.pk,
                id: group.id.clone(),
                display: group.name.clone(),
                direct: direct.contains(&group.pk),
                parents: nesting.groups_of(group.pk, policy).collect(),
            })
            .collect()
    }
}
