//! Roles, and the permissions they are made of.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query};
use super::wire::{self, Instant, Named, Segments};
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::{ROLES, VIEW};
use crate::service::access::roles::{self, Holding};

/// What a deletion does with what hangs on the deleted thing.
pub const FORCE: &[Parameter] = &[Parameter {
    name: "force",
    says: "Takes along what hangs on it; without it that is a 409 which names what does",
    kind: "boolean",
}];

/// What a query says about that.
///
/// # Errors
/// 400 for anything but `true` and `false`.
pub fn holding(query: &Query) -> Result<Holding, Problem> {
    Ok(if query.flag("force")? {
        Holding::Detach
    } else {
        Holding::Refuse
    })
}

/// The routes of roles.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/permissions", permissions)
            .says("Every permission there is")
            .gives::<Page<Permission>>(200),
        Route::get("/api/v1/roles", list)
            .says("Roles: the predefined ones, then the organisation's own")
            .one_of(&[VIEW, ROLES])
            .asks(PAGING)
            .gives::<Page<Role>>(200),
        Route::post("/api/v1/roles", create)
            .says("Makes a role")
            .one_of(&[ROLES])
            .takes::<NewRole>()
            .gives::<Role>(201),
        Route::get("/api/v1/roles/{id}", read)
            .says("One role")
            .one_of(&[VIEW, ROLES])
            .gives::<Role>(200),
        Route::patch("/api/v1/roles/{id}", change)
            .says("Changes a role; predefined ones cannot be changed")
            .one_of(&[ROLES])
            .takes::<RoleChange>()
            .gives::<Role>(200),
        Route::delete("/api/v1/roles/{id}", delete)
            .says("Deletes a role; predefined ones cannot be deleted")
            .one_of(&[ROLES])
            .asks(FORCE),
        Route::post("/api/v1/roles/{id}/copy", copy)
            .says("Makes a copy of a role, which can be changed")
            .one_of(&[ROLES])
            .takes::<CopyOfRole>()
            .gives::<Role>(201),
    ]
}

/// A permission.
#[derive(Debug, Serialize, ToSchema)]
pub struct Permission {
    /// Its key.
    key: String,
    /// What it allows, for people.
    label: String,
    /// `organisation`: counts on *All* only; `scope`: on a scope and below.
    level: &'static str,
}

/// A role.
#[derive(Debug, Serialize, ToSchema)]
pub struct Role {
    /// `owner`, `admin`, `manager`, `analyst`, `read-only`, or a UUID.
    id: String,
    /// For people.
    name: String,
    /// Keys.
    permissions: Vec<String>,
    /// Whether it can be neither changed nor deleted.
    predefined: bool,
    /// Of a copy: what it is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Lineage>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Instant>,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<Instant>,
}

/// What a role is a copy of, and how the two differ now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lineage {
    /// The other role.
    role: Named,
    /// Permissions of the copy alone.
    added: Vec<String>,
    /// Permissions of the other role alone.
    removed: Vec<String>,
}

/// A role to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// Unique in any letter case.
    name: String,
    /// Keys of permissions; none of them that the caller does not hold.
    #[serde(default)]
    permissions: Vec<String>,
}

/// What becomes of a role; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    /// Another name.
    #[serde(default)]
    name: Option<String>,
    /// Other permissions: all of them, not only the new ones.
    #[serde(default)]
    permissions: Option<Vec<String>>,
}

/// The name of a copy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyOfRole {
    /// Unique in any letter case.
    name: String,
}

impl From<roles::Role> for Role {
    fn from(role: roles::Role) -> Self {
        Self {
            id: role.id,
            name: role.name,
            permissions: role.permissions,
            predefined: role.predefined,
            origin: role.origin.map(|origin| Lineage {
                role: origin.role.into(),
                added: origin.added,
                removed: origin.removed,
            }),
            created: wire::at(role.created),
            modified: wire::at(role.modified),
        }
    }
}

impl From<roles::PermissionShown> for Permission {
    fn from(permission: roles::PermissionShown) -> Self {
        Self {
            key: permission.key,
            label: permission.label,
            level: permission.level,
        }
    }
}

impl NewRole {
    /// The role in the words of the use case.
    #[must_use]
    pub fn read(self) -> roles::NewRole {
        roles::NewRole {
            name: self.name,
            permissions: self.permissions,
        }
    }
}

fn made(role: roles::Role) -> Response {
    let location = format!("/api/v1/roles/{}", role.id);
    wire::created(&location, Role::from(role))
}

async fn permissions(_: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Permission>>, Problem> {
    query.only(&[])?;
    Ok(Json(Page::whole(roles::catalogue(edge.services()))))
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Role>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = roles::list(edge.services(), &caller, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn create(caller: Caller, State(edge): State<Edge>, Given(new): Given<NewRole>) -> Result<Response, Problem> {
    Ok(made(roles::create(edge.services(), &caller, &new.read()).await?))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Role>, Problem> {
    Ok(Json(roles::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn change(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(change): Given<RoleChange>,
) -> Result<Json<Role>, Problem> {
    let change = roles::RoleChange {
        name: change.name,
        permissions: change.permissions,
    };
    let role = roles::change(edge.services(), &caller, path.id(), &change).await?;
    Ok(Json(role.into()))
}

async fn delete(caller: Caller, path: Segments, query: Query, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    let holding = holding(&query.only(&[FORCE])?)?;
    roles::delete(edge.services(), &caller, path.id(), holding).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn copy(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(copy): Given<CopyOfRole>,
) -> Result<Response, Problem> {
    Ok(made(
        roles::copy(edge.services(), &caller, path.id(), &copy.name).await?,
    ))
}
