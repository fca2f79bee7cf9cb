//! What is to be done to users is done, some of them at a time, each time in one unit with how far it is.

use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use super::shown::Work;
use crate::access::lifecycle::{Ask, By};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::credentials::REMEMBERED_FOR;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::lifecycle::several::{Came, several};
use crate::service::lifecycle::turn::{Turning, saved};
use crate::service::provision::attempt::attempts;
use crate::service::provision::{self, IfMatch};
use crate::store::closing::users::Whom;
use crate::store::closing::works::{self, Closing, Progress, Running, Verb};
use crate::store::log::leases;

/// Users whose status is turned in one unit, for which others wait that need the writer or the policy.
const AT_ONCE: u32 = 100;
/// Users who are deleted before it is kept how far it is; each is a unit of its own, as it is for whoever deletes one.
const DELETED_AT_ONCE: u32 = 20;
/// Works that are gone on with in one go.
const MOST: u32 = 20;

/// The lease of whoever carries them out.
const LEASE: &str = "closing";
/// How long a node that stops in mid-work keeps the others from it; a chunk takes far less.
const LEASE_LASTS: Duration = Duration::from_secs(30);
/// A work begins when no request is under way any more that a token let in: whom that makes is among the users then.
const SETTLES: Duration = Duration::from_secs(2 * REMEMBERED_FOR.as_secs());

/// Whether something is to be done, in any tenant.
///
/// # Errors
/// A database that does not answer.
pub async fn is_behind(services: &Services) -> Result<bool> {
    Ok(!works::running(services.db(), settled(services), 1).await?.is_empty())
}

/// Takes or renews the lease of carrying it out; says whether this holder has it now.
///
/// # Errors
/// A database that does not answer.
pub async fn lease(services: &Services, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    Ok(leases::take(services.db(), LEASE, holder, now, now.plus(LEASE_LASTS)).await?)
}

/// Does more of what is to be done in any tenant; says whether there is more to do at once. One that fails is told in the
/// program's log, is tried again later, and does not keep others back.
///
/// # Errors
/// A database that does not answer.
pub async fn pass(services: &Services) -> Result<bool> {
    let mut more = false;
    for running in works::running(services.db(), settled(services), MOST).await? {
        match step(services, &running).await {
            Ok(goes_on) => more |= goes_on,
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                closing = running.id,
                "users of what was suspended or deleted could not be changed; it is tried again"
            ),
        }
    }
    Ok(more)
}

/// Carries one out to its end, for who waits for it; gives what it came to.
///
/// # Errors
/// `NotFound`; a database that does not answer.
pub async fn finish(services: &Services, caller: &Caller, id: &str) -> Result<Work> {
    let running = Running {
        tenant: caller.tenant(),
        slug: caller.tenant_slug().to_owned(),
        id: id.to_owned(),
    };
    while step(services, &running).await? {}
    let found = services.read(caller).closings().find(id).await?;
    Ok(found.ok_or(Error::NotFound)?.into())
}

fn settled(services: &Services) -> Timestamp {
    services.clock().now().minus(SETTLES)
}

/// Some users more; false when there was none left, or it goes on no more.
async fn step(services: &Services, running: &Running) -> Result<bool> {
    let caller = Caller::closing(running.tenant, &running.slug, &running.id);
    let found = services.read(&caller).closings().find(&running.id).await?;
    let Some(closing) = found.filter(|closing| closing.progress == Progress::Running) else {
        return Ok(false);
    };
    let closing = Arc::new(closing);
    let users = users(services, &caller, &closing).await?;
    let Some((last, _)) = users.last() else {
        perform(services, &caller, Ending { closing }).await?;
        return Ok(false);
    };
    let last = *last;
    if closing.verb == Verb::Delete {
        let came = deleted(services, &caller, users).await?;
        perform(services, &caller, Advancing { closing, last, came }).await?;
        return Ok(true);
    }
    let pks: Arc<[Pk]> = users.iter().map(|(pk, _)| *pk).collect();
    attempts(|| {
        let (services, caller) = (services.clone(), caller.clone());
        let (closing, pks) = (Arc::clone(&closing), Arc::clone(&pks));
        async move { turned(&services, &caller, &closing, &pks).await }
    })
    .await?;
    Ok(true)
}

/// The next users it is about.
async fn users(services: &Services, caller: &Caller, closing: &Closing) -> Result<Vec<(Pk, ResourceId)>> {
    let reader = services.read(caller);
    let (of, after) = (closing.connection, closing.after);
    let mut closings = reader.closings();
    Ok(match closing.verb {
        Verb::Keep => Vec::new(),
        Verb::Suspend | Verb::Deactivate => closings.users(of, Whom::Concerned, after, AT_ONCE).await?,
        Verb::Delete => closings.users(of, Whom::All, after, DELETED_AT_ONCE).await?,
        Verb::Return => closings.held(of, after, AT_ONCE).await?,
    })
}

/// Turns the status of some users in one unit with how far it is; nothing where somebody else has.
async fn turned(services: &Services, caller: &Caller, closing: &Closing, users: &[Pk]) -> Result<()> {
    let mut unit = services.begin(caller).await?;
    let now = services.read(caller).closings().find(&closing.id).await?;
    if now.is_none_or(|now| now.progress != Progress::Running || now.after != closing.after) {
        return Ok(unit.dismiss().await?);
    }
    let came = several(services, caller, &mut unit, users, &turning(closing)).await?;
    let last = users.last().copied().unwrap_or(closing.after);
    unit.closings().advance(closing, (last, came.turned, came.stayed));
    saved(services, caller, unit).await
}

fn turning(closing: &Closing) -> Turning {
    let (ask, holds) = match closing.verb {
        Verb::Deactivate => (Ask::Deactivate, None),
        // What provisioning last said stands beside the hold.
        Verb::Return => (Ask::Return { source_active: true }, None),
        Verb::Suspend | Verb::Keep | Verb::Delete => (Ask::Suspend, Some(closing.number)),
    };
    Turning {
        ask,
        // As for what was planned: what an administrator has decided about somebody outlasts it.
        by: By::Schedule,
        reason: closing.reason.clone(),
        until: None,
        closing: holds,
    }
}

/// Deletes users, each as an administrator deletes one: the owner, the last administrators and break-glass accounts stay.
async fn deleted(services: &Services, caller: &Caller, users: Vec<(Pk, ResourceId)>) -> Result<Came> {
    let kind = services.type_at("Users").ok_or(Error::NotFound)?;
    let mut came = Came::default();
    for (_, id) in users {
        match provision::end(services, caller, kind, &id, &IfMatch::Absent).await {
            Ok(()) => came.turned += 1,
            // Somebody else was faster.
            Err(Error::NotFound) => {}
            Err(Error::Conflict(_) | Error::Violated(_)) => came.stayed += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(came)
}

/// Keeps how far it is.
struct Advancing {
    closing: Arc<Closing>,
    last: Pk,
    came: Came,
}

impl Change for Advancing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let Came { turned, stayed } = self.came;
        desk.unit.closings().advance(&self.closing, (self.last, turned, stayed));
        Ok(())
    }
}

/// There is nobody left.
struct Ending {
    closing: Arc<Closing>,
}

impl Change for Ending {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let closing = &*self.closing;
        if !desk.unit.closings().end(closing, desk.now).await? {
            return Ok(());
        }
        if closing.verb == Verb::Return {
            desk.unit.closings().end_for_deleted(closing.connection, desk.now);
        }
        let (what, subject) = if let Some(connection) = closing.connection {
            let row = desk.unit.connections().find_by_id(connection).await?;
            let row = row.ok_or(Error::NotFound)?;
            (What::ConnectionUsersTurned, ledger::thing(Thing::Connection, &row.uid))
        } else {
            let uid = desk.services.tenant_uid(&desk.caller).await?;
            (What::TenantUsersTurned, ledger::thing(Thing::Tenant, uid))
        };
        let data = json!({
            "closing": closing.id, "users": closing.verb.as_str(), "turned": closing.turned, "stayed": closing.stayed,
        });
        desk.note(what, subject, &data);
        Ok(())
    }
}
