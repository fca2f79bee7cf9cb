//! Words that several answers share: instants, names, paths, lists that a change leaves alone.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use super::query::instant;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::base::clock::Timestamp;
use crate::service::access;

/// An instant, as RFC 3339 text with its zone.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || de::Error::custom("an instant such as 2026-01-31T12:00:00Z belongs here");
        instant(&text).map(Self).ok_or_else(wrong)
    }
}

/// An instant that may be absent.
#[must_use]
pub fn at(instant: Option<Timestamp>) -> Option<Instant> {
    instant.map(Instant)
}

/// The instant that a request gives, if any.
#[must_use]
pub fn given(instant: Option<Instant>) -> Option<Timestamp> {
    instant.map(|instant| instant.0)
}

/// For a member that `null` takes away and absence leaves alone: with `serde(default)`, tells the two apart.
///
/// # Errors
/// What the value itself is refused for.
#[expect(clippy::option_option, reason = "absent, null and a value are three things to say")]
pub fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Id and name of something.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    /// On the wire.
    pub id: String,
    /// For people.
    pub name: String,
}

impl From<access::Named> for Named {
    fn from(named: access::Named) -> Self {
        Self {
            id: named.id,
            name: named.name,
        }
    }
}

/// A record of the product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What it is, in the product's words; without a colon.
    pub kind: String,
    /// Its id in the product.
    pub id: String,
}

/// Where a role counts: a scope, or one record.
#[derive(Debug, Serialize, ToSchema)]
pub struct Place {
    /// Id of a scope, `all` for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_name: Option<String>,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

impl From<access::Place> for Place {
    fn from(place: access::Place) -> Self {
        let (scope, scope_name, record) = match place {
            access::Place::All => (Some(access::names::ALL.to_owned()), Some("All".to_owned()), None),
            access::Place::Scope(named) => (Some(named.id), Some(named.name), None),
            access::Place::Record { kind, id } => (None, None, Some(Record { kind, id })),
        };
        Self {
            scope,
            scope_name,
            record,
        }
    }
}

/// Longest segment of a path that can be an id; anything longer names nothing.
const MAX_SEGMENT_CHARS: usize = 256;

/// The parts of the path that differ from request to request.
pub struct Segments(HashMap<String, String>);

impl FromRequestParts<Edge> for Segments {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let missing = || Problem::new(StatusCode::NOT_FOUND, "there is no such endpoint or resource");
        let Path(found) = Path::<HashMap<String, String>>::from_request_parts(parts, edge)
            .await
            .map_err(|_| missing())?;
        let fits = |text: &String| text.chars().count() <= MAX_SEGMENT_CHARS && !text.contains('\0');
        if found.values().all(fits) {
            Ok(Self(found))
        } else {
            Err(missing())
        }
    }
}

impl Segments {
    /// The segment at this place of the route's path.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The segment `{id}`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.get("id")
    }
}

/// 201, and where the new thing is.
pub fn created(location: &str, body: impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
