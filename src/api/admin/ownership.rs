//! Who owns the organisation.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::Named;
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::VIEW;
use crate::service::access::ownership;

/// The routes of ownership.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/ownership", read)
            .says("Who owns the organisation")
            .one_of(&[VIEW])
            .gives::<Ownership>(200),
        Route::post("/api/v1/ownership", transfer)
            .says("Makes a user the owner: the owner does, or an admin token with `break_glass`")
            .takes::<Transfer>()
            .gives::<Ownership>(200),
    ]
}

/// Who owns the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ownership {
    /// The owner; `null` until there is a first one.
    owner: Option<Named>,
    /// Who was it until now, and is an admin since.
    #[serde(skip_serializing_if = "Option::is_none")]
    former: Option<Named>,
}

/// Who is to be the owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// Id of an active user.
    to: String,
    /// Why it is not the owner who does this; logged.
    #[serde(default)]
    break_glass: Option<String>,
}

impl From<ownership::Ownership> for Ownership {
    fn from(ownership: ownership::Ownership) -> Self {
        Self {
            owner: ownership.owner.map(Named::from),
            former: ownership.former.map(Named::from),
        }
    }
}

async fn read(caller: Caller, State(edge): State<Edge>) -> Result<Json<Ownership>, Problem> {
    Ok(Json(ownership::find(edge.services(), &caller).await?.into()))
}

async fn transfer(
    caller: Caller,
    State(edge): State<Edge>,
    Given(transfer): Given<Transfer>,
) -> Result<Json<Ownership>, Problem> {
    let reason = transfer.break_glass.as_deref();
    let ownership = ownership::transfer(edge.services(), &caller, &transfer.to, reason).await?;
    Ok(Json(ownership.into()))
}
