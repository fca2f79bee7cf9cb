//! The messages around resources: errors, lists, queries (RFC 7644 §3.4.2, §3.4.3, §3.12; RFC 9865).

use serde_json::{Map, Value, json};

use super::Error;

/// URN of an error body.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// URN of a list of resources.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// URN of a query in a body.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// URN of a bulk request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// URN of the answer to one.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// URN of a PATCH body.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The body of an error answer; `status` is text (RFC 7644 §3.12).
#[must_use]
pub fn error_body(error: &Error) -> Value {
    let mut body = json!({ "schemas": [ERROR] });
    if let Some(keyword) = error.scim_type {
        body["scimType"] = keyword.as_str().into();
    }
    body["detail"] = error.detail.as_str().into();
    body["status"] = error.status.to_string().into();
    body
}

/// What a list answer says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Number of matches, whatever the page holds.
    pub total: u64,
    /// 1-based position of the first resource; `None` with cursors.
    pub start_index: Option<u64>,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<String>,
    /// Where the page before begins; `None` on the first one.
    pub previous_cursor: Option<String>,
}

/// The text of a `ListResponse` around resources that are JSON text already; they are copied and not read.
#[must_use]
pub fn list_response(page: &Page, resources: &[String]) -> String {
    let length: usize = resources.iter().map(|resource| resource.len() + 1).sum();
    let mut text = String::with_capacity(length + 256);
    text.push_str("{\"schemas\":[\"");
    text.push_str(LIST_RESPONSE);
    text.push_str("\"],\"totalResults\":");
    text.push_str(&page.total.to_string());
    text.push_str(",\"itemsPerPage\":");
    text.push_str(&resources.len().to_string());
    if let Some(start) = page.start_index {
        text.push_str(",\"startIndex\":");
        text.push_str(&start.to_string());
    }
    for (name, cursor) in [
        ("previousCursor", &page.previous_cursor),
        ("nextCursor", &page.next_cursor),
    ] {
        if let Some(cursor) = cursor {
            text.push_str(",\"");
            text.push_str(name);
            text.push_str("\":");
            text.push_str(&Value::from(cursor.as_str()).to_string());
        }
    }
    text.push_str(",\"Resources\":[");
    for (index, resource) in resources.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(resource);
    }
    text.push_str("]}");
    text
}

/// Direction of a sorted list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// Smallest first, resources without the value last.
    #[default]
    Ascending,
    /// Largest first, resources without the value first.
    Descending,
}

/// A query, from the parameters of a GET or from the body of a `.search`; both mean the same (RFC 7644 §3.4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Filter text, not parsed yet; empty text was given and is no filter.
    pub filter: Option<String>,
    /// Attribute path to sort by, not parsed yet.
    pub sort_by: Option<String>,
    /// Direction; ascending when not given.
    pub sort_order: SortOrder,
    /// 1-based position of the first resource wanted; at least 1.
    pub start_index: u64,
    /// Whether `startIndex` was given: it does not go together with a cursor, which is refused.
    pub start_index_given: bool,
    /// Largest number of resources wanted; 0 asks for the total alone; `None` leaves it to the server.
    pub count: Option<u64>,
    /// Attributes wanted, as typed.
    pub attributes: Option<Vec<String>>,
    /// Attributes not wanted, as typed.
    pub excluded: Option<Vec<String>>,
    /// Position in a cursor-paged list; empty text starts one (RFC 9865 §2).
    pub cursor: Option<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            filter: None,
            sort_by: None,
            sort_order: SortOrder::Ascending,
            start_index: 1,
            start_index_given: false,
            count: None,
            attributes: None,
            excluded: None,
            cursor: None,
        }
    }
}

impl Query {
    /// Reads decoded query parameters; names in any letter case, unknown ones ignored.
    ///
    /// # Errors
    /// `invalidValue` for a number or an order that is none, and for a parameter given twice.
    pub fn from_pairs<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, Error> {
        let mut query = Self::default();
        let mut count = None;
        let mut seen: Vec<&'static str> = Vec::new();
        for (key, value) in pairs {
            let (Some(name), text) = (parameter(key.as_ref()), value.as_ref()) else {
                continue;
            };
            if seen.contains(&name) {
                return Err(Error::invalid_value(format!("`{name}` is given twice")));
            }
            seen.push(name);
            match name {
                "filter" => query.filter = Some(text.to_owned()),
                "sortBy" => query.sort_by = one(text)?,
                "sortOrder" => query.sort_order = order(text)?,
                "startIndex" => query.set_start(number(name, text)?),
                "count" => count = Some(number(name, text)),
                "attributes" => query.attributes = given(words(text)),
                "excludedAttributes" => query.excluded = given(words(text)),
                _ => query.cursor = Some(text.to_owned()),
            }
        }
        query.paged(count)
    }

    /// Reads the body of a `.search`; member names in any letter case, unknown ones ignored, `null` counts as absent.
    ///
    /// # Errors
    /// `invalidSyntax` when the body is no `SearchRequest`, `invalidValue` when a member has the wrong type.
    pub fn from_search(body: &Value) -> Result<Self, Error> {
        let members = message(body, SEARCH_REQUEST)?;
        let mut query = Self::default();
        let mut count = None;
        for (key, value) in members {
            let Some(name) = parameter(key).filter(|_| !value.is_null()) else {
                continue;
            };
            match name {
                "filter" => query.filter = Some(text(name, value)?.to_owned()),
                "sortBy" => query.sort_by = one(text(name, value)?)?,
                "sortOrder" => query.sort_order = order(text(name, value)?)?,
                "startIndex" => query.set_start(integer(name, value)?),
                "count" => count = Some(integer(name, value)),
                "attributes" => query.attributes = given(list(name, value)?),
                "excludedAttributes" => query.excluded = given(list(name, value)?),
                _ => query.cursor = Some(text(name, value)?.to_owned()),
            }
        }
        query.paged(count)
    }

    /// The same with the size of a page: what is wrong with that has another name where a cursor is given.
    fn paged(mut self, count: Option<Result<i64, Error>>) -> Result<Self, Error> {
        if self.cursor.is_some() && self.start_index_given {
            return Err(Error::invalid_value(
                "`cursor` and `startIndex` are two ways to page; give one of them",
            ));
        }
        self.count = match count {
            Some(Err(fault)) if self.cursor.is_some() => return Err(Error::invalid_count(fault.detail)),
            count => count.transpose()?.map(|count| at_least(0, count)),
        };
        Ok(self)
    }

    fn set_start(&mut self, position: i64) {
        self.start_index = at_least(1, position);
        self.start_index_given = true;
    }
}

/// The members of a message body that carries the given URN, after the checks every message needs.
///
/// # Errors
/// `invalidSyntax` when the body is no object, has a member twice in different letter case, or lacks the URN.
pub fn message<'a>(body: &'a Value, urn: &str) -> Result<&'a Map<String, Value>, Error> {
    let kind = urn.rsplit(':').next().unwrap_or(urn);
    let Value::Object(members) = body else {
        return Err(Error::invalid_syntax(format!(
            "the body of a `{kind}` is a JSON object"
        )));
    };
    unambiguous(members)?;
    let listed = member(members, "schemas")
        .and_then(Value::as_array)
        .is_some_and(|urns| {
            urns.iter()
                .filter_map(Value::as_str)
                .any(|given| given.eq_ignore_ascii_case(urn))
        });
    if listed {
        Ok(members)
    } else {
        Err(Error::invalid_syntax(format!("`schemas` has to hold `{urn}`")))
    }
}

/// The member of this name, in any letter case.
#[must_use]
pub fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).or_else(|| {
        members
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

/// Refuses an object in which two names differ by letter case alone: names are case-insensitive (RFC 7643 §2.1), so
/// which of the two is meant cannot be known.
///
/// # Errors
/// `invalidSyntax` naming the member.
pub fn unambiguous(members: &Map<String, Value>) -> Result<(), Error> {
    // Most objects are so small that comparing all pairs is quicker than sorting.
    let twice = if members.len() <= 16 {
        let pairs = members
            .keys()
            .enumerate()
            .flat_map(|(index, one)| members.keys().skip(index + 1).map(move |two| (one, two)));
        pairs
            .filter(|(one, two)| one.eq_ignore_ascii_case(two))
            .map(|(one, _)| one.to_ascii_lowercase())
            .next()
    } else {
        let mut names: Vec<String> = members.keys().map(|key| key.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names
            .windows(2)
            .find(|pair| pair[0] == pair[1])
            .map(|pair| pair[0].clone())
    };
    match twice {
        Some(name) => Err(Error::invalid_syntax(format!(
            "`{name}` is given twice in different letter case"
        ))),
        None => Ok(()),
    }
}

/// The proper spelling of a query parameter we know.
fn parameter(key: &str) -> Option<&'static str> {
    let known = [
        "filter",
        "sortBy",
        "sortOrder",
        "startIndex",
        "count",
        "attributes",
        "excludedAttributes",
        "cursor",
    ];
    known.into_iter().find(|name| name.eq_ignore_ascii_case(key))
}

fn order(text: &str) -> Result<SortOrder, Error> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("ascending") => Ok(SortOrder::Ascending),
        text if text.eq_ignore_ascii_case("descending") => Ok(SortOrder::Descending),
        _ => Err(Error::invalid_value("`sortOrder` is `ascending` or `descending`")),
    }
}

/// An integer in text; one that is too large for the machine becomes the largest there is.
fn number(name: &str, text: &str) -> Result<i64, Error> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_an_integer(name));
    }
    Ok(text
        .parse()
        .unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

fn integer(name: &str, value: &Value) -> Result<i64, Error> {
    match value.as_i64() {
        Some(number) => Ok(number),
        None if value.is_u64() => Ok(i64::MAX),
        None => Err(not_an_integer(name)),
    }
}

fn not_an_integer(name: &str) -> Error {
    Error::invalid_value(format!("`{name}` is not an integer"))
}

/// RFC 7644 Table 6: a smaller number acts as the smallest allowed one.
fn at_least(floor: u64, number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0).max(floor)
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str, Error> {
    value
        .as_str()
        .ok_or_else(|| Error::invalid_value(format!("`{name}` is not text")))
}

fn list(name: &str, value: &Value) -> Result<Vec<String>, Error> {
    let wrong = || Error::invalid_value(format!("`{name}` is not an array of attribute names"));
    let names = value.as_array().ok_or_else(wrong)?;
    names
        .iter()
        .map(|name| name.as_str().map(|name| name.trim().to_owned()).ok_or_else(wrong))
        .collect()
}

/// Names separated by commas, with or without blanks.
fn words(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The name of one attribute, or none; a list is sorted by one (RFC 7644 §3.4.2.3).
fn one(text: &str) -> Result<Option<String>, Error> {
    let mut names = words(text).into_iter();
    match (names.next(), names.next()) {
        (_, Some(_)) => Err(Error::invalid_path("`sortBy` names one attribute, not a list")),
        (name, None) => Ok(name),
    }
}

/// An empty list of names is no list (RFC 7643 §2.5).
fn given(names: Vec<String>) -> Option<Vec<String>> {
    Some(names).filter(|names| !names.is_empty())
}

#[cfg(test)]
mod tests;
