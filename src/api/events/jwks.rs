//! `GET /.well-known/jwks.json`.

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::service::keys;

/// How long a receiver may take the keys for the newest. One that meets an unknown `kid` asks again.
const FRESH: &str = "public, max-age=300";

/// The keys, newest and retired. Readable without credentials: they are the public halves.
pub async fn read(State(edge): State<Edge>) -> Result<impl IntoResponse, Problem> {
    let keys = keys::published(edge.services()).await?;
    Ok(([(CACHE_CONTROL, FRESH)], Json(keys.jwks())))
}
