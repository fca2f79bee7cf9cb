//! An administrator looks at what an undo would come to, begins it, and follows it.

use serde_json::json;
use std::time::Duration;

use super::look::Asking;
use super::plan::{Plan, Verb, plan, touched};
use super::result::{Outcome, Shown};
use crate::access::permission::Predefined;
use crate::base::clock::Timestamp;
use crate::base::id::ConnectionId;
use crate::event::Seq;
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What as Happened};
use crate::service::log::{cannot_go_on, settled};
use crate::store::undo::list::{Undo, What};

/// Which changes are to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// What a connection, by its name or id, did from an instant on and before another one; until now without one.
    Of {
        /// The connection.
        connection: String,
        /// From when on.
        from: Timestamp,
        /// Before when.
        to: Option<Timestamp>,
    },
    /// What the undo of this id has done.
    OfUndo(String),
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which changes.
    pub changes: Changes,
    /// Whether what others have changed since is put back, too.
    pub overwrite: bool,
}

/// What an undo would come to now; nothing is done.
///
/// # Errors
/// As [`begin`].
pub async fn preview(services: &Services, caller: &Caller, asked: &Asked) -> Result<Shown> {
    let (what, connection) = admitted(services, caller, asked).await?;
    let Plan { steps, conflicts } = plan(asking(services, caller, &what), None).await?;
    let mut outcome = Outcome::default();
    for step in &steps {
        match &step.verb {
            Verb::Remove { .. } => outcome.removed += 1,
            Verb::Restore { .. } => outcome.restored += 1,
            Verb::PutBack { .. } => outcome.changed += 1,
        }
    }
    Ok(Shown {
        id: None,
        connection,
        of: what.of,
        span: (what.from, what.to),
        overwrite: what.overwrite,
        state: "preview",
        outcome: outcome.with(conflicts),
        created: None,
        finished: None,
    })
}

/// Begins an undo, which a server then carries out.
///
/// # Errors
/// `Forbidden` for who has not all that Admin has; a connection or an undo that there is not; a time that ends before it
/// begins, or in which more was changed than one undo can be about; a log that does not tell what happened.
pub async fn begin(services: &Services, caller: &Caller, asked: &Asked) -> Result<Shown> {
    let (what, _) = admitted(services, caller, asked).await?;
    touched(asking(services, caller, &what)).await?;
    let id = services.ids().next().into_string();
    let beginning = Beginning { id: id.clone(), what };
    perform(services, caller, beginning).await?;
    find(services, caller, &id).await
}

const fn asking<'a>(services: &'a Services, caller: &'a Caller, what: &'a What) -> Asking<'a> {
    Asking {
        services,
        caller,
        what,
        own: None,
    }
}

/// The undo of this id.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Shown> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let found = services.read(caller).undos().find(id).await?;
    Ok(shown(found.ok_or(Error::NotFound)?))
}

/// A page of them, oldest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Shown>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let reader = services.read(caller);
    let rows = reader.undos().list(paging.after()?, paging.rows()).await?;
    let page = paging.cut(rows, |row| row.number);
    Ok(page.map(shown))
}

fn shown(undo: Undo) -> Shown {
    Shown {
        id: Some(undo.id),
        connection: undo.connection,
        of: undo.what.of,
        span: (undo.what.from, undo.what.to),
        overwrite: undo.what.overwrite,
        state: if undo.running { "running" } else { "done" },
        outcome: serde_json::from_str(&undo.result).unwrap_or_default(),
        created: Some(undo.created),
        finished: undo.finished,
    }
}

/// Lets pass who could give everything back by hand, and looks up what they mean. Gives the name of the connection, too.
async fn admitted(services: &Services, caller: &Caller, asked: &Asked) -> Result<(What, String)> {
    let permissions = require(services, caller, &[GIVE]).await?;
    permissions.covers(services, services.catalogue().held_by(Predefined::Admin))?;
    let reader = services.read(caller);
    let (connection, of, (after, until)) = match &asked.changes {
        Changes::Of { connection, .. } => (connection_of(services, caller, connection).await?, None, (Seq(0), None)),
        Changes::OfUndo(id) => {
            let found = reader.undos().find(id).await?;
            let undo = found.ok_or_else(|| Error::invalid("/undo", "there is no such undo"))?;
            if undo.running {
                return Err(Error::conflict(
                    "this undo goes on: it can be taken back when it is done",
                ));
            }
            let connection = (undo.what.connection, undo.connection);
            (connection, Some((undo.id, undo.created)), (undo.what.after, undo.end))
        }
    };
    // What was done a moment ago is to be taken back, too, and what others did since is to be left alone.
    if !settled(services, caller).await? {
        return Err(unsettled(services, caller));
    }
    // Instants of the log may be ahead of the clock, where much happened at once.
    let end = reader.heads().find().await?;
    let now = end.map_or(Timestamp(0), |end| end.head.at).max(services.clock().now());
    let span = match (&asked.changes, &of) {
        (Changes::Of { from, to, .. }, _) => {
            // What the connection does from now on is not taken back while it does it.
            let end = now.plus(Duration::from_micros(1));
            (*from, to.map_or(end, |to| to.min(end)))
        }
        (Changes::OfUndo(_), of) => (of.as_ref().map_or(now, |(_, created)| *created), now),
    };
    if of.is_none() && span.0 >= span.1 {
        return Err(Error::invalid("/to", "the time ends before it begins"));
    }
    let what = What {
        connection: connection.0,
        of: of.map(|(id, _)| id),
        from: span.0,
        to: span.1,
        after,
        until,
        overwrite: asked.overwrite,
    };
    Ok((what, connection.1))
}

/// The log does not tell all that happened.
fn unsettled(services: &Services, caller: &Caller) -> Error {
    if cannot_go_on(services, caller) {
        return Error::conflict("the log of the organisation cannot go on: it does not tell who changed what since");
    }
    Error::Busy
}

async fn connection_of(services: &Services, caller: &Caller, asked: &str) -> Result<(ConnectionId, String)> {
    let all = services.read(caller).connections().list().await?;
    let found = all
        .into_iter()
        .find(|connection| connection.uid.as_str() == asked || connection.name == asked);
    let found = found.ok_or_else(|| Error::invalid("/connection", "there is no connection of this name or id"))?;
    Ok((found.id, found.name))
}

struct Beginning {
    id: String,
    what: What,
}

impl Change for Beginning {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let mut what = self.what.clone();
        if what.of.is_none() {
            // Whoever takes this undo back begins to read here.
            what.after = desk.unit.heads().find().await?.map_or(Seq(0), |end| end.head.seq);
        }
        let result = json!(Outcome::default()).to_string();
        desk.unit.undos().begin(&self.id, &what, &result, desk.now);
        let connection = desk.unit.connections().find_by_id(what.connection).await?;
        let data = json!({
            "connection": connection.map(|connection| connection.name), "undo": what.of, "from": what.from.rfc3339(),
            "to": what.to.rfc3339(), "overwrite": what.overwrite,
        });
        desk.note(Happened::UndoBegun, ledger::thing(Thing::Undo, &self.id), &data);
        Ok(())
    }
}
