//! Queries: by GET on a type or the root, and by POST to `/.search` (RFC 7644 §3.4.2, §3.4.3).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

use super::extract::{Ask, Body, Target};
use super::reply;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::scim::message::{self, Query};
use crate::scim::schema::ResourceType;
use crate::service::{Caller, provision};

/// `GET /Users?…`: resources of one type.
///
/// # Errors
/// 400 for a filter, sort or page that cannot be served.
pub async fn list(caller: Caller, target: Target, ask: Ask, State(edge): State<Edge>) -> Result<Response, Problem> {
    let query = ask.query()?;
    answer(&edge, &caller, &ask, std::slice::from_ref(&target.kind), &query).await
}

/// `POST /Users/.search`: the same with the query in the body, where personal data belongs (RFC 7644 §7.5.2).
///
/// # Errors
/// As [`list`].
pub async fn search(
    caller: Caller,
    target: Target,
    ask: Ask,
    State(edge): State<Edge>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let query = Query::from_search(&body)?;
    answer(&edge, &caller, &ask, std::slice::from_ref(&target.kind), &query).await
}

/// `GET /?…`: resources of every type (RFC 7644 §3.4.2.1).
///
/// # Errors
/// As [`list`].
pub async fn list_root(caller: Caller, ask: Ask, State(edge): State<Edge>) -> Result<Response, Problem> {
    let query = ask.query()?;
    answer(&edge, &caller, &ask, caller.types(), &query).await
}

/// `POST /.search`: resources of every type.
///
/// # Errors
/// As [`list`].
pub async fn search_root(
    caller: Caller,
    ask: Ask,
    State(edge): State<Edge>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let query = Query::from_search(&body)?;
    answer(&edge, &caller, &ask, caller.types(), &query).await
}

async fn answer(
    edge: &Edge,
    caller: &Caller,
    ask: &Ask,
    kinds: &[Arc<ResourceType>],
    query: &Query,
) -> Result<Response, Problem> {
    let page = provision::query(edge.services(), caller, ask.dialect()?, kinds, query).await?;
    let resources: Vec<String> = page
        .items
        .iter()
        .map(|shown| shown.render(&ask.base, &page.view))
        .collect();
    let about = message::Page {
        total: page.total,
        start_index: page.start_index,
        next_cursor: page.next,
        previous_cursor: page.previous,
    };
    let body = message::list_response(&about, &resources);
    Ok(reply::json(StatusCode::OK, ask.media.clone(), body))
}
