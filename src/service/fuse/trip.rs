//! A request goes beyond a budget: the fuse trips, once, and the request is refused or held.

use serde_json::json;
use std::time::Duration;

use super::count::{Over, is_over, window};
use crate::access::fuse::{Beyond, Fuse};
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::pending::Matter;
use crate::service::context::{Caller, ConnectionRef, Services};
use crate::service::error::{Error, Fused, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::mail::{self, Template};
use crate::service::provision::parked::Kept;
use crate::store::access::pendings::NewPending;
use crate::store::fuse::counters::{Counter, Window};

/// Most requests that one hold keeps; what comes after them is refused.
const MAX_HELD: i64 = 100_000;

/// Says what becomes of a request that went beyond a budget, and has it so: the error that its client is told.
pub(in crate::service) async fn trip(
    services: &Services,
    caller: &Caller,
    connection: &ConnectionRef,
    over: Over,
    (resource, request, digest): (&ResourceId, &Kept, &str),
) -> Error {
    let tripping = Tripping {
        over,
        connection: connection.clone(),
        hold: services.ids().next().into_string(),
        pending: services.ids().next().into_string(),
        resource: resource.clone(),
        request: json!(request).to_string(),
        digest: digest.to_owned(),
    };
    match perform(services, caller, tripping).await {
        Ok(Some(told)) => Error::Fused(told),
        // Somebody has decided meanwhile, or it is gone: asked again, it is another question.
        Ok(None) => Error::Busy,
        Err(error) => error,
    }
}

struct Tripping {
    over: Over,
    connection: ConnectionRef,
    /// Id of the hold, where there is none yet.
    hold: String,
    /// Id of the request, where it is not kept yet.
    pending: String,
    resource: ResourceId,
    request: String,
    digest: String,
}

impl Change for Tripping {
    /// None where nothing is beyond a budget any more.
    type Made = Option<Fused>;

    async fn make(&self, desk: &mut Desk) -> Result<Option<Fused>> {
        let of = (self.connection.id, self.over.harm);
        let Some((fuse, counter)) = desk.unit.fuses().standing(of.0, of.1).await? else {
            return Ok(None);
        };
        let Some(limit) = fuse.limit(self.over.harm) else {
            return Ok(None);
        };
        let window = window(&mut desk.unit, (&fuse, limit), counter, (0, desk.now)).await?;
        // From here on nobody decides.
        let counter = desk.unit.fuses().hold(of, window).await?;
        let number = match counter.hold {
            Some(number) => number,
            None if self.is_beyond(counter, window) => self.open(desk, &fuse, counter, window).await?,
            None => return Ok(None),
        };
        let id = desk.unit.holds().name(number).await?;
        if fuse.beyond == Beyond::Hold {
            match self.keep(desk, number, &id).await? {
                Keeping::Kept => return Ok(Some(Fused::Held(id))),
                Keeping::Gone => return Ok(None),
                Keeping::Full => {}
            }
        }
        Ok(Some(self.refused(&fuse, counter, desk.now, &id)))
    }
}

/// What became of a request that is to be kept.
enum Keeping {
    Kept,
    /// There is nothing left that it could be about.
    Gone,
    /// So many are kept already.
    Full,
}

impl Tripping {
    fn is_beyond(&self, counter: Counter, window: Window) -> bool {
        if is_over(Some(counter), window) {
            self.over.n > window.budget
        } else {
            counter
                .budget
                .is_some_and(|budget| counter.used.saturating_add(self.over.n) > budget)
        }
    }

    /// The fuse trips: everybody is told once.
    async fn open(&self, desk: &mut Desk, fuse: &Fuse, counter: Counter, window: Window) -> Result<i64> {
        let budget = if is_over(Some(counter), window) {
            window.budget
        } else {
            counter.budget.unwrap_or_default()
        };
        let of = (self.connection.id, self.over.harm);
        let number = desk.unit.holds().open(&self.hold, of, budget, desk.now).await?;
        desk.unit.fuses().trip(of, number);
        let row = desk.unit.connections().find_by_id(self.connection.id).await?;
        let row = row.ok_or(Error::NotFound)?;
        let data = json!({
            "hold": self.hold,
            "what": self.over.harm.as_str(),
            "budget": budget,
            "window_seconds": fuse.window.as_secs(),
            "beyond": super::settings::word(fuse.beyond),
        });
        desk.note(What::FuseTripped, ledger::thing(Thing::Connection, &row.uid), &data);
        let told = json!({ "connection": self.connection.name, "what": self.over.harm.as_str(), "hold": self.hold });
        mail::alert(desk, Template::FuseTripped, &told).await?;
        tracing::warn!(
            tenant.slug = desk.caller.tenant_slug(),
            connection = &*self.connection.name,
            what = self.over.harm.as_str(),
            budget,
            "the mass-change fuse of a connection has tripped: an administrator has to decide"
        );
        Ok(number)
    }

    async fn keep(&self, desk: &mut Desk, hold: i64, id: &str) -> Result<Keeping> {
        let found = desk.unit.resources().pks(std::slice::from_ref(&self.resource)).await?;
        let Some((_, pk, kind)) = found.into_iter().next() else {
            return Ok(Keeping::Gone);
        };
        let reason = format!("beyond the budget of {}", self.over.harm);
        let new = NewPending {
            id: &self.pending,
            created: desk.now,
            kind: Matter::Held.as_str(),
            resource: pk,
            digest: &self.digest,
            request: &self.request,
            reason: &reason,
            hold: Some(hold),
        };
        // A request that comes again waits once, and takes no room. Whoever asks the same has to wait for the counter.
        if desk.unit.pendings().waits(&new).await? {
            return Ok(Keeping::Kept);
        }
        if !desk.unit.holds().room(hold, MAX_HELD).await? {
            return Ok(Keeping::Full);
        }
        let kept = desk.unit.pendings().keep(new).await?;
        if kept == self.pending {
            let data = json!({ "pending": kept, "hold": id });
            let resource = ledger::resource(kind, pk, &self.resource);
            desk.note(What::RequestParked, resource, &data);
        }
        Ok(Keeping::Kept)
    }

    fn refused(&self, fuse: &Fuse, counter: Counter, now: Timestamp, hold: &str) -> Fused {
        const SECOND: Duration = Duration::from_secs(1);
        let end = counter.opened.plus(fuse.window).0;
        let rest = u64::try_from(end.saturating_sub(now.0)).map_or(SECOND, Duration::from_micros);
        Fused::Refused {
            wait: rest.clamp(SECOND, fuse.window),
            detail: format!(
                "the mass-change fuse of this connection has tripped: it has used up its budget of {}, and takes nothing more away in that way until an administrator of the organisation decides about it in Muster, or by `POST /api/v1/holds/{hold}/approve` or `…/reject`",
                self.over.harm
            ),
        }
    }
}
