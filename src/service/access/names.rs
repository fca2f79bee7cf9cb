//! What is shown of roles, scopes, users and groups, and what a caller means by an id.

use crate::access::permission::Predefined;
use crate::access::{Reach, RecordRef};
use crate::base::id::{ResourceId, RoleKey, ScopeKey};
use crate::service::error::{Error, Result};
use crate::store::access::scopes::StoredScope;
use crate::store::{Kind, Unit};

use super::policy::Book;

/// Id of the scope that holds everything there is and will be.
pub const ALL: &str = "all";

/// Longest name of a role, scope or rule, in characters.
pub(super) const MAX_NAME_CHARS: usize = 256;
/// Longest kind or id of a record, in characters.
const MAX_RECORD_CHARS: usize = 256;

/// Id and name of something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// On the wire.
    pub id: String,
    /// For people.
    pub name: String,
}

/// Where a role counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Everywhere: the scope `all`.
    All,
    /// On a scope and what lies below it.
    Scope(Named),
    /// On one record.
    Record {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
    },
}

impl Place {
    /// Id of the scope, if it is one; `all` for everywhere.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        match self {
            Self::All => Some(ALL),
            Self::Scope(scope) => Some(&scope.id),
            Self::Record { .. } => None,
        }
    }
}

/// The role of a key; one that the policy does not know is shown by its number.
pub(super) fn role(book: &Book, key: RoleKey) -> Named {
    let known = book.rulebook.role(key);
    Named {
        id: known.map_or_else(|| key.to_string(), |role| role.id.clone()),
        name: known.map_or_else(|| key.to_string(), |role| role.name.clone()),
    }
}

/// The same of a scope.
pub(super) fn scope(book: &Book, key: ScopeKey) -> Named {
    let known = book.rulebook.scope(key);
    Named {
        id: known.map_or_else(|| key.to_string(), |scope| scope.id.clone()),
        name: known.map_or_else(|| key.to_string(), |scope| scope.name.clone()),
    }
}

/// Where a reach counts.
pub(super) fn place(book: &Book, reach: &Reach) -> Place {
    match reach {
        Reach::All => Place::All,
        Reach::Scope(key) => Place::Scope(scope(book, *key)),
        Reach::Record(record) => Place::Record {
            kind: record.kind.clone(),
            id: record.id.clone(),
        },
    }
}

/// Checks a name that a person chose, without spaces around it.
pub(super) fn checked_name(pointer: &str, name: &str) -> Result<String> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= MAX_NAME_CHARS && !name.chars().any(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(Error::invalid(
            pointer,
            format!("a name has 1 to {MAX_NAME_CHARS} characters and no control characters"),
        ))
    }
}

/// The record of a kind and an id.
pub(in crate::service) fn record(pointer: &str, kind: &str, id: &str) -> Result<RecordRef> {
    let short = |text: &str| text.chars().count() <= MAX_RECORD_CHARS && !text.contains('\0');
    RecordRef::new(kind, id)
        .filter(|record| short(&record.kind) && short(&record.id))
        .ok_or_else(|| {
            Error::invalid(
                pointer,
                format!("a record has a kind without `:` and an id, each of 1 to {MAX_RECORD_CHARS} characters"),
            )
        })
}

/// The role with this id, in the unit.
pub(super) async fn find_role(unit: &mut Unit, pointer: &str, id: &str) -> Result<RoleKey> {
    if let Some(role) = Predefined::from_id(id) {
        return Ok(role.key());
    }
    let found = unit.roles().find(id).await?;
    found
        .map(|role| role.key)
        .ok_or_else(|| Error::invalid(pointer, format!("there is no role `{id}`")))
}

/// The scope with this id, in the unit; `all` is none.
pub(super) async fn find_scope(unit: &mut Unit, pointer: &str, id: &str) -> Result<StoredScope> {
    let found = unit.scopes().find(id).await?;
    found.ok_or_else(|| Error::invalid(pointer, format!("there is no scope `{id}`")))
}

/// A scope id as a reach, in the unit.
pub(super) async fn find_reach(unit: &mut Unit, pointer: &str, id: &str) -> Result<Reach> {
    if id == ALL {
        return Ok(Reach::All);
    }
    Ok(Reach::Scope(find_scope(unit, pointer, id).await?.scope.key))
}

/// The user or group with this id, in the unit.
pub(super) async fn find_resource(
    unit: &mut Unit,
    pointer: &str,
    kind: Kind,
    id: &str,
) -> Result<(crate::base::id::Pk, ResourceId)> {
    let id = ResourceId::new(id);
    let found = unit.resources().pks(std::slice::from_ref(&id)).await?;
    let found = found.into_iter().find(|(_, _, known)| *known == kind);
    found
        .map(|(id, pk, _)| (pk, id))
        .ok_or_else(|| Error::invalid(pointer, format!("there is no {} `{id}`", kind.name().to_lowercase())))
}
