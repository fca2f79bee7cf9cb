//! What clients said of extensions that no schema declares.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::page::Page;
use super::query::Query;
use super::wire::{Instant, Named, Segments};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, INTEGRATIONS};
use crate::service::asides::{self, Kept};

/// The routes of what is kept aside.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/users/{id}/aside", of_user)
            .says("What connections said of a user in extensions that no schema declares: kept aside, and no part of the user")
            .one_of(&[INTEGRATIONS, GIVE])
            .gives::<Page<Aside>>(200),
        Route::get("/api/v1/groups/{id}/aside", of_group)
            .says("What connections said of a group in extensions that no schema declares: kept aside, and no part of the group")
            .one_of(&[INTEGRATIONS, GIVE])
            .gives::<Page<Aside>>(200),
        Route::get("/api/v1/resource-types/{id}/resources/{resource}/aside", of_own)
            .says("What connections said of a resource of this type in extensions that no schema declares: kept aside, and no part of it")
            .one_of(&[INTEGRATIONS, GIVE])
            .gives::<Page<Aside>>(200),
    ]
}

/// What a connection said of an extension.
#[derive(Debug, Serialize, ToSchema)]
pub struct Aside {
    /// The name of the extension.
    urn: String,
    /// Who said it.
    connection: Named,
    /// Its attributes, as they were sent.
    #[schema(value_type = Object)]
    attributes: Box<RawValue>,
    /// When something else was said last.
    changed: Instant,
    /// Whether a schema declares it by now: the next request of the connection that speaks of it brings it into the resource.
    declared: bool,
}

impl From<Kept> for Aside {
    fn from(kept: Kept) -> Self {
        let (id, name) = kept.connection;
        Self {
            urn: kept.urn,
            connection: Named { id, name },
            attributes: kept.attributes,
            changed: Instant(kept.changed),
            declared: kept.declared,
        }
    }
}

async fn of_user(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Page<Aside>>, Problem> {
    query.only(&[])?;
    let kept = asides::of_resource(edge.services(), &caller, "Users", path.id()).await?;
    Ok(Json(Page::whole(kept)))
}

async fn of_group(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Page<Aside>>, Problem> {
    query.only(&[])?;
    let kept = asides::of_resource(edge.services(), &caller, "Groups", path.id()).await?;
    Ok(Json(Page::whole(kept)))
}

async fn of_own(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Page<Aside>>, Problem> {
    query.only(&[])?;
    let kept = asides::of_type(edge.services(), &caller, path.id(), path.get("resource")).await?;
    Ok(Json(Page::whole(kept)))
}
