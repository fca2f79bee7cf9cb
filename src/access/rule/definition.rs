//! A rule: when this holds for a user, then they have that.

use std::fmt;

use super::condition::Condition;
use crate::access::grant::Validity;
use crate::access::scope::Reach;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};

/// What a rule gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A role, somewhere.
    Role {
        /// Which.
        role: RoleKey,
        /// Where.
        reach: Reach,
    },
    /// Membership of a territory, program or record group, without a role.
    Member(ScopeKey),
    /// Membership of a group, which is thereby a smart group.
    Group(Pk),
}

/// Where a rule is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Being written: counts for nothing.
    Draft,
    /// Counts.
    Active,
    /// Kept for history: counts for nothing.
    Retired,
}

impl State {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::Draft, Self::Active, Self::Retired];

    /// `draft`, `active` or `retired`, as it stands in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    /// The state of this name, exactly as written.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One version of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Number inside; all versions share it.
    pub key: RuleKey,
    /// Id on the wire.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Counts every change of the rule.
    pub version: i64,
    /// The version that has had this condition first: under it is kept what documents say of it.
    pub matched: i64,
    /// Whether it counts.
    pub state: State,
    /// For whom.
    pub when: Condition,
    /// What they have then.
    pub then: Vec<Outcome>,
    /// When it counts.
    pub validity: Validity,
}

impl Rule {
    /// The roles it gives, and where.
    pub fn roles(&self) -> impl Iterator<Item = (RoleKey, &Reach)> {
        self.then.iter().filter_map(|outcome| match outcome {
            Outcome::Role { role, reach } => Some((*role, reach)),
            Outcome::Member(_) | Outcome::Group(_) => None,
        })
    }

    /// The scopes it names.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeKey> {
        self.then.iter().filter_map(|outcome| match outcome {
            Outcome::Role { reach, .. } => reach.scope(),
            Outcome::Member(scope) => Some(*scope),
            Outcome::Group(_) => None,
        })
    }

    /// The smart groups it gives membership of.
    pub fn groups(&self) -> impl Iterator<Item = Pk> {
        self.then.iter().filter_map(|outcome| match outcome {
            Outcome::Group(group) => Some(*group),
            Outcome::Role { .. } | Outcome::Member(_) => None,
        })
    }
}
