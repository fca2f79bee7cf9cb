//! Whether a user may come in: let in, suspended, deactivated by an administrator.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{self, Instant, Segments};
use crate::api::body::Perhaps;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::lifecycle::status::{self, HeldSince};
use crate::service::lifecycle::turn::{Wish, turn};

/// The routes of the status of a user.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/users/{id}/status", read)
            .says("What a user is, and what keeps them out")
            .one_of(&[VIEW, GIVE])
            .gives::<UserStatus>(200),
        Route::post("/api/v1/users/{id}/activate", activate)
            .says("Lets a user in, whoever kept them out")
            .one_of(&[GIVE])
            .may_take::<Turn>()
            .gives::<UserStatus>(200),
        Route::post("/api/v1/users/{id}/suspend", suspend)
            .says("Keeps a user out until an administrator lets them in; provisioning cannot")
            .one_of(&[GIVE])
            .may_take::<Turn>()
            .gives::<UserStatus>(200),
        Route::post("/api/v1/users/{id}/deactivate", deactivate)
            .says("Ends the account of a user, who keeps what they have; provisioning cannot bring them back")
            .one_of(&[GIVE])
            .may_take::<Turn>()
            .gives::<UserStatus>(200),
    ]
}

/// Why something is done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// In your own words, at most 1000 characters.
    #[serde(default)]
    reason: Option<String>,
}

/// What a user is.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserStatus {
    /// Id of the user.
    user: String,
    /// Their name.
    name: String,
    /// `invited`, `active`, `suspended` or `deactivated`.
    status: &'static str,
    /// What keeps them out, where it is more than the word of provisioning.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<KeptOut>,
}

/// What keeps a user out.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptOut {
    /// Since when.
    since: Instant,
    /// Until when it is planned for.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Instant>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `admin`, `user`, `operator` or `system`; or `rule`: a rule of status.
    by_kind: String,
    /// Which of them; of a rule its name.
    by: String,
    /// Whether provisioning takes the account for active: a leave that ends gives this back.
    source_active: bool,
}

impl From<HeldSince> for KeptOut {
    fn from(held: HeldSince) -> Self {
        Self {
            since: Instant(held.since),
            until: wire::at(held.until),
            reason: held.reason,
            by_kind: held.by_kind,
            by: held.by,
            source_active: held.source_active,
        }
    }
}

impl From<status::UserStatus> for UserStatus {
    fn from(found: status::UserStatus) -> Self {
        Self {
            user: found.user,
            name: found.name,
            status: found.status.as_str(),
            hold: found.hold.map(KeptOut::from),
        }
    }
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<UserStatus>, Problem> {
    Ok(Json(status::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn activate(
    caller: Caller,
    path: Segments,
    edge: State<Edge>,
    Perhaps(given): Perhaps<Turn>,
) -> Result<Json<UserStatus>, Problem> {
    turned(&caller, &path, &edge, Wish::Activate, &given).await
}

async fn suspend(
    caller: Caller,
    path: Segments,
    edge: State<Edge>,
    Perhaps(given): Perhaps<Turn>,
) -> Result<Json<UserStatus>, Problem> {
    turned(&caller, &path, &edge, Wish::Suspend, &given).await
}

async fn deactivate(
    caller: Caller,
    path: Segments,
    edge: State<Edge>,
    Perhaps(given): Perhaps<Turn>,
) -> Result<Json<UserStatus>, Problem> {
    turned(&caller, &path, &edge, Wish::Deactivate, &given).await
}

async fn turned(
    caller: &Caller,
    path: &Segments,
    edge: &Edge,
    wish: Wish,
    given: &Turn,
) -> Result<Json<UserStatus>, Problem> {
    let found = turn(edge.services(), caller, path.id(), wish, given.reason.as_deref()).await?;
    Ok(Json(found.into()))
}
