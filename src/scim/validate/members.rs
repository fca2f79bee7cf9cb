//! The members of a group, which are kept beside the document.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::value::{Cleaner, storable};
use crate::base::id::ResourceId;
use crate::scim::Error;
use crate::scim::document::{MemberKind, MemberRef};
use crate::scim::message::{member, unambiguous};
use crate::scim::schema::{Attribute, Field, ResourceType};

/// Whether the field is the member list of a group.
pub(in crate::scim) fn holds_members(ty: &ResourceType, field: &Field) -> bool {
    ty.name() == "Group" && field.path() == "members"
}

/// Reads a list of members; the same one twice is one.
///
/// # Errors
/// `invalidValue` when it is no array (or, in a PATCH, one member), or an element names no member, or contradicts itself.
pub(in crate::scim) fn member_refs(
    cleaner: &mut Cleaner,
    attribute: &Attribute,
    value: &Value,
) -> Result<Vec<MemberRef>, Error> {
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items.as_slice(),
        Value::Object(_) if cleaner.lone => std::slice::from_ref(value),
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
                for name in parts.keys().filter(|name| attribute.sub(name).is_none()) {
                    cleaner.ignore(format!("members.{name}"));
                }
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
    let (endpoint, referred) = text(parts, "$ref")?.map_or((None, None), referred);
    let Some(id) = text(parts, "value")?.or(referred).filter(|id| !id.is_empty()) else {
        return Err(Error::invalid_value("an element of `members` lacks its `value`"));
    };
    storable("members.value", id)?;
    if referred.is_some_and(|referred| referred != id) {
        return Err(Error::invalid_value(
            "`members.$ref` and `members.value` of an element name different resources",
        ));
    }
    let said = text(parts, "type")?
        .filter(|said| !said.is_empty())
        .map(kind)
        .transpose()?;
    match (said, endpoint) {
        (Some(said), Some(other)) if said != other => Err(Error::invalid_value(
            "`members.$ref` and `members.type` of an element name different types",
        )),
        _ => Ok(MemberRef {
            value: ResourceId::new(id),
            kind: said.or(endpoint),
        }),
    }
}

fn kind(said: &str) -> Result<MemberKind, Error> {
    let mut known = [MemberKind::User, MemberKind::Group].into_iter();
    let found = known.find(|known| known.as_str().eq_ignore_ascii_case(said));
    found.ok_or_else(|| Error::invalid_value("`members.type` is `User` or `Group`"))
}

/// The type, as far as it can be told, and the id that a reference such as `…/Users/2819c223` names.
fn referred(reference: &str) -> (Option<MemberKind>, Option<&str>) {
    let mut segments = reference.trim_end_matches('/').rsplit('/');
    let id = segments.next().filter(|id| !id.is_empty());
    let endpoint = segments.next().and_then(|endpoint| {
        let kinds = [("Users", MemberKind::User), ("Groups", MemberKind::Group)];
        let mut kinds = kinds.into_iter();
        kinds.find(|(name, _)| name.eq_ignore_ascii_case(endpoint))
    });
    (endpoint.map(|(_, kind)| kind), id)
}

fn text<'a>(parts: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Error> {
    match member(parts, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::invalid_value(format!("`members.{name}` must be text"))),
    }
}
