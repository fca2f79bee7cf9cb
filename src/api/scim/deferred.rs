//! Requests whose clients do not wait (RFC 9967 §2.5.1, RFC 7240 §4.1): taken on with 202, and told of later.

use axum::Extension;
use axum::extract::{ConnectInfo, FromRequest as _, FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::net::SocketAddr;

use super::extract::{Ask, Body, Mount, Named, Writable};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::service::Caller;
use crate::service::deferred::{self, Asked, Verb};

/// What a client would rather have (RFC 7240 §2).
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// What of that it has (RFC 7240 §3).
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// The id by which a client hears of a request that it does not wait for.
pub const SET_TXN: HeaderName = HeaderName::from_static("set-txn");
/// The preference not to wait.
const RESPOND_ASYNC: &str = "respond-async";
/// Where it is told what came of such requests, below a base URL.
const RESULTS: &str = "/AsyncResults";
/// Seconds after which it can be asked again.
const AGAIN_SECS: &str = "1";
/// Media type of a security event token (RFC 8417 §7.2).
const SECEVENT: &str = "application/secevent+jwt";

/// Takes a change on whose client would rather not wait; every other request passes.
pub async fn respond_async(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    match Verb::parse(request.method().as_str()) {
        Some(verb) if prefers(request.headers()) => match accept(&edge, verb, request).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        },
        _ => next.run(request).await,
    }
}

/// Whether the client would rather not wait. How long it would wait at most is not asked: nobody waits.
fn prefers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut wishes = values.flat_map(|value| value.split(','));
    wishes.any(|wish| {
        let name = wish.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(RESPOND_ASYNC)
    })
}

async fn accept(edge: &Edge, verb: Verb, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    // The answer has no body.
    parts.headers.remove(header::ACCEPT);
    let caller = Caller::from_request_parts(&mut parts, edge).await?;
    let Writable(target) = Writable::from_request_parts(&mut parts, edge).await?;
    let ask = Ask::from_request_parts(&mut parts, edge).await?;
    ask.view(&target.kind)?;
    let body = match verb {
        Verb::Delete => Value::Null,
        Verb::Post | Verb::Put | Verb::Patch => Body::from_request(Request::from_parts(parts, body), edge).await?.0,
    };
    let asked = Asked {
        verb,
        kind: &target.kind,
        id: target.id.as_ref(),
        if_match: &ask.precondition,
        dialect: *ask.dialect()?,
        body,
    };
    let txn = deferred::accept(edge.services(), &caller, asked).await?;
    let mut response = StatusCode::ACCEPTED.into_response();
    let headers = response.headers_mut();
    headers.insert(APPLIED, HeaderValue::from_static(RESPOND_ASYNC));
    named(headers, SET_TXN, &txn);
    named(headers, header::LOCATION, &format!("{}{RESULTS}/{txn}", ask.base));
    Ok(response)
}

/// `GET /AsyncResults/{txn}`: the security event token about a request that the connection sent (RFC 9967 §2.5.1.1); 202
/// while it waits.
///
/// # Errors
/// 404 for one of another connection, and when it is not kept any more.
pub async fn result(
    caller: Caller,
    Named(txn): Named,
    Extension(mount): Extension<Mount>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    let origin = edge.origin(peer, &headers);
    let token = deferred::find(edge.services(), &caller, &txn, (&origin, &mount.base)).await?;
    let mut response = match token {
        Some(token) => (StatusCode::OK, [(header::CONTENT_TYPE, SECEVENT)], token).into_response(),
        None => (StatusCode::ACCEPTED, [(header::RETRY_AFTER, AGAIN_SECS)]).into_response(),
    };
    named(response.headers_mut(), SET_TXN, &txn);
    Ok(response)
}

/// Adds a header; text that is no header value is left out.
fn named(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefer(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PREFER, HeaderValue::from_str(value).unwrap());
        }
        prefers(&headers)
    }

    #[test]
    fn a_preference_is_found_among_others_in_any_case() {
        assert!(prefer(&["respond-async"]));
        assert!(prefer(&["return=minimal", "wait=5, Respond-Async"]));
        assert!(prefer(&["respond-async; x=1"]));
        assert!(!prefer(&[]));
        assert!(!prefer(&["wait=5, return=respond-async"]));
        assert!(!prefer(&["respond-asynchronously"]));
    }
}
