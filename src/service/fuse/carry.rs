//! The changes of an approved hold are made, in the order in which they came, each in a unit of its own.
//!
//! Any number may be at it: a change and the end of its waiting are one unit, so it is made once, and whoever stops leaves
//! what is not made waiting. One that cannot be made any more says why, and the others go on.

use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::pending;
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::access::pendings::{Pending as Kept, WAITING};
use crate::store::fuse::holds::{self, State};
use crate::store::log::leases;

/// Changes that are made at a time.
const CHUNK: u32 = 100;

/// Holds that are gone on with in one go.
const MOST_HOLDS: u32 = 20;

/// The lease of whoever goes on with holds.
const LEASE: &str = "holds";

/// How long a node that stops in mid-work keeps the others from it; a chunk takes far less.
const LEASE_LASTS: Duration = Duration::from_secs(30);

/// Whether something is approved and not made, in any tenant.
///
/// # Errors
/// A database that does not answer.
pub async fn is_behind(services: &Services) -> Result<bool> {
    Ok(!holds::applying(services.db(), 1).await?.is_empty())
}

/// Takes or renews the lease of going on with holds; says whether this holder has it now.
///
/// # Errors
/// A database that does not answer.
pub async fn lease(services: &Services, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    Ok(leases::take(services.db(), LEASE, holder, now, now.plus(LEASE_LASTS)).await?)
}

/// Makes more of what is approved in any tenant; says whether there is more to do.
///
/// # Errors
/// A database that does not answer.
pub async fn resume(services: &Services) -> Result<bool> {
    let mut more = false;
    for left in holds::applying(services.db(), MOST_HOLDS).await? {
        let request = services.ids().next().into_string();
        let authority = Authority::Operator("approved hold");
        let caller = Caller::new(left.tenant, Arc::from(left.slug), authority, Arc::from(request));
        more |= !carry_on(services, &caller, &left.id).await?;
    }
    Ok(more)
}

/// Makes some changes of a hold that is approved; says whether none are left.
pub(super) async fn carry_on(services: &Services, caller: &Caller, hold: &str) -> Result<bool> {
    let found = services.read(caller).holds().find(hold).await?.ok_or(Error::NotFound)?;
    if found.state != State::Applying {
        return Ok(true);
    }
    let rows = services
        .read(caller)
        .pendings()
        .of_hold(found.number, WAITING, 0, CHUNK)
        .await?;
    let left = rows.len() == CHUNK as usize;
    for row in rows {
        match pending::make(services, caller, &row).await {
            Ok(()) => {}
            // Nothing is wrong with the change.
            Err(error @ (Error::Busy | Error::Internal(_))) => return Err(error),
            Err(error) => perform(services, caller, Failing::of(row, &error)).await?,
        }
    }
    if left {
        return Ok(false);
    }
    let finishing = Finishing { hold: hold.to_owned() };
    perform(services, caller, finishing).await?;
    Ok(true)
}

/// A change that cannot be made any more.
struct Failing {
    row: Kept,
    reason: String,
}

impl Failing {
    fn of(row: Kept, error: &Error) -> Self {
        Self {
            row,
            reason: error.to_string(),
        }
    }
}

impl Change for Failing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        // Else somebody else has made it, or thrown it away.
        if desk.unit.pendings().fail(&self.row.id, &self.reason).await? {
            let resource = self.row.resource.as_ref().map(|(id, _)| id.as_str());
            let data = json!({ "pending": self.row.id, "resource": resource });
            desk.note(What::RequestFailed, ledger::thing(Thing::Request, &self.row.id), &data);
        }
        Ok(())
    }
}

/// All is made that could be.
struct Finishing {
    hold: String,
}

impl Change for Finishing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.holds().find(&self.hold).await?.ok_or(Error::NotFound)?;
        let step = (State::Applying, State::Approved);
        if desk.unit.holds().advance(found.number, step, desk.now).await? {
            let data = json!({ "applied": found.changes.applied, "failed": found.changes.failed, "dismissed": found.changes.dismissed });
            desk.note(What::HoldFinished, ledger::thing(Thing::Hold, &self.hold), &data);
        }
        Ok(())
    }
}
