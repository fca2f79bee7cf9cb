//! Many changes in one request (RFC 7644 §3.7).

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::extract::Ask;
use super::{negotiate, reply};
use crate::api::auth::charge_operations;
use crate::api::body::whole;
use crate::api::middleware::Deadline;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::scim::message::BULK_RESPONSE;
use crate::scim::{self, Verb, json};
use crate::service::bulk::{self, Came, Outcome};
use crate::service::{Caller, Error, Fused};

/// `POST /Bulk`: each operation is done as a request of its own would be, and has its own result.
///
/// # Errors
/// 413 above one of the limits, naming it, 429 above the budget of the connection, both before anything is done; 400 for
/// what is no bulk request.
pub async fn bulk(caller: Caller, ask: Ask, State(edge): State<Edge>, request: Request) -> Result<Response, Problem> {
    negotiate::body_type(request.headers())?;
    let deadline = request.extensions().get::<Deadline>().cloned();
    let reading = edge.bulk_body(caller.tenant_slug()).await;
    let bytes = body(&edge, request).await?;
    let place = edge.bulk(caller.tenant_slug()).await;
    drop(reading);
    let request = scim::bulk::parse(json::parse(&bytes)?, bulk::MOST_OPERATIONS)?;
    drop(bytes);
    charge_operations(&edge, &caller, request.operations.len())?;
    // What has begun is done to its end, and whoever asked is to hear what came of it.
    deadline.iter().for_each(Deadline::lift);
    let outcomes = bulk::run(edge.services(), &caller, *ask.dialect()?, request, place).await?;
    let ignored: Vec<String> = came(&outcomes).flat_map(|came| &came.ignored).cloned().collect();
    let told = reply::Told::of(came(&outcomes).map(|came| (came.effects.as_slice(), &came.tolerated)));
    let results: Vec<Value> = outcomes.into_iter().map(|outcome| result(outcome, &ask.base)).collect();
    let body = json!({ "schemas": [BULK_RESPONSE], "Operations": results });
    let mut response = reply::json(StatusCode::OK, ask.media.clone(), body.to_string());
    reply::report_ignored(&mut response, &ignored);
    told.report(&mut response);
    Ok(response)
}

async fn body(edge: &Edge, request: Request) -> Result<Bytes, Problem> {
    let most = edge
        .services()
        .limits()
        .bulk
        .map_or(0, |limits| limits.max_payload_size);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    whole(request, most).await.map_err(|problem| {
        if problem.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = format!("the request body is larger than {most} bytes, the `maxPayloadSize` of bulk requests");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        } else {
            problem
        }
    })
}

/// What came of the operations that were done.
fn came(outcomes: &[Outcome]) -> impl Iterator<Item = &Came> {
    outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok())
}

/// What an answer says of one operation (RFC 7644 §3.7.3).
fn result(outcome: Outcome, base: &str) -> Value {
    let mut result = Map::new();
    let mut say = |name: &str, value: Value| result.insert(name.to_owned(), value);
    let place = outcome.place.map(|(kind, id)| format!("{}/{id}", kind.endpoint()));
    // Only of what was not made nothing can be said.
    if let Some(place) = place.or(outcome.path) {
        say("location", format!("{base}{place}").into());
    }
    if !outcome.method.is_empty() {
        say("method", outcome.method.into());
    }
    if let Some(bulk_id) = outcome.bulk_id {
        say("bulkId", bulk_id.into());
    }
    match outcome.result {
        Ok(came) => {
            if let Some(version) = came.version {
                say("version", format!("W/\"{version}\"").into());
            }
            let status = outcome.verb.map_or(StatusCode::OK.as_u16(), Verb::status);
            say("status", status.to_string().into());
        }
        // Nothing is done yet: an administrator decides.
        Err(Error::Fused(Fused::Held(hold))) => {
            say("status", StatusCode::ACCEPTED.as_u16().to_string().into());
            say("response", json!({ "pending": hold }));
        }
        Err(error) => {
            let problem = Problem::from(error);
            say("status", problem.status().as_u16().to_string().into());
            let mut response = problem.to_scim();
            // A result has no headers.
            if let Some(seconds) = problem.retry_after() {
                response["retryAfter"] = seconds.into();
            }
            say("response", response);
        }
    }
    Value::Object(result)
}
