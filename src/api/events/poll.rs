//! `POST /events/v1/streams/{id}/poll` (RFC 8936).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequest as _, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::admin::Segments;
use crate::api::auth;
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::service::delivery::poll::{Asked, Batch};

/// How long somebody waits for something to come, at most: shorter than the patience of proxies.
const LONGEST: Duration = Duration::from_secs(25);

/// What a receiver asks for, and what it tells (RFC 8936 §2.2). Other members mean nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// Most tokens that it wants; 0 only tells.
    #[serde(default)]
    max_events: Option<usize>,
    /// Whether it is answered at once, also with nothing.
    #[serde(default)]
    return_immediately: Option<bool>,
    /// Ids of tokens that it has.
    #[serde(default)]
    ack: Option<Vec<String>>,
    /// Ids of tokens that it could not accept, and why.
    #[serde(default)]
    set_errs: Option<BTreeMap<String, SetError>>,
}

/// Why a token could not be accepted.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetError {
    /// A word, such as `invalid_key`.
    err: String,
}

/// What it is given (RFC 8936 §2.3).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sets {
    /// Tokens by their ids, in the order of the log.
    #[schema(value_type = Object)]
    sets: Map<String, Value>,
    /// Whether there are more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more_available: bool,
}

impl From<Batch> for Sets {
    fn from(batch: Batch) -> Self {
        let sets = batch.sets.into_iter().map(|(id, token)| (id, token.into()));
        Self {
            sets: sets.collect(),
            more_available: batch.more,
        }
    }
}

/// Takes down and gives out; waits for something to come where the server has room for one who waits.
pub async fn poll(
    path: Segments,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    State(edge): State<Edge>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // Nothing is read before it is known who sends it.
    let poller = auth::stream(&edge, peer, &parts, path.id()).await?;
    let Given(poll) = Given::<Poll>::from_request(Request::from_parts(parts, body), &edge).await?;
    let asked = Asked {
        most: poll.max_events,
        at_once: poll.return_immediately.unwrap_or_default(),
        acks: poll.ack.unwrap_or_default(),
        errors: poll
            .set_errs
            .unwrap_or_default()
            .into_iter()
            .map(|(id, error)| (id, error.err))
            .collect(),
    };
    let place = edge.wait(poller.tenant_slug(), path.id());
    let patience = if place.is_some() {
        LONGEST.min(edge.settings().timeout / 2)
    } else {
        Duration::ZERO
    };
    // Also of a server that stops: what is answered by 200 has been taken down.
    if !poller.tell(&asked).await? {
        return Err(ended());
    }
    let batch = tokio::select! {
        batch = poller.give(&asked, patience) => batch?.ok_or_else(ended)?,
        // Whoever asks again asks a server that goes on.
        () = edge.stop().cancelled() => Batch::default(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(Sets::from(batch))).into_response())
}

/// 401 for a token that was ended after the request began.
fn ended() -> Problem {
    Problem::unauthorized(Some(("invalid_token", "the token is unknown, expired or revoked")))
}
