//! What a run makes: where it is, and by what name it is found when the server did not say where.

use serde_json::Value;

use super::exchange::Exchange;

/// Something to delete, and as whom.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// The request target.
    pub path: String,
    pub auth: Option<String>,
}

/// Something that may have been made: nobody answered, or the answer does not say where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unsure {
    /// The request target of the endpoint.
    pub endpoint: String,
    pub attribute: &'static str,
    pub name: String,
    pub auth: Option<String>,
}

/// The attributes that name a user and a group.
const NAMES: [&str; 2] = ["userName", "displayName"];

/// The places of what an exchange made: below the endpoint that was asked, whatever address `Location` gives it. A
/// server behind another one may not know its own.
pub(super) fn places(exchange: &Exchange) -> Vec<String> {
    let is_good = (200..300).contains(&exchange.status);
    if exchange.method != "POST" || !is_good || !exchange.json.is_object() {
        return Vec::new();
    }
    let asked = asked(&exchange.path);
    if let Some(operations) = exchange.member("Operations").and_then(Value::as_array) {
        let base = asked.rsplit_once('/').map_or("", |(base, _)| base);
        let is_made = |done: &&Value| done["method"] == "POST" && is_success(&done["status"]);
        let made = operations.iter().filter(is_made);
        return made
            .filter_map(|done| {
                let (before, id) = split(done["location"].as_str()?)?;
                let (_, endpoint) = before.rsplit_once('/').unwrap_or(("", before));
                Some(format!("{base}/{endpoint}/{id}"))
            })
            .collect();
    }
    if is_search(asked) || exchange.member("Resources").is_some() {
        return Vec::new();
    }
    let id = exchange
        .member("id")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty());
    let id = id.map(segment);
    let id = id.or_else(|| exchange.location().and_then(split).map(|(_, id)| id.to_owned()));
    id.map(|id| format!("{asked}/{id}")).into_iter().collect()
}

/// What a POST of this body may have made, by names that are of this run: they hold its `mark`. Nobody else's resource is
/// looked for.
pub(super) fn unsure(path: &str, body: &[u8], mark: &str, auth: Option<&String>) -> Vec<Unsure> {
    let asked = asked(path);
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    let one = |endpoint: String, body: &Value| {
        let named = |attribute: &'static str| {
            let members = body.as_object()?.iter();
            let mut members = members.filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
            let name = members.next()?.1.as_str().filter(|name| name.contains(mark))?;
            Some((attribute, name.to_owned()))
        };
        NAMES.into_iter().find_map(named).map(|(attribute, name)| Unsure {
            endpoint,
            attribute,
            name,
            auth: auth.cloned(),
        })
    };
    if let Some(operations) = body["Operations"].as_array() {
        let base = asked.rsplit_once('/').map_or("", |(base, _)| base);
        let makes = operations.iter().filter(|operation| operation["method"] == "POST");
        return makes
            .filter_map(|operation| {
                let endpoint = operation["path"].as_str()?.trim_matches('/');
                one(format!("{base}/{endpoint}"), &operation["data"])
            })
            .collect();
    }
    if is_search(asked) {
        return Vec::new();
    }
    one(asked.to_owned(), &body).into_iter().collect()
}

/// Whether a POST makes something, if it does anything.
pub(super) fn is_search(path: &str) -> bool {
    path.ends_with("/.search")
}

/// The target without its query.
fn asked(path: &str) -> &str {
    path.split('?').next().unwrap_or_default().trim_end_matches('/')
}

/// What is before the last segment of an address, and that segment.
fn split(address: &str) -> Option<(&str, &str)> {
    let path = address
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/');
    path.rsplit_once('/').filter(|(_, id)| !id.is_empty())
}

/// The status of an operation of bulk: text, as it ought to be, or number.
fn is_success(status: &Value) -> bool {
    match status {
        Value::String(text) => text.starts_with('2'),
        Value::Number(number) => number.as_u64().is_some_and(|number| (200..300).contains(&number)),
        other => other.get("code").is_some_and(is_success),
    }
}

/// An id as a segment of a path.
pub(super) fn segment(id: &str) -> String {
    quoted(id, "~!$&'()*+,;=:@")
}

/// Percent-encoded but for letters, digits, `-._~` and these.
pub(super) fn quoted(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || (byte.is_ascii() && safe.contains(c)) {
            out.push(c);
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)])));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answered(path: &str, status: u16, body: &Value, location: Option<&str>) -> Vec<String> {
        places(&Exchange {
            method: "POST".to_owned(),
            path: path.to_owned(),
            status,
            headers: location
                .map(|at| ("location".to_owned(), at.to_owned()))
                .into_iter()
                .collect(),
            json: body.clone(),
            ..Exchange::default()
        })
    }

    #[test]
    fn what_was_made_is_below_the_endpoint_that_was_asked() {
        let elsewhere = Some("https://public.example/tenant/scim/v2/Users/1");
        assert_eq!(
            answered("/v2/Users?attributes=id", 201, &json!({"id": "1"}), elsewhere),
            ["/v2/Users/1"]
        );
        assert_eq!(answered("/v2/Users", 200, &json!({}), Some("Users/1")), ["/v2/Users/1"]);
        assert_eq!(
            answered("/v2/Users", 201, &json!({"id": "a/b?"}), None),
            ["/v2/Users/a%2Fb%3F"]
        );
        let none = Vec::<String>::new();
        assert_eq!(answered("/v2/Users", 409, &json!({"id": "1"}), elsewhere), none);
        assert_eq!(answered("/v2/Users/.search", 200, &json!({"id": "1"}), None), none);
        assert_eq!(answered("/v2/Users", 201, &json!({}), None), none);
    }

    #[test]
    fn what_a_bulk_request_did_not_make_is_not_deleted() {
        let done = |status: Value| json!({"method": "POST", "status": status, "location": "https://x/t/v2/Users/1"});
        let answer = |status: Value| answered("/v2/Bulk", 200, &json!({"Operations": [done(status)]}), None);
        for status in [json!("201"), json!(201), json!({"code": "201"})] {
            assert_eq!(answer(status), ["/v2/Users/1"]);
        }
        for status in [json!("409"), json!(409), Value::Null] {
            assert_eq!(answer(status), Vec::<String>::new());
        }
    }

    #[test]
    fn what_may_have_been_made_is_looked_for_by_names_of_this_run() {
        let found = |path: &str, body: &Value| {
            let found = unsure(path, body.to_string().as_bytes(), "q1-", None).into_iter();
            found
                .map(|one| (one.endpoint, one.attribute, one.name))
                .collect::<Vec<_>>()
        };
        let user = json!({"USERNAME": "q1-2@example.com"});
        let wanted = |endpoint: &str| vec![(endpoint.to_owned(), "userName", "q1-2@example.com".to_owned())];
        assert_eq!(found("/v2/Users?a=b", &user), wanted("/v2/Users"));
        let bulk = json!({"Operations": [{"method": "POST", "path": "/Users", "data": user}, {"method": "DELETE"}]});
        assert_eq!(found("/v2/Bulk", &bulk), wanted("/v2/Users"));
        assert_eq!(found("/v2/Users", &json!({"userName": "ada"})), Vec::new());
    }
}
