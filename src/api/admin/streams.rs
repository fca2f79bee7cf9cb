//! Streams of security event tokens: who is told in the words of RFC 8417 what happens.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query};
use super::webhooks::{Counts, DELIVERIES, Delivery, Replay, unkept, wanted_deliveries};
use super::wire::{self, Instant, Segments, nullable};
use crate::api::body::{Given, Perhaps};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::base::secret::Secret;
use crate::service::Caller;
use crate::service::access::authority::INTEGRATIONS;
use crate::service::delivery::streams::{self, Asked};
use crate::service::delivery::{self, Family, Turn};

/// The routes of streams.
#[must_use]
pub fn routes() -> Vec<Route> {
    let needs = &[INTEGRATIONS];
    vec![
        Route::get("/api/v1/streams", list)
            .says("Who is told by security event tokens what happens, oldest first")
            .one_of(needs)
            .asks(PAGING)
            .gives::<Page<Stream>>(200),
        Route::post("/api/v1/streams", create)
            .says("Has somebody be told by security event tokens what happens from now on. The token of a stream that is polled is shown this once")
            .one_of(needs)
            .takes::<NewStream>()
            .gives::<MadeStream>(201),
        Route::get("/api/v1/streams/{id}", read)
            .says("A stream, and how it goes with it")
            .one_of(needs)
            .gives::<Stream>(200),
        Route::patch("/api/v1/streams/{id}", change)
            .says("Changes what is named; the rest stays")
            .one_of(needs)
            .takes::<StreamChange>()
            .gives::<Stream>(200),
        Route::delete("/api/v1/streams/{id}", delete)
            .says("Removes a stream, and what waits for it")
            .one_of(needs),
        Route::post("/api/v1/streams/{id}/pause", pause)
            .says("Sends or gives out nothing more until it is resumed; what happens waits")
            .one_of(needs),
        Route::post("/api/v1/streams/{id}/resume", resume)
            .says("Sends or gives out again, what waits first")
            .one_of(needs),
        Route::post("/api/v1/streams/{id}/verify", verify)
            .says("Tells this stream alone a verification event, with `state` where it is given")
            .one_of(needs)
            .may_take::<Verification>(),
        Route::post("/api/v1/streams/{id}/token", renew)
            .says("Makes a new token for a stream that is polled, shown this once; the old one ends")
            .one_of(needs)
            .gives::<StreamToken>(201),
        Route::get("/api/v1/streams/{id}/deliveries", deliveries)
            .says("Tokens that did not get through, yet or for good, in the order of the log")
            .one_of(needs)
            .asks(DELIVERIES)
            .gives::<Page<Delivery>>(200),
        Route::post("/api/v1/streams/{id}/replay", replay)
            .says("Sends or gives out again what was given up, or everything from a position on, with the ids that it had")
            .one_of(needs)
            .takes::<Replay>(),
    ]
}

/// Somebody who is told by security event tokens what happens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stream {
    /// A UUID.
    id: String,
    /// Unique in the organisation.
    name: String,
    /// `push` (RFC 8935) or `poll` (RFC 8936).
    delivery: &'static str,
    /// Where tokens are posted to, or where they are fetched.
    url: String,
    /// Whether an `Authorization` header is sent.
    authorized: bool,
    /// `iss` of its tokens.
    issuer: String,
    /// `aud` of its tokens.
    audience: String,
    /// URIs of the events that it is told.
    events: Vec<String>,
    /// `active`, `failing` (nothing gets through: it is tried with one token at a time) or `paused`.
    state: &'static str,
    /// Why it is paused: `asked`, `gone` (it answered 410) or `failing` (for five days).
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Since when nothing gets through.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Instant>,
    /// When it is tried next, where nothing gets through.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_try: Option<Instant>,
    /// When something last got through.
    last_success: Option<Instant>,
    /// Every event up to this position got through, or is counted in `deliveries`.
    position: i64,
    /// What did not get through.
    deliveries: Counts,
    /// When it was made.
    created: Instant,
}

/// A stream to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStream {
    /// Unique in the organisation.
    name: String,
    /// How it is told.
    delivery: How,
    /// Where tokens are posted to: `https`, and a public address unless the operator allows others. With `push` only.
    #[serde(default)]
    url: Option<String>,
    /// The `Authorization` header that is sent, such as `Bearer …`; never shown. With `push` only.
    #[serde(default)]
    authorization: Option<String>,
    /// `aud` of its tokens: `url` when absent, or where it is polled.
    #[serde(default)]
    audience: Option<String>,
    /// URIs of the events that it is told; SCIM's without values when absent.
    #[serde(default)]
    events: Option<Vec<String>>,
}

/// How a stream is told.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = StreamDelivery)]
pub enum How {
    /// Tokens are posted to it (RFC 8935).
    Push,
    /// It fetches them (RFC 8936).
    Poll,
}

/// What a stream is to be.
#[expect(clippy::option_option, reason = "absent, null and a value are three things to say")]
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamChange {
    /// Unique in the organisation.
    #[serde(default)]
    name: Option<String>,
    /// Where tokens are posted to.
    #[serde(default)]
    url: Option<String>,
    /// The `Authorization` header; none with `null`.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    authorization: Option<Option<String>>,
    /// `aud` of its tokens.
    #[serde(default)]
    audience: Option<String>,
    /// URIs of the events that it is told.
    #[serde(default)]
    events: Option<Vec<String>>,
}

/// A stream that was just made.
#[derive(Serialize, ToSchema)]
pub struct MadeStream {
    #[serde(flatten)]
    stream: Stream,
    /// What a stream that is polled is polled with, never to be seen again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub struct StreamToken {
    /// What the stream is polled with, never to be seen again.
    token: String,
}

/// What a verification event says.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Comes back in the event, to be known again: 1 to 255 printable ASCII characters. It is kept in the log.
    #[serde(default)]
    state: Option<String>,
}

/// Makes the wire form of streams: what URLs of this server begin with.
struct Wire(String);

impl Wire {
    fn stream(&self, stream: streams::Stream) -> Stream {
        let (waiting, behind, dead) = stream.deliveries;
        let poll = format!("{}/events/v1/streams/{}/poll", self.0, stream.id);
        Stream {
            delivery: if stream.url.is_some() { "push" } else { "poll" },
            url: stream.url.unwrap_or(poll),
            id: stream.id,
            name: stream.name,
            authorized: stream.authorized,
            issuer: stream.issuer,
            audience: stream.audience,
            events: stream.events,
            state: stream.state,
            reason: stream.reason,
            failing_since: wire::at(stream.failing_since),
            next_try: wire::at(stream.next_try),
            last_success: wire::at(stream.last_success),
            position: stream.position,
            deliveries: Counts::new(waiting, behind, dead),
            created: Instant(stream.created),
        }
    }
}

async fn list(
    caller: Caller,
    query: Query,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Json<Page<Stream>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = streams::list(edge.services(), &caller, &query.paging()?).await?;
    let wire = Wire(edge.origin(peer, &headers));
    Ok(Json(Page {
        items: page.items.into_iter().map(|stream| wire.stream(stream)).collect(),
        next: page.next,
    }))
}

async fn create(
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
    Given(new): Given<NewStream>,
) -> Result<Response, Problem> {
    let origin = edge.origin(peer, &headers);
    let asked = Asked {
        name: Some(new.name),
        url: new.url,
        authorization: Some(new.authorization.map(Secret::new)),
        audience: new.audience,
        events: new.events,
    };
    let delivery = match new.delivery {
        How::Push => streams::Delivery::Push,
        How::Poll => streams::Delivery::Poll,
    };
    let (made, token) = streams::create(edge.services(), &caller, (delivery, origin.clone()), asked).await?;
    let location = format!("/api/v1/streams/{}", made.id);
    let body = MadeStream {
        stream: Wire(origin).stream(made),
        token: token.map(Secret::into_exposed),
    };
    Ok(unkept(wire::created(&location, body)))
}

async fn read(
    caller: Caller,
    path: Segments,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Json<Stream>, Problem> {
    let found = streams::find(edge.services(), &caller, path.id()).await?;
    Ok(Json(Wire(edge.origin(peer, &headers)).stream(found)))
}

async fn change(
    caller: Caller,
    path: Segments,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
    Given(change): Given<StreamChange>,
) -> Result<Json<Stream>, Problem> {
    let asked = Asked {
        name: change.name,
        url: change.url,
        authorization: change.authorization.map(|value| value.map(Secret::new)),
        audience: change.audience,
        events: change.events,
    };
    let changed = streams::change(edge.services(), &caller, path.id(), asked).await?;
    Ok(Json(Wire(edge.origin(peer, &headers)).stream(changed)))
}

async fn turn(caller: Caller, path: Segments, edge: Edge, turn: Turn) -> Result<StatusCode, Problem> {
    delivery::turn(edge.services(), &caller, (Family::Streams, path.id()), turn).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    turn(caller, path, edge, Turn::Delete).await
}

async fn pause(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    turn(caller, path, edge, Turn::Pause).await
}

async fn resume(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    turn(caller, path, edge, Turn::Resume).await
}

async fn verify(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Perhaps(verification): Perhaps<Verification>,
) -> Result<StatusCode, Problem> {
    turn(caller, path, edge, Turn::Test(verification.state)).await
}

async fn renew(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Response, Problem> {
    let token = streams::renew(edge.services(), &caller, path.id()).await?;
    let body = StreamToken {
        token: token.into_exposed(),
    };
    Ok(unkept((StatusCode::CREATED, Json(body)).into_response()))
}

async fn deliveries(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Page<Delivery>>, Problem> {
    let query = query.only(&[DELIVERIES])?;
    let wanted = wanted_deliveries(&query)?;
    let found = delivery::deliveries(edge.services(), &caller, (Family::Streams, path.id()), wanted).await?;
    Ok(Json(found.into()))
}

async fn replay(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(replay): Given<Replay>,
) -> Result<StatusCode, Problem> {
    delivery::replay(edge.services(), &caller, (Family::Streams, path.id()), replay.again()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
