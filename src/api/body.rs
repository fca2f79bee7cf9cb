//! JSON bodies outside of SCIM: read whole, read strictly, every fault at its place.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::scim::negotiate;
use super::state::Edge;
use crate::scim::json;

pub mod read;

/// A JSON body that fits its type exactly: nothing missing, nothing unknown, nothing of another kind.
pub struct Given<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Edge> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Problem> {
        negotiate::body_type(request.headers())?;
        let bytes = whole(request, edge.settings().max_body_bytes).await?;
        let value = json::parse(&bytes)?;
        read::from_value(&value).map(Self).map_err(Problem::from)
    }
}

/// The same, which may be left out as a whole: then nothing is said.
pub struct Perhaps<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<Edge> for Perhaps<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        let bytes = whole(Request::from_parts(head.clone(), body), edge.settings().max_body_bytes).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let request = Request::from_parts(head, bytes.into());
        Given::from_request(request, edge).await.map(|Given(given)| Self(given))
    }
}

/// All bytes of a body, unless they are too many.
///
/// # Errors
/// 413 above the limit, 400 when the body breaks off.
pub async fn whole(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the request body is larger than {limit} bytes"),
        )
    };
    if declared(request.headers()).is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    to_bytes(request.into_body(), limit).await.map_err(|fault| {
        let over = std::error::Error::source(&fault)
            .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        if over {
            too_large()
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "the request body did not arrive whole")
        }
    })
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
