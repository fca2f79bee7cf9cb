//! How each part of the surface says that something is wrong.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::{Code, Problem};
use crate::api::middleware::REQUEST_ID;
use crate::scim::ScimType;
use crate::service::{HeldBy, HoldingGrant};

/// Media type of RFC 9457.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// What a `type` begins with. A name, not an address: it means the same on every installation.
pub const TYPE_PREFIX: &str = "urn:muster:problem:";

/// What a part of the surface speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// RFC 7644 §3.12.
    Scim,
    /// RFC 9457.
    Problem,
    /// `AuthZEN` 1.0: a message, as a JSON string.
    Message,
}

impl Form {
    fn of(path: &str) -> Self {
        let below = |prefix: &str| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if below("/api") || below("/events") {
            Self::Problem
        } else if below("/access") || below("/.well-known/authzen-configuration") {
            Self::Message
        } else {
            Self::Scim
        }
    }
}

/// Gives a refusal the form of the part of the surface that was asked; other answers pass.
pub async fn speak(request: Request, next: Next) -> Response {
    let form = Form::of(request.uri().path());
    let has_body = !matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    let mut response = next.run(request).await;
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let (media, body) = match form {
        Form::Scim => return response,
        Form::Problem => {
            let id = response.headers().get(REQUEST_ID);
            let id = id.and_then(|id| id.to_str().ok()).map(str::to_owned);
            if !has_body {
                problem.place_in_query();
            }
            (PROBLEM_JSON, problem.to_json(id).to_string())
        }
        Form::Message => ("application/json", Value::from(problem.detail()).to_string()),
    };
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    *response.body_mut() = Body::from(body);
    response
}

impl Problem {
    /// A use case knows what it was given by the names of the API, and not how they travelled.
    fn place_in_query(&mut self) {
        if let Some(pointer) = self.more.place.pointer.take() {
            self.more.place.parameter = Some(pointer.trim_start_matches('/').to_owned());
        }
    }

    /// The members of RFC 9457 §3.1, and where in the request the fault lies.
    #[must_use]
    pub fn to_json(&self, request_id: Option<String>) -> Value {
        let code = self.kind();
        let mut body = Map::new();
        body.insert("type".to_owned(), format!("{TYPE_PREFIX}{}", code.name).into());
        body.insert("title".to_owned(), code.title.into());
        body.insert("status".to_owned(), self.error.status.into());
        body.insert("detail".to_owned(), self.error.detail.as_str().into());
        let mut known = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        known("pointer", self.more.place.pointer.as_deref().map(Value::from));
        known("position", self.more.place.position.map(Value::from));
        known("parameter", self.more.place.parameter.as_deref().map(Value::from));
        known("request_id", request_id.map(Value::from));
        body.extend(self.more.members.clone());
        Value::Object(body)
    }

    fn kind(&self) -> Code {
        self.more
            .code
            .or_else(|| self.error.scim_type.map(of_keyword))
            .unwrap_or_else(|| of_status(self.error.status))
    }
}

/// What stands in the way of a deletion.
pub(super) fn held_by(held_by: &HeldBy) -> Value {
    let named = |list: &[(String, String)]| -> Value {
        let one = |(id, name): &(String, String)| json!({ "id": id, "name": name });
        list.iter().map(one).collect()
    };
    let grant = |grant: &HoldingGrant| {
        json!({
            "id": grant.id,
            "subject": { "type": grant.subject_kind, "id": grant.subject, "name": grant.subject_name },
            "role": grant.role,
            "role_name": grant.role_name,
        })
    };
    json!({
        "grants": held_by.grants.iter().map(grant).collect::<Value>(),
        "more_grants": held_by.more_grants,
        "rules": named(&held_by.rules),
        "scopes": named(&held_by.scopes),
    })
}

const fn code(name: &'static str, title: &'static str) -> Code {
    Code { name, title }
}

/// SCIM's keywords under their names here: a filter is a filter, also in a rule.
fn of_keyword(keyword: ScimType) -> Code {
    match keyword {
        ScimType::InvalidFilter => code("invalid-filter", "The filter cannot be used"),
        ScimType::TooMany => code("too-many", "The request asks for too much"),
        ScimType::Uniqueness => code("taken", "The value is taken"),
        ScimType::Mutability => code("not-changeable", "It may not be changed that way"),
        ScimType::InvalidSyntax => code("invalid-json", "The body is not the JSON that is expected"),
        ScimType::InvalidPath | ScimType::NoTarget => code("invalid-path", "The path names nothing"),
        ScimType::InvalidValue => code("invalid-value", "A value cannot be used"),
        ScimType::InvalidVers => code("invalid-version", "The version is not served"),
        ScimType::Sensitive => code("sensitive", "The request names what must not travel in it"),
        ScimType::InvalidCursor => code("invalid-cursor", "The cursor cannot be used"),
        ScimType::ExpiredCursor => code("expired-cursor", "The cursor is too old"),
        ScimType::InvalidCount => code("invalid-count", "The number of resources cannot be used"),
    }
}

fn of_status(status: u16) -> Code {
    match status {
        400 => code("bad-request", "The request cannot be used"),
        401 => code("unauthorized", "The request needs a valid token"),
        403 => code("forbidden", "The caller may not do this"),
        404 => code("not-found", "There is no such thing"),
        405 => code("method-not-allowed", "The endpoint does not have this method"),
        406 => code("not-acceptable", "The answer has no such format"),
        409 => code("conflict", "The request contradicts what is there"),
        412 => code("stale", "It has changed meanwhile"),
        413 => code("too-large", "The body is too large"),
        414 => code("query-too-long", "The query is too long"),
        415 => code("unsupported-media-type", "The body has another format"),
        422 => code("unprocessable", "The request cannot be carried out"),
        429 => code("too-many-requests", "Too many requests"),
        503 => code("unavailable", "The server is busy"),
        _ => code("internal", "Internal error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    #[test]
    fn the_path_decides_about_the_form() {
        assert_eq!(Form::of("/api/v1/roles"), Form::Problem);
        assert_eq!(Form::of("/apiary"), Form::Scim);
        assert_eq!(Form::of("/access/v1/evaluation"), Form::Message);
        assert_eq!(Form::of("/scim/v2/Users"), Form::Scim);
    }

    #[test]
    fn a_problem_says_what_and_where() {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "`a` is no color")
            .at("/color")
            .character(Some(3));
        assert_eq!(
            problem.to_json(Some("r1".to_owned())),
            serde_json::json!({
                "type": "urn:muster:problem:bad-request",
                "title": "The request cannot be used",
                "status": 400,
                "detail": "`a` is no color",
                "pointer": "/color",
                "position": 3,
                "request_id": "r1",
            })
        );
    }
}
