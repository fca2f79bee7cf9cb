//! What a request says of extensions that are declared by now: what was kept of it aside, before there was a schema, is part
//! of the resource then, and kept no longer.

use serde_json::{Map, Value};

use super::aside::{How, Said};
use crate::scim::patch::{Operation, PatchRequest, Verb};
use crate::scim::path::{AttrPath, PatchPath};
use crate::scim::schema::{ENTERPRISE_USER, Extension, Place, ResourceType, Target};
use crate::service::context::Caller;

/// What the body of a PUT brings: extensions as a whole.
pub(super) fn of_body(caller: &Caller, kind: &ResourceType, body: &Value) -> Vec<Said> {
    let mut said = Vec::new();
    let members = body.as_object().filter(|_| may_be_aside(caller, kind));
    for (name, value) in members.into_iter().flatten() {
        match resolved(kind, name) {
            Some(Target::Extension(extension)) => whole(0, extension, &mut said),
            Some(Target::Attribute(place)) => attribute(0, place, Some(value), &mut said),
            _ => {}
        }
    }
    said
}

/// What the operations of a PATCH bring: the attributes that they name.
pub(super) fn of_patch(caller: &Caller, kind: &ResourceType, request: &PatchRequest) -> Vec<Said> {
    let mut said = Vec::new();
    if may_be_aside(caller, kind) {
        for (at, operation) in request.operations.iter().enumerate() {
            of_operation(kind, at, operation, &mut said);
        }
    }
    said
}

/// Whether anything can be kept aside of what is declared: by a connection, of what was not declared from the beginning.
fn may_be_aside(caller: &Caller, kind: &ResourceType) -> bool {
    caller.connection_id().is_some() && kind.extensions().iter().any(is_own)
}

fn is_own(extension: &Extension) -> bool {
    extension.schema.id != ENTERPRISE_USER
}

fn resolved<'k>(kind: &'k ResourceType, name: &str) -> Option<Target<'k>> {
    kind.resolve(&AttrPath::parse(name).ok()?)
}

fn of_operation(kind: &ResourceType, at: usize, operation: &Operation, said: &mut Vec<Said>) {
    let value = operation.value.as_ref();
    let Some(PatchPath { attr, filter: None, .. }) = &operation.path else {
        if let (None, Some(Value::Object(given))) = (&operation.path, value) {
            keyed(kind, at, (operation.verb, ""), given, said);
        }
        return;
    };
    match (kind.resolve(attr), value) {
        (Some(Target::Extension(extension)), Some(Value::Object(given))) if operation.verb != Verb::Remove => {
            keyed(kind, at, (operation.verb, &extension.schema.id), given, said);
        }
        (Some(Target::Extension(extension)), _) => whole(at, extension, said),
        (Some(Target::Core(_)), Some(Value::Object(given))) => keyed(kind, at, (operation.verb, ""), given, said),
        (Some(Target::Attribute(place)), value) => named(at, operation.verb, place, value, said),
        _ => {}
    }
}

/// Names in a value: of a resource, or of the extension of this URN.
fn keyed(kind: &ResourceType, at: usize, (verb, urn): (Verb, &str), given: &Map<String, Value>, said: &mut Vec<Said>) {
    for (name, value) in given {
        if verb == Verb::Add && value.is_null() {
            continue;
        }
        let target = if urn.is_empty() {
            resolved(kind, name)
        } else {
            resolved(kind, &format!("{urn}:{name}"))
        };
        match (target, value) {
            (Some(Target::Attribute(place)), value) => named(at, verb, place, Some(value), said),
            (Some(Target::Extension(extension)), Value::Object(given)) if urn.is_empty() => {
                keyed(kind, at, (verb, &extension.schema.id), given, said);
            }
            (Some(Target::Extension(extension)), Value::Null) if urn.is_empty() => whole(at, extension, said),
            _ => {}
        }
    }
}

/// An attribute in an operation: what replaces a list brings all of it, what adds to it or takes from it these elements.
fn named(at: usize, verb: Verb, place: Place<'_>, value: Option<&Value>, said: &mut Vec<Said>) {
    let value = value.filter(|_| verb != Verb::Replace || !place.top().multi_valued);
    attribute(at, place, value, said);
}

fn attribute(at: usize, place: Place<'_>, value: Option<&Value>, said: &mut Vec<Said>) {
    // A part of each element is no element.
    if place.extension().is_none_or(|urn| urn == ENTERPRISE_USER) || place.top().multi_valued && place.sub().is_some() {
        return;
    }
    let value = match (place.sub(), value) {
        (Some(sub), _) => Value::Object(Map::from_iter([(sub.name.clone(), Value::Null)])),
        // A lone value stands for a list that holds it.
        (None, Some(value)) if place.top().multi_valued && !value.is_array() && !value.is_null() => {
            Value::Array(vec![value.clone()])
        }
        (None, Some(value)) => value.clone(),
        (None, None) => Value::Null,
    };
    said.push(Said {
        operation: at,
        how: How::Brought,
        name: place.top_path().to_owned(),
        value,
    });
}

/// All there is of an extension, also what is kept under the names of its attributes.
fn whole(at: usize, extension: &Extension, said: &mut Vec<Said>) {
    let urn = &extension.schema.id;
    let attributes = extension.schema.attributes.iter();
    let attributes = attributes.map(|attribute| format!("{urn}:{}", attribute.name));
    said.extend(
        std::iter::once(urn.clone())
            .chain(attributes)
            .filter(|_| is_own(extension))
            .map(|name| Said {
                operation: at,
                how: How::Brought,
                name,
                value: Value::Null,
            }),
    );
}
