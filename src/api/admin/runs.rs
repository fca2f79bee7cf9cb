//! Offboarding runs: what the end of an account opened, and how far each enforcer is.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query};
use super::views::wants;
use super::wire::{Instant, Segments, at};
use crate::api::problem::{Code, Problem};
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::{AUDIT, VIEW};
use crate::service::offboarding::{self, Wanted};

mod sheet;

/// What a page to print is asked for by.
const HTML: &str = "text/html";

const NOT_CONFIRMED: Code = Code {
    name: "not-confirmed",
    title: "The run has no certificate",
};

/// Parameters of the list.
const ASKED: &[Parameter] = &[
    Parameter {
        name: "user",
        says: "Only runs of the person with this id, who may be deleted",
        kind: "string",
    },
    Parameter {
        name: "state",
        says: "Only runs that are `open`, `late`, `confirmed` or `withdrawn`",
        kind: "string",
    },
];

/// The routes of runs.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/offboarding-runs", list)
            .says("What the end of accounts opened, newest first")
            .one_of(&[AUDIT, VIEW])
            .asks(ASKED)
            .asks(PAGING)
            .gives::<Page<Run>>(200),
        Route::get("/api/v1/offboarding-runs/{id}", read)
            .says("One run, with the part of each enforcer")
            .one_of(&[AUDIT, VIEW])
            .gives::<Run>(200),
        Route::get("/api/v1/offboarding-runs/{id}/certificate", certificate)
            .says("The signed certificate of a run that is confirmed; `Accept: text/html` gives a page to print")
            .one_of(&[AUDIT, VIEW])
            .sends("application/json")
            .sends(HTML),
    ]
}

/// What the end of an account opened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OffboardingRun)]
pub struct Run {
    /// A UUID.
    id: String,
    /// Whose account ended.
    user: Person,
    /// `open`; `late`: something was not confirmed by its deadline; `confirmed`: nothing is open any more; `withdrawn`: the person may
    /// come in again.
    state: String,
    /// When the account ended.
    opened: Instant,
    /// Position in the log of the event that ended it.
    opened_seq: i64,
    /// Who asked for it.
    asked_by: AskedBy,
    /// Until when everything has to be confirmed; single steps may have less time.
    deadline: Instant,
    /// When it turned late; `null` where it did not.
    late: Option<Instant>,
    /// When it was confirmed or withdrawn.
    closed: Option<Instant>,
    /// The part of each enforcer, by name.
    steps: Vec<Step>,
}

/// Whose account ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OffboardedPerson)]
pub struct Person {
    /// Id of the user.
    id: String,
    /// What they are called; absent when they are deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Who asked that an account ends.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OffboardingAskedBy)]
pub struct AskedBy {
    /// `connection`, `admin`, `user`, `operator` or `system`.
    actor_kind: String,
    /// Which one.
    actor_id: String,
    /// By which connection.
    connection: Option<String>,
    /// In which request.
    request_id: Option<String>,
}

/// The part of an enforcer: something that could still let the person in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OffboardingStep)]
pub struct Step {
    /// Name of the enforcer; `account-tokens` is Muster itself.
    name: String,
    /// `requested`; `acknowledged`: it said that it would; `confirmed`: nothing is open there; `late`: not confirmed by
    /// its deadline; `removed`: its enforcer was, and nothing is known of it.
    state: String,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next.
    next_try: Option<Instant>,
    /// When it was to be asked first.
    requested: Instant,
    /// Until when it has to be confirmed.
    deadline: Instant,
    /// When it said that it would.
    acknowledged: Option<Instant>,
    /// When it was found that nothing is open there.
    confirmed: Option<Instant>,
    /// Why the last attempt came to nothing.
    trouble: Option<String>,
    /// How it was found: `by` is `built-in`, `probe` or `acknowledgement`.
    #[schema(value_type = Option<Object>)]
    proof: Option<Value>,
    /// When its enforcer was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Instant>,
}

impl From<offboarding::Run> for Run {
    fn from(run: offboarding::Run) -> Self {
        Self {
            id: run.id,
            user: Person {
                id: run.user,
                name: run.name,
            },
            state: run.state,
            opened: Instant(run.opened),
            opened_seq: run.opened_seq,
            asked_by: AskedBy {
                actor_kind: run.asked_by.actor_kind,
                actor_id: run.asked_by.actor_id,
                connection: run.asked_by.connection,
                request_id: run.asked_by.request_id,
            },
            deadline: Instant(run.deadline),
            late: at(run.late),
            closed: at(run.closed),
            steps: run.steps.into_iter().map(Step::from).collect(),
        }
    }
}

impl From<offboarding::Step> for Step {
    fn from(step: offboarding::Step) -> Self {
        Self {
            name: step.name,
            state: step.state,
            attempts: step.attempts,
            next_try: at(step.due),
            requested: Instant(step.requested),
            deadline: Instant(step.deadline),
            acknowledged: at(step.acknowledged),
            confirmed: at(step.confirmed),
            trouble: step.trouble,
            proof: step.proof,
            removed: at(step.removed),
        }
    }
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Run>>, Problem> {
    let query = query.only(&[ASKED, PAGING])?;
    let wanted = Wanted {
        user: query.text("user").map(str::to_owned),
        state: query.text("state").map(str::to_owned),
    };
    let page = offboarding::list(edge.services(), &caller, &wanted, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Run>, Problem> {
    Ok(Json(
        offboarding::find(edge.services(), &caller, path.id()).await?.into(),
    ))
}

async fn certificate(
    caller: Caller,
    path: Segments,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    let found = offboarding::certificate(edge.services(), &caller, path.id()).await?;
    let certificate = found.ok_or_else(|| {
        let text = "a run has a certificate when everything in it is confirmed, and not before";
        Problem::new(StatusCode::NOT_FOUND, text).coded(NOT_CONFIRMED)
    })?;
    if wants(&headers, HTML) {
        let run = offboarding::find(edge.services(), &caller, path.id()).await?;
        return Ok(Html(sheet::sheet(&run, &certificate)).into_response());
    }
    Ok(([(header::CONTENT_TYPE, "application/json")], certificate).into_response())
}
