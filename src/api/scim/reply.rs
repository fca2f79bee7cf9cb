//! Answers that carry resources.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::extract::Ask;
use crate::scim::project::View;
use crate::service::Shown;

/// A JSON answer in the negotiated media type.
#[must_use]
pub fn json(status: StatusCode, media: HeaderValue, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, media)], body).into_response()
}

/// One resource with its tag and its locations, equal in headers and `meta`.
#[must_use]
pub fn resource(status: StatusCode, ask: &Ask, view: &View, shown: &Shown) -> Response {
    let location = shown.location(&ask.base);
    let mut response = json(status, ask.media.clone(), shown.render(&ask.base, view));
    tag(&mut response, shown, &location);
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::CONTENT_LOCATION, value);
    }
    response
}

/// No body, but the headers by which the client learns the new version.
#[must_use]
pub fn no_content(ask: &Ask, shown: &Shown) -> Response {
    bare(StatusCode::NO_CONTENT, ask, shown)
}

/// 304: what the client holds is current.
#[must_use]
pub fn not_modified(ask: &Ask, shown: &Shown) -> Response {
    bare(StatusCode::NOT_MODIFIED, ask, shown)
}

fn bare(status: StatusCode, ask: &Ask, shown: &Shown) -> Response {
    let mut response = status.into_response();
    tag(&mut response, shown, &shown.location(&ask.base));
    response
}

fn tag(response: &mut Response, shown: &Shown, location: &str) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&shown.tag()) {
        headers.insert(header::ETAG, value);
    }
    if let Ok(value) = HeaderValue::from_str(location) {
        headers.insert(header::LOCATION, value);
    }
}
