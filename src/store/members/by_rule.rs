//! Members that rules give to groups. Nothing is stored of them but the matches of conditions, so a read is told how to
//! find them by whoever knows the policy; and what falls away with a rule, a match or a validity is away at once.

use serde_json::json;
use std::collections::HashSet;

use crate::base::id::{Pk, RuleKey};

/// Which members rules give, at one version of the policy and one instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByRule {
    matching: Vec<(Pk, RuleKey, i64)>,
    found: Vec<(Pk, Pk)>,
}

impl ByRule {
    /// None at all.
    pub const NONE: Self = Self {
        matching: Vec::new(),
        found: Vec::new(),
    };

    /// Whether rules give no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.matching.is_empty() && self.found.is_empty()
    }

    /// Everyone for whom there is a match of this condition is in the group: for a rule that does not read groups, where
    /// a match says all. The version is the one under which [`Matches`](crate::store::access::matches::Matches) knows it.
    pub fn whoever_matches(&mut self, group: Pk, (rule, version): (RuleKey, i64)) {
        self.matching.push((group, rule, version));
    }

    /// These users are in the group.
    pub fn these(&mut self, group: Pk, users: impl IntoIterator<Item = Pk>) {
        self.found.extend(users.into_iter().map(|user| (group, user)));
    }

    /// Only the members of these groups.
    #[must_use]
    pub fn of(mut self, groups: &HashSet<Pk>) -> Self {
        self.matching.retain(|(group, ..)| groups.contains(group));
        self.found.retain(|(group, _)| groups.contains(group));
        self
    }

    /// Rows of `[group, rule, version]`, for `[each $n]`.
    pub(in crate::store) fn matching_rows(&self) -> String {
        let row = |(group, rule, version): &(Pk, RuleKey, i64)| (group.0, rule.0, *version);
        json!(self.matching.iter().map(row).collect::<Vec<_>>()).to_string()
    }

    /// Rows of `[group, user]`, for `[each $n]`.
    pub(in crate::store) fn found_rows(&self) -> String {
        let row = |(group, user): &(Pk, Pk)| (group.0, user.0);
        json!(self.found.iter().map(row).collect::<Vec<_>>()).to_string()
    }

    /// Whether users are named one by one.
    pub(in crate::store) fn names_users(&self) -> bool {
        !self.found.is_empty()
    }
}
