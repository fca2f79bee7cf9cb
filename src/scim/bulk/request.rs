//! The body of a bulk request (RFC 7644 §3.7).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::reference::BULK_ID;
use crate::base::id::ResourceId;
use crate::scim::message::{BULK_REQUEST, member, message, unambiguous};
use crate::scim::{Error, Verb};

/// Longest `bulkId`, in bytes: clients send counters and UUIDs.
const LONGEST_BULK_ID: usize = 256;
/// Longest id that can be one of ours; anything longer names nothing.
const LONGEST_ID: usize = 128;

/// A bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Errors after which nothing more is done; none where it always goes on.
    pub fail_on_errors: Option<usize>,
    /// What it asks for, in its order.
    pub operations: Vec<Operation>,
}

/// One operation: what its result repeats, and what it asks for or why that cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Method as the client wrote it; empty where there is none.
    pub method: String,
    /// What the client calls it.
    pub bulk_id: Option<String>,
    /// Of what changes or deletes: the path as the client wrote it, where that names anything that may be there.
    pub path: Option<String>,
    /// What it asks for.
    pub asked: Result<Asked, Error>,
}

/// What an operation asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// What to do.
    pub verb: Verb,
    /// Where, e.g. `Users`.
    pub endpoint: String,
    /// To what; none where something is made.
    pub name: Option<Name>,
    /// The version it may be done to.
    pub version: Option<String>,
    /// The body that a single request would have; `null` of one that deletes.
    pub data: Value,
}

/// What the path of an operation names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// What has this id.
    Id(ResourceId),
    /// What the operation with this `bulkId` makes.
    Made(String),
}

/// Reads a bulk request. What is wrong with one operation is told in its place.
///
/// # Errors
/// `invalidSyntax` for what is no `BulkRequest`, `invalidValue` for a wrong `failOnErrors` or a `bulkId` that is given
/// twice, status 413 for more than `most` operations.
pub fn parse(body: Value, most: usize) -> Result<Request, Error> {
    message(&body, BULK_REQUEST)?;
    let Value::Object(mut members) = body else {
        return Err(Error::invalid_syntax("the body of a `BulkRequest` is a JSON object"));
    };
    let fail_on_errors = match take(&mut members, "failOnErrors") {
        None => None,
        Some(value) => Some(count(&value)?),
    };
    let Some(Value::Array(listed)) = take(&mut members, "Operations") else {
        return Err(Error::invalid_syntax("`Operations` has to be an array of operations"));
    };
    if listed.len() > most {
        let detail = format!(
            "the request has {} operations and may have {most}, the `maxOperations` of bulk requests",
            listed.len()
        );
        return Err(Error::plain(413, detail));
    }
    let operations: Vec<Operation> = listed.into_iter().map(operation).collect();
    let mut seen = HashSet::new();
    for (index, operation) in operations.iter().enumerate() {
        if let Some(bulk_id) = &operation.bulk_id
            && !seen.insert(bulk_id.as_str())
        {
            let detail = format!("the `bulkId` of operation {} is given twice", index + 1);
            return Err(Error::invalid_value(detail));
        }
    }
    Ok(Request {
        fail_on_errors,
        operations,
    })
}

fn count(value: &Value) -> Result<usize, Error> {
    let count = value.as_u64().filter(|count| *count > 0);
    let count = count.ok_or_else(|| Error::invalid_value("`failOnErrors` is a whole number from 1 up"))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Takes the member of this name out, in any letter case; `null` counts as absent.
fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = members.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()?;
    members.swap_remove(&key).filter(|value| !value.is_null())
}

fn operation(value: Value) -> Operation {
    let Value::Object(mut parts) = value else {
        return Operation {
            method: String::new(),
            bulk_id: None,
            path: None,
            asked: Err(Error::invalid_syntax("an operation has to be a JSON object")),
        };
    };
    let clear = unambiguous(&parts);
    let method = take(&mut parts, "method");
    let bulk_id = take(&mut parts, "bulkId");
    Operation {
        method: method.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(),
        bulk_id: bulk_id.as_ref().and_then(Value::as_str).map(str::to_owned),
        path: clear.is_ok().then(|| shown(method.as_ref(), &parts)).flatten(),
        asked: clear.and_then(|()| asked(method.as_ref(), bulk_id.as_ref(), parts)),
    }
}

/// The path that the result of an operation repeats as its `location`, whatever is wrong with the rest.
fn shown(method: Option<&Value>, parts: &Map<String, Value>) -> Option<String> {
    let creates = method.and_then(Value::as_str).and_then(Verb::parse) == Some(Verb::Post);
    let path = member(parts, "path")?.as_str()?;
    let relative = path.strip_prefix('/').unwrap_or(path);
    let names_made = relative.split('/').any(|part| part.starts_with(BULK_ID));
    (!creates && !names_made && !relative.is_empty()).then(|| format!("/{relative}"))
}

fn asked(method: Option<&Value>, bulk_id: Option<&Value>, mut parts: Map<String, Value>) -> Result<Asked, Error> {
    let verb = match method {
        None => return Err(Error::invalid_syntax("the operation has no `method`")),
        Some(method) => method.as_str().and_then(Verb::parse),
    };
    let Some(verb) = verb else {
        let detail = "the `method` of an operation is `POST`, `PUT`, `PATCH` or `DELETE`";
        return Err(Error::invalid_value(detail));
    };
    named(verb, bulk_id)?;
    let (endpoint, name) = match take(&mut parts, "path") {
        Some(Value::String(path)) => place(verb, &path)?,
        Some(_) => return Err(Error::invalid_value("the `path` of an operation is text")),
        None => return Err(Error::invalid_syntax("the operation has no `path`")),
    };
    let version = match take(&mut parts, "version") {
        None => None,
        Some(Value::String(version)) => Some(version),
        Some(_) => return Err(Error::invalid_value("the `version` of an operation is text")),
    };
    let data = match (verb, take(&mut parts, "data")) {
        (Verb::Delete, _) => Value::Null,
        (_, Some(data @ Value::Object(_))) => data,
        (_, Some(_)) => return Err(Error::invalid_syntax("the `data` of an operation is a JSON object")),
        (_, None) => return Err(Error::invalid_syntax("the operation has no `data`")),
    };
    Ok(Asked {
        verb,
        endpoint,
        name,
        version,
        data,
    })
}

/// Whether the operation is called something as it has to be.
fn named(verb: Verb, bulk_id: Option<&Value>) -> Result<(), Error> {
    match bulk_id {
        None if verb == Verb::Post => Err(Error::invalid_value("an operation that creates needs a `bulkId`")),
        None => Ok(()),
        Some(Value::String(text)) if (1..=LONGEST_BULK_ID).contains(&text.len()) => Ok(()),
        Some(_) => Err(Error::invalid_value(format!(
            "a `bulkId` is text of 1 to {LONGEST_BULK_ID} bytes"
        ))),
    }
}

/// `/Users` of what creates, `/Users/{id}` of everything else, relative to the base URL.
fn place(verb: Verb, path: &str) -> Result<(String, Option<Name>), Error> {
    if path.contains(['?', '#', '\0']) {
        return Err(Error::invalid_value("the `path` of an operation has no query"));
    }
    let relative = path.strip_prefix('/').unwrap_or(path);
    let (endpoint, name) = match relative.split_once('/') {
        Some((endpoint, name)) => (endpoint, name.trim_end_matches('/')),
        None => (relative, ""),
    };
    if endpoint.is_empty() {
        return Err(Error::invalid_value("the `path` of an operation names an endpoint"));
    }
    let name = match (verb, name) {
        (Verb::Post, "") => None,
        (Verb::Post, _) => {
            return Err(Error::invalid_value(
                "what creates has the `path` of an endpoint, like `/Users`",
            ));
        }
        (_, "") => {
            let detail = "what changes or deletes has the `path` of a resource, like `/Users/2819c223`";
            return Err(Error::invalid_value(detail));
        }
        (_, name) => Some(match name.strip_prefix(BULK_ID) {
            Some(made) => Name::Made(made.to_owned()),
            None if name.len() > LONGEST_ID => return Err(Error::plain(404, "there is no such resource")),
            None => Name::Id(ResourceId::new(name)),
        }),
    };
    Ok((endpoint.to_owned(), name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::ScimType;
    use serde_json::json;

    fn read(operations: Value) -> Result<Request, Error> {
        let mut body = json!({"schemas": [BULK_REQUEST]});
        body["Operations"] = operations;
        parse(body, 3)
    }

    fn fault(operation: Value) -> Error {
        let mut request = read(Value::Array(vec![operation])).unwrap();
        request.operations.remove(0).asked.unwrap_err()
    }

    #[test]
    fn an_operation_is_read_with_its_names_in_any_letter_case() {
        let request = read(json!([
            {"METHOD": "POST", "Path": "/Users", "bulkid": "a", "Data": {"userName": "ada"}},
            {"method": "PATCH", "path": "/Users/bulkId:a", "version": "W/\"1\"", "data": {}},
            {"method": "DELETE", "path": "Groups/9/", "data": {"x": 1}, "bulkId": null},
        ]));
        let operations = request.unwrap().operations;
        let asked: Vec<&Asked> = operations.iter().map(|one| one.asked.as_ref().unwrap()).collect();
        assert_eq!((asked[0].endpoint.as_str(), &asked[0].name), ("Users", &None));
        assert_eq!(operations[0].bulk_id.as_deref(), Some("a"));
        assert_eq!(asked[1].name, Some(Name::Made("a".to_owned())));
        assert_eq!(asked[1].version.as_deref(), Some("W/\"1\""));
        assert_eq!(asked[2].name, Some(Name::Id(ResourceId::new("9"))));
        assert_eq!(asked[2].data, Value::Null);
    }

    #[test]
    fn what_is_wrong_with_one_operation_is_told_in_its_place() {
        let data = json!({});
        for broken in [
            json!(7),
            json!({"path": "/Users", "bulkId": "a", "data": data}),
            json!({"method": "GET", "path": "/Users/1"}),
            json!({"method": "post", "path": "/Users", "bulkId": "a", "data": data}),
            json!({"method": "POST", "path": "/Users", "data": data}),
            json!({"method": "POST", "path": "/Users", "bulkId": "", "data": data}),
            json!({"method": "POST", "path": "/Users", "bulkId": "x".repeat(257), "data": data}),
            json!({"method": "POST", "path": "/Users", "bulkId": 1, "data": data}),
            json!({"method": "POST", "path": "/Users/1", "bulkId": "a", "data": data}),
            json!({"method": "POST", "bulkId": "a", "data": data}),
            json!({"method": "POST", "path": "/Users", "bulkId": "a"}),
            json!({"method": "POST", "path": "/Users", "bulkId": "a", "data": "text"}),
            json!({"method": "POST", "path": "/Users", "Path": "/Users", "bulkId": "a", "data": data}),
            json!({"method": "PUT", "path": "/Users", "data": data}),
            json!({"method": "PUT", "path": "/Users/1?x=1", "data": data}),
            json!({"method": "PUT", "path": "/Users/1", "version": 1, "data": data}),
            json!({"method": "DELETE", "path": "/"}),
            json!({"method": "DELETE", "path": 1}),
        ] {
            assert_eq!(fault(broken.clone()).status, 400, "{broken}");
        }
        let long = json!({"method": "DELETE", "path": format!("/Users/{}", "x".repeat(129))});
        assert_eq!(fault(long).status, 404);
    }

    #[test]
    fn the_path_of_an_operation_that_cannot_be_read_is_known_all_the_same() {
        let path = |operation: Value| read(json!([operation])).unwrap().operations.remove(0).path;
        for broken in [
            json!({"method": "PUT", "path": "/Users/1", "data": []}),
            json!({"method": "PATCH", "path": "Users/1"}),
            json!({"method": "DELETE", "path": "/Users/1", "version": 5}),
            json!({"method": "put", "path": "/Users/1", "data": {}}),
        ] {
            assert_eq!(path(broken.clone()).as_deref(), Some("/Users/1"), "{broken}");
        }
        for nothing in [
            json!(1),
            json!({"method": "POST", "path": "/Users", "bulkId": "a"}),
            json!({"method": "DELETE", "path": "/Users/bulkId:a"}),
            json!({"method": "DELETE", "path": 1}),
            json!({"method": "DELETE", "path": "/"}),
            json!({"method": "DELETE"}),
        ] {
            assert_eq!(path(nothing.clone()), None, "{nothing}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_whole_is_refused_as_a_whole() {
        let delete = json!({"method": "DELETE", "path": "/Users/1", "bulkId": "a"});
        let with = |more: Value| {
            let mut body = json!({"schemas": [BULK_REQUEST], "Operations": []});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            parse(body, 3)
        };
        for (more, keyword) in [
            (json!({"Operations": null}), ScimType::InvalidSyntax),
            (json!({"Operations": {}}), ScimType::InvalidSyntax),
            (json!({"schemas": ["x"]}), ScimType::InvalidSyntax),
            (json!({"Operations": [delete, delete]}), ScimType::InvalidValue),
            (json!({"failOnErrors": 0}), ScimType::InvalidValue),
            (json!({"failOnErrors": "1"}), ScimType::InvalidValue),
            (json!({"failOnErrors": 1.5}), ScimType::InvalidValue),
        ] {
            assert_eq!(with(more.clone()).unwrap_err().scim_type, Some(keyword), "{more}");
        }
        let many = read(json!([1, 2, 3, 4])).unwrap_err();
        assert_eq!(many.status, 413);
        assert!(many.detail.contains("maxOperations"));
        assert_eq!(with(json!({"failOnErrors": 2})).unwrap().fail_on_errors, Some(2));
        assert!(with(json!({})).unwrap().operations.is_empty());
    }
}
