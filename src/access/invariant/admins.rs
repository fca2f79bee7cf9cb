//! Enough administrators, whatever changes and whatever time brings.

use std::collections::BTreeSet;

use super::Violation;
use crate::access::assignment::{Assignment, Assignments, Provenance};
use crate::access::facts::Facts;
use crate::access::grant::{Grant, Subject};
use crate::access::path::Entry;
use crate::access::permission::Predefined;
use crate::access::policy::Policy;
use crate::access::rule::{Outcome, State};
use crate::access::rulebook::Rulebook;
use crate::access::scope::Reach;
use crate::base::id::{Pk, RoleKey};

/// How a user is an administrator: holds Admin or Owner on *All*, unrestricted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admin {
    /// By a rule, by a group that a rule puts them in, or until some time.
    Passing,
    /// By a grant without an end.
    Lasting,
}

/// Whether a user is an administrator; the assignments were evaluated with these facts and rulebook.
///
/// Where a grant comes to them through a group, the shortest way into it counts: one through a rule makes it passing.
#[must_use]
pub fn admin(assignments: &Assignments, facts: &Facts, rulebook: &Rulebook) -> Option<Admin> {
    let holds = assignments.iter().filter(|assignment| gives_admin(assignment));
    let lasts = |why: &Provenance| match why {
        Provenance::Grant { grant, through } => {
            let by_rule = through.0.iter().any(|step| matches!(step.entry, Entry::Rule { .. }));
            !by_rule
                && rulebook
                    .grant_of(facts, *grant)
                    .is_some_and(|grant| grant.validity.to.is_none())
        }
        Provenance::Rule { .. } => false,
    };
    holds
        .map(|assignment| {
            if assignment.why.iter().any(lasts) {
                Admin::Lasting
            } else {
                Admin::Passing
            }
        })
        .max()
}

fn gives_admin(assignment: &Assignment) -> bool {
    assignment.report.is_none()
        && assignment.reach == Reach::All
        && assignment.restriction.is_empty()
        && assignment.role.is_some_and(is_admin)
}

/// The administrators of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// How many are active.
    pub admins: u64,
    /// Of these, how many are [`Admin::Lasting`].
    pub lasting: u64,
    /// Ids of the break-glass accounts that are [`Admin::Lasting`].
    pub break_glass: BTreeSet<String>,
}

/// What a tenant asks of its administrators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demands {
    /// How many there must be, for good.
    pub least_admins: u64,
    /// Ids of the accounts that must be among them.
    pub break_glass: BTreeSet<String>,
}

impl Default for Demands {
    /// One administrator, whoever it is.
    fn default() -> Self {
        Self {
            least_admins: 1,
            break_glass: BTreeSet::new(),
        }
    }
}

/// Checks who is left after a change. Where a tenant does not meet its demands yet, a change need not make it so, but
/// must not make it worse.
///
/// # Errors
/// [`Violation::TooFewAdmins`], [`Violation::AdminsWouldEnd`] or [`Violation::BreakGlass`].
pub fn admins(before: &Census, after: &Census, demands: &Demands) -> Result<(), Violation> {
    let least = demands.least_admins;
    if after.admins < least.min(before.admins) {
        let left = after.admins;
        return Err(Violation::TooFewAdmins { left, least });
    }
    if after.lasting < least.min(before.lasting) {
        let lasting = after.lasting;
        return Err(Violation::AdminsWouldEnd { lasting, least });
    }
    let mut kept = demands.break_glass.intersection(&before.break_glass);
    match kept.find(|name| !after.break_glass.contains(*name)) {
        Some(name) => Err(Violation::BreakGlass(name.clone())),
        None => Ok(()),
    }
}

/// Checks a change after which there may be administrators who are [`Admin::Passing`]: then one must be lasting, or
/// time alone could take the last one away.
///
/// # Errors
/// [`Violation::AdminsWouldEnd`].
pub fn founded(after: &Census) -> Result<(), Violation> {
    if after.lasting == 0 {
        Err(Violation::AdminsWouldEnd { lasting: 0, least: 1 })
    } else {
        Ok(())
    }
}

/// Whether a policy can make administrators who do not last: by a rule, or by a rule that puts users in a group which
/// makes them so.
#[must_use]
pub fn by_rules(policy: &Policy) -> bool {
    let holds: BTreeSet<Pk> = policy
        .grants
        .iter()
        .filter(|grant| makes_admins(grant))
        .filter_map(group_of)
        .collect();
    let gives = |outcome: &Outcome| match outcome {
        Outcome::Role { role, reach } => *reach == Reach::All && is_admin(*role),
        Outcome::Group(group) => !holds.is_empty() && above(policy, *group).iter().any(|group| holds.contains(group)),
        Outcome::Member(_) => false,
    };
    let mut active = policy.rules.iter().filter(|rule| rule.state == State::Active);
    active.any(|rule| rule.then.iter().any(gives))
}

/// Whether a grant makes administrators of those it reaches.
#[must_use]
pub fn makes_admins(grant: &Grant) -> bool {
    is_admin(grant.role) && grant.reach == Reach::All && grant.restriction.is_empty()
}

fn is_admin(role: RoleKey) -> bool {
    matches!(Predefined::from_key(role), Some(Predefined::Owner | Predefined::Admin))
}

fn group_of(grant: &Grant) -> Option<Pk> {
    match grant.subject {
        Subject::Group(group) => Some(group),
        Subject::User(_) => None,
    }
}

/// A group and every group it is nested in.
fn above(policy: &Policy, group: Pk) -> BTreeSet<Pk> {
    let mut found = BTreeSet::new();
    let mut next = vec![group];
    while let Some(group) = next.pop() {
        if found.insert(group) {
            let known = policy.groups.iter().find(|known| known.pk == group);
            next.extend(known.into_iter().flat_map(|known| &known.parents));
        }
    }
    found
}
