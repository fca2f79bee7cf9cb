//! What a document of a file holds: definitions, in the forms in which people and servers write them.

use serde_json::Value;

use crate::base::near::nearest;
use crate::scim::schema::SchemaFault;

/// Members that hold definitions: those of Muster's files, and the one of a list that a server answers.
const LISTS: [&str; 4] = ["schemas", "resourceTypes", "resourceType", "Resources"];

/// Members that may stand beside them and say nothing: a remark, and what a list of a server has.
const BESIDE: [&str; 8] = [
    "note",
    "$schema",
    "$comment",
    "totalResults",
    "itemsPerPage",
    "startIndex",
    "nextCursor",
    "previousCursor",
];

/// A document that holds no definition that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Neither a schema nor a resource type, nor a list of them.
    #[error("it is neither a Schema nor a ResourceType of SCIM, nor a list of them")]
    Nothing,
    /// A member that nobody reads.
    #[error("`{0}` is no member that holds definitions{hint}", hint = .1.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?")))]
    Member(String, Option<&'static str>),
    /// One of its definitions, by its name.
    #[error("{0}: {1}")]
    Fault(String, SchemaFault),
}

/// Whether it is a definition of a schema rather than of a resource type.
pub(super) fn is_schema(definition: &Value) -> bool {
    let id = definition.get("id").and_then(Value::as_str).unwrap_or_default();
    definition.get("attributes").is_some() || id.contains(':')
}

/// What a definition is about, for messages.
pub(super) fn named(definition: &Value) -> String {
    let text = |name: &str| definition.get(name).and_then(Value::as_str);
    if is_schema(definition) {
        format!("the schema `{}`", text("id").unwrap_or_default())
    } else {
        let name = text("name").or_else(|| text("id")).unwrap_or_default();
        format!("the resource type `{name}`")
    }
}

/// The definitions of a document: a Schema, a `ResourceType`, an array of them, or an object with `schemas` and
/// `resourceTypes`.
///
/// # Errors
/// A document that holds none, or has a member that nobody reads.
pub fn definitions(document: &Value) -> Result<Vec<&Value>, Unusable> {
    let mut found = Vec::new();
    collect(document, &mut found)?;
    if found.is_empty() {
        return Err(Unusable::Nothing);
    }
    Ok(found)
}

fn collect<'a>(document: &'a Value, found: &mut Vec<&'a Value>) -> Result<(), Unusable> {
    if let Value::Array(list) = document {
        return list.iter().try_for_each(|one| collect(one, found));
    }
    let object = document.as_object().ok_or(Unusable::Nothing)?;
    let of_type = ["endpoint", "schema", "schemaExtensions", "name"];
    if is_schema(document) || of_type.iter().any(|name| object.contains_key(*name)) {
        found.push(document);
        return Ok(());
    }
    for (name, value) in object {
        if LISTS.contains(&name.as_str()) {
            inner(name, value, found)?;
        } else if !BESIDE.contains(&name.as_str()) {
            return Err(Unusable::Member(name.clone(), nearest(name, LISTS)));
        }
    }
    Ok(())
}

/// One definition or several. A list of a server says in `schemas` of what schema it is itself.
fn inner<'a>(name: &str, value: &'a Value, found: &mut Vec<&'a Value>) -> Result<(), Unusable> {
    match value {
        Value::Object(_) => collect(value, found),
        Value::Array(list) => {
            let mut list = list.iter().filter(|one| name != "schemas" || !one.is_string());
            list.try_for_each(|one| collect(one, found))
        }
        _ => Err(Unusable::Member(name.to_owned(), None)),
    }
}
