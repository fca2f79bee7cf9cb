//! Query parameters: known ones only, each read as what it is.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::api::problem::{Code, Problem};
use crate::api::state::Edge;
use crate::api::table::Parameter;
pub use crate::base::instant::parse_instant as instant;
use crate::base::near::nearest;
use crate::service::access::Paging;
use crate::service::access::page::MAX_ITEMS;

/// Longest query string, in bytes.
const MAX_LENGTH: usize = 16 << 10;

/// Parameters of every list.
pub const PAGING: &[Parameter] = &[
    Parameter {
        name: "limit",
        says: "Most items of the page, 1 to 500; 100 when absent",
        kind: "integer",
    },
    Parameter {
        name: "after",
        says: "`next` of the page before",
        kind: "string",
    },
];

const UNKNOWN: Code = Code {
    name: "unknown-parameter",
    title: "The query has a parameter that does not exist",
};
const UNUSABLE: Code = Code {
    name: "invalid-parameter",
    title: "A query parameter cannot be used",
};

/// The query of a request, decoded; nothing of it is checked yet.
pub struct Query(Vec<(String, String)>);

impl FromRequestParts<Edge> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if query.len() > MAX_LENGTH {
            return Err(Problem::new(StatusCode::URI_TOO_LONG, "the query is too long"));
        }
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        if pairs.iter().any(|(_, value)| value.contains(['\u{fffd}', '\0'])) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "the query is not valid UTF-8 text").coded(UNUSABLE));
        }
        Ok(Self(pairs))
    }
}

impl Query {
    /// The same query, which has only these parameters, each at most once.
    ///
    /// # Errors
    /// 400 for another one, with the name that was meant, and for one that occurs twice.
    pub fn only(self, known: &[&[Parameter]]) -> Result<Self, Problem> {
        let names: Vec<&str> = known.iter().flat_map(|list| list.iter().map(|one| one.name)).collect();
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                let near = nearest(name, names.iter().copied());
                let hint = match near {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None if names.is_empty() => "; there is none here".to_owned(),
                    None => format!("; known are `{}`", names.join("`, `")),
                };
                let text = format!("there is no such query parameter{hint}");
                return Err(Problem::new(StatusCode::BAD_REQUEST, text)
                    .coded(UNKNOWN)
                    .suggesting(near)
                    .parameter(name));
            }
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(unusable(name, "the parameter is there twice"));
            }
        }
        Ok(self)
    }

    /// The text of a parameter; an empty one counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| key == name);
        values
            .next()
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The same query with another value of one parameter, encoded.
    #[must_use]
    pub fn followed_by(&self, name: &str, value: &str) -> String {
        let others = self.0.iter().filter(|(key, _)| key != name);
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair(name, value)
            .finish()
    }

    /// Which page is asked for.
    ///
    /// # Errors
    /// 400 for a `limit` that is no number from 1 to [`MAX_ITEMS`].
    pub fn paging(&self) -> Result<Paging, Problem> {
        Ok(Paging {
            after: self.text("after").map(str::to_owned),
            limit: self.limit()?,
        })
    }

    /// How many items are asked for.
    ///
    /// # Errors
    /// 400 for a `limit` that is no number from 1 to [`MAX_ITEMS`].
    pub fn limit(&self) -> Result<Option<u32>, Problem> {
        let limit = self.text("limit").map(|text| {
            let limit = text.parse().ok().filter(|limit| (1..=MAX_ITEMS).contains(limit));
            limit.ok_or_else(|| unusable("limit", &format!("a whole number from 1 to {MAX_ITEMS} belongs here")))
        });
        limit.transpose()
    }

    /// Whether something is wanted: `?name` or `?name=true`, and not when absent.
    ///
    /// # Errors
    /// 400 for anything but `true`, `false` and nothing.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        let sent = self.0.iter().find(|(key, _)| key == name);
        match sent.map(|(_, value)| value.as_str()) {
            None | Some("false") => Ok(false),
            Some("" | "true") => Ok(true),
            Some(_) => Err(unusable(name, "`true` or `false` belongs here")),
        }
    }
}

/// 400 about a parameter.
pub fn unusable(name: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
        .coded(UNUSABLE)
        .parameter(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Timestamp;

    fn query(pairs: &[(&str, &str)]) -> Query {
        Query(
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_the_name_that_was_meant() {
        let refused = query(&[("limti", "5")]).only(&[PAGING]).err().unwrap();
        assert_eq!(
            refused.detail(),
            "there is no such query parameter; did you mean `limit`?"
        );
        assert!(query(&[("limit", "1"), ("limit", "2")]).only(&[PAGING]).is_err());
    }

    #[test]
    fn a_limit_is_a_number_within_bounds() {
        let limit = |text| query(&[("limit", text)]).paging().ok().map(|paging| paging.limit);
        assert_eq!(limit(""), Some(None));
        assert_eq!(limit("7"), Some(Some(7)));
        assert_eq!(limit("0").or(limit("501")).or(limit("-1")).or(limit("x")), None);
    }

    #[test]
    fn an_instant_names_its_zone() {
        assert_eq!(instant("1970-01-01T01:00:00+01:00"), Some(Timestamp(0)));
        assert_eq!(instant("1970-01-01T00:00:00"), None);
        assert_eq!(instant("1970-01-01"), None);
    }
}
