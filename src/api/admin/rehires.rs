//! Somebody new who may be somebody who was deleted.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query, unusable};
use super::tombstones::Restored;
use super::wire::{self, Instant, Named, Segments};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::lifecycle::rehire::{self, Decided};

const STATE: &[Parameter] = &[Parameter {
    name: "state",
    says: "`waiting` (when absent), `accepted` or `dismissed`",
    kind: "string",
}];

/// The routes of people who may have come again.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/rehires", list)
            .says("Users whom provisioning made and who may be somebody who was deleted, in the order of time")
            .one_of(&[VIEW, GIVE])
            .asks(STATE)
            .asks(PAGING)
            .gives::<Page<Rehire>>(200),
        Route::post("/api/v1/rehires/{id}/accept", accept)
            .says("Says that they are the same person: the new user keeps the id and is given the memberships and grants of the one who was deleted")
            .one_of(&[GIVE])
            .gives::<Restored>(200),
        Route::post("/api/v1/rehires/{id}/dismiss", dismiss)
            .says("Says that they are not")
            .one_of(&[GIVE]),
    ]
}

/// Somebody new, and whom they may be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rehire {
    /// Its id.
    id: String,
    /// Who is new; absent when they are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Named>,
    /// Who was deleted; absent when nothing is left of them to be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    former: Option<Named>,
    /// `external_id` of the same connection, or `employee_number`.
    matched: &'static str,
    /// When provisioning made them.
    created: Instant,
    /// `waiting`, `accepted`, `dismissed`, or `overtaken` when there is nothing to decide any more.
    state: &'static str,
    /// When that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<Instant>,
}

impl From<rehire::Offer> for Rehire {
    fn from(offer: rehire::Offer) -> Self {
        Self {
            id: offer.id,
            user: offer.user.map(Named::from),
            former: offer.former.map(Named::from),
            matched: offer.matched,
            created: Instant(offer.created),
            state: offer.state.as_str(),
            settled: wire::at(offer.settled),
        }
    }
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Rehire>>, Problem> {
    let query = query.only(&[STATE, PAGING])?;
    let decided = match query.text("state") {
        None | Some("waiting") => Decided::Not,
        Some("accepted") => Decided::Same,
        Some("dismissed") => Decided::Other,
        Some(_) => return Err(unusable("state", "`waiting`, `accepted` or `dismissed` belongs here")),
    };
    let page = rehire::list(edge.services(), &caller, decided, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn accept(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Restored>, Problem> {
    let restored = rehire::accept(edge.services(), &caller, path.id()).await?;
    Ok(Json(restored.into()))
}

async fn dismiss(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    rehire::dismiss(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}
