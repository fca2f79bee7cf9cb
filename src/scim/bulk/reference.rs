//! Where an operation speaks of other resources, and of what other operations make (RFC 7644 §3.7.2).
//!
//! `bulkId:x` stands for an id where the schema says that there is a reference: in a `value` or `$ref` of members or of a
//! manager, in a path, in the same of an extension. In a text it is text.

use serde_json::{Map, Value};

use super::request::{Asked, Name, Operation};
use crate::base::fold::{fold, user_name_key};
use crate::base::id::ResourceId;
use crate::scim::filter::{Filter, Literal};
use crate::scim::message::{PATCH_OP, member, message};
use crate::scim::path::{AttrPath, PatchPath};
use crate::scim::schema::{Attribute, Field, Mutability, Place, ResourceType, Target, Type, Uniqueness};
use crate::scim::validate::holds_members;
use crate::scim::{Error, Verb};

/// What stands before the name of what an operation makes.
pub const BULK_ID: &str = "bulkId:";

/// Attributes of the core schemas that name one resource, though no schema says so: what a connection calls it, and groups by
/// what they are shown as.
const NAMES: [&str; 2] = ["externalId", "displayName"];

/// What an operation has to do with others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// The `bulkId` of one that makes something.
    pub makes: Option<String>,
    /// Endpoint of one that makes something.
    pub endpoint: String,
    /// The `bulkId`s that it speaks of, each with whether it must be there from the first and for good.
    pub refers: Vec<(String, bool)>,
    /// What it changes, and names that only one resource may have.
    pub writes: Vec<String>,
    /// What it speaks of.
    pub reads: Vec<String>,
}

/// What an operation has to do with others; `kind` is the type at its endpoint.
#[must_use]
pub fn need(operation: &mut Operation, kind: Option<&ResourceType>) -> Need {
    let mut need = Need::default();
    let Ok(asked) = &mut operation.asked else { return need };
    need.endpoint.clone_from(&asked.endpoint);
    match &asked.name {
        Some(Name::Id(id)) => need.writes.push(id.as_str().to_owned()),
        Some(Name::Made(name)) => {
            need.refers.push((name.clone(), false));
            need.writes.push(format!("{BULK_ID}{name}"));
        }
        None => {
            need.makes.clone_from(&operation.bulk_id);
            need.writes
                .extend(operation.bulk_id.iter().map(|name| format!("{BULK_ID}{name}")));
        }
    }
    if let Some(kind) = kind {
        let endpoint = &asked.endpoint;
        let mut note = |spot: Spot<'_>, text: &mut String| {
            match (spot, made(text)) {
                (Spot::Reference { lasts }, Some((_, name))) => {
                    need.refers.push((name.to_owned(), lasts));
                    need.reads.push(format!("{BULK_ID}{name}"));
                }
                (Spot::Reference { .. }, None) => need.reads.push(last_segment(text).to_owned()),
                (Spot::Name(path), _)
                    if path == "displayName" && kind.name() != "Group" && kind.unique_key(path).is_none() => {}
                (Spot::Name(path), _) => {
                    let key = if path == "userName" {
                        user_name_key(text)
                    } else {
                        fold(text)
                    };
                    // A value of an extension is compared over all types that have it.
                    need.writes.push(match kind.unique_key(path) {
                        Some(unique) => format!("{unique} {key}"),
                        None => format!("{endpoint} {path} {key}"),
                    });
                }
            }
            Ok::<(), Error>(())
        };
        walk(kind, asked.verb, &mut asked.data, &mut note).ok();
    }
    need
}

/// Puts ids in the place of the names of what was made.
///
/// # Errors
/// 409 naming the first that was not made.
pub fn resolve(
    asked: &mut Asked,
    kind: &ResourceType,
    made_as: impl Fn(&str) -> Option<ResourceId>,
) -> Result<(), Error> {
    let find = |name: &str| {
        made_as(name).ok_or_else(|| {
            let detail = format!(
                "it refers to what the operation with the `bulkId` `{}` makes, and that was not made",
                clipped(name)
            );
            Error::plain(409, detail)
        })
    };
    if let Some(Name::Made(name)) = &asked.name {
        asked.name = Some(Name::Id(find(name)?));
    }
    walk(kind, asked.verb, &mut asked.data, &mut |spot, text| {
        if let (Spot::Reference { .. }, Some((before, name))) = (spot, made(text)) {
            *text = format!("{before}{}", find(name)?);
        }
        Ok(())
    })
}

/// Takes out of a new group the members that other operations are going to make.
#[must_use]
pub fn take_members(kind: &ResourceType, data: &mut Value, is_unmade: impl Fn(&str) -> bool) -> Vec<Value> {
    let mut taken = Vec::new();
    let Value::Object(attributes) = data else { return taken };
    for (key, value) in attributes {
        let Some(place) = place_of(kind, None, key).filter(|place| holds_members(kind, place.field())) else {
            continue;
        };
        let is_later = |item: &mut Value| {
            let mut found = false;
            let look = &mut |_: Spot<'_>, text: &mut String| {
                found |= made(text).is_some_and(|(_, name)| is_unmade(name));
                Ok::<(), Error>(())
            };
            element(place.field(), item, look).ok();
            found
        };
        if let Value::Array(items) = value {
            taken.extend(items.extract_if(.., is_later));
        } else if value.is_object() && is_later(value) {
            taken.push(value.take());
        }
    }
    taken
}

/// What a text at some place is.
#[derive(Debug, Clone, Copy)]
enum Spot<'a> {
    /// It refers to a resource.
    Reference {
        /// Whether a resource must have it from the first, and keeps it.
        lasts: bool,
    },
    /// A name that only one resource may have, at this path.
    Name(&'a str),
}

type Found<'f> = &'f mut dyn FnMut(Spot<'_>, &mut String) -> Result<(), Error>;

/// The name of what is made, and what stands before it: nothing, or the rest of a URI.
fn made(text: &str) -> Option<(&str, &str)> {
    if let Some(name) = text.strip_prefix(BULK_ID) {
        return Some((&text[..0], name));
    }
    let at = text.rfind('/')? + 1;
    text[at..].strip_prefix(BULK_ID).map(|name| (&text[..at], name))
}

fn last_segment(text: &str) -> &str {
    text.trim_end_matches('/').rsplit('/').next().unwrap_or(text)
}

/// Names come from the client: an answer repeats as much of one as helps.
pub(super) fn clipped(name: &str) -> &str {
    const LONGEST: usize = 40;
    name.char_indices().nth(LONGEST).map_or(name, |(at, _)| &name[..at])
}

/// Shows every text of a body at a place that refers or names.
fn walk(kind: &ResourceType, verb: Verb, data: &mut Value, found: Found<'_>) -> Result<(), Error> {
    match verb {
        Verb::Post | Verb::Put => document(kind, data, found),
        Verb::Delete => Ok(()),
        Verb::Patch => {
            // What is no PATCH is refused by whoever reads it.
            if message(data, PATCH_OP).is_err() {
                return Ok(());
            }
            let Value::Object(members) = data else { return Ok(()) };
            let mut operations = members
                .iter_mut()
                .filter(|(key, _)| key.eq_ignore_ascii_case("Operations"))
                .filter_map(|(_, value)| value.as_array_mut())
                .flatten();
            operations.try_for_each(|operation| change(kind, operation, found))
        }
    }
}

/// One operation of a PATCH.
fn change(kind: &ResourceType, operation: &mut Value, found: Found<'_>) -> Result<(), Error> {
    let Value::Object(parts) = operation else { return Ok(()) };
    let path = member(parts, "path").filter(|path| !path.is_null()).cloned();
    let value = |parts: &mut Map<String, Value>| {
        let key = parts.keys().find(|key| key.eq_ignore_ascii_case("value")).cloned()?;
        Some((key.clone(), parts.get_mut(&key)?.take()))
    };
    let (key, mut value) = value(parts).unzip();
    let outcome = match path {
        None => value.as_mut().map_or(Ok(()), |value| document(kind, value, found)),
        Some(Value::String(text)) => addressed(kind, parts, &text, value.as_mut(), found),
        Some(_) => Ok(()),
    };
    if let (Some(key), Some(value)) = (key, value) {
        parts.insert(key, value);
    }
    outcome
}

/// What an operation of a PATCH says of the place that its path names.
fn addressed(
    kind: &ResourceType,
    parts: &mut Map<String, Value>,
    text: &str,
    value: Option<&mut Value>,
    found: Found<'_>,
) -> Result<(), Error> {
    let Ok(path) = PatchPath::parse(text) else {
        return Ok(());
    };
    match kind.resolve(&path.attr) {
        Some(Target::Attribute(place)) => {
            let mut compared = Vec::new();
            if let Some(filter) = &path.filter {
                operands(filter, place.top(), &mut compared);
            }
            if compared.contains(&true) {
                let mut text = text.to_owned();
                quoted(&mut text, &compared, found)?;
                parts.retain(|key, _| !key.eq_ignore_ascii_case("path"));
                parts.insert("path".to_owned(), text.into());
            }
            let place = match &path.sub {
                Some(sub) => place.with_sub(sub),
                None => Some(place),
            };
            match (place, value) {
                (Some(place), Some(value)) => at(place, value, found),
                _ => Ok(()),
            }
        }
        Some(Target::Extension(extension)) => value.map_or(Ok(()), |value| {
            container(kind, Some(&extension.schema.id), value, found)
        }),
        Some(Target::Core(_)) => value.map_or(Ok(()), |value| document(kind, value, found)),
        None => Ok(()),
    }
}

/// Of each text in a filter, in their order, whether it is compared with what refers.
fn operands(filter: &Filter, top: &Attribute, compared: &mut Vec<bool>) {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| operands(part, top, compared)),
        Filter::Not(part) | Filter::Some { filter: part, .. } => operands(part, top, compared),
        Filter::Compare {
            path,
            value: Literal::Text(_),
            ..
        } => compared.push(match top.sub(&path.name) {
            Some(sub) => refers(top, sub),
            // The value itself, where it has no parts.
            None => refers_itself(top),
        }),
        Filter::Compare { .. } | Filter::Present(_) => {}
    }
}

/// The texts of a filter that refer, each whole between its quotes.
fn quoted(path: &mut String, compared: &[bool], found: Found<'_>) -> Result<(), Error> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path.as_str();
    for refers in compared {
        let Some((before, after)) = rest.split_once('"') else {
            break;
        };
        let Some((inner, after)) = closed(after) else { break };
        let mut text = inner.to_owned();
        if *refers && made(&text).is_some() {
            found(Spot::Reference { lasts: false }, &mut text)?;
        }
        for piece in [before, "\"", &text, "\""] {
            out.push_str(piece);
        }
        rest = after;
    }
    out.push_str(rest);
    *path = out;
    Ok(())
}

/// A JSON string behind its first quote, and what is behind its last.
fn closed(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    Some((&text[..end], &text[end + 1..]))
}

/// A whole resource, or the attributes of a value without a path.
fn document(kind: &ResourceType, value: &mut Value, found: Found<'_>) -> Result<(), Error> {
    container(kind, None, value, found)
}

fn container(kind: &ResourceType, extension: Option<&str>, value: &mut Value, found: Found<'_>) -> Result<(), Error> {
    let Value::Object(attributes) = value else {
        return Ok(());
    };
    for (key, value) in attributes {
        if let Some(place) = place_of(kind, extension, key) {
            at(place, value, found)?;
        } else if extension.is_none() {
            match AttrPath::parse(key).ok().and_then(|path| kind.resolve(&path)) {
                Some(Target::Extension(inner)) => container(kind, Some(&inner.schema.id), value, found)?,
                // Once: a URN within itself names nothing.
                Some(Target::Core(schema)) => container(kind, Some(&schema.id), value, found)?,
                Some(Target::Attribute(_)) | None => {}
            }
        }
    }
    Ok(())
}

fn place_of<'k>(kind: &'k ResourceType, urn: Option<&str>, key: &str) -> Option<Place<'k>> {
    let mut path = AttrPath::parse(key).ok()?;
    if path.urn.is_none() {
        path.urn = urn.map(str::to_owned);
    }
    match kind.resolve(&path) {
        Some(Target::Attribute(place)) => Some(place),
        _ => None,
    }
}

fn at(place: Place<'_>, value: &mut Value, found: Found<'_>) -> Result<(), Error> {
    let top = place.top();
    if top.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    if let Some(sub) = place.sub() {
        return if refers(top, sub) {
            texts(
                Spot::Reference {
                    lasts: lasts(top, Some(sub)),
                },
                value,
                found,
            )
        } else if sub.uniqueness != Uniqueness::None {
            names(place.path(), value, found)
        } else {
            Ok(())
        };
    }
    if top.kind == Type::Complex {
        return match value {
            Value::Array(items) => items
                .iter_mut()
                .try_for_each(|item| element(place.field(), item, found)),
            lone => element(place.field(), lone, found),
        };
    }
    if refers_itself(top) {
        texts(
            Spot::Reference {
                lasts: lasts(top, None),
            },
            value,
            found,
        )
    } else if top.uniqueness != Uniqueness::None || NAMES.contains(&place.path()) {
        names(place.path(), value, found)
    } else {
        Ok(())
    }
}

/// One value of a complex attribute; a text stands for its `value`.
fn element(field: &Field, item: &mut Value, found: Found<'_>) -> Result<(), Error> {
    let top = field.attribute();
    match item {
        Value::Object(parts) => {
            for (key, value) in parts {
                match field.subs().find(|(sub, _)| sub.name.eq_ignore_ascii_case(key)) {
                    Some((sub, _)) if refers(top, sub) => {
                        let lasts = lasts(top, Some(sub));
                        texts(Spot::Reference { lasts }, value, found)?;
                    }
                    Some((sub, path)) if sub.uniqueness != Uniqueness::None => names(path, value, found)?,
                    Some(_) | None => {}
                }
            }
            Ok(())
        }
        Value::String(text) => match top.sub("value").filter(|sub| refers(top, sub)) {
            Some(sub) => found(
                Spot::Reference {
                    lasts: lasts(top, Some(sub)),
                },
                text,
            ),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Values that only one resource may have, of whatever type.
fn names(path: &str, value: &mut Value, found: Found<'_>) -> Result<(), Error> {
    if value.is_number() {
        return found(Spot::Name(path), &mut value.to_string());
    }
    texts(Spot::Name(path), value, found)
}

fn texts(spot: Spot<'_>, value: &mut Value, found: Found<'_>) -> Result<(), Error> {
    match value {
        Value::String(text) => found(spot, text),
        Value::Array(items) => items.iter_mut().try_for_each(|item| match item {
            Value::String(text) => found(spot, text),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

/// Whether an attribute without parts refers to resources.
fn refers_itself(attribute: &Attribute) -> bool {
    attribute.kind == Type::Reference && names_resources(attribute)
}

/// Whether a sub-attribute refers to a resource: by its type, or as the `value` beside one that does.
fn refers(top: &Attribute, sub: &Attribute) -> bool {
    refers_itself(sub) || sub.name == "value" && top.sub("$ref").is_some_and(refers_itself)
}

/// Whether a reference is to a resource, and not to anything on the web.
fn names_resources(attribute: &Attribute) -> bool {
    let outside = |name: &String| ["external", "uri"].iter().any(|kind| name.eq_ignore_ascii_case(kind));
    attribute.reference_types.iter().any(|name| !outside(name))
}

/// Whether a resource must have the reference from the first, and cannot be given another.
fn lasts(top: &Attribute, sub: Option<&Attribute>) -> bool {
    let kept = |attribute: &Attribute| attribute.mutability == Mutability::Immutable;
    top.required && (kept(top) || sub.is_some_and(|sub| !top.multi_valued && sub.required && kept(sub)))
}
