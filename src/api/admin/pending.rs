//! What provisioning asked for and an administrator has to decide.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query};
use super::wire::{Instant, Named, Segments};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::access::pending;

/// The routes of what waits.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/pending", list)
            .says("What provisioning asked for and an administrator has to decide, oldest first")
            .one_of(&[VIEW, GIVE])
            .asks(PAGING)
            .gives::<Page<Pending>>(200),
        Route::get("/api/v1/pending/{id}", read)
            .says("One of them, also when it is decided")
            .one_of(&[VIEW, GIVE])
            .gives::<Pending>(200),
        Route::delete("/api/v1/pending/{id}", dismiss)
            .says("Decides that nothing is done; provisioning may ask again")
            .one_of(&[GIVE]),
        Route::post("/api/v1/pending/{id}/apply", apply)
            .says("Makes a kept request now, as the connection that sent it; 409 when it still cannot be made")
            .one_of(&[GIVE]),
    ]
}

/// Something that waits, or waited.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pending {
    /// A UUID.
    id: String,
    /// `leaving-owner`: provisioning wants to end the owner's account, and ownership has to be transferred;
    /// `parked-request`: a request that would have left too few administrators; `held-change`: one beyond a budget of the
    /// mass-change fuse, decided about here alone or with the others of its hold.
    kind: String,
    /// `waiting`, `applied`, `dismissed`, `transferred`, or `failed`: approved, and it cannot be made any more.
    state: String,
    /// When it was asked for first.
    created: Instant,
    /// Why it was refused, or why it cannot be made.
    reason: String,
    /// The user or group it is about; `null` when that is gone.
    resource: Option<Named>,
    /// The request; absent once it is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<ParkedRequest>,
}

/// A request of provisioning.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedRequest {
    /// Name of the connection it came by.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// Its id.
    request_id: String,
    /// `PUT`, `PATCH` or `DELETE`.
    method: String,
    /// Below the SCIM base URL.
    path: String,
    /// In clean SCIM form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    body: Option<Value>,
}

impl From<pending::Pending> for Pending {
    fn from(pending: pending::Pending) -> Self {
        Self {
            id: pending.id,
            kind: pending.kind,
            state: pending.state,
            created: Instant(pending.created),
            reason: pending.reason,
            resource: pending.resource.map(Named::from),
            request: pending.request.map(|request| ParkedRequest {
                connection: request.connection,
                request_id: request.request_id,
                method: request.method,
                path: request.path,
                body: request.body,
            }),
        }
    }
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Pending>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = pending::list(edge.services(), &caller, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Pending>, Problem> {
    Ok(Json(pending::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn dismiss(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    pending::dismiss(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn apply(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    pending::apply(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}
