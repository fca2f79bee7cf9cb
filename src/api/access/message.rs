//! Bodies of this API: JSON whose unknown members are ignored, and every refusal of which is a 400.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::api::body::{read, whole};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::scim::json;

/// A JSON body as the specification wants it read.
pub struct Message<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Edge> for Message<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "the Content-Type of a request is application/json",
            ));
        }
        let bytes = whole(request, edge.settings().max_body_bytes).await?;
        let value = json::parse(&bytes)?;
        read::from_value(&value).map(Self).map_err(|fault| {
            let place = fault.pointer();
            let detail = if place.is_empty() {
                fault.to_string()
            } else {
                format!("{place}: {fault}")
            };
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(sent) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let media = sent.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    media.trim().eq_ignore_ascii_case("application/json")
}
