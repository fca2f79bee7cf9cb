//! POST, GET, PUT, PATCH and DELETE on resources of any type (RFC 7644 §3.3 to §3.6).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::extract::{Ask, Body, Target, Writable};
use super::reply;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::service::{Caller, provision};

/// `POST /Users`, `POST /Groups`: create (RFC 7644 §3.3).
///
/// # Errors
/// 400 for what breaks the schema, 409 for a name that is taken.
pub async fn create(
    caller: Caller,
    Writable(target): Writable,
    ask: Ask,
    State(edge): State<Edge>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let view = ask.view(&target.kind)?;
    let shown = provision::create(edge.services(), &caller, ask.dialect()?, &target.kind, body, &view).await?;
    Ok(reply::resource(StatusCode::CREATED, &ask, &view, &shown))
}

/// `GET /Users/{id}` (RFC 7644 §3.4.1), conditional by `If-None-Match` (§3.14) and `If-Match`.
///
/// # Errors
/// 404 when the caller's tenant has no such resource of this type, 412 by `If-Match`.
pub async fn read(caller: Caller, target: Target, ask: Ask, State(edge): State<Edge>) -> Result<Response, Problem> {
    let view = ask.view(&target.kind)?;
    let shown = provision::read(edge.services(), &caller, &target.kind, target.id()?, &view).await?;
    if ask.has_version(shown.version())? {
        return Ok(reply::not_modified(&ask, &shown));
    }
    Ok(reply::resource(StatusCode::OK, &ask, &view, &shown))
}

/// `PUT /Users/{id}`: replace (RFC 7644 §3.5.1). Never creates.
///
/// # Errors
/// 404, 412 by `If-Match` or `If-None-Match`, what [`create`] refuses, and 429 where the connection has taken away too much.
pub async fn replace(
    caller: Caller,
    Writable(target): Writable,
    ask: Ask,
    State(edge): State<Edge>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let view = ask.view(&target.kind)?;
    let wanted = ask.wanted(&target, &view)?;
    match provision::replace(edge.services(), &caller, wanted, body).await {
        Ok(shown) => Ok(reply::resource(StatusCode::OK, &ask, &view, &shown)),
        Err(error) => reply::held(error),
    }
}

/// `PATCH /Users/{id}`: change (RFC 7644 §3.5.2), all operations or none.
///
/// Answers 204 for a group of many members unless a projection asks for a body: reading them back would cost more
/// than the change.
///
/// # Errors
/// 404, 412 by `If-Match` or `If-None-Match`, what the operations break, and 429 where the connection has taken away too much.
pub async fn patch(
    caller: Caller,
    Writable(target): Writable,
    ask: Ask,
    State(edge): State<Edge>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let view = ask.view(&target.kind)?;
    let wanted = ask.wanted(&target, &view)?;
    match provision::patch(edge.services(), &caller, wanted, body).await {
        Ok(shown) if shown.is_too_large() => Ok(reply::no_content(&ask, &shown)),
        Ok(shown) => Ok(reply::resource(StatusCode::OK, &ask, &view, &shown)),
        Err(error) => reply::held(error),
    }
}

/// `DELETE /Users/{id}` (RFC 7644 §3.6).
///
/// # Errors
/// 404, 412 by `If-Match` or `If-None-Match`, 429 where the connection has taken away too much.
pub async fn delete(
    caller: Caller,
    Writable(target): Writable,
    ask: Ask,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    match provision::delete(edge.services(), &caller, &target.kind, target.id()?, &ask.precondition).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => reply::held(error),
    }
}
