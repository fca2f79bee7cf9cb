//! What must hold at every commit, asked in the unit that would break it, whatever path it came by.

use std::collections::BTreeSet;

use super::policy::Book;
use crate::access::Subject;
use crate::access::invariant::{self, Census, Deed, Demands, Violation};
use crate::access::permission::Predefined;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey};
use crate::service::error::Result;
use crate::store::Unit;
use crate::store::access::grants::StoredGrant;

/// Roles whose holders on *All* are administrators.
pub(in crate::service) const ADMINS: [RoleKey; 2] = [Predefined::Owner.key(), Predefined::Admin.key()];

/// What came of a check: the unit goes on, or is given up.
pub(in crate::service) type Verdict = std::result::Result<(), Violation>;

/// The lasting administrators, as far as it matters. The policy must be held: two that go at once would each see the
/// other stay.
#[derive(Debug, Clone)]
pub(in crate::service) struct Admins {
    demands: Demands,
    census: Census,
}

/// Counts them before a change, in a unit that holds the policy.
pub(in crate::service) async fn count(unit: &mut Unit, demands: Demands, now: Timestamp) -> Result<Admins> {
    let census = census(unit, &demands, now).await?;
    Ok(Admins { demands, census })
}

/// The same in a unit that has locked nothing yet: holds the policy.
pub(in crate::service) async fn admins(unit: &mut Unit, now: Timestamp) -> Result<Admins> {
    let (_, settings) = unit.policy().hold_settings().await?;
    count(unit, settings.demands, now).await
}

/// No more are counted than there must be.
async fn census(unit: &mut Unit, demands: &Demands, now: Timestamp) -> Result<Census> {
    let least = u32::try_from(demands.least_admins).unwrap_or(u32::MAX);
    let lasting = unit.grants().lasting_holders(&ADMINS, now, least).await?.len() as u64;
    Ok(Census {
        admins: lasting,
        lasting,
        break_glass: lasting_among(unit, now, &demands.break_glass).await?,
    })
}

/// Which of these users are lasting administrators, by id.
pub(super) async fn lasting_among(unit: &mut Unit, now: Timestamp, ids: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = unit.grants().lasting_among(&ADMINS, now, ids).await?;
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

impl Admins {
    /// Checks that a change left enough of them.
    pub(in crate::service) async fn stay(&self, unit: &mut Unit, now: Timestamp) -> Result<Verdict> {
        let after = census(unit, &self.demands, now).await?;
        let verdict = invariant::admins(&self.census, &after, &self.demands);
        named(unit, verdict).await
    }
}

/// A break-glass account is told by its name: its id is for programs.
async fn named(unit: &mut Unit, verdict: Verdict) -> Result<Verdict> {
    let Err(Violation::BreakGlass(id)) = verdict else {
        return Ok(verdict);
    };
    let found = unit.accounts().of(&BTreeSet::from([id.clone()])).await?;
    let name = found.into_iter().next().map_or(id, |account| account.user_name);
    Ok(Err(Violation::BreakGlass(name)))
}

/// Whether a user's account may end: not the owner's, not the last administrator's, no break-glass account. Asked in a
/// unit that holds the policy.
pub(in crate::service) async fn may_end(
    unit: &mut Unit,
    demands: &Demands,
    (user, deed): (Pk, Deed),
    now: Timestamp,
) -> Result<Verdict> {
    let owner = unit.grants().owner().await?.as_ref().and_then(user_of);
    if let Err(violation) = invariant::owner_stays(owner, user, deed) {
        return Ok(Err(violation));
    }
    let enough = u32::try_from(demands.least_admins + 1).unwrap_or(u32::MAX);
    let holders = unit.grants().lasting_holders(&ADMINS, now, enough).await?;
    let census = |count: usize, break_glass: &[(Pk, String)]| Census {
        admins: count as u64,
        lasting: count as u64,
        break_glass: break_glass.iter().map(|(_, id)| id.clone()).collect(),
    };
    let mut accounts = if demands.break_glass.is_empty() {
        Vec::new()
    } else {
        unit.grants().lasting_among(&ADMINS, now, &demands.break_glass).await?
    };
    let before = census(holders.len(), &accounts);
    accounts.retain(|(pk, _)| *pk != user);
    let left = holders.iter().filter(|holder| **holder != user).count();
    let verdict = invariant::admins(&before, &census(left, &accounts), demands);
    named(unit, verdict).await
}

/// The user that holds a grant; none where a group does.
pub(in crate::service) fn user_of(row: &StoredGrant) -> Option<Pk> {
    match row.grant.subject {
        Subject::User(pk) => Some(pk),
        Subject::Group(_) => None,
    }
}

/// Whether somebody is an administrator for good, after a change that may have made others for a while. Asked of what
/// the unit has written.
pub(in crate::service) async fn founded(unit: &mut Unit, now: Timestamp) -> Result<Verdict> {
    let lasting = unit.grants().lasting_holders(&ADMINS, now, 1).await?.len() as u64;
    Ok(invariant::founded(&Census {
        admins: lasting,
        lasting,
        break_glass: BTreeSet::new(),
    }))
}

/// Whether being in a group can make somebody an administrator: then whoever leaves may be the last.
pub(in crate::service) fn groups_make_admins(book: &Book) -> bool {
    book.rulebook.policy().grants.iter().any(invariant::makes_admins)
}
