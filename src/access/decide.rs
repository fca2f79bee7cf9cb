//! The answer to one question, without looking at what does not matter to it.
//!
//! Same meaning as [`evaluate`](super::evaluate()), which property tests compare it with. The cost is a few hash
//! look-ups for each group of the user and each scope the target lies in, however many grants there are.

use super::facts::Facts;
use super::grant::Restriction;
use super::permission::{Permission, Permissions};
use super::rulebook::Rulebook;
use super::standing::Standing;
use super::target::{Located, Target};
use crate::base::clock::Timestamp;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the user has the permission.
    pub allowed: bool,
    /// Whether the user is active, and the organisation open: nobody else has any.
    pub active: bool,
    /// Version of the policy it was decided by.
    pub version: i64,
}

/// Whether a user has a permission on a target at an instant.
///
/// An organisation-level permission is not about a scope or a record: it is decided alike for every target.
#[must_use]
pub fn decide(
    facts: &Facts,
    rulebook: &Rulebook,
    now: Timestamp,
    permission: Permission,
    target: &Target<'_>,
) -> Decision {
    let found = gather(facts, rulebook, now, permission.into(), target);
    Decision {
        allowed: found.contains(permission),
        active: rulebook.lets_in(facts),
        version: rulebook.version(),
    }
}

/// Everything a user may do on a target at an instant, organisation-level permissions included.
#[must_use]
pub fn permissions(facts: &Facts, rulebook: &Rulebook, now: Timestamp, target: &Target<'_>) -> Permissions {
    gather(facts, rulebook, now, rulebook.catalogue().all(), target)
}

/// Those of the wanted permissions that the user has; looks no further once all are found.
fn gather(facts: &Facts, rulebook: &Rulebook, now: Timestamp, wanted: Permissions, target: &Target<'_>) -> Permissions {
    if !rulebook.lets_in(facts) {
        return Permissions::NONE;
    }
    let search = Search {
        rulebook,
        now,
        target: rulebook.locate(*target, now),
    };
    let found = wanted - search.missing(facts, wanted);
    let viewing = (wanted - found) & rulebook.viewing();
    let active = facts.reports.iter().filter(|report| report.active);
    let unseen = active.fold(viewing, |missing, report| search.missing(report, missing));
    found | (viewing - unseen)
}

struct Search<'a> {
    rulebook: &'a Rulebook,
    now: Timestamp,
    target: Located<'a>,
}

impl Search<'_> {
    /// What one user, taken for active and without their reports, does not have of what is wanted. Looks first where
    /// it costs least.
    fn missing(&self, facts: &Facts, wanted: Permissions) -> Permissions {
        let missing = self.missing_from_own(facts, wanted);
        if missing.is_empty() {
            return missing;
        }
        let standing = Standing::of(facts, self.rulebook, self.now);
        let missing = self.missing_from_groups(&standing, missing);
        self.missing_from_rules(&standing, missing)
    }

    fn missing_from_own(&self, facts: &Facts, mut missing: Permissions) -> Permissions {
        for grant in &facts.grants {
            if let Some(hold) = self.target.hold(&grant.reach)
                && grant.validity.contains(self.now)
            {
                let held = self.rulebook.permissions(grant.role);
                missing = missing - self.target.effective(held, hold, &grant.restriction);
            }
        }
        missing
    }

    fn missing_from_groups(&self, standing: &Standing<'_>, mut missing: Permissions) -> Permissions {
        for shelf in standing
            .groups()
            .iter()
            .filter_map(|group| self.rulebook.offers(group.pk()))
        {
            for (offer, hold) in shelf.covering(&self.target) {
                if offer.validity.contains(self.now) {
                    missing = missing - self.target.effective(offer.permissions, hold, &offer.restriction);
                }
            }
        }
        missing
    }

    /// A rule is asked only if it would give what is missing.
    fn missing_from_rules(&self, standing: &Standing<'_>, mut missing: Permissions) -> Permissions {
        for ((rule, permissions), hold) in self.rulebook.promises().covering(&self.target) {
            let given = self.target.effective(*permissions, hold, &Restriction::NONE);
            if !(given & missing).is_empty() && standing.rule_holds(*rule) {
                missing = missing - given;
            }
        }
        missing
    }
}
