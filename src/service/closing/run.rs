//! What is to be done to users is done, some of them at a time, each time in one unit with how far it is.

use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::shown::Work;
use crate::access::lifecycle::{Ask, By};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::credentials::REMEMBERED_FOR;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::lifecycle::parts::{Part, in_parts, is_of_one, told};
use crate::service::lifecycle::several::{Came, several};
use crate::service::lifecycle::turn::{Turning, saved};
use crate::service::provision::{self, IfMatch};
use crate::service::setbacks::{self, one_of_many};
use crate::store::closing::State;
use crate::store::closing::users::{KeptOut, Whom};
use crate::store::closing::works::{self, Closing, NewClosing, Progress, Running, Verb};
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
/// A work begins when no server lets in any more what comes by a token that it remembers. A request that was let in before is not
/// saved any more, so whom a connection has made is among the users then.
const SETTLES: Duration = Duration::from_secs(2 * REMEMBERED_FOR.as_secs());

/// Whether something is to be done, in any tenant.
///
/// # Errors
/// A database that does not answer.
pub async fn is_behind(services: &Services) -> Result<bool> {
    Ok(!running(services, 1).await?.is_empty())
}

/// Works that go on, but for those that failed a moment ago.
async fn running(services: &Services, most: u32) -> Result<Vec<Running>> {
    let alone = services
        .setbacks()
        .left_alone(setbacks::Work::Closing, services.clock().now());
    Ok(works::running(services.db(), settled(services), &alone, most).await?)
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
/// program's log, is left alone for a while, and does not keep others back.
///
/// # Errors
/// A database that does not answer.
pub async fn pass(services: &Services) -> Result<bool> {
    let found = running(services, MOST).await?;
    // Others wait behind them.
    let mut more = found.len() == MOST as usize;
    for running in found {
        let work = (setbacks::Work::Closing, running.number);
        let went_on = one_of_many(services, work, go_on(services, &running)).await?;
        more |= went_on.unwrap_or(false);
    }
    Ok(more)
}

/// Carries one out to its end, for who waits for it; gives what it came to.
///
/// # Errors
/// `NotFound`; a database that does not answer.
pub async fn finish(services: &Services, caller: &Caller, id: &str) -> Result<Work> {
    let found = async || services.read(caller).closings().find(id).await;
    let running = Running {
        tenant: caller.tenant(),
        slug: caller.tenant_slug().to_owned(),
        number: found().await?.ok_or(Error::NotFound)?.number,
        id: id.to_owned(),
    };
    while go_on(services, &running).await? {}
    Ok(found().await?.ok_or(Error::NotFound)?.into())
}

/// When what is begun by now was begun at the latest, and what it seems to be after where that clock was ahead.
fn settled(services: &Services) -> (Timestamp, Timestamp) {
    let now = services.clock().now();
    (now.minus(SETTLES), now.plus(SETTLES))
}

/// Some users more; false when there was none left, or it goes on no more.
async fn go_on(services: &Services, running: &Running) -> Result<bool> {
    match next(services, running).await? {
        Some(part) => carry(services, part).await,
        None => Ok(false),
    }
}

/// Some users of a work that goes on, as they were looked up.
pub struct Looked {
    caller: Caller,
    closing: Arc<Closing>,
    users: Vec<User>,
}

/// The next users of each work, of whatever tenant.
///
/// # Errors
/// A database that does not answer.
pub async fn look(services: &Services) -> Result<Vec<Looked>> {
    let mut parts = Vec::new();
    for running in running(services, MOST).await? {
        parts.extend(next(services, &running).await?);
    }
    Ok(parts)
}

/// The next users of one; none where it goes on no more.
async fn next(services: &Services, running: &Running) -> Result<Option<Looked>> {
    let words = services.vocabulary(running.tenant).await?;
    let caller = Caller::closing((running.tenant, &running.slug), words, &running.id);
    let found = services.read(&caller).closings().find(&running.id).await?;
    let Some(closing) = found.filter(|closing| closing.progress == Progress::Running) else {
        return Ok(None);
    };
    let users = users(services, &caller, &closing).await?;
    Ok(Some(Looked {
        caller,
        closing: Arc::new(closing),
        users,
    }))
}

/// Does it to those who were looked up, as far as it still is to be done; false when there was none left.
///
/// # Errors
/// A database that does not answer.
pub async fn carry(services: &Services, part: Looked) -> Result<bool> {
    let Looked { caller, closing, users } = part;
    let Some(User { pk: last, .. }) = users.last() else {
        return perform(services, &caller, Ending { closing }).await;
    };
    let last = *last;
    if closing.verb == Verb::Delete {
        let came = deleted(services, &caller, &closing, users).await?;
        return match perform(services, &caller, Advancing { closing, last, came }).await {
            // Somebody else goes on with it.
            Err(Error::Stale) => Ok(true),
            advanced => advanced.map(|()| true),
        };
    }
    in_parts(services, &caller, Round(closing), users).await?;
    Ok(true)
}

/// Some users of a work whose statuses are turned.
#[derive(Clone)]
struct Round(Arc<Closing>);

impl Part for Round {
    type User = User;

    fn of(&self) -> &str {
        &self.0.id
    }

    fn id(user: &User) -> &ResourceId {
        &user.id
    }

    async fn turn(&self, services: &Services, caller: &Caller, users: &[User]) -> Result<()> {
        turned(services, caller, &self.0, users).await
    }

    async fn leave(&self, services: &Services, caller: &Caller, user: &User) -> Result<()> {
        let advancing = Advancing {
            closing: Arc::clone(&self.0),
            last: user.pk,
            came: Came::FAILED,
        };
        perform(services, caller, advancing).await
    }

    fn past(&self, user: &User) -> Self {
        let mut closing = (*self.0).clone();
        closing.after = user.pk;
        Self(Arc::new(closing))
    }

    fn only(&self) -> Self {
        self.clone()
    }
}

/// Somebody whom it is about.
#[derive(Clone)]
struct User {
    pk: Pk,
    id: ResourceId,
    /// The suspension that keeps them out and ends, by its number.
    ends: Option<i64>,
}

/// The next users it is about.
async fn users(services: &Services, caller: &Caller, closing: &Closing) -> Result<Vec<User>> {
    let reader = services.read(caller);
    let (of, after) = (closing.connection, closing.after);
    let mut closings = reader.closings();
    let found = match closing.verb {
        Verb::Keep => Vec::new(),
        Verb::Suspend | Verb::Deactivate => closings.users(of, Whom::Concerned, after, AT_ONCE).await?,
        Verb::Delete => closings.users(of, Whom::All, after, DELETED_AT_ONCE).await?,
        Verb::Return => {
            let held = closings.held(of, after, AT_ONCE).await?.into_iter();
            let user = |KeptOut { pk, id, closing }| User {
                pk,
                id,
                ends: Some(closing),
            };
            return Ok(held.map(user).collect());
        }
    };
    let user = |(pk, id)| User { pk, id, ends: None };
    Ok(found.into_iter().map(user).collect())
}

/// Turns the status of some users in one unit with how far it is; nothing where somebody else has.
async fn turned(services: &Services, caller: &Caller, closing: &Closing, users: &[User]) -> Result<()> {
    let mut unit = services.begin(caller).await?;
    let now = services.read(caller).closings().find(&closing.id).await?;
    if now.is_none_or(|now| now.progress != Progress::Running || now.after != closing.after) {
        return Ok(unit.dismiss().await?);
    }
    let pks: Vec<Pk> = users.iter().map(|user| user.pk).collect();
    let ends: BTreeMap<Pk, i64> = users.iter().filter_map(|user| Some((user.pk, user.ends?))).collect();
    let came = several(services, caller, &mut unit, (&pks, &ends), &turning(closing)).await?;
    let last = pks.last().copied().unwrap_or(closing.after);
    unit.closings().advance(closing, came.up_to(last));
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
async fn deleted(services: &Services, caller: &Caller, closing: &Closing, users: Vec<User>) -> Result<Came> {
    let kind = caller.type_at("Users").ok_or(Error::NotFound)?;
    let mut came = Came::default();
    for user in users {
        match provision::end(services, caller, kind, &user.id, &IfMatch::Absent).await {
            Ok(()) => came.turned += 1,
            // Somebody else was faster.
            Err(Error::NotFound) => {}
            Err(Error::Conflict(_) | Error::Violated(_)) => came.stayed += 1,
            Err(error) if is_of_one(&error) => {
                told(&closing.id, &user.id, &error);
                came.failed += 1;
            }
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
        desk.unit.closings().advance(&self.closing, self.came.up_to(self.last));
        Ok(())
    }
}

/// There is nobody left.
struct Ending {
    closing: Arc<Closing>,
}

impl Change for Ending {
    /// Whether it begins anew instead.
    type Made = bool;

    async fn make(&self, desk: &mut Desk) -> Result<bool> {
        let closing = &*self.closing;
        if self.begins_anew(desk).await? {
            desk.unit.closings().advance(closing, Came::default().up_to(Pk(0)));
            return Ok(true);
        }
        if !desk.unit.closings().end(closing, desk.now).await? {
            return Ok(false);
        }
        if closing.verb == Verb::Return {
            desk.unit.closings().end_for_deleted(closing.connection, desk.now);
        }
        let (what, subject) = if let Some(connection) = closing.connection {
            let row = desk.unit.connections().find_by_id(connection).await?;
            let row = row.ok_or(Error::NotFound)?;
            if row.state == State::Deleted && closing.verb != Verb::Return {
                self.let_go(desk, connection).await?;
            }
            (What::ConnectionUsersTurned, ledger::thing(Thing::Connection, &row.uid))
        } else {
            let uid = desk.services.tenant_uid(&desk.caller).await?;
            (What::TenantUsersTurned, ledger::thing(Thing::Tenant, uid))
        };
        let data = json!({
            "closing": closing.id, "users": closing.verb.as_str(), "turned": closing.turned, "stayed": closing.stayed,
            "failed": closing.failed,
        });
        desk.note(what, subject, &data);
        Ok(false)
    }
}

impl Ending {
    /// Whether somebody who is to come in again has come back, from those who were deleted, behind the place where it was. It
    /// lets in everybody whom it finds, but for those who cannot be changed: so it ends.
    async fn begins_anew(&self, desk: &mut Desk) -> Result<bool> {
        let closing = &*self.closing;
        if closing.verb != Verb::Return || closing.failed > 0 {
            return Ok(false);
        }
        Ok(!desk
            .unit
            .closings()
            .held(closing.connection, Pk(0), 1)
            .await?
            .is_empty())
    }

    /// Nobody can resume what is deleted, so its suspension keeps nobody out any more who has another connection by now: they
    /// come in again by a work that follows this one. Who could not be changed stays out: their account was to end.
    async fn let_go(&self, desk: &mut Desk, connection: ConnectionId) -> Result<()> {
        let held = desk.unit.closings().held(Some(connection), Pk(0), 1).await?;
        if held.is_empty() {
            desk.unit.closings().end_for_deleted(Some(connection), desk.now);
            return Ok(());
        }
        let id = desk.services.ids().next();
        let following = NewClosing {
            id: id.as_str(),
            connection: Some(connection),
            verb: Verb::Return,
            reason: None,
            now: desk.now,
        };
        Ok(desk.unit.closings().begin(following).await?)
    }
}
