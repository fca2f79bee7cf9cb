//! Events, as administrators and receivers read them.

use serde_json::Value;

use super::open::Opener;
use super::settled::settled;
use crate::base::clock::Timestamp;
use crate::event::Seq;
use crate::service::access::authority::{AUDIT, require};
use crate::service::access::page::{DEFAULT_ITEMS, MAX_ITEMS};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::log::events::{Kept, Which};

/// Which events are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only those after this position.
    pub after: i64,
    /// At most this many; a page without it.
    pub limit: Option<u32>,
    /// Of this kind, such as `user.created`.
    pub kind: Option<String>,
    /// About what has this public id.
    pub subject: Option<String>,
    /// By the connection of this name.
    pub connection: Option<String>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Position, from 1 and without a gap.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What was saved as one.
    pub txn: String,
    /// What happened, such as `user.created`.
    pub kind: String,
    /// What kind of actor, and which.
    pub actor: (String, String),
    /// Name of the connection.
    pub connection: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What kind of thing it happened to, and its public id.
    pub subject: Option<(String, String)>,
    /// Why.
    pub cause: Value,
    /// Particulars.
    pub data: Value,
    /// What was sealed of a person, as far as it can be opened.
    pub values: Values,
    /// 64 hex digits.
    pub hash: String,
}

/// Values of a person that an event holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    /// Attributes before.
    pub before: Option<Value>,
    /// Attributes after.
    pub after: Option<Value>,
    /// What somebody wrote about it.
    pub reason: Option<String>,
    /// Whether there are values that nobody can open any more: the person was erased.
    pub erased: bool,
    /// Whether there are values that do not open because something in the database is damaged.
    pub unreadable: bool,
}

/// Some events.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// The events, in order.
    pub items: Vec<Event>,
    /// The position to go on after, where there are more.
    pub next: Option<i64>,
    /// Whether something that was saved before has no position yet.
    pub behind: bool,
}

impl TryFrom<Kept> for Event {
    type Error = Error;

    fn try_from(kept: Kept) -> Result<Self> {
        let event = kept.event;
        let json = |text: &str| serde_json::from_str(text).map_err(|fault| Error::Internal(Box::new(fault)));
        Ok(Self {
            seq: event.seq.0,
            at: event.at,
            txn: event.txn,
            kind: event.kind,
            actor: (event.actor_kind, event.actor_id),
            connection: event.connection,
            request_id: event.request_id,
            subject: event.subject_kind.zip(event.subject_id),
            cause: json(&event.cause)?,
            data: json(&event.data)?,
            values: Values::default(),
            hash: kept.hash.to_string(),
        })
    }
}

/// Events after a position, in order. It waits up to a second until what was committed before has its numbers.
///
/// # Errors
/// `Forbidden`; a connection that the tenant does not have.
pub async fn read(services: &Services, caller: &Caller, wanted: &Wanted) -> Result<Events> {
    require(services, caller, &[AUDIT]).await?;
    let behind = !settled(services, caller).await?;
    let reader = services.read(caller);
    let connection = match &wanted.connection {
        None => None,
        Some(name) => {
            let found = reader.connections().find(name).await?;
            let found = found.ok_or_else(|| Error::invalid("/connection", "there is no connection of this name"))?;
            Some(found.id)
        }
    };
    let which = Which {
        kind: wanted.kind.clone(),
        subject: wanted.subject.clone(),
        connection,
        from: wanted.from,
        to: wanted.to,
    };
    let items = wanted.limit.unwrap_or(DEFAULT_ITEMS).clamp(1, MAX_ITEMS);
    let mut part = reader.events().part(Seq(wanted.after), items + 1, &which).await?;
    part.events.truncate(items as usize);
    let next = part.events.last().filter(|_| part.more).map(|last| last.event.seq.0);
    let items = shown(services, caller, part.events).await?;
    Ok(Events { items, next, behind })
}

/// Events with what is sealed in them, as far as it can be opened.
pub(in crate::service) async fn shown(services: &Services, caller: &Caller, rows: Vec<Kept>) -> Result<Vec<Event>> {
    let opener = Opener::of(services, caller, &rows).await?;
    let shown = rows.into_iter().map(|row| {
        let values = opener.open(&row.event);
        Ok(Event {
            values,
            ..Event::try_from(row)?
        })
    });
    shown.collect()
}
