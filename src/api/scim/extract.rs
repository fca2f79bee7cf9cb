//! What a SCIM request asks for besides its body.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

use super::negotiate;
use crate::api::body::whole;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::base::id::ResourceId;
use crate::scim::dialect::Dialect;
use crate::scim::message::Query;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::scim::{self, json};
use crate::service::{Authority, Caller, Error, IfMatch, Wanted};

/// Where this request entered, as an absolute URL without a slash at the end.
#[derive(Debug, Clone)]
pub struct Mount {
    /// E.g. `https://muster.example/scim/v2`.
    pub base: String,
}

impl FromRequestParts<Edge> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::unauthorized(None))
    }
}

/// The last segment of a path below `/Schemas`, `/ResourceTypes` or `/AsyncResults`.
pub struct Named(pub String);

impl FromRequestParts<Edge> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let missing = || Problem::new(StatusCode::NOT_FOUND, "there is nothing of this name");
        let Path(mut path) = Path::<HashMap<String, String>>::from_request_parts(parts, edge)
            .await
            .map_err(|_| missing())?;
        path.remove("name").map(Self).ok_or_else(missing)
    }
}

/// The resource type that the endpoint segment names, and the id, where the path has one.
pub struct Target {
    /// Type of the endpoint.
    pub kind: Arc<ResourceType>,
    /// Id as the client wrote it.
    pub id: Option<ResourceId>,
}

/// Longest id that can be one of ours; anything longer names nothing.
const MAX_ID_LENGTH: usize = 128;

impl FromRequestParts<Edge> for Target {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let missing = || Problem::new(StatusCode::NOT_FOUND, "there is no such endpoint or resource");
        let Path(path) = Path::<HashMap<String, String>>::from_request_parts(parts, edge)
            .await
            .map_err(|_| missing())?;
        let endpoint = path.get("endpoint").ok_or_else(missing)?;
        let caller = parts.extensions.get::<Caller>();
        let caller = caller.ok_or_else(|| Problem::unauthorized(None))?;
        let kind = caller.type_at(endpoint).cloned().ok_or_else(missing)?;
        let id = match path.get("id") {
            Some(id) if id.len() > MAX_ID_LENGTH || id.contains('\0') => return Err(missing()),
            Some(id) => Some(ResourceId::new(id.as_str())),
            None => None,
        };
        Ok(Self { kind, id })
    }
}

/// The same of a type whose resources clients write: 405 for the others, whose resources follow from what is decided
/// elsewhere.
pub struct Writable(pub Target);

impl FromRequestParts<Edge> for Writable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let target = Target::from_request_parts(parts, edge).await?;
        if target.kind.is_read_only() {
            let detail = format!("resources of the type `{}` can only be read", target.kind.name());
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).with(header::ALLOW, "GET,HEAD"));
        }
        Ok(Self(target))
    }
}

impl Target {
    /// The id of a path that has one.
    ///
    /// # Errors
    /// 404 when it has none.
    pub fn id(&self) -> Result<&ResourceId, Problem> {
        self.id
            .as_ref()
            .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such resource"))
    }
}

/// The account of whoever asks: the target of `/Me` (RFC 7644 §3.11).
pub struct Own(pub Target);

impl FromRequestParts<Edge> for Own {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, edge).await?;
        let Authority::User(id) = caller.authority() else {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "this token is not one of a user, so there is nobody that `/Me` could be",
            ));
        };
        let users = caller.type_at("Users").cloned();
        let kind = users.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such endpoint"))?;
        Ok(Self(Target {
            kind,
            id: Some(ResourceId::new(id.as_str())),
        }))
    }
}

/// Headers and query of a request, read once.
pub struct Ask {
    /// Base URL for locations.
    pub base: String,
    /// Media type of the answer.
    pub media: HeaderValue,
    /// Query parameters, decoded.
    pub params: Vec<(String, String)>,
    /// Client habits in force.
    pub dialect: Option<Dialect>,
    /// `If-Match`.
    if_match: IfMatch,
    /// What `If-Match` and `If-None-Match` leave for a change.
    pub precondition: IfMatch,
    /// `If-None-Match`.
    if_none_match: IfMatch,
}

impl FromRequestParts<Edge> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, Problem> {
        let base = parts
            .extensions
            .get::<Mount>()
            .map(|mount| mount.base.clone())
            .unwrap_or_default();
        let if_match = tags(&parts.headers, &header::IF_MATCH);
        let if_none_match = tags(&parts.headers, &header::IF_NONE_MATCH);
        Ok(Self {
            base,
            media: negotiate::answer_type(&parts.headers)?,
            params: params(parts.uri.query().unwrap_or_default())?,
            dialect: parts.extensions.get::<Dialect>().copied(),
            precondition: if_match.clone().unless(&if_none_match),
            if_match,
            if_none_match,
        })
    }
}

impl Ask {
    /// The query that the parameters make.
    ///
    /// # Errors
    /// 400 for a number or an order that is none.
    pub fn query(&self) -> Result<Query, Problem> {
        Ok(Query::from_pairs(self.params.iter().map(|(key, value)| (key, value)))?)
    }

    /// Whether the client has this version, by `If-None-Match`.
    ///
    /// # Errors
    /// 412 for a version that `If-Match` does not name, which is looked at first (RFC 9110 §13.2.2).
    pub fn has_version(&self, version: i64) -> Result<bool, Problem> {
        if self.if_match.allows(version) {
            Ok(self.if_none_match.holds(version))
        } else {
            Err(Error::Stale.into())
        }
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The projection that the query asks for.
    ///
    /// # Errors
    /// 400 when it asks for both kinds at once.
    pub fn view(&self, kind: &ResourceType) -> Result<View, Problem> {
        let query = self.query()?;
        Ok(View::from_lists(
            query.attributes.as_deref(),
            query.excluded.as_deref(),
            &[kind],
        )?)
    }

    /// What a conditional change names besides its body.
    ///
    /// # Errors
    /// 404 for a path without an id.
    pub fn wanted<'a>(&'a self, target: &'a Target, view: &'a View) -> Result<Wanted<'a>, Problem> {
        Ok(Wanted {
            dialect: self.dialect()?,
            kind: &target.kind,
            id: target.id()?,
            if_match: &self.precondition,
            view,
        })
    }

    /// The dialect, which every authenticated request has.
    ///
    /// # Errors
    /// 401 without one.
    pub fn dialect(&self) -> Result<&Dialect, Problem> {
        self.dialect.as_ref().ok_or_else(|| Problem::unauthorized(None))
    }
}

/// Longest query string: a filter of the greatest length, percent-encoded.
const MAX_QUERY_LENGTH: usize = 64 << 10;

/// Decoded pairs of a query string; `+` is a blank.
fn params(query: &str) -> Result<Vec<(String, String)>, Problem> {
    if query.len() > MAX_QUERY_LENGTH {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            "the query is too long; send it to /.search",
        ));
    }
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let broken = |text: &String| text.contains('\u{fffd}') || text.contains('\0');
    if pairs
        .iter()
        .any(|(key, value)| key.eq_ignore_ascii_case("cursor") && broken(value))
    {
        return Err(scim::Error::invalid_cursor().into());
    }
    if pairs.iter().any(|(key, value)| broken(key) || broken(value)) {
        return Err(scim::Error::invalid_value("the query holds characters that are not valid UTF-8 text").into());
    }
    Ok(pairs)
}

/// Entity tags of a conditional header (RFC 9110 §13.1); several headers count as one list.
fn tags(headers: &HeaderMap, name: &header::HeaderName) -> IfMatch {
    let mut values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .peekable();
    if values.peek().is_none() {
        return IfMatch::Absent;
    }
    IfMatch::of_tags(values.flat_map(|value| value.split(',')))
}

/// A JSON request body within its limits.
pub struct Body(pub Value);

impl FromRequest<Edge> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Problem> {
        negotiate::body_type(request.headers())?;
        let bytes = whole(request, edge.settings().max_body_bytes).await?;
        Ok(Self(json::parse(&bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(value: &str) -> IfMatch {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_str(value).unwrap());
        tags(&headers, &header::IF_MATCH)
    }

    #[test]
    fn weak_and_strong_tags_compare_by_their_opaque_value() {
        assert_eq!(if_match(r#"W/"3", "4""#), IfMatch::Versions(vec![3, 4]));
        assert_eq!(if_match("*"), IfMatch::Any);
        assert_eq!(if_match(r#"W/"stale""#), IfMatch::Versions(vec![]));
        assert_eq!(if_match(r#"W/"03""#), IfMatch::Versions(vec![]));
    }

    #[test]
    fn a_plus_in_a_query_is_a_blank() {
        assert_eq!(params("filter=a+eq%2B").ok().unwrap()[0].1, "a eq+");
        assert!(params("filter=%ff").is_err());
    }
}
