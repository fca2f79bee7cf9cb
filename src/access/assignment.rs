//! What a user has, and why: the answer of [`evaluate`](super::evaluate()).

use super::grant::Restriction;
use super::path::Path;
use super::permission::Permissions;
use super::rulebook::Rulebook;
use super::scope::Reach;
use super::target::{Located, Target};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey};

/// What gives an assignment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provenance {
    /// A grant to the user, or to a group they are in.
    Grant {
        /// Which: one of [`Facts::grants`](super::Facts::grants) or of [`Policy::grants`](super::Policy::grants).
        grant: GrantKey,
        /// How the user is in the group that holds it: the shortest way. Empty for a grant of their own.
        through: Path,
    },
    /// A rule whose condition holds for the user.
    Rule {
        /// Which.
        rule: RuleKey,
        /// Which version of it.
        version: i64,
        /// How the user is in the groups that satisfy tests of its condition, each once, in order.
        through: Vec<Path>,
    },
}

/// A role somewhere, or the bare membership of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Whose it is, when the user has it as a manager: of their report, and only to look. Else none.
    pub report: Option<Pk>,
    /// Where it counts.
    pub reach: Reach,
    /// The role; none for the bare membership of the scope in `reach`.
    pub role: Option<RoleKey>,
    /// Which records it is narrowed to.
    pub restriction: Restriction,
    /// Everything that gives it, each once, in order; never empty.
    pub why: Vec<Provenance>,
}

/// All assignments of one user at one instant.
///
/// INVARIANT: no two have the same report, reach, role and restriction, and they are ordered by these: equal access is
/// equal, whatever order the grants and rules were in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignments(Vec<Assignment>);

impl Assignments {
    /// The caller has kept the invariant.
    pub(super) fn ordered(assignments: Vec<Assignment>) -> Self {
        Self(assignments)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Assignment> {
        self.0.iter()
    }

    /// What they permit on a target; the rulebook and the instant are those they were evaluated with.
    #[must_use]
    pub fn permissions(&self, rulebook: &Rulebook, now: Timestamp, target: &Target<'_>) -> Permissions {
        let located = rulebook.locate(*target, now);
        self.iter().fold(Permissions::NONE, |all, assignment| {
            all | assignment.permits(rulebook, &located)
        })
    }
}

impl Assignment {
    /// What it alone permits on a target.
    #[must_use]
    pub fn permits(&self, rulebook: &Rulebook, target: &Located<'_>) -> Permissions {
        let (Some(role), Some(hold)) = (self.role, target.hold(&self.reach)) else {
            return Permissions::NONE;
        };
        let mut permissions = rulebook.permissions(role);
        if self.report.is_some() {
            permissions = permissions & rulebook.viewing();
        }
        target.effective(permissions, hold, &self.restriction)
    }
}

impl<'a> IntoIterator for &'a Assignments {
    type Item = &'a Assignment;
    type IntoIter = std::slice::Iter<'a, Assignment>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Assignments {
    type Item = Assignment;
    type IntoIter = std::vec::IntoIter<Assignment>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
