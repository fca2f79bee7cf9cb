//! Members of definitions that nobody reads, because they are misspelt.
//!
//! A member that is no member of RFC 7643 is left alone: servers publish more than that. One that looks like a member of it
//! is a mistake, which would be noticed much later if nobody said so.

use serde_json::{Map, Value};

use super::builtin::{RESOURCE_TYPE, SCHEMA};
use super::definition::SchemaFault;
use crate::base::near::nearest;

/// What every resource has, definitions among them.
const COMMON: [&str; 6] = ["schemas", "id", "externalId", "meta", "name", "description"];
const OF_SCHEMAS: [&str; 1] = ["attributes"];
const OF_TYPES: [&str; 3] = ["endpoint", "schema", "schemaExtensions"];
const OF_EXTENSIONS: [&str; 2] = ["schema", "required"];
const OF_ATTRIBUTES: [&str; 12] = [
    "name",
    "type",
    "multiValued",
    "description",
    "required",
    "canonicalValues",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "referenceTypes",
    "subAttributes",
];

/// Whether a schema is one by what it says, and everything in it is spelt right.
pub(super) fn of_schema(value: &Value) -> Result<(), SchemaFault> {
    let Some(object) = value.as_object() else { return Ok(()) };
    says(object, SCHEMA)?;
    spelt(object, COMMON.iter().chain(&OF_SCHEMAS), "the schema")?;
    attributes(object.get("attributes"), "subAttributes")
}

/// The same of a resource type.
pub(super) fn of_type(value: &Value) -> Result<(), SchemaFault> {
    let Some(object) = value.as_object() else { return Ok(()) };
    says(object, RESOURCE_TYPE)?;
    spelt(object, COMMON.iter().chain(&OF_TYPES), "the resource type")?;
    let extensions = object.get("schemaExtensions").and_then(Value::as_array);
    for extension in extensions.into_iter().flatten().filter_map(Value::as_object) {
        spelt(extension, OF_EXTENSIONS.iter(), "`schemaExtensions`")?;
    }
    Ok(())
}

/// Attributes, and below them those of complex ones.
fn attributes(list: Option<&Value>, below: &str) -> Result<(), SchemaFault> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    for attribute in list.filter_map(Value::as_object) {
        let name = attribute.get("name").and_then(Value::as_str).unwrap_or_default();
        spelt(attribute, OF_ATTRIBUTES.iter(), &format!("the attribute `{name}`"))?;
        if !below.is_empty() {
            attributes(attribute.get(below), "")?;
        }
    }
    Ok(())
}

/// A definition that says of what schema it is says so rightly; in many files it says nothing.
fn says(object: &Map<String, Value>, urn: &'static str) -> Result<(), SchemaFault> {
    let is_it = |said: &Value| said.as_str().is_some_and(|said| said.eq_ignore_ascii_case(urn));
    match object.get("schemas") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(said)) if said.is_empty() || said.iter().any(is_it) => Ok(()),
        Some(_) => Err(SchemaFault::Says(urn)),
    }
}

fn spelt<'a>(
    object: &Map<String, Value>,
    known: impl Iterator<Item = &'a &'static str> + Clone,
    place: &str,
) -> Result<(), SchemaFault> {
    let known = known.copied();
    for given in object.keys() {
        if known.clone().any(|known| known == given) {
            continue;
        }
        if let Some(meant) = nearest(given, known.clone()) {
            return Err(SchemaFault::Misspelt {
                place: place.to_owned(),
                given: given.clone(),
                meant: meant.to_owned(),
            });
        }
    }
    Ok(())
}
