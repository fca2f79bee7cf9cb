//! A connection is suspended, resumed or deleted.

use serde_json::json;

use super::asked::{Asked, Checked, Users};
use super::shown::{Shown, shown};
use crate::base::id::ResourceId;
use crate::service::access::authority::{GIVE, Held, INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::credentials::until_everywhere;
use crate::service::deferred;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::closing::State;
use crate::store::closing::works::{NewClosing, Progress, Verb};
use crate::store::connections::Connection;

/// What can become of the users of a connection that is suspended.
const OF_SUSPENDED: [Users; 3] = [Users::Keep, Users::Suspend, Users::Deactivate];
/// What can become of those of one that is deleted.
const OF_DELETED: [Users; 3] = [Users::Keep, Users::Deactivate, Users::Delete];

/// The connection of this id, whom a change of its state is about, and what was last done to them.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Shown> {
    require(services, caller, &[INTEGRATIONS, GIVE]).await?;
    let all = services.read(caller).connections().list().await?;
    let found = all.into_iter().find(|one| one.uid.as_str() == id);
    let there = found.filter(|one| one.state != State::Deleted);
    told(services, caller, there.ok_or(Error::NotFound)?).await
}

/// Suspends a connection: when this returns, no server accepts a token of it. What becomes of its users is begun, and goes
/// on. Asked again, it stays suspended, and something else can become of the users.
///
/// # Errors
/// `Forbidden`, `NotFound`; what cannot become of them.
pub async fn suspend(services: &Services, caller: &Caller, id: &str, asked: Asked) -> Result<Shown> {
    shut(services, caller, id, State::Suspended, asked).await
}

/// Deletes a connection, with its tokens; its name stays its own, as the log knows it by that. What becomes of its users is
/// begun, and goes on.
///
/// # Errors
/// `Forbidden`, `NotFound`; what cannot become of them; users who are to stay as they are, and are kept out by the suspension.
pub async fn delete(services: &Services, caller: &Caller, id: &str, asked: Asked) -> Result<Shown> {
    shut(services, caller, id, State::Deleted, asked).await
}

/// Resumes a connection, whose tokens work on every server when this returns, and lets in again whom its suspension has
/// suspended; nothing where it works already.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn resume(services: &Services, caller: &Caller, id: &str) -> Result<Shown> {
    let held = require(services, caller, &[INTEGRATIONS]).await?;
    Users::Suspend.may(services, held)?;
    let opening = Turning {
        uid: ResourceId::new(id),
        closing: services.ids().next().into_string(),
        to: State::Active,
        verb: Verb::Return,
        reason: None,
        held,
    };
    let row = perform(services, caller, opening).await?;
    until_everywhere(services).await;
    told(services, caller, row).await
}

async fn shut(services: &Services, caller: &Caller, id: &str, to: State, asked: Asked) -> Result<Shown> {
    let held = require(services, caller, &[INTEGRATIONS]).await?;
    let possible = match to {
        State::Deleted => OF_DELETED,
        State::Active | State::Suspended => OF_SUSPENDED,
    };
    let Checked { users, reason } = asked.checked(&possible)?;
    users.may(services, held)?;
    let turning = Turning {
        uid: ResourceId::new(id),
        closing: services.ids().next().into_string(),
        to,
        verb: users.verb(),
        reason,
        held,
    };
    let row = perform(services, caller, turning).await?;
    until_everywhere(services).await;
    told(services, caller, row).await
}

async fn told(services: &Services, caller: &Caller, row: Connection) -> Result<Shown> {
    let reader = services.read(caller);
    let counts = reader.closings().count(Some(row.id), services.clock().now()).await?;
    let last = reader.closings().last(Some(row.id)).await?;
    let (id, name) = (row.uid.into_string(), row.name);
    Ok(shown((id, name), (row.state, row.since), counts, last))
}

struct Turning {
    uid: ResourceId,
    /// Id of what is done to the users.
    closing: String,
    to: State,
    verb: Verb,
    reason: Option<String>,
    /// What whoever asks for it may do.
    held: Held,
}

impl Turning {
    /// Who may not end accounts stops nothing that ends some, or lets somebody in.
    async fn may_stop(&self, desk: &mut Desk, row: &Connection) -> Result<()> {
        match desk.unit.closings().last(Some(row.id)).await? {
            Some(last) if last.progress == Progress::Running => Users::Suspend.may(&desk.services, self.held),
            _ => Ok(()),
        }
    }

    /// Nobody can resume what is deleted: nobody is left behind whom only its suspension keeps out.
    async fn let_go(&self, desk: &mut Desk, row: &Connection) -> Result<()> {
        if desk.unit.closings().holds(row.id).await? {
            return Err(Error::conflict(
                "its suspension keeps users out, and nobody could let all of them in any more: resume it first, or say \
                 `deactivate` or `delete`",
            ));
        }
        desk.unit.closings().end_for_deleted(Some(row.id), desk.now);
        Ok(())
    }
}

impl Change for Turning {
    /// The connection as it is then.
    type Made = Connection;

    async fn make(&self, desk: &mut Desk) -> Result<Connection> {
        let found = desk.unit.connections().hold(&self.uid).await?;
        let row = found.filter(|row| row.state != State::Deleted).ok_or(Error::NotFound)?;
        if row.state == State::Active && self.to == State::Active {
            return Ok(row);
        }
        let since = match (row.state, self.to) {
            (State::Suspended, State::Suspended) => row.since,
            _ => Some(desk.now),
        };
        self.may_stop(desk, &row).await?;
        desk.unit.connections().turn(row.id, self.to, since);
        let closing = NewClosing {
            id: &self.closing,
            connection: Some(row.id),
            verb: self.verb,
            reason: self.reason.as_deref(),
            now: desk.now,
        };
        desk.unit.closings().begin(closing).await?;
        if self.to != State::Active {
            deferred::refuse(&mut desk.unit, Some(row.id));
        }
        let what = match self.to {
            State::Active => What::ConnectionResumed,
            State::Suspended => What::ConnectionSuspended,
            State::Deleted => What::ConnectionDeleted,
        };
        let data = json!({ "name": row.name, "users": self.verb.as_str(), "closing": self.closing });
        desk.note(what, ledger::thing(Thing::Connection, &row.uid), &data);
        if (self.to, self.verb) == (State::Deleted, Verb::Keep) {
            self.let_go(desk, &row).await?;
        }
        if self.to == State::Deleted {
            for token in desk.unit.tokens().revoke_of_connection(row.id, desk.now).await? {
                let data = json!({ "token": token });
                desk.note(What::TokenRevoked, ledger::thing(Thing::Token, &token), &data);
            }
        }
        Ok(Connection {
            state: self.to,
            since,
            ..row
        })
    }
}
