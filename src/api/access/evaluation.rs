//! One question: `POST /access/v1/evaluation`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::entity::{Action, Entity, USER, missing};
use super::message::Message;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::service::Caller;
use crate::service::access::decide::{self, Answer, Detail, Resource};

/// Whether a subject may do something with a resource.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct Question {
    /// Who.
    #[serde(default)]
    pub subject: Option<Entity>,
    /// What.
    #[serde(default)]
    pub action: Option<Action>,
    /// With which.
    #[serde(default)]
    pub resource: Option<Entity>,
    /// `reason: true` asks for the reason; access depends on nothing in it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub context: Option<Map<String, Value>>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Decision {
    /// Whether they may.
    pub decision: bool,
    /// `reason`, where it was asked for, or where nothing had to be decided: there is no such user, permission or
    /// resource, or the user is not active; `error` for a question of a batch that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub context: Option<Value>,
}

impl Decision {
    /// No, because the question cannot be read.
    pub fn error(problem: &Problem) -> Self {
        let error = json!({ "status": problem.status().as_u16(), "message": problem.detail() });
        Self {
            decision: false,
            context: Some(json!({ "error": error })),
        }
    }
}

impl From<Answer> for Decision {
    fn from(answer: Answer) -> Self {
        Self {
            decision: answer.decision,
            context: answer
                .explanation
                .or_else(|| answer.reason.map(|reason| reason.text()))
                .map(|reason| json!({ "reason": reason })),
        }
    }
}

impl Question {
    /// The question in the words of the use case.
    ///
    /// # Errors
    /// 400 for what is missing.
    pub fn read(self) -> Result<decide::Question, Problem> {
        let subject = self.subject.ok_or_else(|| missing("subject"))?;
        let action = self.action.ok_or_else(|| missing("action"))?;
        let resource = self.resource.ok_or_else(|| missing("resource"))?;
        Ok(decide::Question {
            subject: who(&subject)?,
            action: action.name,
            resource: place(resource)?,
            detail: detail(self.context.as_ref()),
        })
    }
}

/// What a context asks the answer to say.
fn detail(context: Option<&Map<String, Value>>) -> Detail {
    match context.and_then(|context| context.get("reason")) {
        Some(Value::Bool(true)) => Detail::Reason,
        _ => Detail::Decision,
    }
}

/// Id or `userName` of a subject. A type of subjects that does not exist has none: nobody is called by the empty text.
///
/// # Errors
/// 400 without an id.
pub fn who(subject: &Entity) -> Result<String, Problem> {
    let id = subject.id("subject")?;
    Ok(if subject.kind == USER {
        id.to_owned()
    } else {
        String::new()
    })
}

/// What a resource means.
///
/// # Errors
/// 400 without an id.
pub fn place(resource: Entity) -> Result<Resource, Problem> {
    let id = resource.id("resource")?.to_owned();
    Ok(match resource.kind.as_str() {
        "tenant" => Resource::Tenant(id),
        "scope" => Resource::Scope(id),
        _ => Resource::Record {
            kind: resource.kind,
            id,
            properties: resource.properties.unwrap_or_default(),
        },
    })
}

/// Answers one question.
pub(super) async fn decide(
    caller: Caller,
    State(edge): State<Edge>,
    Message(question): Message<Question>,
) -> Result<Json<Decision>, Problem> {
    let answer = decide::evaluation(edge.services(), &caller, &question.read()?).await?;
    Ok(Json(answer.into()))
}
