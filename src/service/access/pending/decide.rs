//! Somebody decides about what waits. Who is first decides: everybody else is told that it waits no more.
//!
//! A request that is made and the end of its waiting are one unit. So it is never made twice, never made after it was
//! dismissed, and a crash leaves it either waiting with nothing done, or done.

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::matter::Matter;
use crate::base::clock::Timestamp;
use crate::scim::dialect::Setting;
use crate::service::access::authority::{GIVE, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Authority, Caller, ConnectionRef, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::provision::parked::{self, Kept};
use crate::store::Unit;
use crate::store::access::pendings::{Pending as Row, WAITING};
use crate::store::access::replays::Claim;
use crate::store::closing::State;

/// What a request becomes that is made.
const APPLIED: &str = "applied";

/// Makes a parked request now, as the connection that sent it.
///
/// # Errors
/// `Forbidden`, `NotFound`, also when somebody else has decided meanwhile; one that is not a request; whatever the
/// request is refused for: then it goes on waiting.
pub async fn apply(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let row = waiting(services, caller, id).await?;
    if row.kind == Matter::LeavingOwner.as_str() {
        return Err(Error::conflict(
            "this is settled by a transfer of ownership: `POST /api/v1/ownership`",
        ));
    }
    make(services, caller, &row).await
}

/// Makes a request that waits, for who may decide about it.
///
/// # Errors
/// `NotFound` when somebody else has decided meanwhile; whatever the request is refused for: then it goes on waiting.
pub(in crate::service) async fn make(services: &Services, caller: &Caller, row: &Row) -> Result<()> {
    // It will not become readable: who decides is told, and throws it away.
    let kept: Kept = serde_json::from_str(&row.request)
        .map_err(|_| Error::conflict("what was kept of this request cannot be read any more"))?;
    let connection = connection(services, caller, &kept).await?;
    let settlement = Settlement::of(caller, row);
    let ours = Arc::clone(&settlement.kept);
    let connection = connection.settling(settlement);
    let made = parked::again(services, &connection, &kept).await;
    if made.is_ok() && ours.load(Ordering::Acquire) {
        return Ok(());
    }
    // What was to be deleted is gone: by whomever, it is what was asked for.
    let gone = matches!(made, Err(Error::NotFound)) && kept.deletes();
    match (made, state(services, caller, &row.id).await?.as_deref()) {
        // There was nothing left to change, and so no unit that could have ended it.
        (Ok(()), Some(WAITING)) => settled(services, caller, row.clone(), (APPLIED, What::RequestApplied)).await,
        (Err(_), Some(WAITING)) if gone => {
            settled(services, caller, row.clone(), (APPLIED, What::RequestApplied)).await
        }
        (Err(error), Some(WAITING)) => Err(error),
        // Somebody was faster.
        (Ok(()) | Err(_), _) => Err(Error::NotFound),
    }
}

/// Decides that nothing is done.
///
/// # Errors
/// `Forbidden`, `NotFound`, also when somebody else has decided meanwhile.
pub async fn dismiss(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let row = waiting(services, caller, id).await?;
    settled(services, caller, row, ("dismissed", What::RequestDismissed)).await
}

async fn waiting(services: &Services, caller: &Caller, id: &str) -> Result<Row> {
    let row = services.read(caller).pendings().find(id).await?;
    row.filter(|row| row.state == WAITING).ok_or(Error::NotFound)
}

/// What has become of it, also by what is not on disk yet.
async fn state(services: &Services, caller: &Caller, id: &str) -> Result<Option<String>> {
    perform(services, &caller.unclaimed(), Looking(id.to_owned())).await
}

struct Looking(String);

impl Change for Looking {
    type Made = Option<String>;

    async fn make(&self, desk: &mut Desk) -> Result<Option<String>> {
        let row = desk.unit.pendings().find(&self.0).await?;
        Ok(row.map(|row| row.state))
    }
}

/// The connection that sent a request, asking by the request of who decides.
async fn connection(services: &Services, caller: &Caller, kept: &Kept) -> Result<Caller> {
    let row = services
        .read(caller)
        .connections()
        .find_by_id(kept.connection())
        .await?;
    let row = row.filter(|row| row.state != State::Deleted);
    let row = row.ok_or_else(|| Error::conflict("the connection that sent this request is gone"))?;
    if row.state == State::Suspended {
        return Err(Error::conflict(
            "the connection that sent this request is suspended: resume it, or dismiss the request",
        ));
    }
    let authority = Authority::Connection(ConnectionRef {
        id: row.id,
        name: Arc::from(row.name.as_str()),
        dialect: row.dialect.parse::<Setting>().unwrap_or_default(),
    });
    let (slug, request_id) = (Arc::from(caller.tenant_slug()), Arc::from(caller.request_id()));
    let words = caller.vocabulary().clone();
    Ok(Caller::new((caller.tenant(), slug), words, authority, request_id))
}

/// The end of the waiting of a request that is made, as part of the unit that makes it.
#[derive(Debug, Clone)]
pub(in crate::service) struct Settlement {
    pending: String,
    data: Value,
    /// Who decided.
    by: Caller,
    /// Whether a unit that ends the waiting is on disk.
    kept: Arc<AtomicBool>,
}

impl Settlement {
    fn of(by: &Caller, row: &Row) -> Self {
        Self {
            pending: row.id.clone(),
            data: particulars(row),
            by: by.clone(),
            kept: Arc::default(),
        }
    }

    /// What the request of who decided has claimed.
    pub(in crate::service) fn claim(&self) -> Option<&Claim> {
        self.by.claim()
    }

    /// Has the unit fail when the request does not wait any more.
    pub(in crate::service) fn enter(&self, unit: &mut Unit, now: Timestamp) {
        unit.pendings().settle_with(&self.pending, APPLIED);
        unit.tell(Arc::clone(&self.kept));
        let request = ledger::thing(Thing::Request, &self.pending);
        ledger::note(unit, &self.by, now, (What::RequestApplied, request), &self.data);
    }
}

/// What the ledger says of one.
fn particulars(row: &Row) -> Value {
    let resource = row.resource.as_ref().map(|(id, _)| id.as_str());
    json!({ "pending": row.id, "kind": row.kind, "resource": resource })
}

/// Settles without doing anything else.
async fn settled(services: &Services, caller: &Caller, row: Row, (to, event): (&'static str, What)) -> Result<()> {
    let settling = Settling { row, to, event };
    let waited = perform(services, caller, settling).await?;
    waited.then_some(()).ok_or(Error::NotFound)
}

struct Settling {
    row: Row,
    to: &'static str,
    event: What,
}

impl Change for Settling {
    /// Whether it waited.
    type Made = bool;

    async fn make(&self, desk: &mut Desk) -> Result<bool> {
        let settled = desk.unit.pendings().settle(&self.row.id, self.to).await?;
        if settled {
            desk.note(
                self.event,
                ledger::thing(Thing::Request, &self.row.id),
                &particulars(&self.row),
            );
        }
        Ok(settled)
    }
}
