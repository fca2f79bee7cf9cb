//! What connections wanted to take away beyond their budgets, and what administrators decide about it as one.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::page::Page;
use super::pending::Pending;
use super::query::{PAGING, Query};
use super::wire::{self, Instant, Segments};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::fuse;

/// The routes of holds.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/holds", list)
            .says("What went beyond the budgets of connections, oldest first, also what is decided")
            .one_of(&[VIEW, GIVE])
            .asks(PAGING)
            .gives::<Page<Hold>>(200),
        Route::get("/api/v1/holds/{id}", read)
            .says("One of them, and how far it is")
            .one_of(&[VIEW, GIVE])
            .gives::<Hold>(200),
        Route::get("/api/v1/holds/{id}/changes", changes)
            .says(
                "The requests that it keeps, in the order in which they are made; `DELETE /pending/{id}` takes one out",
            )
            .one_of(&[VIEW, GIVE])
            .asks(PAGING)
            .gives::<Page<Pending>>(200),
        Route::post("/api/v1/holds/{id}/approve", approve)
            .says("Has what it keeps made, and lifts the budget for one window; answers while that goes on")
            .one_of(&[GIVE])
            .gives::<Hold>(202),
        Route::post("/api/v1/holds/{id}/reject", reject)
            .says("Has nothing of what it keeps done, and leaves nothing of the budget for one window")
            .one_of(&[GIVE])
            .gives::<Hold>(200),
    ]
}

/// What went beyond a budget, or is about to be made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hold {
    /// A UUID.
    id: String,
    /// Name of the connection; `null` when that is gone.
    connection: Option<String>,
    /// `deactivations`, `deletions`, `departures` or `renames`.
    what: &'static str,
    /// The budget that was used up.
    budget: u64,
    /// `waiting`, `applying` (approved, and being made), `approved` or `rejected`.
    state: &'static str,
    /// When the fuse tripped.
    opened: Instant,
    /// When somebody decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<Instant>,
    /// The requests that it keeps: none where the connection refuses what is beyond.
    changes: HeldCounts,
}

/// Requests, by what became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldCounts {
    /// Not made yet.
    waiting: u64,
    /// Made.
    applied: u64,
    /// They could not be made any more: each says why.
    failed: u64,
    /// Nothing is done.
    dismissed: u64,
}

impl From<fuse::Hold> for Hold {
    fn from(hold: fuse::Hold) -> Self {
        Self {
            id: hold.id,
            connection: hold.connection,
            what: hold.what,
            budget: hold.budget,
            state: hold.state.as_str(),
            opened: Instant(hold.opened),
            decided: wire::at(hold.decided),
            changes: HeldCounts {
                waiting: hold.changes.waiting,
                applied: hold.changes.applied,
                failed: hold.changes.failed,
                dismissed: hold.changes.dismissed,
            },
        }
    }
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Hold>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = fuse::holds(edge.services(), &caller, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Hold>, Problem> {
    Ok(Json(fuse::hold(edge.services(), &caller, path.id()).await?.into()))
}

async fn changes(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Page<Pending>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = fuse::changes(edge.services(), &caller, path.id(), &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn approve(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
) -> Result<(StatusCode, Json<Hold>), Problem> {
    let hold = fuse::approve(edge.services(), &caller, path.id()).await?;
    Ok((StatusCode::ACCEPTED, Json(hold.into())))
}

async fn reject(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Hold>, Problem> {
    Ok(Json(fuse::reject(edge.services(), &caller, path.id()).await?.into()))
}
