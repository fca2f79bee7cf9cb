//! New users and groups after the profile of others. Bodies and answers are in the words of SCIM.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::tokens::base_url;
use super::wire::{self, Segments};
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::scim::project::View;
use crate::service::access::authority::GIVE;
use crate::service::lifecycle::clone;
use crate::service::{Caller, Shown};

/// The routes of copies.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/users/{id}/clone", user)
            .says("Makes a user after another one: with the profile, in the same groups, with the same grants")
            .one_of(&[GIVE])
            .takes::<CloneUser>()
            .gives::<ScimResource>(201),
        Route::post("/api/v1/groups/{id}/clone", group)
            .says("Makes a group after another one: in the same groups, with the same grants, with the same members if wanted")
            .one_of(&[GIVE])
            .takes::<CloneGroup>()
            .gives::<ScimResource>(201),
    ]
}

/// A new user, as far as they are not like the other one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloneUser {
    /// What they sign in with.
    #[serde(rename = "userName")]
    user_name: String,
    /// In the place of the other one's.
    #[serde(default, rename = "displayName")]
    display_name: Option<String>,
    /// In the place of the other one's: `name` as in SCIM.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    name: Option<Map<String, Value>>,
    /// `emails` as in SCIM; none when absent.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    emails: Option<Vec<Value>>,
    /// Whether the account is active; true when absent.
    #[serde(default)]
    active: Option<bool>,
}

/// A new group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloneGroup {
    /// Its name.
    #[serde(rename = "displayName")]
    display_name: String,
    /// Whether it gets the members, too; false when absent.
    #[serde(default)]
    members: bool,
}

/// A user or group as SCIM shows it (RFC 7643).
#[derive(Debug, Serialize, ToSchema)]
pub struct ScimResource {
    /// Its id.
    id: String,
    /// `userName`, `displayName` and everything else.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    rest: Map<String, Value>,
}

async fn user(
    caller: Caller,
    path: Segments,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
    Given(given): Given<CloneUser>,
) -> Result<Response, Problem> {
    let new = clone::NewUser {
        user_name: given.user_name,
        display_name: given.display_name,
        name: given.name.map(Value::Object),
        emails: given.emails.map(Value::Array),
        active: given.active,
    };
    let base = base_url(&edge, &caller, peer, &headers);
    let made = clone::user(edge.services(), &caller, path.id(), &new).await?;
    Ok(answer(&made, &base))
}

async fn group(
    caller: Caller,
    path: Segments,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
    Given(given): Given<CloneGroup>,
) -> Result<Response, Problem> {
    let new = clone::NewGroup {
        display_name: given.display_name,
        members: given.members,
    };
    let base = base_url(&edge, &caller, peer, &headers);
    let made = clone::group(edge.services(), &caller, path.id(), &new).await?;
    Ok(answer(&made, &base))
}

/// 201 with the resource, and where SCIM has it.
fn answer(made: &Shown, base: &str) -> Response {
    let mut rest: Map<String, Value> = serde_json::from_str(&made.render(base, &View::default())).unwrap_or_default();
    rest.remove("id");
    let id = made.id.as_str().to_owned();
    wire::created(&made.location(base), ScimResource { id, rest })
}
