//! How a user comes to be in a group.

use crate::base::id::{Pk, RuleKey};

/// How a user, or the group before, is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// The user is a member of the group itself.
    Direct,
    /// The rule makes the user a member: a smart group.
    Rule {
        /// Which rule.
        rule: RuleKey,
        /// Which version of it.
        version: i64,
    },
    /// The group of the step before is nested in it; as a first step, some group of the user is, and it is not known
    /// which (see [`GroupFact::parents`](super::facts::GroupFact::parents)).
    Nested,
}

/// One group on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupStep {
    /// The group.
    pub group: Pk,
    /// How one comes to be in it.
    pub entry: Entry,
}

/// The way from a user to a group: the group they are a member of, then each group the one before is nested in.
///
/// Empty where something is the user's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<GroupStep>);

impl Path {
    /// The group it leads to; none for what is the user's own.
    #[must_use]
    pub fn group(&self) -> Option<Pk> {
        self.0.last().map(|step| step.group)
    }
}
