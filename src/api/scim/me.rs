//! `/Me`: the account of whoever asks, under another name (RFC 7644 §3.11).
//!
//! Answers name the permanent address of the account. Everybody may read it; who changes it needs the right to change
//! accounts.

use axum::extract::State;
use axum::response::Response;

use super::extract::{Ask, Body, Own, Writable};
use super::resources;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::service::{Caller, provision};

/// `GET /Me`.
///
/// # Errors
/// 404 for a token that is not one of a user.
pub async fn read(caller: Caller, Own(target): Own, ask: Ask, edge: State<Edge>) -> Result<Response, Problem> {
    resources::read(caller, target, ask, edge).await
}

/// `PUT /Me`.
///
/// # Errors
/// 403 without the right to change accounts, else as [`resources::replace`].
pub async fn replace(
    caller: Caller,
    Own(target): Own,
    ask: Ask,
    State(edge): State<Edge>,
    body: Body,
) -> Result<Response, Problem> {
    provision::may_change(edge.services(), &caller).await?;
    resources::replace(caller, Writable(target), ask, State(edge), body).await
}

/// `PATCH /Me`.
///
/// # Errors
/// 403 without the right to change accounts, else as [`resources::patch`].
pub async fn patch(
    caller: Caller,
    Own(target): Own,
    ask: Ask,
    State(edge): State<Edge>,
    body: Body,
) -> Result<Response, Problem> {
    provision::may_change(edge.services(), &caller).await?;
    resources::patch(caller, Writable(target), ask, State(edge), body).await
}

/// `DELETE /Me`.
///
/// # Errors
/// 403 without the right to change accounts, else as [`resources::delete`].
pub async fn delete(caller: Caller, Own(target): Own, ask: Ask, State(edge): State<Edge>) -> Result<Response, Problem> {
    provision::may_change(edge.services(), &caller).await?;
    resources::delete(caller, Writable(target), ask, State(edge)).await
}
