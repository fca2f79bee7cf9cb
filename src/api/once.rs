//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST that comes again is not done again.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::body::whole;
use super::middleware::RequestId;
use super::problem::form::PROBLEM_JSON;
use super::problem::{Code, Problem};
use super::state::Edge;
use crate::service::once::{self, Answer, End, Turn};
use crate::service::{Caller, Services};

/// The header that names a request.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks an answer that was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Longest key, in characters.
const MAX_KEY_CHARS: usize = 255;
/// Longest answer that is kept, in bytes: the longest preview has half of it.
const MAX_KEPT_BYTES: usize = 2 << 20;

const UNUSABLE: Code = Code {
    name: "invalid-idempotency-key",
    title: "The idempotency key cannot be used",
};
const ANOTHER: Code = Code {
    name: "idempotency-key-reused",
    title: "The idempotency key belongs to another request",
};
const MEANWHILE: Code = Code {
    name: "request-in-progress",
    title: "The request is being carried out",
};
const UNANSWERED: Code = Code {
    name: "answer-not-kept",
    title: "The request was carried out and its answer is not kept",
};

/// Does a POST with a key once; every other request passes.
pub async fn keyed(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    let outcome = attempt(&edge, request, next).await;
    outcome.unwrap_or_else(IntoResponse::into_response)
}

async fn attempt(edge: &Edge, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let key = key(&parts.headers)?;
    let caller = parts.extensions.get::<Caller>().cloned();
    let caller = caller.ok_or_else(|| Problem::unauthorized(None))?;
    let whole_request = Request::from_parts(parts.clone(), body);
    let body = whole(whole_request, edge.settings().max_body_bytes).await?;
    let hash = hash(&parts, &body);
    let refused = |status, code, detail: &str| Err(Problem::new(status, detail).coded(code));
    match once::claim(edge.services(), &caller, &key, &hash).await? {
        Turn::Now(caller) => {
            parts.extensions.insert(caller.clone());
            let request = Request::from_parts(parts, Body::from(body));
            let services = edge.services().clone();
            // In a task of its own: a client that hangs up does not leave the key claimed.
            let done = tokio::spawn(async move { settled(&services, &caller, next.run(request).await).await });
            done.await.map_err(|_| {
                tracing::error!("a request with an idempotency key panicked");
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
            })
        }
        Turn::Before(answer) => Ok(again(&parts, answer)),
        Turn::Meanwhile => refused(
            StatusCode::CONFLICT,
            MEANWHILE,
            "the request with this key is being carried out; ask again in a moment",
        )
        .map_err(|problem| problem.with(header::RETRY_AFTER, "1")),
        Turn::Unanswered => refused(
            StatusCode::CONFLICT,
            UNANSWERED,
            "the request with this key was carried out, and its answer is not kept: look at what is there",
        ),
        Turn::Another => refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            ANOTHER,
            "this key was sent with another request; use a new key for each",
        ),
    }
}

/// The key: a string as RFC 9651 writes it, in quotes, or the bare text that most clients send.
fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let unusable = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail).coded(UNUSABLE);
    let mut sent = headers.get_all(KEY).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else {
        return Err(unusable("the header Idempotency-Key is there twice".to_owned()));
    };
    let text = value.to_str().unwrap_or_default().trim();
    let bare = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if (1..=MAX_KEY_CHARS).contains(&bare.len()) && bare.bytes().all(allowed) {
        Ok(bare.to_owned())
    } else {
        Err(unusable(format!(
            "an idempotency key has 1 to {MAX_KEY_CHARS} visible ASCII characters without `\"` and `\\`; a UUID is a good one"
        )))
    }
}

/// Tells requests apart: by where they go and what they say.
fn hash(parts: &Parts, body: &Bytes) -> String {
    let mut digest = Sha256::new();
    digest.update(parts.uri.to_string());
    digest.update([0]);
    digest.update(body);
    digest
        .finalize()
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Ends the claim with this answer. What failed here or came too often is no answer: it can be asked again.
async fn settled(services: &Services, caller: &Caller, response: Response) -> Response {
    let failed = response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS;
    let secret = response.headers().get(header::CACHE_CONTROL);
    let secret = secret.is_some_and(|value| value.as_bytes().windows(8).any(|word| word == b"no-store"));
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response();
    };
    let text = match parts.extensions.get::<Problem>() {
        Some(problem) => problem.to_json(None).to_string(),
        None => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let location = parts.headers.get(header::LOCATION);
    let answer = Answer {
        status: parts.status.as_u16(),
        location: location.and_then(|value| value.to_str().ok()).map(str::to_owned),
        body: text,
    };
    let end = if failed {
        End::Failed
    } else if secret || answer.body.len() > MAX_KEPT_BYTES {
        End::Unkept
    } else {
        End::Answered(answer)
    };
    if let Err(fault) = once::settle(services, caller, &end).await {
        // The request is done; what is lost is only that it can be answered again.
        tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "an answer could not be kept for its idempotency key"
        );
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// An answer that was given before, under the id of the request that asks again.
fn again(parts: &Parts, answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let refusal = status.is_client_error();
    let body = match serde_json::from_str::<Value>(&answer.body) {
        Ok(Value::Object(mut problem)) if refusal => {
            if let Some(RequestId(id)) = parts.extensions.get::<RequestId>() {
                problem.insert("request_id".to_owned(), Value::from(&**id));
            }
            Value::Object(problem).to_string()
        }
        _ => answer.body,
    };
    let media = if refusal { PROBLEM_JSON } else { "application/json" };
    let empty = body.is_empty();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if !empty {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    }
    if let Some(location) = answer.location.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(KEY, HeaderValue::from_str(value).unwrap());
        }
        key(&headers).ok()
    }

    #[test]
    fn a_key_is_a_string_in_quotes_or_bare() {
        assert_eq!(read(&["\"8e03978e-40d5\""]).as_deref(), Some("8e03978e-40d5"));
        assert_eq!(read(&["8e03978e-40d5"]).as_deref(), Some("8e03978e-40d5"));
        assert_eq!(read(&["\"\""]), None);
        assert_eq!(read(&["a b"]), None);
        assert_eq!(read(&["a", "a"]), None);
        assert_eq!(read(&["x".repeat(256).as_str()]), None);
    }
}
