//! The log as a whole: where it ends, its checkpoints, and an export that can be verified without Muster.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::page::Page;
use super::query::{Query, unusable};
use super::wire::Instant;
use crate::api::auth;
use crate::api::places::Place;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::access::authority::AUDIT;
use crate::service::{self, Caller, Error, log};

/// JSON lines.
const LINES: &str = "application/jsonl";

/// Parts of an export that wait for a slow reader.
const WAITING: usize = 4;

/// How long a reader may leave a part lying.
const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes of a part.
const PART: usize = 64 << 10;

const AFTER: Parameter = Parameter {
    name: "after",
    says: "A position (`seq`): only what comes after it; 0, the beginning, when absent",
    kind: "integer",
};

const LISTED: &[Parameter] = &[
    AFTER,
    Parameter {
        name: "limit",
        says: "Most items of the page, 1 to 500; 100 when absent",
        kind: "integer",
    },
];

/// The routes of the log as a whole.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/log/head", head)
            .says("Where the log ends, signed")
            .one_of(&[AUDIT])
            .gives::<Head>(200),
        Route::get("/api/v1/log/checkpoints", checkpoints)
            .says("Signed places of the log: kept elsewhere, they prove later that nothing up to them was changed")
            .one_of(&[AUDIT])
            .asks(LISTED)
            .gives::<Page<Checkpoint>>(200),
        Route::get("/api/v1/log/export", export)
            .says("The log as JSON lines that can be verified without Muster, values of people sealed")
            .one_of(&[AUDIT])
            .asks(&[AFTER])
            .sends(LINES),
    ]
}

/// Where a log ends.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogHead)]
pub struct Head {
    /// The end, signed; absent before the first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Checkpoint>,
}

/// A signed place of a log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogCheckpoint)]
pub struct Checkpoint {
    /// The position.
    seq: i64,
    /// Instant of the event there.
    at: Instant,
    /// Hash of the event there: 64 hex digits.
    hash: String,
    /// Id of the key that signed.
    key: String,
    /// Ed25519, base64url.
    signature: String,
    /// The line to be kept elsewhere, as `muster audit verify --since` reads it.
    line: String,
}

impl From<log::Checkpoint> for Checkpoint {
    fn from(checkpoint: log::Checkpoint) -> Self {
        Self {
            seq: checkpoint.seq.0,
            at: Instant(checkpoint.at),
            hash: checkpoint.hash.to_string(),
            line: checkpoint.line(),
            key: checkpoint.key,
            signature: checkpoint.signature,
        }
    }
}

async fn head(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Head>, Problem> {
    query.only(&[])?;
    let head = log::head(edge.services(), &caller).await?;
    Ok(Json(Head {
        head: head.map(Checkpoint::from),
    }))
}

async fn checkpoints(
    caller: Caller,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Page<Checkpoint>>, Problem> {
    let query = query.only(&[LISTED])?;
    let page = log::checkpoints(edge.services(), &caller, after(&query)?, query.limit()?).await?;
    Ok(Json(Page {
        items: page.items.into_iter().map(Checkpoint::from).collect(),
        next: page.next.map(|seq| seq.to_string()),
    }))
}

async fn export(
    caller: Caller,
    query: Query,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    let after = after(&query.only(&[&[AFTER]])?)?;
    let place = edge.export(caller.tenant_slug()).ok_or_else(|| {
        let text = "as many exports as this server writes at once are being written already";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, text).with(RETRY_AFTER, "60")
    })?;
    let export = log::Export::begin(edge.services(), &caller, after).await?;
    let (sender, body) = Channel::<Bytes, Error>::new(WAITING);
    let writer = Writer {
        edge,
        caller,
        headers,
        export,
        _place: place,
    };
    tokio::spawn(writer.send(sender));
    Ok(([(CONTENT_TYPE, LINES)], Body::new(body)).into_response())
}

/// Somebody who takes the log away.
struct Writer {
    edge: Edge,
    caller: Caller,
    headers: HeaderMap,
    export: log::Export,
    _place: Place,
}

impl Writer {
    /// Sends line after line as fast as they are read. Whoever goes away ends it; a failure breaks the answer off, so that
    /// no reader takes half of it for the whole: besides, it has no last line.
    async fn send(mut self, mut to: Sender<Bytes, Error>) {
        loop {
            let (part, last) = match self.part().await {
                Ok(part) => part,
                Err(fault) => {
                    tracing::warn!(
                        error = &fault as &dyn std::error::Error,
                        "an export of the log was broken off"
                    );
                    to.abort(fault);
                    return;
                }
            };
            match timeout(PATIENCE, to.send_data(part)).await {
                Ok(Ok(())) if !last => {}
                Ok(_) => return,
                Err(_) => {
                    to.abort(Error::Crowded);
                    return;
                }
            }
        }
    }

    /// The next part, and whether it is the last one. None is read before the token was looked at again.
    async fn part(&mut self) -> service::Result<(Bytes, bool)> {
        let gone = || Error::Forbidden("the token does not work any more".to_owned());
        let caller = auth::still(&self.edge, &self.caller, &self.headers).await?;
        self.export
            .renew(self.edge.services(), &caller.ok_or_else(gone)?)
            .await?;
        let mut part = String::with_capacity(PART);
        while part.len() < PART {
            match self.export.next().await? {
                Some(line) => part.push_str(&line),
                None => return Ok((part.into(), true)),
            }
        }
        Ok((part.into(), false))
    }
}

fn after(query: &Query) -> Result<i64, Problem> {
    let Some(text) = query.text("after") else { return Ok(0) };
    let seq = text.parse().ok().filter(|seq| *seq >= 0);
    seq.ok_or_else(|| unusable("after", "a position belongs here: a whole number, as `seq` of an event"))
}
