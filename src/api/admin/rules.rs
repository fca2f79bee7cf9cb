//! Rules: who has what because of what they are.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;

use super::page::Page;
use super::query::{PAGING, Query, unusable};
use super::wire::{self, Segments};
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::State;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::access::rules;

mod shape;

pub use shape::NewRule;
use shape::{Rule, RuleChange, RuleVersion};

const STATE: &[Parameter] = &[Parameter {
    name: "state",
    says: "Only `draft`, only `active` or only `retired`",
    kind: "string",
}];

/// The routes of rules.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/rules", list)
            .says("Rules, oldest first")
            .one_of(&[VIEW, GIVE])
            .asks(STATE)
            .asks(PAGING)
            .gives::<Page<Rule>>(200),
        Route::post("/api/v1/rules", create)
            .says("Makes a rule; an active one counts when this answers, or, after some seconds, it answers 202 with `progress`")
            .one_of(&[GIVE])
            .takes::<NewRule>()
            .gives::<Rule>(201),
        Route::get("/api/v1/rules/{id}", read)
            .says("One rule")
            .one_of(&[VIEW, GIVE])
            .gives::<Rule>(200),
        Route::patch("/api/v1/rules/{id}", change)
            .says("Changes a rule: a new version, which counts when this answers, or, after some seconds, it answers 202 with `progress`")
            .one_of(&[GIVE])
            .takes::<RuleChange>()
            .gives::<Rule>(200),
        Route::delete("/api/v1/rules/{id}", delete)
            .says("Deletes a rule, and with it what it gave")
            .one_of(&[GIVE]),
        Route::get("/api/v1/rules/{id}/versions", versions)
            .says("What a rule said, latest first")
            .one_of(&[VIEW, GIVE])
            .asks(PAGING)
            .gives::<Page<RuleVersion>>(200),
    ]
}

async fn list(caller: Caller, query: Query, Shared(edge): Shared<Edge>) -> Result<Json<Page<Rule>>, Problem> {
    let query = query.only(&[STATE, PAGING])?;
    let known = |text| State::parse(text).ok_or_else(|| unusable("state", STATE[0].says));
    let state = query.text("state").map(known).transpose()?;
    let page = rules::list(edge.services(), &caller, state, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn create(caller: Caller, Shared(edge): Shared<Edge>, Given(new): Given<NewRule>) -> Result<Response, Problem> {
    let rule = rules::create(edge.services(), &caller, &new.read(State::Draft)).await?;
    let location = format!("/api/v1/rules/{}", rule.id);
    let is_underway = rule.progress.is_some();
    let mut answer = wire::created(&location, Rule::from(rule));
    if is_underway {
        *answer.status_mut() = StatusCode::ACCEPTED;
    }
    Ok(answer)
}

async fn read(caller: Caller, path: Segments, Shared(edge): Shared<Edge>) -> Result<Json<Rule>, Problem> {
    Ok(Json(rules::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn change(
    caller: Caller,
    path: Segments,
    Shared(edge): Shared<Edge>,
    Given(change): Given<RuleChange>,
) -> Result<(StatusCode, Json<Rule>), Problem> {
    let rule = rules::change(edge.services(), &caller, path.id(), &change.read()).await?;
    let status = if rule.progress.is_some() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(rule.into())))
}

async fn delete(caller: Caller, path: Segments, Shared(edge): Shared<Edge>) -> Result<StatusCode, Problem> {
    rules::delete(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn versions(
    caller: Caller,
    path: Segments,
    query: Query,
    Shared(edge): Shared<Edge>,
) -> Result<Json<Page<RuleVersion>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = rules::versions(edge.services(), &caller, path.id(), &query.paging()?).await?;
    Ok(Json(page.into()))
}
