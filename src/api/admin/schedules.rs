//! What is planned for people: the end of an account, a leave of absence; and who leaves when.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::leavers::{CALENDAR, FORMAT, Form};
use super::page::Page;
use super::query::{PAGING, Query, instant, unusable};
use super::views::CSV;
use super::wire::{self, Instant, Named, Segments};
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::base::clock::Timestamp;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::lifecycle::early;
use crate::service::lifecycle::schedule::{self, Action, Filter};

const STATE: &[Parameter] = &[Parameter {
    name: "state",
    says: "`waiting` (when absent), `done`, `cancelled` or `failed`",
    kind: "string",
}];

const WITHIN: &[Parameter] = &[
    Parameter {
        name: "from",
        says: "Due then or later",
        kind: "string:date-time",
    },
    Parameter {
        name: "to",
        says: "Due before then",
        kind: "string:date-time",
    },
];

/// The routes of what is planned.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/schedules", list)
            .says("What is planned for users, in the order in which it is due")
            .one_of(&[VIEW, GIVE])
            .asks(STATE)
            .asks(WITHIN)
            .asks(PAGING)
            .gives::<Page<Schedule>>(200),
        Route::delete("/api/v1/schedules/{id}", cancel)
            .says("Decides against something that is planned")
            .one_of(&[GIVE]),
        Route::get("/api/v1/leavers", leavers)
            .says("Whose account is planned to end, in the order of time")
            .one_of(&[VIEW, GIVE])
            .asks(WITHIN)
            .asks(FORMAT)
            .asks(PAGING)
            .gives::<Page<Schedule>>(200)
            .sends(CSV)
            .sends(CALENDAR),
        Route::put("/api/v1/users/{id}/schedule", plan_end)
            .says("Plans the end of an account, in the place of what was planned before")
            .one_of(&[GIVE])
            .takes::<End>()
            .gives::<Schedule>(200),
        Route::delete("/api/v1/users/{id}/schedule", cancel_end)
            .says("Decides against the end of an account")
            .one_of(&[GIVE]),
        Route::put("/api/v1/users/{id}/leave", plan_leave)
            .says("Plans a leave of absence: suspended while it lasts, and then again what provisioning says they are")
            .one_of(&[GIVE])
            .takes::<Leave>()
            .gives::<Page<Schedule>>(200),
        Route::delete("/api/v1/users/{id}/leave", cancel_leave)
            .says("Decides against a leave of absence; whoever is on it comes back now")
            .one_of(&[GIVE]),
    ]
}

/// The end of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// When it is deactivated; still to come.
    deactivate_at: Instant,
    /// Why, in your own words.
    #[serde(default)]
    reason: Option<String>,
}

/// A leave of absence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// When it begins; at once when absent.
    #[serde(default)]
    from: Option<Instant>,
    /// When it ends.
    until: Instant,
    /// Why, in your own words.
    #[serde(default)]
    reason: Option<String>,
}

/// Something that is planned, or was.
#[derive(Debug, Serialize, ToSchema)]
pub struct Schedule {
    /// A UUID.
    id: String,
    /// For whom; `null` when they are gone.
    user: Option<Named>,
    /// `deactivate`, `suspend` when a leave begins, `return` when it ends.
    action: &'static str,
    /// When.
    due: Instant,
    /// `waiting`, `done`, `cancelled`, or `failed` when it was refused then.
    state: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When it was planned.
    created: Instant,
}

impl From<schedule::Schedule> for Schedule {
    fn from(schedule: schedule::Schedule) -> Self {
        Self {
            id: schedule.id,
            user: schedule.user.map(Named::from),
            action: schedule.action.as_str(),
            due: Instant(schedule.due),
            state: schedule.state.as_str(),
            reason: schedule.reason,
            created: Instant(schedule.created),
        }
    }
}

fn within(query: &Query, name: &str) -> Result<Option<Timestamp>, Problem> {
    let read =
        |text| instant(text).ok_or_else(|| unusable(name, "an instant such as 2026-01-31T12:00:00Z belongs here"));
    query.text(name).map(read).transpose()
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Schedule>>, Problem> {
    let query = query.only(&[STATE, WITHIN, PAGING])?;
    let state = query.text("state").map(|text| {
        let known = "`waiting`, `done`, `cancelled` or `failed` belongs here";
        schedule::State::parse(text).ok_or_else(|| unusable("state", known))
    });
    let filter = Filter {
        state: state.transpose()?,
        action: None,
        from: within(&query, "from")?,
        to: within(&query, "to")?,
    };
    let page = schedule::list(edge.services(), &caller, &filter, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn leavers(
    caller: Caller,
    query: Query,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    let query = query.only(&[WITHIN, FORMAT, PAGING])?;
    let form = Form::wanted(&query, &headers)?;
    let filter = Filter {
        state: None,
        action: Some(Action::Deactivate),
        from: within(&query, "from")?,
        to: within(&query, "to")?,
    };
    let page = schedule::list(edge.services(), &caller, &filter, &query.paging()?).await?;
    Ok(form.of(page, &query))
}

async fn cancel_leave(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    early::cancel_leave(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn cancel(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    schedule::cancel(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn plan_end(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(end): Given<End>,
) -> Result<Json<Schedule>, Problem> {
    let (at, reason) = (end.deactivate_at.0, end.reason.as_deref());
    let planned = schedule::end(edge.services(), &caller, path.id(), at, reason).await?;
    Ok(Json(planned.into()))
}

async fn cancel_end(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    schedule::cancel_end(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn plan_leave(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(leave): Given<Leave>,
) -> Result<Json<Page<Schedule>>, Problem> {
    let span = (wire::given(leave.from), leave.until.0);
    let planned = schedule::leave(edge.services(), &caller, path.id(), span, leave.reason.as_deref()).await?;
    Ok(Json(Page::whole(planned)))
}
