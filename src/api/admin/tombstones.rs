//! What was deleted, and how it comes back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query, unusable};
use super::wire::{Instant, Segments};
use crate::api::body::Perhaps;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::lifecycle::purge::{Living, purge};
use crate::service::lifecycle::restore::{self, How, restore};
use crate::service::lifecycle::tombstones::{self, What};

const FILTER: &[Parameter] = &[Parameter {
    name: "type",
    says: "`user` or `group`; both when absent",
    kind: "string",
}];

/// The routes of what was deleted.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/tombstones", list)
            .says("Users and groups that were deleted, in the order in which they were created")
            .one_of(&[VIEW, GIVE])
            .asks(FILTER)
            .asks(PAGING)
            .gives::<Page<Tombstone>>(200),
        Route::post("/api/v1/users/{id}/restore", user)
            .says("Brings a user back who was deleted: with the same id, memberships and grants as far as what they hang on is there")
            .one_of(&[GIVE])
            .may_take::<RestoreUser>()
            .gives::<Restored>(200),
        Route::post("/api/v1/groups/{id}/restore", group)
            .says("Brings a group back that was deleted: with the same id, members and grants as far as they are there")
            .one_of(&[GIVE])
            .may_take::<RestoreGroup>()
            .gives::<Restored>(200),
        Route::post("/api/v1/users/{id}/purge", forget)
            .says("Destroys what is kept of a user who was deleted, with the key of what the log says of them; needs `org.settings.manage`, too. The tombstone is `purging` until nothing of it is on disk any more, and then gone")
            .one_of(&[GIVE])
            .may_take::<Purge>()
            .gives::<Purged>(202),
    ]
}

/// Something that was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tombstone {
    /// Its id.
    id: String,
    /// `user` or `group`.
    #[serde(rename = "type")]
    what: &'static str,
    /// Its name.
    name: String,
    /// What a user signed in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    /// When it was created.
    created: Instant,
    /// When it was deleted.
    deleted: Instant,
    /// `kept`; `superseded` when somebody else was given what it had; `purging` while what was purged may be on disk.
    state: &'static str,
}

/// How a user is to come back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreUser {
    /// Another `userName`, as when somebody else has theirs.
    #[serde(default)]
    user_name: Option<String>,
    /// Id of another user, who gets the memberships and grants: nobody comes back.
    #[serde(default)]
    into: Option<String>,
    /// Whether the account is active; as it was when absent.
    #[serde(default)]
    active: Option<bool>,
}

/// How a group is to come back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreGroup {
    /// Another `displayName`, as when another group has its own.
    #[serde(default)]
    display_name: Option<String>,
    /// Id of another group, which gets the members, memberships and grants: nothing comes back.
    #[serde(default)]
    into: Option<String>,
}

/// Whom to forget.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    /// Also somebody who is not deleted: they are deleted first.
    #[serde(default)]
    force: bool,
}

/// Who is forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub struct Purged {
    /// Their id.
    id: String,
    /// `purging`: nobody can read anything of them; old pages of the database are overwritten in a moment.
    state: &'static str,
}

/// What came back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Restored {
    /// Its id; that of the other one, with `into`.
    id: String,
    /// What did not come back: of each kind 100 at most.
    left_out: Vec<LeftOut>,
}

/// Something that did not come back.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftOut {
    /// `grant`, `membership` or `external_id`.
    what: &'static str,
    /// Its id; of a membership, that of the other end.
    id: String,
    /// Why.
    why: String,
}

impl From<tombstones::Tombstone> for Tombstone {
    fn from(tomb: tombstones::Tombstone) -> Self {
        Self {
            id: tomb.id,
            what: tomb.what.as_str(),
            name: tomb.name,
            user_name: tomb.user_name,
            created: Instant(tomb.created),
            deleted: Instant(tomb.deleted),
            state: tomb.state,
        }
    }
}

impl From<restore::Restored> for Restored {
    fn from(restored: restore::Restored) -> Self {
        let left = |left: restore::LeftOut| LeftOut {
            what: left.what,
            id: left.id,
            why: left.why,
        };
        Self {
            id: restored.id,
            left_out: restored.left_out.into_iter().map(left).collect(),
        }
    }
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Tombstone>>, Problem> {
    let query = query.only(&[FILTER, PAGING])?;
    let what = match query.text("type") {
        None => None,
        Some("user") => Some(What::User),
        Some("group") => Some(What::Group),
        Some(_) => return Err(unusable("type", "`user` or `group` belongs here")),
    };
    let page = tombstones::list(edge.services(), &caller, what, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn user(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Perhaps(how): Perhaps<RestoreUser>,
) -> Result<Json<Restored>, Problem> {
    let how = How {
        name: how.user_name,
        into: how.into,
        active: how.active,
    };
    let restored = restore(edge.services(), &caller, What::User, path.id(), &how).await?;
    Ok(Json(restored.into()))
}

async fn group(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Perhaps(how): Perhaps<RestoreGroup>,
) -> Result<Json<Restored>, Problem> {
    let how = How {
        name: how.display_name,
        into: how.into,
        active: None,
    };
    let restored = restore(edge.services(), &caller, What::Group, path.id(), &how).await?;
    Ok(Json(restored.into()))
}

async fn forget(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Perhaps(asked): Perhaps<Purge>,
) -> Result<(StatusCode, Json<Purged>), Problem> {
    let living = if asked.force { Living::Go } else { Living::Stay };
    purge(edge.services(), &caller, path.id(), living).await?;
    let purged = Purged {
        id: path.id().to_owned(),
        state: "purging",
    };
    Ok((StatusCode::ACCEPTED, Json(purged)))
}
