//! The copy that operations work on.

use serde_json::{Map, Value};

use super::apply::OpOutcome;
use super::members::MemberOp;
use super::request::Verb;
use crate::scim::schema::{Extension, Field, Mutability, Place, ResourceType, Returned, Type};
use crate::scim::validate::{Cleaner, changed_for_good, is_absent, says_off};
use crate::scim::{Document, Error};

/// A resource while it is being changed.
pub(super) struct Draft<'t> {
    pub ty: &'t ResourceType,
    /// Attributes without `schemas`; `externalId` and a new password are among them.
    pub attributes: Map<String, Value>,
    pub cleaner: Cleaner,
    pub member_ops: Vec<MemberOp>,
    /// See [`super::PatchRequest::lenient`].
    pub lenient: bool,
}

impl<'t> Draft<'t> {
    pub fn new(ty: &'t ResourceType, stored: &Document, external_id: Option<&str>) -> Self {
        let mut attributes = stored.as_map().clone();
        attributes.shift_remove("schemas");
        if let Some(id) = external_id {
            attributes.insert("externalId".to_owned(), id.into());
        }
        let cleaner = Cleaner {
            lone: true,
            ..Cleaner::default()
        };
        Self {
            ty,
            attributes,
            cleaner,
            member_ops: Vec::new(),
            lenient: false,
        }
    }

    /// The value of a top-level attribute.
    pub fn value(&self, field: &Field) -> Option<&Value> {
        let home = match field.extension() {
            None => Some(&self.attributes),
            Some(urn) => self.attributes.get(urn).and_then(Value::as_object),
        };
        home?.get(&field.attribute().name)
    }

    /// A copy of the elements of a multi-valued attribute.
    pub fn elements(&self, field: &Field) -> Vec<Value> {
        self.value(field).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// A copy of the sub-attributes of a singular complex attribute.
    pub fn parts(&self, field: &Field) -> Map<String, Value> {
        self.value(field)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    }

    /// Notes that an operation is about what is at a place, also where it takes it away, and with it all of its parts.
    pub fn spoken(&mut self, verb: Verb, place: Place<'_>, value: Option<&Value>) {
        self.cleaner.specified(place.top(), place.top_path());
        if let Some(sub) = place.sub() {
            self.cleaner.specified(sub, place.path());
            return;
        }
        // What is given to a singular one is put beside the parts that it has.
        let beside = !place.top().multi_valued && value.is_some_and(|value| !is_absent(value) || value.is_object());
        if verb == Verb::Remove || verb == Verb::Replace && !beside {
            for (sub, path) in place.field().subs().filter(|(sub, _)| sub.returned == Returned::Never) {
                self.cleaner.specified(sub, path);
            }
        }
    }

    /// Gives a top-level attribute its new value; `None`, `[]` and `{}` unassign it.
    ///
    /// Says `mutability` when that would change what is immutable, and refuses to unassign what is required.
    pub fn write(&mut self, verb: Verb, field: &Field, new: Option<Value>) -> Result<OpOutcome, Error> {
        let old = self.value(field);
        let new = match (new.filter(|value| !is_absent(value)), verb) {
            // `null` says nothing, and must not let an account in; a removal takes away what keeps it out.
            (None, Verb::Add | Verb::Replace) if says_off(self.ty, field, old) => return Ok(OpOutcome::AlreadyTrue),
            (new, _) => new,
        };
        if old == new.as_ref() {
            return Ok(OpOutcome::AlreadyTrue);
        }
        if let Some(path) = immutable(field, old, new.as_ref()) {
            return Err(fixed(path));
        }
        let attribute = field.attribute();
        if new.is_none() && attribute.required {
            return Err(needed(verb, field.path()));
        }
        self.store(field, new);
        Ok(OpOutcome::Applied)
    }

    /// Takes an extension away with all that it has. What is required of it is required where it is (RFC 7643 §6), so only
    /// what must not change stands in the way, and a type that requires the extension.
    pub fn unassign(&mut self, verb: Verb, extension: &Extension) -> Result<OpOutcome, Error> {
        let urn = &extension.schema.id;
        let Some(home) = self.attributes.get(urn).and_then(Value::as_object) else {
            return Ok(OpOutcome::AlreadyTrue);
        };
        for (name, value) in home {
            let Some(field) = self.ty.field(Some(urn), name) else {
                continue;
            };
            if field.attribute().mutability == Mutability::ReadOnly {
                return Err(Error::mutability(format!("`{}` is read-only", field.path())));
            }
            if let Some(path) = immutable(field, Some(value), None) {
                return Err(fixed(path));
            }
        }
        if extension.required {
            return Err(needed(verb, urn));
        }
        self.attributes.shift_remove(urn);
        Ok(OpOutcome::Applied)
    }

    fn store(&mut self, field: &Field, new: Option<Value>) {
        let name = &field.attribute().name;
        let Some(urn) = field.extension() else {
            set(&mut self.attributes, name, new);
            return;
        };
        let container = self.attributes.entry(urn).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(home) = container {
            set(home, name, new);
            if home.is_empty() {
                self.attributes.shift_remove(urn);
            }
        }
    }
}

/// Sets or removes, keeping the order of the others.
pub(super) fn set(home: &mut Map<String, Value>, name: &str, new: Option<Value>) {
    match new {
        Some(value) => {
            home.insert(name.to_owned(), value);
        }
        None => {
            home.shift_remove(name);
        }
    }
}

/// The path of what is immutable, has a value, and would get another one.
fn immutable<'f>(field: &'f Field, old: Option<&Value>, new: Option<&Value>) -> Option<&'f str> {
    let (old, attribute) = (old?, field.attribute());
    if attribute.mutability == Mutability::Immutable {
        return Some(field.path());
    }
    if attribute.kind != Type::Complex {
        return None;
    }
    if attribute.multi_valued {
        let new = new.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let sub = changed_for_good(attribute, old.as_array()?, new)?;
        return field
            .subs()
            .find(|(known, _)| known.name == sub.name)
            .map(|(_, path)| path);
    }
    let fixed = field.subs().find(|(sub, _)| {
        let before = old.get(&sub.name).filter(|_| sub.mutability == Mutability::Immutable);
        before.is_some() && before != new.and_then(|new| new.get(&sub.name))
    });
    fixed.map(|(_, path)| path)
}

/// Refuses to write what only the server writes.
pub(super) fn writable(place: Place<'_>) -> Result<(), Error> {
    let read_only = [place.top(), place.leaf()]
        .iter()
        .any(|part| part.mutability == Mutability::ReadOnly);
    if read_only {
        Err(Error::mutability(format!("`{}` is read-only", place.path())))
    } else {
        Ok(())
    }
}

pub(super) fn fixed(path: &str) -> Error {
    Error::mutability(format!("`{path}` has a value and is immutable"))
}

/// Refuses to unassign what is required (RFC 7644 §3.5.2.2; by `null` it is the value that is wrong).
pub(super) fn needed(verb: Verb, path: &str) -> Error {
    match verb {
        Verb::Remove => Error::mutability(format!("`{path}` is required and cannot be removed")),
        Verb::Add | Verb::Replace => Error::invalid_value(format!("`{path}` is required")),
    }
}
