//! The question, and its answer put together.

use super::explanation::{Explanation, place};
use super::ground::Sources;
use super::{miss, support};
use crate::access::facts::Facts;
use crate::access::permission::{Permission, Permissions};
use crate::access::rulebook::Rulebook;
use crate::access::target::Target;
use crate::base::clock::Timestamp;

/// Explains what a user may do on a target at an instant: one permission, or all they have there.
///
/// Asked for one permission that the user does not have, it lists what would come nearest to giving it.
#[must_use]
pub fn explain(
    facts: &Facts,
    rulebook: &Rulebook,
    now: Timestamp,
    permission: Option<Permission>,
    target: &Target<'_>,
) -> Explanation {
    let asked = permission.map_or_else(|| rulebook.catalogue().all(), Into::into);
    let (supports, cut) = if rulebook.lets_in(facts) {
        support::supports(facts, rulebook, now, asked, target)
    } else {
        (Vec::new(), false)
    };
    let permissions = supports
        .iter()
        .fold(Permissions::NONE, |all, support| all | support.permissions);
    let (misses, more_misses) = match permission {
        Some(wanted) if rulebook.lets_in(facts) && !permissions.contains(wanted) => {
            miss::misses(facts, rulebook, now, wanted, target)
        }
        _ => (Vec::new(), 0),
    };
    Explanation {
        key: facts.user,
        user: facts.id.clone(),
        sources: Sources::new(),
        active: facts.active,
        closed: rulebook.policy().closed,
        version: rulebook.version(),
        permission: permission.map(|permission| rulebook.catalogue().key(permission).to_owned()),
        place: place(rulebook, target),
        permissions,
        supports,
        cut,
        misses,
        more_misses,
    }
}
