//! One connection: what it is, what it needs tolerated, and what it says that nobody declared.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::closing::Standing;
use super::wire::{Instant, Segments};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::access::authority::{GIVE, INTEGRATIONS};
use crate::service::asides::Undeclared;
use crate::service::connections::{self, Tolerated};
use crate::service::{Caller, closing};

/// The route.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/connections/{id}", read)
            .says("A connection, the habits that it needed tolerated, whom suspending or deleting it would be about, and what was last done to them")
            .one_of(&[INTEGRATIONS, GIVE])
            .gives::<ConnectionShown>(200),
    ]
}

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionShown {
    /// What it is, and whom it is about.
    #[serde(flatten)]
    standing: Standing,
    /// `auto`, `strict`, or the client it is expected to be.
    dialect: String,
    /// Client habits that it needed tolerated, most frequent first.
    tolerances: Vec<Tolerance>,
    /// Extensions that no schema declares of which it said something, those of the most resources first; at most 100.
    undeclared: Vec<UndeclaredExtension>,
}

/// A client habit that was tolerated.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tolerance {
    /// Name of the rule.
    rule: String,
    /// How often.
    count: u64,
    /// When last, to within a few seconds.
    last: Instant,
}

/// An extension that no schema declares.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndeclaredExtension {
    /// Its name, in small letters.
    urn: String,
    /// Of how many resources something is kept aside.
    resources: u64,
    /// When something else was said last.
    last: Instant,
}

impl From<Tolerated> for Tolerance {
    fn from(tolerated: Tolerated) -> Self {
        Self {
            rule: tolerated.rule,
            count: tolerated.count,
            last: Instant(tolerated.last),
        }
    }
}

impl From<Undeclared> for UndeclaredExtension {
    fn from(undeclared: Undeclared) -> Self {
        Self {
            urn: undeclared.urn,
            resources: undeclared.resources,
            last: Instant(undeclared.last),
        }
    }
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<ConnectionShown>, Problem> {
    let standing = closing::connection(edge.services(), &caller, path.id()).await?;
    let needs = connections::needs(edge.services(), &caller, path.id()).await?;
    Ok(Json(ConnectionShown {
        standing: standing.into(),
        dialect: needs.connection.dialect,
        tolerances: needs.tolerated.into_iter().map(Tolerance::from).collect(),
        undeclared: needs.undeclared.into_iter().map(UndeclaredExtension::from).collect(),
    }))
}
