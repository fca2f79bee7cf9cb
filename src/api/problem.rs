//! Error → response: the only place where a use case's failure gets a status.
//!
//! A [`Problem`] knows no format. The part of the surface that was asked gives it one ([`form`]): a SCIM error under
//! `/scim`, RFC 9457 under `/api`, a sentence under `/access`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::scim::negotiate::SCIM_JSON;
use crate::scim;
use crate::service;

pub mod form;

/// A refusal on its way out.
#[derive(Debug, Clone)]
pub struct Problem {
    error: scim::Error,
    /// In a box, so that the results that carry it stay small.
    more: Box<More>,
}

/// What few refusals have.
#[derive(Debug, Clone, Default)]
struct More {
    /// Names the kind of fault where neither status nor SCIM keyword does.
    code: Option<Code>,
    place: Place,
    /// Further members of the body (RFC 9457 §3.2).
    members: Map<String, Value>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// A kind of fault: what a program can tell it by, and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Words joined by hyphens, e.g. `unknown-field`.
    pub name: &'static str,
    /// For people, the same for every fault of the kind.
    pub title: &'static str,
}

/// Where in the request the fault lies, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    /// JSON Pointer into the body (RFC 6901).
    pointer: Option<String>,
    /// 1-based, in characters of the text at the pointer.
    position: Option<usize>,
    /// Name of the query parameter.
    parameter: Option<String>,
}

impl Problem {
    /// A refusal with a status and a sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        scim::Error::plain(status.as_u16(), detail).into()
    }

    /// The same, told apart from others of its status.
    #[must_use]
    pub fn coded(mut self, code: Code) -> Self {
        self.more.code = Some(code);
        self
    }

    /// The same, about a place in the body; the pointer is `""` for the body as a whole.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.more.place.pointer = Some(pointer.into());
        self
    }

    /// The same, seen from further out: what was a place in the body is one below this pointer.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.more.place.pointer = self.more.place.pointer.take().map(|inner| format!("{outer}{inner}"));
        self
    }

    /// The same, about a character of the text there, counted from 1.
    #[must_use]
    pub fn character(mut self, position: Option<usize>) -> Self {
        self.more.place.position = position;
        self
    }

    /// The same, about a query parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str) -> Self {
        self.more.place.parameter = Some(name.to_owned());
        self
    }

    /// The same with what was probably meant.
    #[must_use]
    pub fn suggesting(mut self, suggestion: Option<&str>) -> Self {
        if let Some(meant) = suggestion {
            self.more.members.insert("suggestion".to_owned(), meant.into());
        }
        self
    }

    fn about(mut self, refusal: service::Refusal) -> Self {
        self.more.place.pointer = refusal.pointer;
        self.more.place.position = refusal.position;
        if let Some(held_by) = refusal.held_by {
            self.more.members.insert("held_by".to_owned(), form::held_by(&held_by));
        }
        self.suggesting(refusal.suggestion.as_deref())
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.error.detail
    }

    /// The body of a SCIM error (RFC 7644 §3.12).
    #[must_use]
    pub fn to_scim(&self) -> Value {
        scim::message::error_body(&self.error)
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The whole seconds after which a retry can work, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        let (_, value) = self.more.headers.iter().find(|(name, _)| name == header::RETRY_AFTER)?;
        value.to_str().ok()?.parse().ok()
    }

    /// 401 with the challenge of RFC 6750 §3; `error` is absent when no credentials were sent.
    #[must_use]
    pub fn unauthorized(error: Option<(&'static str, &'static str)>) -> Self {
        let (challenge, detail) = match error {
            None => (
                r#"Bearer realm="muster""#.to_owned(),
                "the request needs a bearer token in its Authorization header",
            ),
            Some((code, text)) => (
                format!(r#"Bearer realm="muster", error="{code}", error_description="{text}""#),
                text,
            ),
        };
        Self::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, challenge)
    }

    /// 429 with the whole seconds after which a retry can work.
    #[must_use]
    pub fn too_many_requests(wait: Duration, detail: impl Into<String>) -> Self {
        let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).with(header::RETRY_AFTER, secs.max(1).to_string())
    }

    /// The same with one more header; text that is no header value is left out.
    #[must_use]
    pub fn with(mut self, name: header::HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.more.headers.push((name, value));
        }
        self
    }
}

impl From<scim::Error> for Problem {
    fn from(error: scim::Error) -> Self {
        Self {
            error,
            more: Box::default(),
        }
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Self {
        match error {
            service::Error::Protocol(error) => error.into(),
            service::Error::NotFound => Self::new(StatusCode::NOT_FOUND, "there is no such resource"),
            service::Error::Stale => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "the resource is of a version that the conditions of the request do not allow: it may have changed meanwhile",
            ),
            service::Error::Forbidden(detail) => Self::new(StatusCode::FORBIDDEN, detail),
            service::Error::Invalid(refusal) => {
                let error = match refusal.read_as {
                    service::ReadAs::Value => scim::Error::invalid_value,
                    service::ReadAs::Filter => scim::Error::invalid_filter,
                };
                Self::from(error(refusal.reason.as_str())).about(refusal)
            }
            service::Error::Conflict(refusal) => {
                Self::new(StatusCode::CONFLICT, refusal.reason.as_str()).about(refusal)
            }
            service::Error::Violated(violation) => Self::new(StatusCode::CONFLICT, violation.to_string()),
            service::Error::Fused(service::Fused::Refused { detail, wait }) => Self::too_many_requests(wait, detail),
            // Doors of provisioning answer these before.
            service::Error::Fused(fused) => Self::new(StatusCode::CONFLICT, fused.to_string()),
            service::Error::Full(detail) => Self::too_many_requests(Duration::from_secs(1), detail),
            service::Error::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is busy, try again")
                .with(header::RETRY_AFTER, "1"),
            service::Error::Crowded => {
                let text = "the server has as much to do as it can, try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with(header::RETRY_AFTER, "5")
            }
            service::Error::Internal(fault) => {
                tracing::error!(error = %Causes(&*fault), "a request failed inside the server");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal error; the request id in the X-Request-Id header finds it in the log",
                )
            }
        }
    }
}

/// An error and what caused it, in one line.
struct Causes<'e>(&'e (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.to_scim().to_string();
        let mut response = (
            self.status(),
            [(header::CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON))],
            body,
        )
            .into_response();
        response.headers_mut().extend(self.more.headers.iter().cloned());
        // For the part of the surface that says it in another form.
        response.extensions_mut().insert(self);
        response
    }
}
