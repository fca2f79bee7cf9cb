//! What a request says of extensions that no schema declares: kept beside the resource, where the dialect takes it, and no
//! part of it. Neither shown to clients nor found by filters; the log says that it changed and not what it is.

use serde_json::{Map, Value};

use super::effect::{Effect, Outcome};
use super::parked::{PASSWORD, without_password};
use super::plan::Planned;
use super::write::Target;
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::event::set::ASIDE;
use crate::scim::dialect::{Dialect, is_undeclared};
use crate::scim::patch::{PatchRequest, Verb};
use crate::scim::path::AttrPath;
use crate::scim::schema::ResourceType;
use crate::service::context::Caller;
use crate::service::error::Result;
use crate::store::asides::Aside;
use crate::store::{Reader, Unit};

/// Extensions that a connection may say something of, for each resource: more is no mapping of anybody.
pub(in crate::service) const MOST_EXTENSIONS: usize = 16;

/// Bytes of one of them as JSON.
const MAX_BYTES: usize = 16 * 1024;

/// One thing that a request says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    /// By which operation of a PATCH, from 0.
    pub(super) operation: usize,
    pub(super) how: How,
    /// Name of an extension, or of an attribute in it.
    pub(super) name: String,
    /// `null` takes it away.
    pub(super) value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It is all there is of an extension.
    Whole,
    Add,
    Replace,
    /// It is declared by now and part of the resource: so much of what was kept is kept no longer, `null` is all of it.
    Brought,
}

/// What the body of a POST or PUT says; it stays in the body, where it means nothing else.
pub(super) fn of_body(dialect: Dialect, caller: &Caller, kind: &ResourceType, body: &Value) -> Vec<Said> {
    let members = body.as_object().filter(|_| keeps(dialect, caller));
    let named = members
        .into_iter()
        .flatten()
        .filter(|(name, _)| is_undeclared(kind, name));
    let said = named.map(|(name, value)| Said {
        operation: 0,
        how: How::Whole,
        name: name.clone(),
        value: without_password(value.clone()),
    });
    said.collect()
}

/// What the operations of a PATCH say, taken out of them: names in it are no names of the resource.
pub(super) fn out_of(dialect: Dialect, caller: &Caller, kind: &ResourceType, request: &mut PatchRequest) -> Vec<Said> {
    let mut said = Vec::new();
    if !keeps(dialect, caller) {
        return said;
    }
    for (index, operation) in request.operations.iter_mut().enumerate() {
        let how = match operation.verb {
            Verb::Add => How::Add,
            Verb::Replace => How::Replace,
            Verb::Remove => continue,
        };
        let (None, Some(Value::Object(members))) = (&operation.path, &mut operation.value) else {
            continue;
        };
        let names: Vec<String> = members
            .keys()
            .filter(|name| is_undeclared(kind, name))
            .cloned()
            .collect();
        for name in names {
            // `null` adds nothing (RFC 7643 §2.5).
            if let Some(value) = members.shift_remove(&name)
                && !(how == How::Add && value.is_null())
            {
                let value = without_password(value);
                said.push(Said {
                    operation: index,
                    how,
                    name,
                    value,
                });
            }
        }
    }
    said
}

fn keeps(dialect: Dialect, caller: &Caller) -> bool {
    dialect.keeps_undeclared() && caller.connection_id().is_some()
}

/// What becomes of what is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settled {
    /// Extensions that are otherwise than before.
    set: Vec<Aside>,
    /// Names of those of which nothing is left.
    gone: Vec<String>,
    /// What is not kept, with the operation that said it: it is too large, or too much.
    unfit: Vec<(usize, String)>,
    /// Of each thing that is kept, the operation that said it, and whether that was new.
    kept: Vec<(usize, bool)>,
    /// The operations that brought into the resource what was kept until then.
    brought: Vec<usize>,
}

impl Settled {
    /// What a new resource starts with, or one that is written by this request alone.
    pub(super) fn first(said: &[Said], ignored: &mut Vec<String>) -> Self {
        let settled = Self::of(Vec::new(), said);
        let mut unknown = ignored.len();
        settled.tell_ignored(said, ignored, &mut unknown);
        settled
    }

    fn of(before: Vec<Aside>, said: &[Said]) -> Self {
        let mut shelf = Shelf::of(before);
        let mut settled = Self::default();
        for said in said {
            if said.how == How::Brought {
                if shelf.bring(said) {
                    settled.brought.push(said.operation);
                }
                continue;
            }
            match shelf.put(said) {
                Some(changed) => settled.kept.push((said.operation, changed)),
                None => settled.unfit.push((said.operation, said.name.clone())),
            }
        }
        (settled.set, settled.gone) = shelf.differences();
        settled
    }

    /// Whether anything is otherwise than before.
    pub(super) fn moves(&self) -> bool {
        !self.set.is_empty() || !self.gone.is_empty()
    }

    /// Takes the names of what is kept from those that mean nothing, and adds those of what is not.
    /// So many of them mean nothing; those behind are known and were left out.
    fn tell_ignored(&self, said: &[Said], ignored: &mut Vec<String>, unknown: &mut usize) {
        let left_out = ignored.split_off(ignored.len().min(*unknown));
        let is_aside = |said: &Said, name: &str| said.how != How::Brought && said.name == name;
        ignored.retain(|name| !said.iter().any(|said| is_aside(said, name)));
        ignored.extend(self.unfit.iter().map(|(_, name)| name.clone()));
        *unknown = ignored.len();
        ignored.extend(left_out);
    }

    /// Says of each operation of a PATCH how much of it is kept.
    pub(super) fn tell_effects(&self, effects: &mut [Effect]) {
        for (operation, _) in &self.unfit {
            if let Some(effect) = effects.get_mut(*operation) {
                effect.ignored += 1;
            }
        }
        for (operation, changed) in &self.kept {
            if let Some(effect) = effects.get_mut(*operation) {
                effect.kept += 1;
                if *changed {
                    effect.outcome = Outcome::Applied;
                }
            }
        }
        for operation in &self.brought {
            if let Some(effect) = effects.get_mut(*operation) {
                effect.outcome = Outcome::Applied;
            }
        }
    }

    /// Says in an event of how many extensions something else is kept. Their names are the client's, and may say anything.
    pub(super) fn tell(&self, data: &mut Value) {
        if self.moves() {
            data[ASIDE] = (self.set.len() + self.gone.len()).into();
        }
    }

    /// Writes it, with the save.
    pub(super) fn keep(&self, unit: &mut Unit, caller: &Caller, resource: Pk, now: Timestamp) {
        if let Some(connection) = caller.connection_id() {
            unit.asides().set(resource, connection, &self.set, now);
            unit.asides().forget(resource, connection, &self.gone);
        }
    }
}

/// Works out what becomes of it without a lock. After the resource: what is kept moves its version, so a change that
/// this misses makes the write stale.
pub(super) async fn unlocked(target: &Target, planned: &mut Planned, reader: &Reader) -> Result<()> {
    if let (Some(connection), false) = (target.caller.connection_id(), planned.next.aside.is_empty()) {
        let before = reader.asides().of(planned.stored.pk, connection).await?;
        settle(planned, before);
    }
    Ok(())
}

/// The same in a unit that has locked the resource.
pub(super) async fn locked(target: &Target, planned: &mut Planned, unit: &mut Unit) -> Result<()> {
    if let (Some(connection), false) = (target.caller.connection_id(), planned.next.aside.is_empty()) {
        let before = unit.asides().of(planned.stored.pk, connection).await?;
        settle(planned, before);
    }
    Ok(())
}

fn settle(planned: &mut Planned, before: Vec<Aside>) {
    let settled = Settled::of(before, &planned.next.aside);
    let next = &mut planned.next;
    settled.tell_ignored(&next.aside, &mut next.ignored, &mut next.unknown);
    planned.aside = settled;
}

/// What is kept of one resource, as a request goes over it.
struct Shelf {
    before: Vec<Aside>,
    now: Vec<(String, Map<String, Value>)>,
}

impl Shelf {
    fn of(before: Vec<Aside>) -> Self {
        let read = |aside: &Aside| {
            (
                aside.urn.clone(),
                serde_json::from_str(&aside.attributes).unwrap_or_default(),
            )
        };
        let now = before.iter().map(read).collect();
        Self { before, now }
    }

    fn find(&self, urn: &str) -> Option<usize> {
        self.now.iter().position(|(known, _)| known.eq_ignore_ascii_case(urn))
    }

    /// Whether it is otherwise than before; `None` where it cannot be kept.
    ///
    /// A name is that of an extension where something of that name is kept, or where it has attributes; else that of an
    /// attribute of the extension before its last colon.
    fn put(&mut self, said: &Said) -> Option<bool> {
        let path = AttrPath::parse(&said.name).ok()?;
        // Passwords are kept nowhere but as hashes.
        let names = [Some(&path.name), path.sub.as_ref()];
        if names
            .into_iter()
            .flatten()
            .any(|name| name.eq_ignore_ascii_case(PASSWORD))
        {
            return None;
        }
        if let Some(at) = self.find(&said.name) {
            return self.put_extension(at, said);
        }
        let home = path.urn.as_deref()?;
        match (self.find(home), &said.value) {
            (Some(at), _) => self.change(at, |attributes| put_attribute(attributes, said, &path)),
            (None, Value::Null) => Some(false),
            (None, Value::Object(_)) => self.begin(&said.name, |attributes| put_all(attributes, said)),
            (None, _) => self.begin(home, |attributes| put_attribute(attributes, said, &path)),
        }
    }

    /// Takes away what is part of the resource from now on; whether there was any of it.
    ///
    /// An attribute may be kept as one of its extension, or under its own name where it has parts.
    fn bring(&mut self, said: &Said) -> bool {
        let mut came = false;
        if let Some(at) = self.find(&said.name) {
            came |= self.change(at, |attributes| leave(attributes, &said.value)) == Some(true);
        }
        let path = AttrPath::parse(&said.name).ok();
        let home = path.as_ref().and_then(|path| self.find(path.urn.as_deref()?));
        if let (Some(path), Some(at)) = (path, home) {
            let part = Value::Object(Map::from_iter([(path.name, said.value.clone())]));
            came |= self.change(at, |attributes| leave(attributes, &part)) == Some(true);
        }
        came
    }

    fn put_extension(&mut self, at: usize, said: &Said) -> Option<bool> {
        match &said.value {
            Value::Null => {
                self.now.remove(at);
                Some(true)
            }
            Value::Object(_) => self.change(at, |attributes| put_all(attributes, said)),
            _ => None,
        }
    }

    fn begin(&mut self, urn: &str, put: impl FnOnce(&mut Map<String, Value>) -> bool) -> Option<bool> {
        if self.now.len() >= MOST_EXTENSIONS {
            return None;
        }
        self.now.push((urn.to_owned(), Map::new()));
        let came = self.change(self.now.len() - 1, put);
        if came.is_none() {
            self.now.pop();
        }
        came
    }

    /// Changes the attributes of one; leaves it as it is where that makes no sense or is too large.
    fn change(&mut self, at: usize, put: impl FnOnce(&mut Map<String, Value>) -> bool) -> Option<bool> {
        let (_, attributes) = self.now.get_mut(at)?;
        let before = attributes.clone();
        if !put(attributes) || Value::from(attributes.clone()).to_string().len() > MAX_BYTES {
            *attributes = before;
            return None;
        }
        let changed = *attributes != before;
        if attributes.is_empty() {
            self.now.remove(at);
        }
        Some(changed)
    }

    /// Extensions that are otherwise than before, and names of those that are gone.
    fn differences(self) -> (Vec<Aside>, Vec<String>) {
        let now: Vec<Aside> = self
            .now
            .into_iter()
            .map(|(urn, attributes)| Aside {
                urn,
                attributes: Value::from(attributes).to_string(),
            })
            .collect();
        let is_there = |urn: &str| now.iter().any(|aside| aside.urn.eq_ignore_ascii_case(urn));
        let gone = self.before.iter().filter(|aside| !is_there(&aside.urn));
        let gone = gone.map(|aside| aside.urn.clone()).collect();
        (
            now.into_iter().filter(|aside| !self.before.contains(aside)).collect(),
            gone,
        )
    }
}

/// The attributes of a whole extension.
fn put_all(attributes: &mut Map<String, Value>, said: &Said) -> bool {
    let Value::Object(given) = &said.value else {
        return false;
    };
    if said.how == How::Whole {
        attributes.clear();
    }
    for (name, value) in given {
        put_one(attributes, name, value, said.how);
    }
    true
}

/// One attribute, or a part of one; false where the attribute has no parts.
fn put_attribute(attributes: &mut Map<String, Value>, said: &Said, path: &AttrPath) -> bool {
    let Some(sub) = &path.sub else {
        put_one(attributes, &path.name, &said.value, said.how);
        return true;
    };
    let name = known(attributes, &path.name);
    let parts = attributes
        .entry(name.as_str())
        .or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(parts) = parts else { return false };
    put_one(parts, sub, &said.value, said.how);
    if parts.is_empty() {
        attributes.shift_remove(&name);
    }
    true
}

fn put_one(attributes: &mut Map<String, Value>, name: &str, value: &Value, how: How) {
    let name = known(attributes, name);
    if value.is_null() {
        // `null` adds nothing, and is no value.
        if how != How::Add {
            attributes.shift_remove(&name);
        }
        return;
    }
    match (attributes.get_mut(&name), value) {
        (Some(Value::Array(there)), Value::Array(added)) if how == How::Add => {
            let new: Vec<Value> = added.iter().filter(|value| !there.contains(value)).cloned().collect();
            there.extend(new);
        }
        _ => {
            attributes.insert(name, value.clone());
        }
    }
}

/// The name as it is there, whatever its letter case.
fn known(attributes: &Map<String, Value>, name: &str) -> String {
    let there = attributes.keys().find(|known| known.eq_ignore_ascii_case(name));
    there.map_or_else(|| name.to_owned(), Clone::clone)
}

/// Takes away from the attributes what is brought of them.
fn leave(attributes: &mut Map<String, Value>, brought: &Value) -> bool {
    *attributes = match left(Value::Object(std::mem::take(attributes)), brought) {
        Some(Value::Object(left)) => left,
        _ => Map::new(),
    };
    true
}

/// What is left of a value when this of it is brought: the other parts, the other elements.
fn left(there: Value, brought: &Value) -> Option<Value> {
    match (there, brought) {
        (Value::Object(mut parts), Value::Object(given)) => {
            for (name, brought) in given {
                let name = known(&parts, name);
                match parts.get_mut(&name).map(Value::take).map(|part| left(part, brought)) {
                    Some(Some(left)) => drop(parts.insert(name, left)),
                    Some(None) => drop(parts.shift_remove(&name)),
                    None => {}
                }
            }
            (!parts.is_empty()).then_some(Value::Object(parts))
        }
        (Value::Array(mut items), Value::Array(given)) => {
            items.retain(|item| !given.contains(item));
            (!items.is_empty()).then_some(Value::Array(items))
        }
        _ => None,
    }
}
