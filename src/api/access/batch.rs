//! Many questions at once: `POST /access/v1/evaluations`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::entity::{Action, Entity};
use super::evaluation::{Decision, Question};
use super::message::Message;
use crate::api::body::read;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::service::Caller;
use crate::service::access::decide;

/// Questions, and what those leave out.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Questions {
    /// For questions without a subject.
    #[serde(default)]
    subject: Option<Entity>,
    /// For questions without an action.
    #[serde(default)]
    action: Option<Action>,
    /// For questions without a resource.
    #[serde(default)]
    resource: Option<Entity>,
    /// For questions without a context; `reason: true` asks for reasons.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Map<String, Value>>,
    /// At most 1000. Without any, the rest is one question, and answered as such.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Question>>)]
    evaluations: Option<Vec<Value>>,
    /// How far to go.
    #[serde(default)]
    options: Option<Options>,
}

/// How far to go.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Options {
    /// All of them when absent.
    #[serde(default)]
    evaluations_semantic: Semantic,
}

/// Which answer is the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Semantic {
    /// That of the last question.
    #[default]
    ExecuteAll,
    /// The first no.
    DenyOnFirstDeny,
    /// The first yes.
    PermitOnFirstPermit,
}

impl Semantic {
    fn ends_with(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

/// The answers, in the order of the questions, up to the last that was needed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decisions {
    evaluations: Vec<Decision>,
}

/// Answers many questions.
pub(super) async fn decide(
    caller: Caller,
    State(edge): State<Edge>,
    Message(asked): Message<Questions>,
) -> Result<Response, Problem> {
    let defaults = Question {
        subject: asked.subject,
        action: asked.action,
        resource: asked.resource,
        context: asked.context,
    };
    let items = asked.evaluations.unwrap_or_default();
    if items.is_empty() {
        let answer = decide::evaluation(edge.services(), &caller, &defaults.read()?).await?;
        return Ok(Json(Decision::from(answer)).into_response());
    }
    if items.len() > decide::MAX_QUESTIONS {
        let text = format!("a request holds at most {} questions", decide::MAX_QUESTIONS);
        return Err(Problem::new(StatusCode::BAD_REQUEST, text));
    }
    let questions: Vec<_> = items.iter().map(|item| question(item, &defaults)).collect();
    let mut evaluations = answers(&edge, &caller, questions).await?;
    let semantic = asked.options.unwrap_or_default().evaluations_semantic;
    if let Some(last) = evaluations.iter().position(|one| semantic.ends_with(one.decision)) {
        evaluations.truncate(last + 1);
    }
    Ok(Json(Decisions { evaluations }).into_response())
}

/// One question, with whole entities taken from the defaults where it has none.
fn question(item: &Value, defaults: &Question) -> Result<decide::Question, Problem> {
    let own: Question = read::from_value(item).map_err(|fault| {
        let text = format!("{}: {fault}", fault.pointer());
        Problem::new(StatusCode::BAD_REQUEST, text)
    })?;
    let whole = Question {
        subject: own.subject.or_else(|| defaults.subject.clone()),
        action: own.action.or_else(|| defaults.action.clone()),
        resource: own.resource.or_else(|| defaults.resource.clone()),
        context: own.context.or_else(|| defaults.context.clone()),
    };
    let question = whole.read()?;
    // One that names what cannot exist would spoil all of them.
    decide::check(&question)?;
    Ok(question)
}

/// Answers what can be read; the rest is a no that says why.
async fn answers(
    edge: &Edge,
    caller: &Caller,
    questions: Vec<Result<decide::Question, Problem>>,
) -> Result<Vec<Decision>, Problem> {
    let readable: Vec<_> = questions
        .iter()
        .filter_map(|question| question.as_ref().ok().cloned())
        .collect();
    let answers = decide::evaluations(edge.services(), caller, &readable).await?;
    let mut answers = answers.into_iter();
    let decided = questions.iter().filter_map(|question| match question {
        Ok(_) => answers.next().map(Decision::from),
        Err(problem) => Some(Decision::error(problem)),
    });
    Ok(decided.collect())
}
