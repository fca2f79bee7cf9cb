//! The log: what happened, in its order.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::query::{Query, instant, unusable};
use super::wire::Instant;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::base::clock::Timestamp;
use crate::service::Caller;
use crate::service::access::authority::AUDIT;
use crate::service::log::{self, Wanted};

/// Parameters of the list.
const ASKED: &[Parameter] = &[
    Parameter {
        name: "after",
        says: "A position (`seq`): only what happened after it; 0, the beginning, when absent",
        kind: "integer",
    },
    Parameter {
        name: "limit",
        says: "Most items of the page, 1 to 500; 100 when absent",
        kind: "integer",
    },
    Parameter {
        name: "kind",
        says: "Only events of this kind, such as `user.created`",
        kind: "string",
    },
    Parameter {
        name: "subject",
        says: "Only events about the user, group, role … with this id",
        kind: "string",
    },
    Parameter {
        name: "connection",
        says: "Only events by the connection of this name",
        kind: "string",
    },
    Parameter {
        name: "from",
        says: "Only events at this instant or later",
        kind: "string:date-time",
    },
    Parameter {
        name: "to",
        says: "Only events before this instant",
        kind: "string:date-time",
    },
];

/// The routes of the log.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/events", list)
            .says("What happened, in its order. It waits up to a second until what was committed before is numbered")
            .one_of(&[AUDIT])
            .asks(ASKED)
            .gives::<EventPage>(200),
    ]
}

/// Some of what happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// The items of the page.
    items: Vec<Event>,
    /// Sent as `after`, it asks for the page behind this one; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// There when something that was saved before has no position yet: it comes behind this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<bool>,
}

impl From<log::Events> for EventPage {
    fn from(events: log::Events) -> Self {
        Self {
            items: events.items.into_iter().map(Event::from).collect(),
            next: events.next.map(|seq| seq.to_string()),
            behind: events.behind.then_some(true),
        }
    }
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Position in the log of the organisation: from 1, without a gap.
    seq: i64,
    /// When: later than the event before.
    at: Instant,
    /// The same for everything that was saved as one.
    txn: String,
    /// What happened, such as `user.created`.
    kind: String,
    /// Who did it.
    actor: Actor,
    /// Name of the connection that it came by.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// What it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Subject>,
    /// Why: `by` (`scim`, `admin`, `cli`, …), and what it follows from.
    #[schema(value_type = Object)]
    cause: Value,
    /// Particulars, without personal values; `docs/log.md` says which for each kind.
    #[schema(value_type = Object)]
    data: Value,
    /// Of a user: values of attributes before, by their paths. Of other things they are in `data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// The same after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// What somebody wrote about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// There when the person was erased: then nobody can read the values any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<bool>,
    /// There when the values cannot be read because the database is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<bool>,
    /// Hash of the event and of all before it: 64 hex digits.
    hash: String,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventActor)]
pub struct Actor {
    /// `connection`, `admin`, `user`, `operator` or `system`.
    kind: String,
    /// Which one.
    id: String,
}

/// What something happened to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventSubject)]
pub struct Subject {
    /// `user`, `group`, `role`, `scope`, `grant`, `rule`, `request`, `token`, `connection`, `tenant` or `key`.
    kind: String,
    /// Its id.
    id: String,
}

impl From<log::Event> for Event {
    fn from(event: log::Event) -> Self {
        let (kind, id) = event.actor;
        Self {
            seq: event.seq,
            at: Instant(event.at),
            txn: event.txn,
            kind: event.kind,
            actor: Actor { kind, id },
            connection: event.connection,
            request_id: event.request_id,
            subject: event.subject.map(|(kind, id)| Subject { kind, id }),
            cause: event.cause,
            data: event.data,
            before: event.values.before,
            after: event.values.after,
            reason: event.values.reason,
            erased: event.values.erased.then_some(true),
            unreadable: event.values.unreadable.then_some(true),
            hash: event.hash,
        }
    }
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<EventPage>, Problem> {
    let query = query.only(&[ASKED])?;
    let wanted = Wanted {
        after: position(&query)?,
        limit: query.limit()?,
        kind: query.text("kind").map(str::to_owned),
        subject: query.text("subject").map(str::to_owned),
        connection: query.text("connection").map(str::to_owned),
        from: time(&query, "from")?,
        to: time(&query, "to")?,
    };
    Ok(Json(log::read(edge.services(), &caller, &wanted).await?.into()))
}

pub(super) fn position(query: &Query) -> Result<i64, Problem> {
    let Some(text) = query.text("after") else { return Ok(0) };
    let seq = text.parse().ok().filter(|seq| *seq >= 0);
    seq.ok_or_else(|| unusable("after", "a position belongs here: a whole number, as `seq` of an event"))
}

pub(super) fn time(query: &Query, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let time = instant(text).ok_or_else(|| unusable(name, "an instant such as 2026-01-31T12:00:00Z belongs here"));
    time.map(Some)
}
