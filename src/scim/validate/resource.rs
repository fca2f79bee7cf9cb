//! A whole resource, as POST and PUT carry it (RFC 7644 §3.3, §3.5.1).

use serde_json::{Map, Value};

use super::complete::{faults, size, user_name};
use super::elements::{carry_fixed, changed_for_good};
use super::members::{holds_members, member_refs};
use super::password::password;
use super::schemas::check_schemas;
use super::value::{Cleaner, is_absent};
use crate::base::secret::Secret;
use crate::scim::document::MemberRef;
use crate::scim::message::{member, unambiguous};
use crate::scim::schema::{Attribute, Extension, Field, Mutability, ResourceType, Type};
use crate::scim::{Document, Error};

/// What a body asks for, after validation.
#[derive(Debug)]
pub struct Incoming {
    /// The attributes to store.
    pub document: Document,
    /// `externalId`, which belongs to the client that sends it.
    pub external_id: Option<String>,
    /// Members of a group; `None` when the body does not mention them, which on PUT means that there are none.
    pub members: Option<Vec<MemberRef>>,
    /// A password to set; without one a PUT keeps what there is, since nobody can read it back.
    pub password: Option<Secret<String>>,
    /// Whether the body says anything about `active`.
    pub active_given: bool,
    /// Names in the body that mean nothing, with their place: `name.firstName`.
    pub ignored: Vec<String>,
    /// Canonical paths given a value that are shown on request only: the answer shows them (RFC 7643 §7).
    pub asked_for: Vec<String>,
    /// Canonical paths of what was given and is never returned: whether it was so before is told to nobody.
    pub secrets: Vec<String>,
}

/// Reads the body of a POST.
///
/// # Errors
/// `invalidSyntax` when the body is no resource of this type, `invalidValue` when a value is missing or does not fit.
pub fn create(ty: &ResourceType, body: &Value) -> Result<Incoming, Error> {
    let reading = Reading::of(ty, body)?;
    reading.finish(ty)
}

/// Reads the body of a PUT over what is stored.
///
/// Omitted attributes are cleared, except those that are not the client's to clear: readOnly, writeOnly and immutable
/// ones keep their values, and so does `active` of a user, because clients leave it out and mean nothing by it.
///
/// # Errors
/// As [`create`], and `mutability` when an immutable attribute gets another value.
pub fn replace(ty: &ResourceType, body: &Value, stored: &Document) -> Result<Incoming, Error> {
    let mut reading = Reading::of(ty, body)?;
    for field in ty.fields() {
        let attribute = field.attribute();
        let keep = is_status(ty, field) && !reading.active_given;
        let kept = reading.home(field).and_then(|home| home.get(&attribute.name));
        let before = home(stored.as_map(), field).and_then(|home| home.get(&attribute.name));
        let Some(before) = before else { continue };
        if let Some(value) = carry(attribute, field.path(), kept, before, keep)? {
            reading.put(field, value);
        }
    }
    reading.finish(ty)
}

/// What to write so that a PUT leaves alone what it must; `None` when the new value stands.
fn carry(
    attribute: &Attribute,
    path: &str,
    new: Option<&Value>,
    before: &Value,
    keep: bool,
) -> Result<Option<Value>, Error> {
    if keep || attribute.mutability != Mutability::ReadWrite {
        return match new {
            None => Ok(Some(before.clone())),
            Some(new) if attribute.mutability == Mutability::Immutable && new != before => Err(immutable(path)),
            Some(_) => Ok(None),
        };
    }
    if let (Value::Array(old), Some(Value::Array(new)), Type::Complex) = (before, new, attribute.kind) {
        let mut new = new.clone();
        let carried = carry_fixed(attribute, old, &mut new);
        if let Some(sub) = changed_for_good(attribute, old, &new) {
            return Err(immutable(&format!("{path}.{}", sub.name)));
        }
        return Ok(carried.then_some(Value::Array(new)));
    }
    let (Value::Object(old), Type::Complex, false) = (before, attribute.kind, attribute.multi_valued) else {
        return Ok(None);
    };
    let mut merged = new.and_then(Value::as_object).cloned().unwrap_or_default();
    let size = merged.len();
    let stays = |sub: &Attribute| sub.mutability != Mutability::ReadWrite && old.contains_key(&sub.name);
    // What cannot be cleared stays with what it must have beside it: else nobody could leave the attribute out.
    let with_needed = new.is_none() && attribute.sub_attributes.iter().any(stays);
    for sub in &attribute.sub_attributes {
        let (Some(before), path) = (old.get(&sub.name), || format!("{path}.{}", sub.name)) else {
            continue;
        };
        match merged.get(&sub.name) {
            Some(new) if sub.mutability == Mutability::Immutable && new != before => return Err(immutable(&path())),
            None if sub.mutability != Mutability::ReadWrite || with_needed && sub.required => {
                merged.insert(sub.name.clone(), before.clone());
            }
            _ => {}
        }
    }
    Ok((merged.len() > size).then_some(Value::Object(merged)))
}

fn immutable(path: &str) -> Error {
    Error::mutability(format!("`{path}` has a value and is immutable"))
}

/// Whether the field says if an account is active.
fn is_status(ty: &ResourceType, field: &Field) -> bool {
    ty.name() == "User" && field.path() == "active"
}

/// Whether the field says that an account is not active. Without a value it would be: nothing but `true` may bring that
/// about.
pub(in crate::scim) fn says_off(ty: &ResourceType, field: &Field, value: Option<&Value>) -> bool {
    is_status(ty, field) && value == Some(&Value::Bool(false))
}

/// The object that holds the field's value: the document or an extension container in it.
fn home<'a>(members: &'a Map<String, Value>, field: &Field) -> Option<&'a Map<String, Value>> {
    match field.extension() {
        None => Some(members),
        Some(urn) => members.get(urn).and_then(Value::as_object),
    }
}

/// An extension that stands in the container of another one: RFC 9944 writes the ways of pairing into that of the radio.
struct Nested<'a> {
    of: &'a str,
    inner: &'a Extension,
    value: &'a Value,
}

/// A body on its way to an [`Incoming`].
#[derive(Default)]
struct Reading {
    /// Clean attributes without `schemas`; `externalId` and `password` still among them.
    clean: Map<String, Value>,
    members: Option<Vec<MemberRef>>,
    active_given: bool,
    cleaner: Cleaner,
}

impl Reading {
    fn of(ty: &ResourceType, body: &Value) -> Result<Self, Error> {
        let Value::Object(given) = body else {
            return Err(Error::invalid_syntax("the body has to be a JSON object"));
        };
        unambiguous(given)?;
        check_schemas(ty, member(given, "schemas"))?;
        let mut reading = Self::default();
        let mut nested = Vec::new();
        for (name, value) in given {
            if let Some(field) = ty.field(None, name) {
                reading.attribute(ty, field, value)?;
            } else if let Some(extension) = ty.extension(name) {
                nested.extend(reading.extension(ty, extension, value)?);
            } else {
                plainly_named(ty, name)?;
                reading.cleaner.ignore(name);
            }
        }
        for Nested { of, inner, value } in nested {
            let urn = &inner.schema.id;
            if given.keys().any(|name| name.eq_ignore_ascii_case(urn)) {
                reading.cleaner.ignore(format!("{of}:{urn}"));
                continue;
            }
            for deeper in reading.extension(ty, inner, value)? {
                reading.cleaner.ignore(format!("{urn}:{}", deeper.inner.schema.id));
            }
        }
        Ok(reading)
    }

    fn attribute(&mut self, ty: &ResourceType, field: &Field, value: &Value) -> Result<(), Error> {
        let attribute = field.attribute();
        if attribute.mutability == Mutability::ReadOnly || field.path() == "schemas" {
            return Ok(());
        }
        if holds_members(ty, field) {
            self.members = Some(member_refs(&mut self.cleaner, attribute, value)?);
            return Ok(());
        }
        // Without a value it is as if it were not there (RFC 7643 §2.5).
        self.active_given |= field.path() == "active" && !is_absent(value);
        if let Some(value) = self.cleaner.value(attribute, field.path(), value)? {
            self.put(field, value);
        }
        Ok(())
    }

    /// The attributes of an extension. Gives the extensions that stand in it.
    fn extension<'a>(
        &mut self,
        ty: &'a ResourceType,
        extension: &'a Extension,
        value: &'a Value,
    ) -> Result<Vec<Nested<'a>>, Error> {
        let mut nested = Vec::new();
        let urn = &extension.schema.id;
        let given = match value {
            Value::Object(given) => given,
            absent if is_absent(absent) => return Ok(nested),
            _ => return Err(Error::invalid_value(format!("`{urn}` must be an object"))),
        };
        unambiguous(given)?;
        for (name, value) in given {
            if let Some(field) = ty.field(Some(urn), name) {
                self.attribute(ty, field, value)?;
                continue;
            }
            if let Some(inner) = ty.extension(name) {
                nested.push(Nested { of: urn, inner, value });
                continue;
            }
            let name = format!("{urn}:{name}");
            plainly_named(ty, &name)?;
            self.cleaner.ignore(name);
        }
        Ok(nested)
    }

    fn home(&self, field: &Field) -> Option<&Map<String, Value>> {
        home(&self.clean, field)
    }

    fn put(&mut self, field: &Field, value: Value) {
        let name = field.attribute().name.clone();
        let Some(urn) = field.extension() else {
            self.clean.insert(name, value);
            return;
        };
        if let Value::Object(home) = self.clean.entry(urn).or_insert_with(|| Value::Object(Map::new())) {
            home.insert(name, value);
        }
    }

    fn finish(mut self, ty: &ResourceType) -> Result<Incoming, Error> {
        let external_id = take_text(&mut self.clean, "externalId");
        let password = password(ty, &mut self.clean)?;
        if let Some(path) = faults(ty, &self.clean).first() {
            return Err(Error::invalid_value(format!("`{path}` is required")));
        }
        user_name(ty, &self.clean)?;
        size(&self.clean)?;
        Ok(Incoming {
            document: carry_schemas(ty, self.clean),
            external_id,
            members: self.members,
            password,
            active_given: self.active_given,
            ignored: self.cleaner.ignored,
            asked_for: self.cleaner.asked_for,
            secrets: self.cleaner.secrets,
        })
    }
}

/// Refuses a member that is named by the path of an attribute: passed over, its value would be lost, and taken, there
/// could be two values for one attribute.
pub(in crate::scim) fn plainly_named(ty: &ResourceType, name: &str) -> Result<(), Error> {
    match ty.flat(name) {
        None => Ok(()),
        Some(_) => Err(Error::invalid_syntax(format!(
            "`{name}` is a path and no name of an attribute: its value belongs, once, into the object that the path leads to"
        ))),
    }
}

/// Takes a text out of a document.
pub(in crate::scim) fn take_text(clean: &mut Map<String, Value>, name: &str) -> Option<String> {
    match clean.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Puts `schemas` in front: the base, and every extension that holds attributes (RFC 7643 §3).
pub(in crate::scim) fn carry_schemas(ty: &ResourceType, clean: Map<String, Value>) -> Document {
    let mut urns = vec![Value::from(ty.schema().id.as_str())];
    let held = ty
        .extensions()
        .iter()
        .map(|extension| &extension.schema.id)
        .filter(|urn| clean.contains_key(*urn));
    urns.extend(held.map(|urn| Value::from(urn.as_str())));
    let mut members = Map::with_capacity(clean.len() + 1);
    members.insert("schemas".to_owned(), Value::Array(urns));
    members.extend(clean);
    Document::clean(members)
}
