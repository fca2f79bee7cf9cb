//! The body of a PATCH.

use serde_json::{Map, Value};

use crate::scim::Error;
use crate::scim::message::{PATCH_OP, member, message, unambiguous};
use crate::scim::path::PatchPath;
use crate::scim::schema::{ResourceType, Target};

/// Most operations of one request: far above what clients send, and a bound on the work it can ask for.
pub const MAX_OPERATIONS: usize = 1000;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Adds values beside those there are, or sets one.
    Add,
    /// Takes values away.
    Remove,
    /// Puts values in the place of those there are.
    Replace,
}

impl Verb {
    /// The keyword.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

/// One operation as it was read; names are not resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What to do.
    pub verb: Verb,
    /// Where; without one the value says it.
    pub path: Option<PatchPath>,
    /// With what; JSON `null` is a value here.
    pub value: Option<Value>,
    /// Its other members, which mean nothing.
    pub unknown: Vec<String>,
}

/// A PATCH body: at least one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest {
    /// The operations in their order.
    pub operations: Vec<Operation>,
    /// Whether what clients do beside the RFC is taken as they mean it, where no clean form says the same: keys of a value
    /// that select elements (see [`selects`]), removals with a value, and read-only parts of a value, which are left out and
    /// named.
    pub lenient: bool,
}

impl PatchRequest {
    /// Whether an operation is about this core attribute, whatever becomes of it. Names in any letter case; any URN
    /// before it counts.
    #[must_use]
    pub fn mentions(&self, attribute: &str) -> bool {
        self.operations.iter().any(|operation| operation.mentions(attribute))
    }

    /// Whether an operation says something of this core attribute: `null` alone does not.
    #[must_use]
    pub fn gives(&self, attribute: &str) -> bool {
        self.operations.iter().any(|operation| operation.gives(attribute))
    }

    /// Whether every operation is about this core attribute.
    #[must_use]
    pub fn mentions_only(&self, attribute: &str) -> bool {
        let mut operations = self.operations.iter();
        operations.all(|operation| operation.mentions_only(attribute))
    }
}

impl Operation {
    /// Whether it is about this core attribute and no other.
    #[must_use]
    pub fn mentions_only(&self, attribute: &str) -> bool {
        match (&self.path, &self.value) {
            (Some(path), _) => path.attr.name.eq_ignore_ascii_case(attribute),
            // What says nothing, or whose names were taken out of it, is about nothing.
            (None, Some(Value::Object(members))) => {
                !members.is_empty() && members.keys().all(|name| is_named(name, attribute))
            }
            (None, _) => false,
        }
    }

    /// Whether it is about the attribute at this canonical path, or about a part of it: by its path, by a name in its value,
    /// or by one in an extension there.
    #[must_use]
    pub fn speaks_of(&self, path: &str) -> bool {
        let (urn, name) = path.rsplit_once(':').unwrap_or(("", path));
        let top = name.split('.').next().unwrap_or(name);
        let extension = |key: &str| !urn.is_empty() && key.eq_ignore_ascii_case(urn);
        let within = |value: &Value| {
            let mut names = value.as_object().into_iter().flat_map(Map::keys);
            names.any(|name| is_or_below(name, top))
        };
        match (&self.path, &self.value) {
            (Some(path), Some(value)) if extension(&path.attr.to_string()) => within(value),
            (None, Some(Value::Object(members)))
                if members.iter().any(|(key, value)| extension(key) && within(value)) =>
            {
                true
            }
            _ => self.mentions(top),
        }
    }

    /// Whether it says something of this core attribute.
    fn gives(&self, attribute: &str) -> bool {
        match (&self.path, &self.value) {
            (None, Some(Value::Object(members))) => {
                let mut given = members.iter().filter(|(_, value)| !value.is_null());
                given.any(|(name, _)| is_named(name, attribute))
            }
            (_, Some(Value::Null)) if self.verb != Verb::Remove => false,
            _ => self.mentions(attribute),
        }
    }

    /// Whether it is about this core attribute, whatever becomes of it.
    #[must_use]
    pub fn mentions(&self, attribute: &str) -> bool {
        match (&self.path, &self.value) {
            (Some(path), _) => path.attr.name.eq_ignore_ascii_case(attribute),
            (None, Some(Value::Object(members))) => members.keys().any(|name| is_named(name, attribute)),
            (None, _) => false,
        }
    }
}

/// Whether a path leads to elements of a list or into them: `emails[type eq "work"].value`, `emails.value`. As the key of
/// a value, that is a habit of clients which no other key can replace.
#[must_use]
pub fn selects(ty: &ResourceType, path: &PatchPath) -> bool {
    match ty.resolve(&path.attr) {
        Some(Target::Attribute(place)) => place.top().multi_valued && (path.filter.is_some() || place.sub().is_some()),
        _ => false,
    }
}

/// The same with any URN before it.
fn is_named(name: &str, attribute: &str) -> bool {
    name.rsplit(':').next().is_some_and(|name| is_or_below(name, attribute))
}

/// `roles`, `roles.value`: the attribute, or a part of it.
fn is_or_below(name: &str, attribute: &str) -> bool {
    name.split(['.', '['])
        .next()
        .is_some_and(|top| top.eq_ignore_ascii_case(attribute))
}

/// Reads the body of a PATCH.
///
/// # Errors
/// `invalidSyntax` when it is no `PatchOp` message or an operation is malformed, `invalidPath` and `invalidFilter` for a
/// path that cannot be read, status 413 for more than [`MAX_OPERATIONS`].
pub fn parse(body: &Value) -> Result<PatchRequest, Error> {
    let members = message(body, PATCH_OP)?;
    let listed = member(members, "Operations")
        .and_then(Value::as_array)
        .filter(|listed| !listed.is_empty());
    let Some(listed) = listed else {
        return Err(Error::invalid_syntax(
            "`Operations` has to be an array with at least one operation",
        ));
    };
    if listed.len() > MAX_OPERATIONS {
        return Err(Error::plain(
            413,
            format!("a PATCH has at most {MAX_OPERATIONS} operations"),
        ));
    }
    let operations = listed.iter().enumerate().map(|(index, operation)| {
        let read = match operation {
            Value::Object(parts) => read(parts),
            _ => Err(Error::invalid_syntax("an operation has to be a JSON object")),
        };
        read.map_err(|error| numbered(error, index, listed.len()))
    });
    Ok(PatchRequest {
        operations: operations.collect::<Result<_, _>>()?,
        lenient: false,
    })
}

fn read(parts: &Map<String, Value>) -> Result<Operation, Error> {
    unambiguous(parts)?;
    let verb = match member(parts, "op").and_then(Value::as_str) {
        Some("add") => Verb::Add,
        Some("remove") => Verb::Remove,
        Some("replace") => Verb::Replace,
        _ => return Err(Error::invalid_syntax("`op` has to be `add`, `remove` or `replace`")),
    };
    let path = match member(parts, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(PatchPath::parse(text)?),
        Some(_) => return Err(Error::invalid_syntax("`path` has to be text")),
    };
    Ok(Operation {
        verb,
        path,
        value: member(parts, "value").cloned(),
        unknown: parts.keys().filter(|name| !is_part(name)).cloned().collect(),
    })
}

/// Whether an operation can have a member of this name.
fn is_part(name: &str) -> bool {
    ["op", "path", "value"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// Says which operation is at fault, where there are several.
pub(super) fn numbered(mut error: Error, index: usize, operations: usize) -> Error {
    if operations > 1 {
        error.detail = format!("operation {}: {}", index + 1, error.detail);
    }
    error
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_about_members_alone_when_every_operation_is() {
        let members = json!({"op": "add", "path": "members", "value": [{"value": "1"}]});
        let filtered = json!({"op": "remove", "path": "members[value eq \"1\"]"});
        let bare = json!({"op": "add", "value": {"Members": [{"value": "1"}]}});
        let name = json!({"op": "replace", "path": "displayName", "value": "x"});
        let both = json!({"op": "replace", "value": {"displayName": "x", "members": []}});
        let nothing = json!({"op": "replace", "value": {}});
        let only = |operations: &[&Value]| {
            let body = json!({"schemas": [PATCH_OP], "Operations": operations});
            parse(&body).unwrap().mentions_only("members")
        };
        assert!(only(&[&members, &filtered, &bare]));
        for other in [&name, &both, &nothing] {
            assert!(!only(&[other]));
            assert!(!only(&[&members, other]));
        }
    }
}
