//! The log as it grows, as server-sent events.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use tokio::time::{interval, timeout};

use super::events::Event;
use super::query::{Query, unusable};
use crate::api::auth;
use crate::api::places::Place;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::access::authority::AUDIT;
use crate::service::log::Live;
use crate::service::{self, Caller, Error};

/// What server-sent events are sent as.
const STREAM: &str = "text/event-stream";

/// Where a client that lost its connection says what it got last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Tells a proxy that keeps answers until they are whole not to.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How often something is sent where nothing happens, so that neither side takes the other for gone.
const BEAT: Duration = Duration::from_secs(15);

/// How often the token is looked at where nothing happens.
const LOOK: Duration = Duration::from_secs(5);

/// How long a client may leave what it was sent lying.
const PATIENCE: Duration = Duration::from_mins(1);

/// Parts that wait for a slow client.
const WAITING: usize = 4;

/// A comment, which means nothing.
const COMMENT: &[u8] = b":\n\n";

const AFTER: Parameter = Parameter {
    name: "after",
    says: "A position (`seq`): what happened after it comes first. `Last-Event-ID` has precedence; without both it begins now",
    kind: "integer",
};

/// The route of the log as it grows.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/live", live)
            .says("What happens, as it happens, as server-sent events: `id` is `seq`, `event` the kind, `data` an item of `/events`")
            .one_of(&[AUDIT])
            .asks(&[AFTER])
            .sends(STREAM),
    ]
}

async fn live(caller: Caller, query: Query, headers: HeaderMap, State(edge): State<Edge>) -> Result<Response, Problem> {
    let after = position(&query.only(&[&[AFTER]])?, &headers)?;
    let place = edge.follow(caller.tenant_slug()).ok_or_else(|| {
        let text = "as many as this server serves follow the log already";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, text).with(RETRY_AFTER, "10")
    })?;
    let live = Live::begin(edge.services(), &caller, after).await?;
    let (sender, body) = Channel::<Bytes, Infallible>::new(WAITING);
    let teller = Teller {
        edge,
        caller,
        headers,
        live,
        _place: place,
    };
    tokio::spawn(teller.tell(sender));
    let sent = [(CONTENT_TYPE, STREAM), (CACHE_CONTROL, "no-store"), (BUFFERING, "no")];
    Ok((sent, Body::new(body)).into_response())
}

/// The position to begin after, where the client says one.
fn position(query: &Query, headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let unusable = || unusable("after", "a position belongs here: a whole number, as `seq` of an event");
    let said = match headers.get(LAST_EVENT_ID) {
        Some(value) => Some(value.to_str().map_err(|_| unusable())?),
        None => query.text("after"),
    };
    let seq = said.map(|text| text.parse().ok().filter(|seq| *seq >= 0).ok_or_else(unusable));
    seq.transpose()
}

/// Somebody who is told what happens.
struct Teller {
    edge: Edge,
    caller: Caller,
    headers: HeaderMap,
    live: Live,
    _place: Place,
}

impl Teller {
    /// Tells until the client or the server goes, or the token does not let it any more: then the answer ends, and a
    /// client that asks again is told why.
    async fn tell(mut self, mut to: Sender<Bytes, Infallible>) {
        let stop = self.edge.stop().clone();
        let telling = async {
            let (mut beat, mut look) = (interval(BEAT), interval(LOOK));
            loop {
                let part = tokio::select! {
                    part = self.part() => part,
                    _ = look.tick() => self.look().await.map(|()| Bytes::new()),
                    _ = beat.tick() => Ok(Bytes::from_static(COMMENT)),
                };
                match part {
                    Ok(part) if part.is_empty() => {}
                    Ok(part) => match timeout(PATIENCE, to.send_data(part)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) | Err(_) => return,
                    },
                    Err(Error::Forbidden(_)) => return,
                    Err(fault) => {
                        tracing::warn!(
                            error = &fault as &dyn std::error::Error,
                            "somebody is told no more of what happens"
                        );
                        return;
                    }
                }
            }
        };
        tokio::select! {
            () = telling => {}
            () = stop.cancelled() => {}
        }
    }

    /// What happens next. Nothing is handed over before the token was looked at again.
    async fn part(&mut self) -> service::Result<Bytes> {
        self.live.wait().await?;
        self.look().await?;
        let events = self.live.take().await?;
        Ok(events.into_iter().map(message).collect::<String>().into())
    }

    /// Whether the token still lets it read the log.
    async fn look(&mut self) -> service::Result<()> {
        let gone = || Error::Forbidden("the token does not work any more".to_owned());
        let caller = auth::still(&self.edge, &self.caller, &self.headers).await?;
        self.live.renew(caller.ok_or_else(gone)?).await
    }
}

/// An event as a message: its JSON is one line.
fn message(event: crate::service::log::Event) -> String {
    let (seq, kind) = (event.seq, event.kind.clone());
    let data = serde_json::to_string(&Event::from(event)).unwrap_or_default();
    let mut text = String::with_capacity(data.len() + 64);
    // Writing to a String cannot fail.
    let _ = write!(text, "id: {seq}\nevent: {kind}\ndata: {data}\n\n");
    text
}
