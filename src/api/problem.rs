//! Error → response: the only place where a use case's failure gets a status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::scim::negotiate::SCIM_JSON;
use crate::scim;
use crate::service;

/// A refusal on its way out, as a SCIM error (RFC 7644 §3.12).
#[derive(Debug)]
pub struct Problem {
    error: scim::Error,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// A refusal with a status and a sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        scim::Error::plain(status.as_u16(), detail).into()
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
    pub fn too_many_requests(wait: Duration, detail: &'static str) -> Self {
        let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).with(header::RETRY_AFTER, secs.max(1).to_string())
    }

    /// The same with one more header; text that is no header value is left out.
    #[must_use]
    pub fn with(mut self, name: header::HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.push((name, value));
        }
        self
    }
}

impl From<scim::Error> for Problem {
    fn from(error: scim::Error) -> Self {
        Self {
            error,
            headers: Vec::new(),
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
                "the resource has changed since the version that If-Match names",
            ),
            service::Error::Forbidden(detail) => Self::new(StatusCode::FORBIDDEN, detail),
            service::Error::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is busy, try again")
                .with(header::RETRY_AFTER, "1"),
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
        let status = StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = scim::message::error_body(&self.error).to_string();
        let mut response = (
            status,
            [(header::CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON))],
            body,
        )
            .into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}
