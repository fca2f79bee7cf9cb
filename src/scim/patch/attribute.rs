//! Operations on a whole attribute, or on a sub-attribute without a filter.

use serde_json::{Map, Value};

use super::apply::OpOutcome;
use super::draft::{Draft, needed, writable};
use super::request::Verb;
use super::{element, members};
use crate::base::fold::fold;
use crate::scim::Error;
use crate::scim::message::unambiguous;
use crate::scim::schema::{Attribute, Field, Mutability, Place, Returned, Type};
use crate::scim::validate::{clear_other_primaries, holds_members, is_absent, join, tidy};

/// Runs an operation whose path has no filter.
pub(super) fn set(
    draft: &mut Draft<'_>,
    verb: Verb,
    place: Place<'_>,
    value: Option<&Value>,
) -> Result<OpOutcome, Error> {
    if holds_members(draft.ty, place.field()) {
        return members::whole(draft, verb, place, value);
    }
    writable(place)?;
    draft.spoken(verb, place, value);
    match (place.sub(), value) {
        (Some(_), _) if place.top().multi_valued => element::every(draft, verb, place, value),
        (Some(sub), _) => part(draft, verb, place, sub, value),
        (None, Some(value)) if verb != Verb::Remove => whole(draft, verb, place.field(), value),
        (None, Some(value)) if place.top().multi_valued && !value.is_null() => take(draft, place.field(), value),
        (None, _) => unassign(draft, verb, place.field()),
    }
}

fn unassign(draft: &mut Draft<'_>, verb: Verb, field: &Field) -> Result<OpOutcome, Error> {
    if field.attribute().mutability == Mutability::WriteOnly && field.path() == "password" {
        return Err(Error::mutability("`password` cannot be removed, only set"));
    }
    draft.write(verb, field, None)
}

/// Adds or replaces a whole attribute.
fn whole(draft: &mut Draft<'_>, verb: Verb, field: &Field, value: &Value) -> Result<OpOutcome, Error> {
    let attribute = field.attribute();
    if attribute.kind == Type::Complex && !attribute.multi_valued && !is_absent_list(value) {
        return merge(draft, verb, field, value);
    }
    let clean = draft.cleaner.value(attribute, field.path(), value)?;
    match (verb, clean) {
        (Verb::Replace, None) => unassign(draft, verb, field),
        (_, None) => Ok(OpOutcome::AlreadyTrue),
        (Verb::Add, Some(Value::Array(added))) if attribute.multi_valued => {
            let elements = append(attribute, field.path(), draft.elements(field), added)?;
            draft.write(verb, field, Some(Value::Array(elements)))
        }
        (_, clean) => draft.write(verb, field, clean),
    }
}

/// `null` and `[]`; `{}` says nothing about any sub-attribute and is another thing here.
fn is_absent_list(value: &Value) -> bool {
    is_absent(value) && !value.is_object()
}

/// Puts elements beside those there are; a new primary one makes the others secondary.
fn append(attribute: &Attribute, path: &str, old: Vec<Value>, added: Vec<Value>) -> Result<Vec<Value>, Error> {
    let (mut elements, written) = join(attribute, path, old, added)?;
    clear_other_primaries(path, &mut elements, |index| written.contains(&index))?;
    tidy(attribute, path, elements)
}

/// Writes the sub-attributes that are given and leaves the others (RFC 7644 §3.5.2.1, §3.5.2.3).
fn merge(draft: &mut Draft<'_>, verb: Verb, field: &Field, value: &Value) -> Result<OpOutcome, Error> {
    let Value::Object(given) = value else {
        return Err(Error::invalid_value(format!(
            "`{}` must be an object of sub-attributes",
            field.path()
        )));
    };
    unambiguous(given)?;
    let mut parts = draft.parts(field);
    for (name, value) in given {
        match field.subs().find(|(sub, _)| sub.name.eq_ignore_ascii_case(name)) {
            None => draft.cleaner.ignore(format!("{}.{name}", field.path())),
            Some((sub, path)) if sub.mutability == Mutability::ReadOnly => {
                draft.cleaner.given_read_only(sub, path, value, parts.get(&sub.name))?;
            }
            Some((sub, path)) => put(draft, verb, &mut parts, (sub, path), value)?,
        }
    }
    draft.write(verb, field, Some(Value::Object(parts)))
}

/// An operation on one sub-attribute of a singular attribute.
fn part(
    draft: &mut Draft<'_>,
    verb: Verb,
    place: Place<'_>,
    sub: &Attribute,
    value: Option<&Value>,
) -> Result<OpOutcome, Error> {
    let mut parts = draft.parts(place.field());
    match value {
        Some(value) if verb != Verb::Remove => put(draft, verb, &mut parts, (sub, place.path()), value)?,
        _ => drop_part(verb, &mut parts, sub, place.path())?,
    }
    draft.write(verb, place.field(), Some(Value::Object(parts)))
}

fn put(
    draft: &mut Draft<'_>,
    verb: Verb,
    parts: &mut Map<String, Value>,
    (sub, path): (&Attribute, &str),
    value: &Value,
) -> Result<(), Error> {
    match (verb, draft.cleaner.value(sub, path, value)?) {
        (Verb::Replace, None) => drop_part(verb, parts, sub, path)?,
        (_, None) => {}
        (Verb::Add, Some(Value::Array(added))) if sub.multi_valued => {
            let old = parts
                .get(&sub.name)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            parts.insert(sub.name.clone(), append(sub, path, old, added)?.into());
        }
        (_, Some(clean)) => {
            parts.insert(sub.name.clone(), clean);
        }
    }
    Ok(())
}

/// Takes a sub-attribute away, unless it is required. Whether there is one that is never returned, a refusal does not tell.
pub(super) fn drop_part(verb: Verb, parts: &mut Map<String, Value>, sub: &Attribute, path: &str) -> Result<(), Error> {
    if sub.required && (parts.contains_key(&sub.name) || sub.returned == Returned::Never) {
        return Err(needed(verb, path));
    }
    parts.shift_remove(&sub.name);
    Ok(())
}

/// `remove` with a value, which the RFC does not define: takes away the elements that have what is listed, and nothing
/// for an empty list. Read literally it would clear the attribute, and that loses data nobody named.
fn take(draft: &mut Draft<'_>, field: &Field, value: &Value) -> Result<OpOutcome, Error> {
    let attribute = field.attribute();
    let listed = if let Value::Array(items) = value {
        items.as_slice()
    } else {
        std::slice::from_ref(value)
    };
    let mut named = Vec::with_capacity(listed.len());
    for item in listed {
        named.extend(draft.cleaner.single(attribute, field.path(), item)?);
    }
    visible(field, &named)?;
    let wanted: Vec<_> = named.iter().map(|element| keys(attribute, element)).collect();
    let mut elements = draft.elements(field);
    elements.retain(|element| {
        let mut has = keys(attribute, element);
        // An absent `primary` is false (RFC 7643 §2.4).
        if !has.iter().any(|(name, _)| *name == "primary") {
            has.push(("primary", Value::Bool(false).to_string()));
        }
        !wanted.iter().any(|wanted| wanted.iter().all(|key| has.contains(key)))
    });
    draft.write(Verb::Remove, field, Some(Value::Array(elements)))
}

/// Refuses to choose elements by what is never returned: what of them is shown would go with a right guess alone.
fn visible(field: &Field, named: &[Value]) -> Result<(), Error> {
    let mut subs = field.subs().filter(|(sub, _)| sub.returned == Returned::Never);
    match subs.find(|(sub, _)| named.iter().any(|element| element.get(&sub.name).is_some())) {
        Some((_, path)) => Err(Error::sensitive(format!(
            "`{path}` is never returned and cannot say which values are removed"
        ))),
        None => Ok(()),
    }
}

/// What an element says, in the form in which it compares: name and value of each sub-attribute.
fn keys<'e>(attribute: &Attribute, element: &'e Value) -> Vec<(&'e str, String)> {
    let key = |attribute: &Attribute, value: &Value| match value {
        Value::String(text) if attribute.kind == Type::String && !attribute.case_exact => fold(text),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match element {
        Value::Object(parts) => {
            let known = parts
                .iter()
                .filter_map(|(name, value)| Some((name.as_str(), key(attribute.sub(name)?, value))));
            known.collect()
        }
        other => vec![("", key(attribute, other))],
    }
}
