//! Bearer token → [`Caller`], before anything else of a request is looked at.

use axum::extract::{ConnectInfo, OriginalUri, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use super::middleware::RequestId;
use super::problem::{Code, Problem};
use super::scim::extract::Mount;
use super::state::{Edge, Payer};
use crate::scim::dialect::{Dialect, Hints};
use crate::service::delivery::poll::{self, Poller};
use crate::service::{self, Authority, Caller, Suspended, credentials};

/// Longest `Authorization` header that is looked at: ours are 60 characters, JWTs of others a few thousand.
const MAX_HEADER_LENGTH: usize = 4096;

const SUSPENDED: Code = Code {
    name: "suspended",
    title: "What the token belongs to is suspended",
};

/// Lets a request of a provisioning connection through, with its [`Caller`], [`Dialect`] and [`Mount`] attached.
pub async fn scim(
    State(edge): State<Edge>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    // By hand, and not by the router's parameters: they refuse a path that is not UTF-8 before anybody is asked who they are.
    let slug = uri.path().strip_prefix("/t/").and_then(|rest| rest.split('/').next());
    let prefix = slug.map_or_else(|| "/scim/v2".to_owned(), |slug| format!("/t/{slug}/scim/v2"));
    let mount = Mount {
        base: format!("{}{prefix}", edge.origin(peer, &parts.headers)),
    };
    let caller = match admit(&edge, peer, slug, &parts).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    parts.extensions.insert(mount);
    let Some(caller) = caller else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let dialect = dialect(&caller, &parts.headers);
    parts.extensions.insert(caller.clone());
    parts.extensions.insert(dialect);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // For the log line, which is written outside.
    response.extensions_mut().insert(caller);
    response
}

fn dialect(caller: &Caller, headers: &HeaderMap) -> Dialect {
    let user_agent = text(headers, header::USER_AGENT.as_str());
    Dialect::recognise(
        caller.dialect(),
        &Hints {
            user_agent,
            header: &|name| text(headers, name),
        },
    )
}

/// Lets a request of an administrator or a user through, with its [`Caller`] attached.
pub async fn admin(
    State(edge): State<Edge>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = match admit_admin(&edge, peer, &parts).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    parts.extensions.insert(caller.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // For the log line, which is written outside.
    response.extensions_mut().insert(caller);
    response
}

/// The stream of this id, which fetches by its own token.
///
/// # Errors
/// 401 for a token that is none, 403 for one of somebody else, or of another stream.
pub async fn stream(edge: &Edge, peer: SocketAddr, parts: &Parts, id: &str) -> Result<Poller, Problem> {
    if let Bearer::Token(token) = bearer(&parts.headers, parts.uri.query())
        && let Some(poller) = poll::identify(edge.services(), id, token).await?
    {
        charge(
            edge,
            &Payer::Stream(id.into()),
            "this stream is polled more often than it may be",
        )?;
        return Ok(poller);
    }
    identify(edge, peer, None, parts).await?;
    Err(wrong_kind("this token is not the one of this stream"))
}

/// Who sends these headers, looked at again while the answer to them goes on; `None` when the token does not work any more.
///
/// # Errors
/// A database that does not answer.
pub async fn still(edge: &Edge, caller: &Caller, headers: &HeaderMap) -> service::Result<Option<Caller>> {
    let Bearer::Token(token) = bearer(headers, None) else {
        return Ok(None);
    };
    let found = credentials::authenticate(edge.services(), token, caller.request_id().into()).await?;
    Ok(found.filter(|caller| lets_pass(caller, &Method::GET, "").is_ok()))
}

async fn admit_admin(edge: &Edge, peer: SocketAddr, parts: &Parts) -> Result<Caller, Problem> {
    let caller = identify(edge, peer, None, parts).await?;
    let payer = match caller.authority() {
        Authority::Admin | Authority::Operator(_) | Authority::System(_) => Payer::Tenant(caller.tenant_slug().into()),
        Authority::User(id) => Payer::User(id.as_str().into()),
        Authority::Connection(_) => {
            return Err(wrong_kind(
                "this token is one of a provisioning connection; administration needs one of an administrator or a user",
            ));
        }
    };
    charge(edge, &payer, "this token sends more requests than it may")?;
    Ok(caller)
}

/// Who may pass; `None` for the one document that is readable without credentials (RFC 7643 §5).
async fn admit(edge: &Edge, peer: SocketAddr, slug: Option<&str>, parts: &Parts) -> Result<Option<Caller>, Problem> {
    if !parts.headers.contains_key(header::AUTHORIZATION) && is_public(parts) {
        return Ok(None);
    }
    let caller = identify(edge, peer, slug, parts).await?;
    let payer = match caller.authority() {
        Authority::Connection(connection) => Payer::Connection(connection.id.0),
        Authority::User(id) if is_of_own_account(parts, id) => Payer::User(id.as_str().into()),
        Authority::User(_) => {
            return Err(wrong_kind(
                "this token is one of a user, who has `/Me` here and nothing else",
            ));
        }
        _ => return Err(wrong_kind("this token is not one of a provisioning connection")),
    };
    let detail = match payer {
        Payer::Connection(_) => "this connection sends more requests than it may",
        _ => "this token sends more requests than it may",
    };
    charge(edge, &payer, detail)?;
    Ok(Some(caller))
}

/// Whether a user asks for `/Me`, or reads what that says of itself: where the account is, and what it is made of.
fn is_of_own_account(parts: &Parts, id: &str) -> bool {
    let mut path = parts.uri.path().trim_start_matches('/').split('/');
    let (first, second) = (path.next().unwrap_or_default(), path.next());
    match first {
        "Me" | "ServiceProviderConfig" | "Schemas" | "ResourceTypes" => true,
        "Users" => second == Some(id) && parts.method.is_safe(),
        _ => false,
    }
}

/// 403 for a token that is good elsewhere.
fn wrong_kind(detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, detail).with(
        header::WWW_AUTHENTICATE,
        r#"Bearer realm="muster", error="insufficient_scope""#,
    )
}

fn charge(edge: &Edge, payer: &Payer, detail: &'static str) -> Result<(), Problem> {
    edge.admit(payer).map_err(|wait| throttled(payer, wait, detail))
}

fn throttled(payer: &Payer, wait: Duration, detail: &'static str) -> Problem {
    metrics::counter!("muster_throttled_total", "reason" => payer.kind()).increment(1);
    Problem::too_many_requests(wait, detail)
}

/// Charges a bulk request for its operations: each is one request. The request as a whole was charged as the first.
///
/// # Errors
/// 429 when the connection may not send so many now.
pub fn charge_operations(edge: &Edge, caller: &Caller, operations: usize) -> Result<(), Problem> {
    let Some(connection) = caller.connection_id() else {
        return Ok(());
    };
    let further = u32::try_from(operations.saturating_sub(1)).unwrap_or(u32::MAX);
    let Some(further) = NonZeroU32::new(further) else {
        return Ok(());
    };
    let payer = Payer::Connection(connection.0);
    let detail = "this connection sends more than it may: each operation of a bulk request counts as a request; nothing was done";
    edge.admit_more(&payer, further)
        .map_err(|wait| throttled(&payer, wait, detail))
}

/// Whose token it is.
async fn identify(edge: &Edge, peer: SocketAddr, slug: Option<&str>, parts: &Parts) -> Result<Caller, Problem> {
    let headers = &parts.headers;
    let request_id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
    let refuse = |error: Option<(&'static str, &'static str)>| {
        metrics::counter!("muster_refused_tokens_total").increment(1);
        match edge.note_stranger(edge.client_address(peer, headers)) {
            Ok(()) => Problem::unauthorized(error),
            Err(wait) => {
                metrics::counter!("muster_throttled_total", "reason" => "strangers").increment(1);
                Problem::too_many_requests(wait, "too many requests with a wrong token from this address")
            }
        }
    };
    let token = match bearer(headers, parts.uri.query()) {
        Bearer::Token(token) => token,
        Bearer::Absent => return Err(refuse(None)),
        Bearer::Broken => {
            return Err(refuse(Some((
                "invalid_token",
                "the Authorization header holds no bearer token",
            ))));
        }
        Bearer::Twice => {
            return Err(
                Problem::new(StatusCode::BAD_REQUEST, "the token was sent in more than one way").with(
                    header::WWW_AUTHENTICATE,
                    r#"Bearer realm="muster", error="invalid_request""#,
                ),
            );
        }
    };
    let unknown = Some(("invalid_token", "the token is unknown, expired or revoked"));
    let Some(caller) = credentials::authenticate(edge.services(), token, request_id.0).await? else {
        return Err(refuse(unknown));
    };
    if slug.is_some_and(|slug| slug != caller.tenant_slug()) {
        // The same answer as for a token that does not exist: whether the tenant does is nobody's business.
        return Err(refuse(unknown));
    }
    lets_pass(&caller, &parts.method, parts.uri.path())?;
    Ok(caller)
}

/// Refuses who belongs to something that is suspended. Of an organisation that is, the token of an administrator may still
/// look, ask for decisions, which are all no, and say what becomes of it.
fn lets_pass(caller: &Caller, method: &Method, path: &str) -> Result<(), Problem> {
    let text = match caller.suspended() {
        None => return Ok(()),
        Some(Suspended::Connection) => "the connection that this token belongs to is suspended",
        Some(Suspended::Tenant) => "the organisation that this token belongs to is suspended",
    };
    let of_tenant = ["/access/v1/", "/api/v1/tenant"];
    let may = method.is_safe() || of_tenant.iter().any(|start| path.starts_with(start));
    if may && matches!(caller.authority(), Authority::Admin) {
        return Ok(());
    }
    metrics::counter!("muster_refused_suspended_total").increment(1);
    Err(Problem::new(StatusCode::FORBIDDEN, text).coded(SUSPENDED))
}

fn is_public(parts: &Parts) -> bool {
    parts
        .uri
        .path()
        .trim_end_matches('/')
        .ends_with("/ServiceProviderConfig")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

enum Bearer<'h> {
    Token(&'h str),
    Absent,
    Broken,
    Twice,
}

/// The token of the `Authorization` header (RFC 6750 §2.1); the query parameter of §2.3 is never accepted.
fn bearer<'h>(headers: &'h HeaderMap, query: Option<&str>) -> Bearer<'h> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = sent.next() else {
        return Bearer::Absent;
    };
    let in_query = query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("access_token=")));
    if in_query || sent.next().is_some() {
        return Bearer::Twice;
    }
    let Some(text) = value.to_str().ok().filter(|text| text.len() <= MAX_HEADER_LENGTH) else {
        return Bearer::Broken;
    };
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Bearer::Absent;
    }
    let token = token.trim();
    if token.is_empty() || token.contains(' ') {
        Bearer::Broken
    } else {
        Bearer::Token(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn kind(values: &[&str], query: Option<&str>) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        match bearer(&headers, query) {
            Bearer::Token(token) => token.to_owned(),
            Bearer::Absent => "absent".to_owned(),
            Bearer::Broken => "broken".to_owned(),
            Bearer::Twice => "twice".to_owned(),
        }
    }

    #[test]
    fn the_scheme_ignores_letter_case() {
        assert_eq!(kind(&["bEARER abc"], None), "abc");
    }

    #[test]
    fn other_schemes_count_as_no_token() {
        assert_eq!(kind(&["Basic b2t0YTp4"], None), "absent");
        assert_eq!(kind(&[], Some("access_token=abc")), "absent");
    }

    #[test]
    fn a_token_sent_twice_or_with_blanks_is_refused() {
        assert_eq!(kind(&["Bearer abc"], Some("a=1&access_token=abc")), "twice");
        assert_eq!(kind(&["Bearer abc", "Bearer abd"], None), "twice");
        assert_eq!(kind(&["Bearer a b"], None), "broken");
        assert_eq!(kind(&["Bearer"], None), "broken");
    }
}
