//! Who, on which, and what: `POST /access/v1/search/…`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::entity::{Action, Entity, USER, missing};
use super::evaluation::{place, who};
use super::message::Message;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::service::access::search::Found;
use crate::service::access::{Page, Paging, decide, page, search};
use crate::service::{Caller, Error};

/// A question with one entity left open; the id of what is searched for is ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Search {
    /// Who; only a type when subjects are searched for.
    #[serde(default)]
    subject: Option<Entity>,
    /// What; left out when actions are searched for.
    #[serde(default)]
    action: Option<Action>,
    /// With which; only a type when resources are searched for.
    #[serde(default)]
    resource: Option<Entity>,
    /// Accepted, and not looked at.
    #[serde(default, rename = "context")]
    #[schema(value_type = Option<Object>)]
    _context: Option<Map<String, Value>>,
    /// Which part of the results.
    #[serde(default)]
    page: Asked,
}

/// Which part of the results.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Asked {
    /// `next_token` of the part before, with the same question.
    #[serde(default)]
    token: Option<String>,
    /// Most results of the part; a part can be shorter, even empty, and not the last.
    #[serde(default)]
    limit: Option<u32>,
}

/// Where the results end.
#[derive(Debug, Serialize, ToSchema)]
pub struct Part {
    /// Asks for the next part; empty on the last.
    next_token: String,
    /// Results of this part.
    count: usize,
}

/// Subjects or resources.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entities {
    page: Part,
    results: Vec<Entity>,
}

/// Actions.
#[derive(Debug, Serialize, ToSchema)]
pub struct Actions {
    page: Part,
    results: Vec<Action>,
}

/// Bytes of the mark that binds a token to its question: enough to notice a mistake. A token opens nothing that the
/// question itself does not.
const MARK_BYTES: usize = 8;
/// Bytes of the limit in a token.
const LIMIT_BYTES: usize = 4;

/// The question without its page, in short.
fn mark(question: &Value) -> [u8; MARK_BYTES] {
    let digest = Sha256::digest(question.to_string().as_bytes());
    std::array::from_fn(|index| digest[index])
}

impl Asked {
    /// The page that is asked for, and the number of results that all parts have at most.
    ///
    /// # Errors
    /// 400 for a limit of zero, and for a token of another question or with another limit.
    fn read(&self, question: &Value) -> Result<(Paging, u32), Problem> {
        let wrong = |text: &str| Problem::new(StatusCode::BAD_REQUEST, text);
        if self.limit == Some(0) {
            return Err(wrong("`page.limit` is at least 1"));
        }
        let Some(token) = self.token.as_deref().filter(|token| !token.is_empty()) else {
            let limit = self.limit.unwrap_or(page::DEFAULT_ITEMS).min(page::MAX_ITEMS);
            return Ok((paging(None, limit), limit));
        };
        let (limit, after) = opened(token, question)
            .ok_or_else(|| wrong("`page.token` is not the `next_token` of an answer to this question"))?;
        if self.limit.is_some_and(|asked| asked.min(page::MAX_ITEMS) != limit) {
            return Err(wrong("`page.limit` is not the one that `page.token` began with"));
        }
        Ok((paging(Some(after), limit), limit))
    }
}

fn paging(after: Option<String>, limit: u32) -> Paging {
    Paging {
        after,
        limit: Some(limit),
    }
}

/// Limit and place of a token of this question.
fn opened(token: &str, question: &Value) -> Option<(u32, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (found, rest) = bytes.split_at_checked(MARK_BYTES)?;
    let (limit, after) = rest.split_at_checked(LIMIT_BYTES)?;
    let after = String::from_utf8(after.to_vec()).ok()?;
    (found == mark(question)).then_some((u32::from_be_bytes(limit.try_into().ok()?), after))
}

/// The end of a part of results.
fn part(question: &Value, limit: u32, count: usize, next: Option<&str>) -> Part {
    let token = |next: &str| {
        let bytes = [mark(question).as_slice(), &limit.to_be_bytes(), next.as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    };
    Part {
        next_token: next.map(token).unwrap_or_default(),
        count,
    }
}

/// What a search found. What does not exist may nothing, and nothing may be done with it: no error.
///
/// # Errors
/// Everything else that went wrong, a token that is none included.
fn found<T>(outcome: Result<Page<T>, Error>) -> Result<Page<T>, Problem> {
    match outcome {
        Err(Error::Invalid(refusal)) if refusal.pointer.as_deref() != Some("/after") => Ok(nothing()),
        outcome => Ok(outcome?),
    }
}

const fn nothing<T>() -> Page<T> {
    Page {
        items: Vec::new(),
        next: None,
    }
}

fn entities<T>(question: &Value, limit: u32, page: Page<T>, entity: impl Fn(T) -> Entity) -> Entities {
    Entities {
        page: part(question, limit, page.items.len(), page.next.as_deref()),
        results: page.items.into_iter().map(entity).collect(),
    }
}

/// Users who may do something on a resource.
pub(super) async fn subjects(
    caller: Caller,
    State(edge): State<Edge>,
    Message(asked): Message<Search>,
) -> Result<Json<Entities>, Problem> {
    let kind = asked.subject.ok_or_else(|| missing("subject"))?.kind;
    let action = asked.action.ok_or_else(|| missing("action"))?;
    let resource = asked.resource.ok_or_else(|| missing("resource"))?;
    let question = json!(["subject", kind, action, resource]);
    let resource = place(resource)?;
    let (paging, limit) = asked.page.read(&question)?;
    let page = if kind == USER {
        found(search::subjects(edge.services(), &caller, &action.name, &resource, &paging).await)?
    } else {
        nothing()
    };
    Ok(Json(entities(&question, limit, page, user)))
}

/// A user by id; the name that people know them by stands beside it.
fn user(found: Found) -> Entity {
    let name = ("userName".to_owned(), found.user_name.into());
    Entity {
        kind: USER.to_owned(),
        id: Some(found.id),
        properties: Some(Map::from_iter([name])),
    }
}

/// Resources on which a user may do something.
pub(super) async fn resources(
    caller: Caller,
    State(edge): State<Edge>,
    Message(asked): Message<Search>,
) -> Result<Json<Entities>, Problem> {
    let subject = asked.subject.ok_or_else(|| missing("subject"))?;
    let action = asked.action.ok_or_else(|| missing("action"))?;
    let kind = asked.resource.ok_or_else(|| missing("resource"))?.kind;
    let question = json!(["resource", subject, action, kind]);
    let (who, (paging, limit)) = (who(&subject)?, asked.page.read(&question)?);
    let page = found(search::resources(edge.services(), &caller, &who, &action.name, &kind, &paging).await)?;
    let resource = |id| Entity {
        kind: kind.clone(),
        id: Some(id),
        properties: None,
    };
    Ok(Json(entities(&question, limit, page, resource)))
}

/// What a user may do on a resource: always one part, because there are not more permissions than fit.
pub(super) async fn actions(
    caller: Caller,
    State(edge): State<Edge>,
    Message(asked): Message<Search>,
) -> Result<Json<Actions>, Problem> {
    let subject = asked.subject.ok_or_else(|| missing("subject"))?;
    let resource = asked.resource.ok_or_else(|| missing("resource"))?;
    let question = json!(["action", subject, resource]);
    let (_, limit) = asked.page.read(&question)?;
    let names = decide::actions(edge.services(), &caller, &who(&subject)?, &place(resource)?).await?;
    let action = |name| Action { name, properties: None };
    Ok(Json(Actions {
        page: part(&question, limit, names.len(), None),
        results: names.into_iter().map(action).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_works_with_its_question_and_its_limit_alone() {
        let (one, other) = (json!(["a"]), json!(["b"]));
        let token = part(&one, 7, 7, Some("next")).next_token;
        let asked = |limit| Asked {
            token: Some(token.clone()),
            limit,
        };
        assert_eq!(asked(None).read(&one).unwrap().0, paging(Some("next".to_owned()), 7));
        assert!(asked(Some(7)).read(&one).is_ok());
        assert!(asked(Some(8)).read(&one).is_err());
        assert!(asked(None).read(&other).is_err());
        assert_eq!(part(&one, 7, 0, None).next_token, "");
    }
}
