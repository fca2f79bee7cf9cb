//! Answers that carry resources.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::borrow::Borrow;
use std::fmt::Write as _;

use super::extract::Ask;
use crate::api::problem::Problem;
use crate::scim::dialect::Applied;
use crate::scim::project::View;
use crate::service::provision::{Effect, Outcome};
use crate::service::{self, Shown};

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

/// One resource that describes the server, with the location that its `meta` tells (RFC 7643 §3.1).
#[must_use]
pub fn described(ask: &Ask, body: &Value) -> Response {
    let mut response = json(StatusCode::OK, ask.media.clone(), body.to_string());
    let location = body["meta"]["location"].as_str();
    if let Some(Ok(value)) = location.map(HeaderValue::from_str) {
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

/// Id of the hold that a change waits in for an administrator.
pub const PENDING: HeaderName = HeaderName::from_static("muster-pending");

/// 202 without a body for a change that is held: nothing is done yet.
///
/// # Errors
/// Every other refusal.
pub fn held(error: service::Error) -> Result<Response, Problem> {
    let service::Error::Fused(service::Fused::Held(hold)) = error else {
        return Err(error.into());
    };
    let mut response = StatusCode::ACCEPTED.into_response();
    if let Ok(value) = HeaderValue::from_str(&hold) {
        response.headers_mut().insert(PENDING, value);
    }
    Ok(response)
}

fn bare(status: StatusCode, ask: &Ask, shown: &Shown) -> Response {
    let mut response = status.into_response();
    tag(&mut response, shown, &shown.location(&ask.base));
    response
}

/// Names the attributes of the request that no schema knows, so that an admin sees why they do not come back.
pub const IGNORED: HeaderName = HeaderName::from_static("muster-ignored-attributes");
/// Most names in that header.
const MAX_NAMES: usize = 20;
/// Longest name in that header, in bytes.
const MAX_NAME: usize = 200;
/// Stands for what is not shown: the end of a long name, and further names.
const MORE: &str = "...";

/// Adds that header, where there is something to name.
pub fn report_ignored(response: &mut Response, ignored: &[String]) {
    let mut names: Vec<String> = ignored.iter().take(MAX_NAMES).map(|name| printable(name)).collect();
    if ignored.len() > MAX_NAMES {
        names.push(MORE.to_owned());
    }
    report_list(response, IGNORED, &names);
}

/// A name as a header can have it: it comes from the client, so whatever cannot be in the name of an attribute is
/// percent-encoded, and a long one is cut.
fn printable(name: &str) -> String {
    if name.is_empty() {
        return "\"\"".to_owned();
    }
    let mut text = String::with_capacity(name.len().min(MAX_NAME));
    for byte in name.bytes() {
        if text.len() >= MAX_NAME {
            return text + MORE;
        }
        if byte.is_ascii_alphanumeric() || b"$-_.:".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Says what became of each operation of a PATCH, where it is not all that was asked for: a list as in RFC 9651 §3.1.
pub const OPERATIONS: HeaderName = HeaderName::from_static("muster-operations");
/// Names the client habits that a request needed: departures from the RFC, which other servers may refuse.
pub const TOLERATED: HeaderName = HeaderName::from_static("muster-tolerated");
/// Most operations in the first of these.
const MAX_EFFECTS: usize = 100;

fn report_effects(response: &mut Response, shown: &Shown) {
    let word = |effect: &Effect| {
        let outcome = match effect.outcome {
            Outcome::Applied => "applied",
            Outcome::AlreadyTrue => "already-true",
            Outcome::Ignored => "ignored",
        };
        let counts = [("ignored", effect.ignored), ("kept", effect.kept)];
        let told = counts.iter().filter(|(_, count)| *count > 0);
        told.fold(outcome.to_owned(), |word, (name, count)| {
            format!("{word};{name}={count}")
        })
    };
    let told: Vec<String> = if shown.effects.iter().all(Effect::is_plain) {
        Vec::new()
    } else {
        shown.effects.iter().take(MAX_EFFECTS).map(word).collect()
    };
    report_list(response, OPERATIONS, &told);
    report_tolerated(response, &shown.tolerated);
}

fn report_tolerated(response: &mut Response, tolerated: &Applied) {
    let rules: Vec<&str> = tolerated.iter().map(|(rule, _)| rule).collect();
    report_list(response, TOLERATED, &rules);
}

/// Adds a header that lists these words, where there are any.
fn report_list<T: Borrow<str>>(response: &mut Response, name: HeaderName, words: &[T]) {
    if let (false, Ok(value)) = (words.is_empty(), HeaderValue::from_str(&words.join(", "))) {
        response.headers_mut().insert(name, value);
    }
}

/// What the operations of a bulk request came to besides their results, in sum.
#[derive(Debug)]
pub struct Told {
    /// Operations of every PATCH, by what became of them, and the attributes in them that were not applied.
    counts: [(&'static str, usize); 4],
    /// Whether all of them did what they were asked for.
    plain: bool,
    tolerated: Applied,
}

impl Told {
    /// The sum of these: what became of the operations of each PATCH, and which habits each request needed.
    pub fn of<'o>(all: impl Iterator<Item = (&'o [Effect], &'o Applied)>) -> Self {
        let (mut applied, mut already, mut ignored, mut kept) = (0, 0, 0, 0);
        let (mut plain, mut tolerated) = (true, Applied::default());
        for (effects, habits) in all {
            tolerated.join(habits);
            for effect in effects {
                match effect.outcome {
                    Outcome::Applied => applied += 1,
                    Outcome::AlreadyTrue => already += 1,
                    // What it names is counted.
                    Outcome::Ignored => {}
                }
                (ignored, kept) = (ignored + effect.ignored, kept + effect.kept);
                plain &= effect.is_plain();
            }
        }
        Self {
            counts: [
                ("applied", applied),
                ("already-true", already),
                ("ignored", ignored),
                ("kept", kept),
            ],
            plain,
            tolerated,
        }
    }

    /// Adds both headers, where there is something to say: the first is a dictionary as in RFC 9651 §3.2.
    pub fn report(&self, response: &mut Response) {
        if !self.plain {
            let counts = self.counts.iter().filter(|(_, count)| *count > 0);
            let words: Vec<String> = counts.map(|(name, count)| format!("{name}={count}")).collect();
            report_list(response, OPERATIONS, &words);
        }
        report_tolerated(response, &self.tolerated);
    }
}

fn tag(response: &mut Response, shown: &Shown, location: &str) {
    report_ignored(response, &shown.ignored);
    report_effects(response, shown);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&shown.tag()) {
        headers.insert(header::ETAG, value);
    }
    if let Ok(value) = HeaderValue::from_str(location) {
        headers.insert(header::LOCATION, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[String]) -> Option<String> {
        let mut response = StatusCode::OK.into_response();
        report_ignored(&mut response, names);
        let value = response.headers().get(IGNORED)?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn every_name_that_is_ignored_leaves_a_trace() {
        let of = |names: &[&str]| told(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["shoeSize", "urn:a:b:c.d"]).unwrap(), "shoeSize, urn:a:b:c.d");
        assert_eq!(
            of(&["é", "a b", "x,y", "50%", "\r\n", ""]).unwrap(),
            "%C3%A9, a%20b, x%2Cy, 50%25, %0D%0A, \"\""
        );
        let long = of(&[&"z".repeat(500)]).unwrap();
        assert_eq!(long, "z".repeat(200) + "...");
        let many: Vec<String> = (0..30).map(|number| format!("n{number}")).collect();
        let many = told(&many).unwrap();
        assert_eq!(many.split(", ").count(), 21);
        assert!(many.ends_with(", n19, ..."), "{many}");
    }
}
