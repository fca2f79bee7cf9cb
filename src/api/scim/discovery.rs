//! `/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes` (RFC 7644 §4), and what is not supported.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use super::extract::{Ask, Named};
use super::reply;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::scim::discovery;
use crate::service::{Caller, delivery};

/// `GET /ServiceProviderConfig`: what this server can do. Readable without credentials; security events are told of where
/// the organisation has a stream, as some clients refuse a member that they do not know.
///
/// # Errors
/// 403 with a filter, as on every discovery endpoint; a database that does not answer.
pub async fn service_provider_config(
    caller: Option<Extension<Caller>>,
    ask: Ask,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    no_filter(&ask)?;
    let services = edge.services();
    let mut limits = services.limits();
    let streams = match caller {
        Some(Extension(caller)) => delivery::streams::are_there(services, &caller).await?,
        None => false,
    };
    limits.events = limits.events.filter(|_| streams);
    let body = discovery::service_provider_config(&limits, &ask.base);
    Ok(reply::described(&ask, &body))
}

/// `GET /Schemas`: all of them, whatever page or order is asked for.
///
/// # Errors
/// 403 with a filter.
pub async fn schemas(caller: Caller, ask: Ask, State(edge): State<Edge>) -> Result<Response, Problem> {
    no_filter(&ask)?;
    let listing = edge.services().limits().listing;
    let body = discovery::schemas(caller.vocabulary().registry(), listing, &ask.base);
    Ok(reply::json(StatusCode::OK, ask.media.clone(), body.to_string()))
}

/// `GET /Schemas/{urn}`.
///
/// # Errors
/// 404 for an unknown URN.
pub async fn schema(caller: Caller, ask: Ask, named: Named) -> Result<Response, Problem> {
    let body = caller
        .vocabulary()
        .registry()
        .schema(&named.0)
        .map(|schema| schema.to_json(&ask.base));
    one(&ask, body, "there is no schema with this URN")
}

/// `GET /ResourceTypes`.
///
/// # Errors
/// 403 with a filter.
pub async fn resource_types(caller: Caller, ask: Ask, State(edge): State<Edge>) -> Result<Response, Problem> {
    no_filter(&ask)?;
    let listing = edge.services().limits().listing;
    let body = discovery::resource_types(caller.vocabulary().registry(), listing, &ask.base);
    Ok(reply::json(StatusCode::OK, ask.media.clone(), body.to_string()))
}

/// `GET /ResourceTypes/{name}`.
///
/// # Errors
/// 404 for an unknown name.
pub async fn resource_type(caller: Caller, ask: Ask, named: Named) -> Result<Response, Problem> {
    let body = caller
        .vocabulary()
        .registry()
        .resource_type(&named.0)
        .map(|ty| ty.to_json(&ask.base));
    one(&ask, body, "there is no resource type with this name")
}

fn one(ask: &Ask, body: Option<serde_json::Value>, missing: &'static str) -> Result<Response, Problem> {
    let body = body.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, missing))?;
    Ok(reply::described(ask, &body))
}

/// RFC 7644 §4: a filter on a discovery endpoint is refused, so that no one takes the whole list for a match.
fn no_filter(ask: &Ask) -> Result<(), Problem> {
    match ask.param("filter") {
        Some(_) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "discovery endpoints cannot be filtered",
        )),
        None => Ok(()),
    }
}

/// A path outside everything that is served: another version of the protocol (RFC 7644 §3.13), or nothing.
pub async fn elsewhere(uri: Uri) -> Problem {
    let version = uri
        .path()
        .strip_prefix("/scim/")
        .and_then(|rest| rest.split('/').next());
    let is_version = |name: &str| {
        name.strip_prefix(['v', 'V'])
            .is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()))
    };
    if version.is_some_and(is_version) {
        return crate::scim::Error::invalid_version("this server speaks version v2 of the protocol, under /scim/v2")
            .into();
    }
    not_found().await
}

/// A path that is nothing.
pub async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such endpoint")
}

/// A known path with a method it does not have; the `Allow` header is the router's.
pub async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "the endpoint does not support this method",
    )
}
