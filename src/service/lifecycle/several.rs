//! The same is done to several users in one unit: what is read, is read of all of them at once.

use std::collections::{BTreeMap, BTreeSet};

use super::beside;
use super::status::Turned;
use super::turn::{Turning, beneath, locked, over, put, turned_to};
use crate::access::invariant::{Deed, Demands};
use crate::access::lifecycle::{Ask, Joining, Status, Verdict, turn as verdict};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::service::access::{invariants, policy};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Unit;
use crate::store::closing::works::Step;
use crate::store::document::Stored;
use crate::store::lifecycle::statuses::StoredHold;

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::service) struct Came {
    /// How many users were changed.
    pub(in crate::service) turned: u64,
    /// How many had to stay: the owner, the last administrators, break-glass accounts.
    pub(in crate::service) stayed: u64,
    /// How many could not be changed because of a fault of ours.
    pub(in crate::service) failed: u64,
}

impl Came {
    /// One could not be changed.
    pub(in crate::service) const FAILED: Self = Self {
        turned: 0,
        stayed: 0,
        failed: 1,
    };

    /// What a work is further by it, which is up to here by now.
    pub(in crate::service) const fn up_to(self, after: Pk) -> Step {
        Step {
            after,
            turned: self.turned,
            stayed: self.stayed,
            failed: self.failed,
        }
    }
}

/// Turns the status of these users in a unit, which then has to be saved; who is gone meanwhile is left out. Whom the
/// verdict lets stay as they are counts for nothing. Only those return whom the suspension holds that is said of them in
/// `ends`: who was let in, or kept out by somebody, since that was looked up, is left alone.
///
/// # Errors
/// `Busy` when the policy in memory is an old one; a database that does not answer.
pub(in crate::service) async fn several(
    services: &Services,
    caller: &Caller,
    unit: &mut Unit,
    (users, ends): (&[Pk], &BTreeMap<Pk, i64>),
    turning: &Turning,
) -> Result<Came> {
    let (version, demands) = locked(unit, turning.ask).await?;
    let book = policy::locked_at(services, caller, version).await?;
    let now = services.clock().now();
    let found = unit.resources().users_for_update(users).await?;
    let mut holds = unit.statuses().of(users).await?;
    let guarded = match &demands {
        Some(_) => guarded(unit, &found, now).await?,
        None => BTreeSet::new(),
    };
    let mut came = Came::default();
    for stored in found {
        // Whoever is active is held by nothing.
        let held = holds.remove(&stored.pk).filter(|_| stored.active == Some(false));
        let begins_or_ends = match turning.ask {
            Ask::Return { .. } => {
                let ends = ends.get(&stored.pk).copied();
                let holds = held.as_ref().and_then(|held| held.closing);
                if ends.is_none() || ends != holds {
                    continue;
                }
                ends
            }
            _ => turning.closing,
        };
        let of = (&stored, held.as_ref());
        if beside::stays(unit, caller, of, (turning, begins_or_ends), now) {
            continue;
        }
        let Some(to) = asked(&stored, held.as_ref(), turning) else {
            continue;
        };
        let rule = over(&book, &stored, to)?;
        let (turned, turning) = turned_to((&stored, held.as_ref()), to, (rule, turning));
        if guarded.contains(&stored.pk) && !may(unit, demands.as_ref(), (&stored, turned), now).await? {
            came.stayed += 1;
            continue;
        }
        let caller = rule.map_or_else(|| caller.clone(), |rule| caller.by_rule(&rule.name));
        put(services, &caller, unit, stored, held, (turned, &turning)).await?;
        came.turned += 1;
    }
    Ok(came)
}

/// What becomes of somebody but for rules; none where they stay as they are.
fn asked(stored: &Stored, held: Option<&StoredHold>, turning: &Turning) -> Option<Status> {
    let ask = match turning.ask {
        Ask::Return { .. } => Ask::Return {
            source_active: held.is_none_or(|held| held.source_active),
        },
        other => other,
    };
    match verdict(beneath(stored, held), ask, turning.by, Joining::Accepts) {
        Verdict::Turns(to) => Some(to),
        Verdict::Already | Verdict::Stays(_) | Verdict::Refused(_) => None,
    }
}

/// Those of them of whom it has to be asked whether they may go: everybody else is not among those who are counted.
pub(super) async fn guarded(unit: &mut Unit, found: &[Stored], now: Timestamp) -> Result<BTreeSet<Pk>> {
    let ids: BTreeSet<String> = found.iter().map(|stored| stored.id.as_str().to_owned()).collect();
    let admins = unit.grants().lasting_among(&invariants::ADMINS, now, &ids).await?;
    let owner = unit.grants().owner().await?.as_ref().and_then(invariants::user_of);
    Ok(admins.into_iter().map(|(pk, _)| pk).chain(owner).collect())
}

/// Whether the account of somebody who is counted may end, with those who went before them in this unit gone.
pub(super) async fn may(
    unit: &mut Unit,
    demands: Option<&Demands>,
    (stored, turned): (&Stored, Turned),
    now: Timestamp,
) -> Result<bool> {
    if !turned.from.is_active() {
        return Ok(true);
    }
    let demands = demands.ok_or(Error::Busy)?;
    let deed = match turned.to {
        Status::Suspended => Deed::Suspend,
        _ => Deed::Deactivate,
    };
    Ok(invariants::may_end(unit, demands, (stored.pk, deed), now)
        .await?
        .is_ok())
}
