//! The changes of an approved hold are made, in the order in which they came, each in a unit of its own.
//!
//! Any number may be at it: a change and the end of its waiting are one unit, so it is made once, and whoever stops leaves
//! what is not made waiting. One that cannot be made any more says why, and the others go on; also where the fault is ours:
//! that one is tried again for an hour.

use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::pending;
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::access::pendings::{Pending as Kept, WAITING};
use crate::store::closing::State as Closed;
use crate::store::fuse::holds::{self, Standing, State};
use crate::store::log::leases;

/// How long after the decision a change that comes to a fault of ours is tried again.
const PATIENCE: Duration = Duration::from_hours(1);

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

/// Makes more of what is approved in any tenant; says whether there is more to do at once. A hold that cannot be gone on
/// with is told in the program's log, and does not keep others back.
///
/// # Errors
/// A database that does not answer.
pub async fn resume(services: &Services) -> Result<bool> {
    let mut more = false;
    for left in holds::applying(services.db(), MOST_HOLDS).await? {
        let request = services.ids().next().into_string();
        let authority = Authority::Operator("approved hold");
        let words = services.vocabulary(left.tenant).await?;
        let caller = Caller::new(
            (left.tenant, Arc::from(left.slug)),
            words,
            authority,
            Arc::from(request),
        );
        match carry_on(services, &caller, &left.id).await {
            Ok(done) => more |= !done,
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                hold.id = left.id,
                "an approved hold cannot be gone on with; it is tried again"
            ),
        }
    }
    Ok(more)
}

/// Makes some changes of a hold that is approved; says whether no more can be made at once.
pub(super) async fn carry_on(services: &Services, caller: &Caller, hold: &str) -> Result<bool> {
    let reader = services.read(caller);
    let found = reader.holds().standing(hold).await?.ok_or(Error::NotFound)?;
    if found.state != State::Applying {
        return Ok(true);
    }
    let (mut after, mut made, mut stuck) = (0, 0, false);
    loop {
        let rows = reader.pendings().of_hold(found.number, WAITING, after, CHUNK).await?;
        let last = rows.len() < CHUNK as usize;
        for row in rows {
            after = row.number;
            match one(services, caller, &found, row).await? {
                Came::Settled => made += 1,
                Came::Waits => stuck = true,
                // None of the others could be made either.
                Came::Shut => return Ok(true),
            }
        }
        match (last, made >= CHUNK) {
            (true, _) => break,
            (false, true) => return Ok(false),
            // What is stuck does not keep back what comes after it.
            (false, false) => {}
        }
    }
    if !stuck {
        perform(services, caller, Finishing { hold: hold.to_owned() }).await?;
    }
    Ok(true)
}

/// What came of a change.
enum Came {
    /// It is made, or says why it cannot be any more.
    Settled,
    /// It goes on waiting: the fault is ours.
    Waits,
    /// It goes on waiting, as all of the hold: who sent it does not work for now.
    Shut,
}

/// Makes a change, or says why it cannot be made any more.
async fn one(services: &Services, caller: &Caller, hold: &Standing, row: Kept) -> Result<Came> {
    let patience = hold.decided.map(|decided| decided.plus(PATIENCE));
    let error = match pending::make(services, caller, &row).await {
        Ok(()) => return Ok(Came::Settled),
        // Nothing is wrong with the change.
        Err(error @ (Error::Busy | Error::Crowded)) => return Err(error),
        // It is gone on with when the connection, or the organisation, is resumed.
        Err(Error::Conflict(_) | Error::Forbidden(_)) if is_shut(services, caller, hold).await? => {
            return Ok(Came::Shut);
        }
        Err(error) => error,
    };
    if let Error::Internal(fault) = &error {
        tracing::error!(
            error = &**fault as &dyn std::error::Error,
            pending.id = row.id,
            "an approved change could not be made"
        );
        if patience.is_some_and(|until| services.clock().now() < until) {
            return Ok(Came::Waits);
        }
    }
    perform(services, caller, Failing::of(row, &error)).await?;
    Ok(Came::Settled)
}

/// Whether the connection that what is held came from does not work and may again: as it or the tenant is suspended, or the
/// tenant deleted.
async fn is_shut(services: &Services, caller: &Caller, hold: &Standing) -> Result<bool> {
    let reader = services.read(caller);
    let whose = reader.connections().find_by_id(hold.connection).await?;
    let may_again = whose.is_some_and(|connection| connection.state != Closed::Deleted);
    Ok(may_again && !reader.connections().works(hold.connection).await?)
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
