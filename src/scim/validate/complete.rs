//! What a resource must have (RFC 7643 §2.2, §6).

use serde_json::{Map, Value};

use crate::base::fold::check_user_name;
use crate::scim::Error;
use crate::scim::filter;
use crate::scim::schema::{Attribute, Field, Mutability, ResourceType, Type};

/// Canonical paths of required attributes that have no value; `members` is a document with or without `schemas`.
///
/// Required attributes of an extension count once the extension is there, or when the type requires it.
pub(in crate::scim) fn faults(ty: &ResourceType, members: &Map<String, Value>) -> Vec<String> {
    let mut missing = Vec::new();
    for extension in ty.extensions() {
        if extension.required && !members.contains_key(&extension.schema.id) {
            missing.push(extension.schema.id.clone());
        }
    }
    let demanding = |field: &&Field| is_demanding(field.attribute()) && field.path() != "schemas";
    for field in ty.fields().iter().filter(demanding) {
        let home = match field.extension() {
            None => Some(members),
            Some(urn) => members.get(urn).and_then(Value::as_object),
        };
        if let Some(home) = home {
            check(field, home.get(&field.attribute().name), &mut missing);
        }
    }
    missing
}

/// Whether anything about the attribute is required.
fn is_demanding(attribute: &Attribute) -> bool {
    attribute.required || attribute.sub_attributes.iter().any(|sub| sub.required)
}

fn check(field: &Field, value: Option<&Value>, missing: &mut Vec<String>) {
    let attribute = field.attribute();
    if lacks(attribute, value) {
        missing.push(field.path().to_owned());
    }
    if attribute.kind != Type::Complex {
        return;
    }
    let elements = match value {
        None => return,
        Some(Value::Array(elements)) => elements.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    for (sub, path) in field.subs() {
        if elements.iter().any(|element| lacks(sub, element.get(&sub.name))) {
            missing.push(path.to_owned());
        }
    }
}

/// Required, the client's to give, and without a value; empty text is none.
fn lacks(attribute: &Attribute, value: Option<&Value>) -> bool {
    let expected = attribute.required && attribute.mutability != Mutability::ReadOnly;
    expected && value.is_none_or(|value| value.as_str() == Some(""))
}

/// Largest resource in bytes: many operations that each add a little must not grow one without end.
pub const MAX_DOCUMENT: usize = 1024 * 1024;

/// Refuses a resource that has grown too large.
///
/// # Errors
/// Status 413.
pub(in crate::scim) fn size(members: &Map<String, Value>) -> Result<(), Error> {
    if members.values().map(weight).sum::<usize>() > MAX_DOCUMENT {
        return Err(Error::plain(
            413,
            format!("a resource has at most {MAX_DOCUMENT} bytes"),
        ));
    }
    Ok(())
}

/// Bytes of a value as text, without the escapes.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| weight(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members
                .iter()
                .map(|(name, value)| name.len() + weight(value) + 4)
                .sum::<usize>()
                + 2
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

/// Enforces the user name profile where there is a user name (RFC 7644 §5).
///
/// # Errors
/// `invalidValue` saying which rule is broken.
pub(in crate::scim) fn user_name(ty: &ResourceType, members: &Map<String, Value>) -> Result<(), Error> {
    unique(ty, members)?;
    match members.get("userName").and_then(Value::as_str) {
        Some(name) if ty.name() == "User" => {
            check_user_name(name).map_err(|fault| Error::invalid_value(fault.to_string()))
        }
        _ => Ok(()),
    }
}

/// Longest value that must be unique, in characters as it compares: it is kept whole in an index.
pub const MAX_UNIQUE: usize = 256;

fn unique(ty: &ResourceType, members: &Map<String, Value>) -> Result<(), Error> {
    if ty.unique_paths().next().is_none() {
        return Ok(());
    }
    let mut long = None;
    filter::leaves(members, ty, &mut |leaf| {
        if ty.unique_key(leaf.path).is_some() && leaf.fold.chars().count() > MAX_UNIQUE {
            long = Some(leaf.path.to_owned());
        }
    });
    match long {
        Some(path) => Err(Error::invalid_value(format!(
            "`{path}` must be unique, and has at most {MAX_UNIQUE} characters"
        ))),
        None => Ok(()),
    }
}
