//! A catalogue of the operator's own, read from JSON.
//!
//! `{"permissions": [{"key": "ticket.close", "label": "Close a ticket", "level": "scope", "roles": ["manager"]}]}`.
//! `level` is `scope` unless it says `organisation`. `roles` names the predefined roles that hold the permission; the
//! owner holds all. Without `roles` a key that Muster ships keeps the roles it ships with, any other goes to Owner and
//! Admin: who is to hold a new right is not guessed.

use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Entry, OWN_PREFIX, builtin_entries};
use super::predefined::Predefined;
use super::set::{Level, MAX_PERMISSIONS};
use crate::base::near::nearest;

/// Longest key in bytes: it stands in every role and every decision.
const MAX_KEY_BYTES: usize = 64;

/// What is wrong with a catalogue file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct CatalogueFault {
    /// `permissions[3].roles[0]`, counted from 0, or `line 3 column 7`.
    pub place: String,
    /// One sentence, lower case, no full stop.
    pub fault: String,
}

type Faults = Vec<CatalogueFault>;

impl Catalogue {
    /// Reads a file that replaces the permissions of Muster, all but the `org.*` ones.
    ///
    /// # Errors
    /// Everything that is wrong with the file, in its order.
    pub fn from_json(text: &str) -> Result<Self, Vec<CatalogueFault>> {
        let file: Value = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            vec![fault(place, "this is not JSON")]
        })?;
        let mut faults = Vec::new();
        let entries = entries(&file, &mut faults);
        if faults.is_empty() {
            Ok(Self::with(entries))
        } else {
            Err(faults)
        }
    }
}

fn entries(file: &Value, faults: &mut Faults) -> Vec<Entry> {
    let Some(members) = file.as_object() else {
        faults.push(fault("file", "expected an object with the member `permissions`"));
        return Vec::new();
    };
    only(members, &["permissions"], "", faults);
    let Some(list) = members.get("permissions").and_then(Value::as_array) else {
        faults.push(fault("permissions", "expected a list of permissions"));
        return Vec::new();
    };
    let own = builtin_entries()
        .filter(|entry| entry.key.starts_with(OWN_PREFIX))
        .count();
    if list.len() + own > MAX_PERMISSIONS {
        let most = MAX_PERMISSIONS - own;
        faults.push(fault(
            "permissions",
            format!("{} are too many; there can be {most}", list.len()),
        ));
        return Vec::new();
    }
    let mut found: Vec<Entry> = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let place = format!("permissions[{index}]");
        let Some(entry) = entry(value, &place, faults) else {
            continue;
        };
        if found.iter().any(|earlier| earlier.key == entry.key) {
            faults.push(fault(format!("{place}.key"), format!("`{}` is there twice", entry.key)));
        }
        found.push(entry);
    }
    found
}

fn entry(value: &Value, place: &str, faults: &mut Faults) -> Option<Entry> {
    let Some(members) = value.as_object() else {
        faults.push(fault(
            place,
            "expected an object with `key`, `label`, `level` and `roles`",
        ));
        return None;
    };
    only(
        members,
        &["key", "label", "level", "roles"],
        &format!("{place}."),
        faults,
    );
    let label = text(members, "label", place, faults);
    let level = level(members, place, faults);
    let key = text(members, "key", place, faults).filter(|key| {
        let wrong = key_fault(key);
        let fine = wrong.is_none();
        faults.extend(wrong.map(|wrong| fault(format!("{place}.key"), wrong)));
        fine
    });
    let holders = match members.get("roles") {
        Some(roles) => holders(roles, &format!("{place}.roles"), faults),
        None => shipped_holders(key?),
    };
    Some(Entry {
        key: key?.to_owned(),
        label: label?.to_owned(),
        level,
        holders: holders | Predefined::Owner.bit(),
    })
}

/// Who holds a permission when the file does not say.
fn shipped_holders(key: &str) -> u8 {
    let shipped = builtin_entries().find(|entry| entry.key == key);
    shipped.map_or(Predefined::Admin.bit(), |entry| entry.holders)
}

fn key_fault(key: &str) -> Option<String> {
    let allowed = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"._-".contains(&letter);
    if key.starts_with(OWN_PREFIX) {
        return Some(format!(
            "`{key}` gates Muster itself: `{OWN_PREFIX}*` permissions cannot be replaced"
        ));
    }
    if key.len() > MAX_KEY_BYTES {
        return Some(format!("a key has at most {MAX_KEY_BYTES} characters"));
    }
    if !key.bytes().all(allowed) || !key.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        return Some(format!(
            "`{key}` is no key: it begins with a lower-case letter and is made of lower-case letters, digits, `.`, `_` and `-`"
        ));
    }
    None
}

fn level(members: &Map<String, Value>, place: &str, faults: &mut Faults) -> Level {
    let Some(value) = members.get("level") else {
        return Level::Scope;
    };
    let found = Level::ALL.iter().find(|level| value.as_str() == Some(level.as_str()));
    found.copied().unwrap_or_else(|| {
        faults.push(fault(format!("{place}.level"), "expected `scope` or `organisation`"));
        Level::Scope
    })
}

fn holders(roles: &Value, place: &str, faults: &mut Faults) -> u8 {
    let Some(list) = roles.as_array() else {
        faults.push(fault(place, "expected a list of predefined roles"));
        return 0;
    };
    let mut bits = 0;
    for (index, value) in list.iter().enumerate() {
        let id = value.as_str().unwrap_or_default();
        match Predefined::from_id(id) {
            Some(role) => bits |= role.bit(),
            None => faults.push(fault(format!("{place}[{index}]"), unknown_role(value))),
        }
    }
    bits
}

fn unknown_role(value: &Value) -> String {
    let ids = Predefined::ALL.map(Predefined::id);
    let hint = value.as_str().and_then(|id| nearest(id, ids));
    match (value.as_str(), hint) {
        (Some(id), Some(near)) => format!("there is no predefined role `{id}`; did you mean `{near}`?"),
        (Some(id), None) => format!("there is no predefined role `{id}`; there are {}", ids.join(", ")),
        (None, _) => format!("expected one of {}", ids.join(", ")),
    }
}

/// A text that is there and has letters.
fn text<'a>(members: &'a Map<String, Value>, name: &str, place: &str, faults: &mut Faults) -> Option<&'a str> {
    let found = members
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty());
    if found.is_none() {
        faults.push(fault(format!("{place}.{name}"), "expected a text that is not empty"));
    }
    found
}

/// Names that are not known are more likely misspelt than meant for later.
fn only(members: &Map<String, Value>, known: &[&str], prefix: &str, faults: &mut Faults) {
    for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
        let hint = nearest(name, known.iter().copied()).map_or_else(
            || format!("is not known here; there are {}", known.join(", ")),
            |near| format!("is not known here; did you mean `{near}`?"),
        );
        faults.push(fault(format!("{prefix}{name}"), hint));
    }
}

fn fault(place: impl Into<String>, fault: impl Into<String>) -> CatalogueFault {
    CatalogueFault {
        place: place.into(),
        fault: fault.into(),
    }
}
