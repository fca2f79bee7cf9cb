//! Connections and the organisation as a whole: suspended, resumed, deleted, and what becomes of their users.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::query::Query;
use super::wire::{self, Instant, Segments};
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::{INTEGRATIONS, SETTINGS};
use crate::service::closing::{self, Asked, Counted, Shown, Users, Work};

const OF_DELETED: &[Parameter] = &[Parameter {
    name: "users",
    says: "What becomes of the users: `keep`, `deactivate`, or of those of a connection `delete`",
    kind: "string",
}];

const CONFIRM: &[Parameter] = &[Parameter {
    name: "confirm",
    says: "The name of the organisation, letter by letter",
    kind: "string",
}];

/// The routes.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/connections/{id}/suspend", suspend_connection)
            .says("Suspends a connection: when this answers, no server accepts a token of it. What becomes of its users goes on after that; all but `keep` also needs `org.users.manage`")
            .one_of(&[INTEGRATIONS])
            .takes::<Suspension>()
            .gives::<Standing>(202),
        Route::post("/api/v1/connections/{id}/resume", resume_connection)
            .says("Resumes a connection, and lets in again whom its suspension has suspended; also needs `org.users.manage`")
            .one_of(&[INTEGRATIONS])
            .gives::<Standing>(202),
        Route::delete("/api/v1/connections/{id}", delete_connection)
            .says("Deletes a connection with its tokens; its name stays its own. What becomes of its users goes on after that; all but `keep` also needs `org.users.manage`")
            .one_of(&[INTEGRATIONS])
            .asks(OF_DELETED)
            .gives::<Standing>(202),
        Route::get("/api/v1/tenant", tenant)
            .says("The organisation, whom suspending or deleting it would be about, and what was last done to them; for the owner and administrators' tokens")
            .one_of(&[SETTINGS])
            .gives::<Standing>(200),
        Route::post("/api/v1/tenant/suspend", suspend_tenant)
            .says("Suspends the organisation: every decision is no from then on, and when this answers no server accepts a token of its connections and users. Tokens of administrators can look, ask for decisions, and resume or delete it; for the owner and administrators' tokens")
            .one_of(&[SETTINGS])
            .takes::<Suspension>()
            .gives::<Standing>(202),
        Route::post("/api/v1/tenant/resume", resume_tenant)
            .says("Resumes the organisation, and lets in again whom its suspension has suspended; for the owner and administrators' tokens")
            .one_of(&[SETTINGS])
            .gives::<Standing>(202),
        Route::delete("/api/v1/tenant", delete_tenant)
            .says("Deletes the organisation: nobody comes in and no token works any more, also not the one that asks for it; only the operator restores it. For the owner and administrators' tokens")
            .one_of(&[SETTINGS])
            .asks(CONFIRM)
            .asks(OF_DELETED)
            .gives::<Standing>(202),
    ]
}

/// What becomes of the users.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuspendedUsers {
    /// They stay what they are.
    Keep,
    /// They are suspended until it is resumed.
    Suspend,
    /// Their accounts end.
    Deactivate,
}

/// A suspension.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// What becomes of the users.
    users: SuspendedUsers,
    /// Why; each of the users who are changed has it as the reason.
    #[serde(default)]
    reason: Option<String>,
}

/// A connection or the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Standing {
    /// A UUID.
    id: String,
    /// For people.
    name: String,
    /// `active`, `suspended` or `deleted`.
    state: &'static str,
    /// Since when, where somebody has changed it.
    since: Option<Instant>,
    /// Whom a change of its state is about.
    counts: UsersCounted,
    /// What was last done to its users because of one.
    users: Option<UsersWork>,
}

/// Whom a change is about.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsersCounted {
    /// Users: of a connection whom it made or has a name for, without those who are shared.
    users: u64,
    /// Those of them who may come in.
    active: u64,
    /// Users whom another connection that works has as well: they stay as they are.
    shared: u64,
    /// Tokens that work: those of the connection, or all of the organisation.
    tokens: u64,
}

/// What is done to users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsersWork {
    /// A UUID; events have it as their request.
    id: String,
    /// `keep`, `suspend`, `deactivate`, `delete`, or `return` when it was resumed.
    what: &'static str,
    /// Why, in somebody's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `running`, `done`, or `stopped` when something else was decided meanwhile.
    state: &'static str,
    /// How many users were changed so far.
    turned: u64,
    /// How many had to stay: the owner, the last administrators, break-glass accounts.
    stayed: u64,
    /// How many could not be changed because of a fault of ours, which the program's log tells of.
    failed: u64,
    /// When it began.
    created: Instant,
    /// When it ended.
    finished: Option<Instant>,
}

impl From<Counted> for UsersCounted {
    fn from(counted: Counted) -> Self {
        Self {
            users: counted.users,
            active: counted.active,
            shared: counted.shared,
            tokens: counted.tokens,
        }
    }
}

impl From<Work> for UsersWork {
    fn from(work: Work) -> Self {
        Self {
            id: work.id,
            what: work.users,
            reason: work.reason,
            state: work.state,
            turned: work.turned,
            stayed: work.stayed,
            failed: work.failed,
            created: Instant(work.created),
            finished: wire::at(work.finished),
        }
    }
}

impl From<Shown> for Standing {
    fn from(shown: Shown) -> Self {
        Self {
            id: shown.id,
            name: shown.name,
            state: shown.state,
            since: wire::at(shown.since),
            counts: shown.counts.into(),
            users: shown.last.map(UsersWork::from),
        }
    }
}

impl From<Suspension> for Asked {
    fn from(asked: Suspension) -> Self {
        Self {
            users: Some(match asked.users {
                SuspendedUsers::Keep => Users::Keep,
                SuspendedUsers::Suspend => Users::Suspend,
                SuspendedUsers::Deactivate => Users::Deactivate,
            }),
            reason: asked.reason,
        }
    }
}

/// What becomes of the users of something that is deleted.
fn of_deleted(query: &Query) -> Asked {
    let users = match query.text("users") {
        Some("keep") => Some(Users::Keep),
        Some("deactivate") => Some(Users::Deactivate),
        Some("delete") => Some(Users::Delete),
        _ => None,
    };
    Asked { users, reason: None }
}

type Accepted = (StatusCode, Json<Standing>);

fn accepted(shown: Shown) -> Accepted {
    (StatusCode::ACCEPTED, Json(shown.into()))
}

async fn suspend_connection(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(asked): Given<Suspension>,
) -> Result<Accepted, Problem> {
    Ok(accepted(
        closing::suspend_connection(edge.services(), &caller, path.id(), asked.into()).await?,
    ))
}

async fn resume_connection(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Accepted, Problem> {
    Ok(accepted(
        closing::resume_connection(edge.services(), &caller, path.id()).await?,
    ))
}

async fn delete_connection(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Accepted, Problem> {
    let asked = of_deleted(&query.only(&[OF_DELETED])?);
    Ok(accepted(
        closing::delete_connection(edge.services(), &caller, path.id(), asked).await?,
    ))
}

async fn tenant(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Standing>, Problem> {
    query.only(&[])?;
    Ok(Json(closing::tenant(edge.services(), &caller).await?.into()))
}

async fn suspend_tenant(
    caller: Caller,
    State(edge): State<Edge>,
    Given(asked): Given<Suspension>,
) -> Result<Accepted, Problem> {
    Ok(accepted(
        closing::suspend_tenant(edge.services(), &caller, asked.into()).await?,
    ))
}

async fn resume_tenant(caller: Caller, State(edge): State<Edge>) -> Result<Accepted, Problem> {
    Ok(accepted(closing::resume_tenant(edge.services(), &caller).await?))
}

async fn delete_tenant(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Accepted, Problem> {
    let query = query.only(&[CONFIRM, OF_DELETED])?;
    let asked = of_deleted(&query);
    let name = query.text("confirm").unwrap_or_default();
    Ok(accepted(
        closing::delete_tenant(edge.services(), &caller, name, asked).await?,
    ))
}
