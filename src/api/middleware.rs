//! What surrounds every request: an id, one log line, metrics, a deadline, tidy paths.

use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::linger;
use super::problem::Problem;
use super::scim::reply::{OPERATIONS, TOLERATED};
use super::state::Edge;
use crate::service::Caller;

/// Identifies one request in answers, logs and history.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

impl Default for RequestId {
    fn default() -> Self {
        Self(Arc::from("unknown"))
    }
}

/// That a request has to be answered in time. Whatever goes on to its end, and is to be heard of then, lifts it.
#[derive(Debug, Clone, Default)]
pub struct Deadline(Arc<AtomicBool>);

impl Deadline {
    /// From now on it takes as long as it takes.
    pub fn lift(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// The answer; none when time was over before, and the deadline not lifted.
    async fn kept<T>(&self, over: impl Future<Output = ()>, answer: impl Future<Output = T>) -> Option<T> {
        let mut answer = pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => return Some(answer),
            () = over => {}
        }
        if self.0.load(Ordering::Acquire) {
            return Some(answer.await);
        }
        None
    }
}

/// Where the id travels, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken over from a client.
const MAX_REQUEST_ID: usize = 128;

/// The client's request id when it is harmless, otherwise a new one.
fn request_id(edge: &Edge, request: &Request) -> RequestId {
    let sent = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = |id: &&str| {
        !id.is_empty()
            && id.len() <= MAX_REQUEST_ID
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(&b))
    };
    RequestId(
        sent.filter(harmless)
            .map_or_else(|| Arc::from(edge.services().ids().next().as_str()), Arc::from),
    )
}

/// Gives the request its id and a deadline, and writes the one line and the metrics about it.
pub async fn observe(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&edge, &request);
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    // The pattern of the route, never the path: paths and queries carry names and addresses.
    let matched = request.extensions().get::<MatchedPath>().cloned();

    let deadline = Deadline::default();
    request.extensions_mut().insert(deadline.clone());
    let over = tokio::time::sleep(edge.settings().timeout);
    let mut response = match deadline.kept(over, next.run(linger::to_the_end(request))).await {
        Some(response) => response,
        None => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the request took too long").into_response(),
    };

    let status = response.status().as_u16();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let elapsed = started.elapsed();
    count(method.as_str(), route, status, elapsed);
    tracing::info!(
        request.id = &*id.0,
        http.method = method.as_str(),
        http.route = route,
        http.status = status,
        connection.id = response
            .extensions()
            .get::<Caller>()
            .and_then(Caller::connection_id)
            .map(|id| id.0),
        operations = told(&response, &OPERATIONS),
        tolerated = told(&response, &TOLERATED),
        duration_ms = elapsed.as_secs_f64() * 1000.0,
        "answered"
    );
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// What the answer says in a header of ours: words of ours alone.
fn told<'r>(response: &'r Response, name: &HeaderName) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

fn count(method: &str, route: &str, status: u16, elapsed: Duration) {
    let (method, route) = (method.to_owned(), route.to_owned());
    metrics::histogram!("muster_request_seconds", "route" => route.clone()).record(elapsed.as_secs_f64());
    metrics::counter!("muster_requests_total", "method" => method, "route" => route, "status" => status.to_string())
        .increment(1);
}

/// Turns a panic into a 500 in the protocol's form; the panic itself is logged once.
#[must_use]
pub fn after_panic(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a request handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()
}

/// Removes doubled and final slashes: base URLs are configured with a slash at the end.
pub fn tidy_path(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.len() > 1 && (path.ends_with('/') || path.contains("//")) {
        let mut tidy: String = path
            .split('/')
            .filter(|part| !part.is_empty())
            .flat_map(|part| ["/", part])
            .collect();
        if tidy.is_empty() {
            tidy.push('/');
        }
        if let Some(query) = request.uri().query() {
            tidy.push('?');
            tidy.push_str(query);
        }
        let mut parts = request.uri().clone().into_parts();
        if let Ok(path_and_query) = PathAndQuery::try_from(tidy) {
            parts.path_and_query = Some(path_and_query);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn tidied(uri: &str) -> String {
        tidy_path(Request::builder().uri(uri).body(Body::empty()).unwrap())
            .uri()
            .to_string()
    }

    #[tokio::test]
    async fn what_has_lifted_its_deadline_is_answered_all_the_same() {
        let deadline = Deadline::default();
        let answer = || async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(deadline.kept(std::future::pending(), answer()).await, Some(7));
        assert_eq!(deadline.kept(std::future::ready(()), answer()).await, None);
        deadline.lift();
        assert_eq!(deadline.kept(std::future::ready(()), answer()).await, Some(7));
    }

    #[test]
    fn slashes_at_the_end_and_doubled_ones_go_away() {
        assert_eq!(tidied("/scim/v2//Users/?filter=a%2Fb"), "/scim/v2/Users?filter=a%2Fb");
        assert_eq!(tidied("/scim/v2/"), "/scim/v2");
        assert_eq!(tidied("/"), "/");
    }
}
