//! Media types in and out (RFC 7644 §3.8).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::api::problem::Problem;

/// What SCIM answers are, unless the client can only take plain JSON.
pub const SCIM_JSON: &str = "application/scim+json";
const JSON: &str = "application/json";

/// The media type of the answer: `application/scim+json`, or `application/json` for a client that names only that.
///
/// # Errors
/// 406 when the `Accept` header allows neither.
pub fn answer_type(headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    let ranges = headers.get_all(header::ACCEPT);
    let ranges: Vec<&str> = ranges
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    if ranges.iter().all(|range| range.trim().is_empty()) {
        return Ok(HeaderValue::from_static(SCIM_JSON));
    }
    let mut plain = false;
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        if parts.any(is_zero_weight) {
            continue;
        }
        match media.as_str() {
            SCIM_JSON | "*/*" | "application/*" => return Ok(HeaderValue::from_static(SCIM_JSON)),
            JSON => plain = true,
            _ => {}
        }
    }
    if plain {
        return Ok(HeaderValue::from_static(JSON));
    }
    Err(Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "answers are application/scim+json or application/json; the Accept header allows neither",
    ))
}

/// `q=0`, `q=0.000`: not acceptable (RFC 9110 §12.4.2).
fn is_zero_weight(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    weight
        .and_then(|weight| weight.parse::<f32>().ok())
        .is_some_and(|weight| weight <= 0.0)
}

/// Whether the body may be read as JSON: both JSON types, with any parameters, or no type at all.
///
/// # Errors
/// 415 for any other media type.
pub fn body_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let media = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if media == SCIM_JSON || media == JSON {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "a request body must be application/scim+json or application/json",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(accept: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        answer_type(&headers)
            .ok()
            .map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn plain_json_is_sent_only_to_who_asks_for_nothing_else() {
        assert_eq!(answer("application/json").as_deref(), Some(JSON));
        assert_eq!(
            answer("application/json, application/scim+json;q=0.5").as_deref(),
            Some(SCIM_JSON)
        );
        assert_eq!(answer("text/html, */*;q=0.1").as_deref(), Some(SCIM_JSON));
        assert_eq!(answer("").as_deref(), Some(SCIM_JSON));
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        assert_eq!(answer("text/xml"), None);
        assert_eq!(answer("application/scim+json;q=0"), None);
    }
}
