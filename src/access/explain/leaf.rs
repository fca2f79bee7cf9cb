//! The single facts that a support stands on.

use std::collections::BTreeSet;

use super::explanation::{Proof, Reason, Way, WayIn};
use crate::base::id::{GrantKey, Pk, RuleKey, ScopeKey};

/// One fact. Something wrote it at some time, and a store knows what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leaf {
    /// A grant is there.
    Grant(GrantKey),
    /// The user is a stored member of the group.
    Member(Pk),
    /// A group is nested in another.
    Nested {
        /// Which group.
        group: Pk,
        /// In which.
        parent: Pk,
    },
    /// The user is in the group by nesting that the facts do not tell.
    SomeNesting(Pk),
    /// A rule is active, in this version.
    Rule {
        /// Which.
        rule: RuleKey,
        /// Its version.
        version: i64,
    },
    /// The user's profile satisfies a document atom of a rule's condition, or does not.
    Profile {
        /// Of which rule.
        rule: RuleKey,
        /// Number of the atom.
        atom: usize,
        /// Whether it does.
        holds: bool,
    },
    /// The user is in no group that would decide a test of groups otherwise.
    NoGroup {
        /// Of which rule.
        rule: RuleKey,
        /// Number of the group test.
        test: usize,
    },
    /// The target is the scope, or the record belongs to it.
    LiesIn(ScopeKey),
    /// A scope is directly below another.
    Below {
        /// Which scope.
        scope: ScopeKey,
        /// Below which.
        parent: ScopeKey,
    },
    /// The user manages another, whose facts the others are.
    Report(Pk),
}

impl Way {
    /// Every single fact it stands on.
    #[must_use]
    pub fn leaves(&self) -> BTreeSet<Leaf> {
        let mut leaves = match (&self.entry, self.groups.first()) {
            (WayIn::Rule(proof), _) => proof.leaves(),
            (WayIn::Member, Some(group)) => BTreeSet::from([Leaf::Member(group.key)]),
            (WayIn::Unknown, Some(group)) => BTreeSet::from([Leaf::SomeNesting(group.key)]),
            (WayIn::Member | WayIn::Unknown, None) => BTreeSet::new(),
        };
        for pair in self.groups.windows(2) {
            leaves.insert(Leaf::Nested {
                group: pair[0].key,
                parent: pair[1].key,
            });
        }
        leaves
    }
}

impl Proof {
    /// Every single fact it stands on.
    #[must_use]
    pub fn leaves(&self) -> BTreeSet<Leaf> {
        let rule = self.rule.key;
        let mut leaves = BTreeSet::from([Leaf::Rule {
            rule,
            version: self.version,
        }]);
        for reason in &self.reasons {
            leaves.extend(reason.leaves(rule));
        }
        leaves
    }
}

impl Reason {
    /// Every single fact it stands on; `rule` is whose condition it is part of.
    #[must_use]
    pub fn leaves(&self, rule: RuleKey) -> BTreeSet<Leaf> {
        match self {
            Self::Profile { atom, holds, .. } => BTreeSet::from([Leaf::Profile {
                rule,
                atom: *atom,
                holds: *holds,
            }]),
            Self::Group { way, .. } => way.leaves(),
            Self::NoGroup { test, .. } => BTreeSet::from([Leaf::NoGroup { rule, test: *test }]),
        }
    }
}
