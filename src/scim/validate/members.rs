//! The members of a group, which are kept beside the document.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::value::storable;
use crate::base::id::ResourceId;
use crate::scim::Error;
use crate::scim::document::{MemberKind, MemberRef};
use crate::scim::message::{member, unambiguous};
use crate::scim::schema::{Field, ResourceType};

/// Whether the field is the member list of a group.
pub(in crate::scim) fn holds_members(ty: &ResourceType, field: &Field) -> bool {
    ty.name() == "Group" && field.path() == "members"
}

/// Reads a list of members; the same one twice is one.
///
/// # Errors
/// `invalidValue` when it is no array (or, where `lone` allows it, one member), or an element names no member.
pub(in crate::scim) fn member_refs(value: &Value, lone: bool) -> Result<Vec<MemberRef>, Error> {
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items.as_slice(),
        Value::Object(_) if lone => std::slice::from_ref(value),
        _ => return Err(Error::invalid_value("`members` must be an array")),
    };
    let mut seen = HashSet::with_capacity(items.len());
    let mut members = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Value::Null => {}
            Value::Object(parts) if parts.is_empty() => {}
            Value::Object(parts) => {
                let found = member_ref(parts)?;
                if seen.insert(found.value.clone()) {
                    members.push(found);
                }
            }
            _ => {
                return Err(Error::invalid_value(
                    "an element of `members` must be an object with a `value`",
                ));
            }
        }
    }
    Ok(members)
}

fn member_ref(parts: &Map<String, Value>) -> Result<MemberRef, Error> {
    unambiguous(parts)?;
    let id = match (text(parts, "value")?, text(parts, "$ref")?) {
        (Some(value), _) => Some(value),
        // The last segment of `…/Users/2819c223` is the id.
        (None, Some(reference)) => reference.trim_end_matches('/').rsplit('/').next(),
        (None, None) => None,
    };
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Err(Error::invalid_value("an element of `members` lacks its `value`"));
    };
    storable("members.value", id)?;
    let kind = text(parts, "type")?.and_then(|kind| {
        [MemberKind::User, MemberKind::Group]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(kind))
    });
    Ok(MemberRef {
        value: ResourceId::new(id),
        kind,
    })
}

fn text<'a>(parts: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Error> {
    match member(parts, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::invalid_value(format!("`members.{name}` must be text"))),
    }
}
