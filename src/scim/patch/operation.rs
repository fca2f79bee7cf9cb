//! From an operation to the attributes it is about.

use serde_json::{Map, Value};

use super::apply::OpOutcome;
use super::draft::Draft;
use super::request::{Operation, Verb, selects};
use super::{attribute, element};
use crate::scim::Error;
use crate::scim::message::unambiguous;
use crate::scim::path::{AttrPath, PatchPath};
use crate::scim::schema::{Extension, Target};
use crate::scim::validate::{check_urns, plainly_named};

/// Runs one operation.
pub(super) fn run(draft: &mut Draft<'_>, operation: &Operation) -> Result<OpOutcome, Error> {
    let verb = operation.verb;
    operation.unknown.iter().for_each(|name| draft.cleaner.ignore(name));
    match (verb, &operation.path, &operation.value) {
        (Verb::Remove, None, _) => Err(Error::no_target("`remove` needs a `path`")),
        (Verb::Remove, Some(_), Some(value)) if !draft.lenient && !value.is_null() => Err(Error::invalid_syntax(
            "`remove` takes no `value`: a filter in the `path` says which ones go",
        )),
        (Verb::Remove, Some(path), value) => at(draft, verb, path, value.as_ref()),
        (_, _, None) => Err(Error::invalid_value(format!("`{}` needs a `value`", verb.as_str()))),
        (_, Some(path), value) => at(draft, verb, path, value.as_ref()),
        (_, None, Some(Value::Object(given))) => pathless(draft, verb, given),
        (_, None, Some(_)) => Err(Error::invalid_value(
            "without a `path` the `value` must be an object of attributes",
        )),
    }
}

fn at(draft: &mut Draft<'_>, verb: Verb, path: &PatchPath, value: Option<&Value>) -> Result<OpOutcome, Error> {
    match (draft.ty.resolve(&path.attr), &path.filter) {
        (None, _) => Err(unknown(draft, path)),
        (Some(Target::Attribute(place)), _) if place.top_path() == "schemas" => schemas(draft, verb, path, value),
        (Some(Target::Attribute(place)), None) => attribute::set(draft, verb, place, value),
        (Some(Target::Attribute(place)), Some(_)) => element::select(draft, verb, place, path, value),
        (Some(Target::Extension(extension)), None) => container(draft, verb, extension, value),
        (Some(Target::Core(schema)), None) => match value {
            Some(Value::Object(given)) if verb != Verb::Remove => pathless(draft, verb, given),
            _ => Err(Error::mutability(format!(
                "`{}` cannot be changed as a whole",
                schema.id
            ))),
        },
        (Some(_), Some(_)) => Err(Error::invalid_path(format!("`{}` takes no filter", path.attr))),
    }
}

fn unknown(draft: &Draft<'_>, path: &PatchPath) -> Error {
    let hint = draft
        .ty
        .nearest(&path.attr)
        .map(|near| format!(", did you mean `{near}`?"))
        .unwrap_or_default();
    Error::invalid_path(format!("there is no attribute `{}`{hint}", path.attr))
}

/// A value without a path: each attribute in it by its own rule (RFC 7644 §3.5.2.1, §3.5.2.3).
///
/// A key is the name of an attribute or the URN of a schema. One that is a path to an attribute is refused; habits of
/// clients are put into that form before.
fn pathless(draft: &mut Draft<'_>, verb: Verb, given: &Map<String, Value>) -> Result<OpOutcome, Error> {
    unambiguous(given)?;
    let mut outcome = OpOutcome::AlreadyTrue;
    for (key, value) in given {
        outcome = outcome.max(keyed(draft, verb, (None, key), value)?);
    }
    Ok(outcome)
}

/// One key of a value, or of the object of an extension in it.
fn keyed(
    draft: &mut Draft<'_>,
    verb: Verb,
    (extension, name): (Option<&str>, &str),
    value: &Value,
) -> Result<OpOutcome, Error> {
    let whole = extension.map_or_else(|| name.to_owned(), |urn| format!("{urn}:{name}"));
    let Some(path) = path_of(draft, extension, name, &whole) else {
        plainly_named(draft.ty, &whole)?;
        draft.cleaner.ignore(whole);
        return Ok(OpOutcome::AlreadyTrue);
    };
    // `null` adds nothing, as if the key were not there (RFC 7643 §2.5).
    if verb == Verb::Add && value.is_null() {
        return Ok(OpOutcome::AlreadyTrue);
    }
    at(draft, verb, &path, Some(value))
}

/// What a key stands for: an attribute, a schema, or elements of a list where the client may say which.
fn path_of(draft: &Draft<'_>, extension: Option<&str>, name: &str, whole: &str) -> Option<PatchPath> {
    if draft.ty.field(extension, name).is_some() {
        let attr = AttrPath {
            urn: extension.map(str::to_owned),
            ..AttrPath::plain(name)
        };
        return Some(PatchPath {
            attr,
            filter: None,
            sub: None,
        });
    }
    let path = PatchPath::parse(whole).ok()?;
    let known = match draft.ty.resolve(&path.attr)? {
        Target::Attribute(_) => draft.lenient && selects(draft.ty, &path),
        Target::Core(_) | Target::Extension(_) => extension.is_none() && path.filter.is_none(),
    };
    known.then_some(path)
}

/// An extension as a whole: its attributes one by one, or all of them gone.
fn container(
    draft: &mut Draft<'_>,
    verb: Verb,
    extension: &Extension,
    value: Option<&Value>,
) -> Result<OpOutcome, Error> {
    let urn = &extension.schema.id;
    let mut outcome = OpOutcome::AlreadyTrue;
    match value {
        Some(Value::Object(given)) if verb != Verb::Remove => {
            unambiguous(given)?;
            for (name, value) in given {
                outcome = outcome.max(keyed(draft, verb, (Some(urn), name), value)?);
            }
        }
        Some(value) if verb != Verb::Remove && !value.is_null() => {
            return Err(Error::invalid_value(format!("`{urn}` must be an object")));
        }
        _ => {
            for attribute in &extension.schema.attributes {
                let path = AttrPath {
                    urn: Some(urn.clone()),
                    sub: None,
                    ..AttrPath::plain(attribute.name.as_str())
                };
                if let Some(Target::Attribute(place)) = draft.ty.resolve(&path) {
                    draft.spoken(Verb::Remove, place, None);
                }
            }
            outcome = draft.unassign(verb, extension)?;
        }
    }
    Ok(outcome)
}

/// `schemas` follows from the attributes a resource has; writing what is consistent with that changes nothing.
fn schemas(draft: &Draft<'_>, verb: Verb, path: &PatchPath, value: Option<&Value>) -> Result<OpOutcome, Error> {
    let (Some(value), None, true) = (value, &path.filter, verb != Verb::Remove) else {
        return Err(Error::mutability(
            "`schemas` follows from the attributes of the resource and cannot be changed",
        ));
    };
    let urns = if let Value::Array(urns) = value {
        urns.as_slice()
    } else {
        std::slice::from_ref(value)
    };
    check_urns(draft.ty, urns)?;
    let base = &draft.ty.schema().id;
    let based = urns
        .iter()
        .filter_map(Value::as_str)
        .any(|urn| urn.eq_ignore_ascii_case(base));
    if verb == Verb::Replace && !based {
        return Err(Error::invalid_value(format!("`schemas` lacks `{base}`")));
    }
    Ok(OpOutcome::AlreadyTrue)
}
