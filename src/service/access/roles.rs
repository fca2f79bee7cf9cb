//! Roles: the predefined ones, and those a tenant makes.

use serde_json::json;

use super::authority::{self, Held, require};
use super::deletion::{Ending, removed};
use super::desk::{Change, Desk, perform};
use super::names::{self, Named};
use super::page::{Page, Paging};
use super::policy::{self, Book};
use crate::access::permission::{Permissions, Predefined};
use crate::access::{Role as Known, invariant};
use crate::base::clock::Timestamp;
use crate::base::id::RoleKey;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::store;
use crate::store::access::roles::{NewRole as Row, StoredRole};
use crate::store::error::Unique;

pub use crate::store::access::hanging::Holding;

/// A role as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `owner`, `admin`, `manager`, `analyst`, `read-only`, or a UUID.
    pub id: String,
    /// For people.
    pub name: String,
    /// Keys, in the order of the catalogue.
    pub permissions: Vec<String>,
    /// Whether it can be neither edited nor deleted.
    pub predefined: bool,
    /// The role it is a copy of, while that one exists, and how it differs from it now.
    pub origin: Option<Lineage>,
    /// When it was made; none for a predefined role.
    pub created: Option<Timestamp>,
    /// When it last changed; none for a predefined role.
    pub modified: Option<Timestamp>,
}

/// Where a copy comes from, and what it has more and less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The origin.
    pub role: Named,
    /// Permissions of the copy alone.
    pub added: Vec<String>,
    /// Permissions of the origin alone.
    pub removed: Vec<String>,
}

/// What a new role is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRole {
    /// Unique in the tenant in any letter case.
    pub name: String,
    /// Keys of permissions.
    pub permissions: Vec<String>,
}

/// What becomes of a role; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// Another name.
    pub name: Option<String>,
    /// Other permissions, all of them.
    pub permissions: Option<Vec<String>>,
}

/// A permission of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionShown {
    /// Its key.
    pub key: String,
    /// For people.
    pub label: String,
    /// `organisation` or `scope`.
    pub level: &'static str,
}

/// Every permission there is, in the order of the catalogue.
#[must_use]
pub fn catalogue(services: &Services) -> Vec<PermissionShown> {
    let catalogue = services.catalogue();
    let all = catalogue.all();
    all.iter()
        .map(|permission| PermissionShown {
            key: catalogue.key(permission).to_owned(),
            label: catalogue.label(permission).to_owned(),
            level: catalogue.level(permission).as_str(),
        })
        .collect()
}

/// A page of roles: the predefined ones, then custom ones, oldest first.
///
/// # Errors
/// `Forbidden`, or a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Role>> {
    require(services, caller, &[authority::VIEW, authority::ROLES]).await?;
    let book = policy::current(services, caller).await?;
    let after = paging.after()?;
    let mut roles: Vec<(i64, Role)> = Predefined::ALL
        .into_iter()
        .filter(|role| role.key().0 > after)
        .filter_map(|role| book.rulebook.role(role.key()))
        .map(|role| (role.key.0, shown(&book, role, None)))
        .collect();
    let rows = services
        .read(caller)
        .roles()
        .list(RoleKey(after), paging.rows())
        .await?;
    roles.extend(rows.iter().map(|row| (row.key.0, stored(services, &book, row))));
    roles.truncate(paging.rows() as usize);
    Ok(paging.cut(roles, |(key, _)| *key).map(|(_, role)| role))
}

/// One role.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Role> {
    require(services, caller, &[authority::VIEW, authority::ROLES]).await?;
    let book = policy::current(services, caller).await?;
    if let Some(role) = Predefined::from_id(id).and_then(|role| book.rulebook.role(role.key())) {
        return Ok(shown(&book, role, None));
    }
    let row = services.read(caller).roles().find(id).await?.ok_or(Error::NotFound)?;
    Ok(stored(services, &book, &row))
}

/// Makes a role.
///
/// # Errors
/// `Forbidden`, also for permissions the caller does not hold; a name that is taken; an unknown permission.
pub async fn create(services: &Services, caller: &Caller, new: &NewRole) -> Result<Role> {
    let held = require(services, caller, &[authority::ROLES]).await?;
    let new = New::of(services, new, held)?;
    let id = new.id.clone();
    perform(services, caller, new).await?;
    find_again(services, caller, &id).await
}

/// Makes a copy of a role, which remembers what it is a copy of.
///
/// # Errors
/// `Forbidden`, `NotFound`, a name that is taken.
pub async fn copy(services: &Services, caller: &Caller, id: &str, name: &str) -> Result<Role> {
    let held = require(services, caller, &[authority::ROLES]).await?;
    let book = policy::current(services, caller).await?;
    let mut roles = book.rulebook.policy().roles.iter();
    let origin = roles.find(|role| role.id == id).ok_or(Error::NotFound)?;
    held.covers(services, origin.permissions)?;
    let id = services.ids().next().into_string();
    let new = New {
        id: id.clone(),
        name: checked_name(name)?,
        permissions: origin.permissions,
        origin: Some(origin.key),
    };
    perform(services, caller, new).await?;
    find_again(services, caller, &id).await
}

/// Renames a role, gives it other permissions, or both.
///
/// # Errors
/// `Forbidden`, `NotFound`, a predefined role, a name that is taken, an unknown permission.
pub async fn change(services: &Services, caller: &Caller, id: &str, change: &RoleChange) -> Result<Role> {
    let held = require(services, caller, &[authority::ROLES]).await?;
    if let Some(role) = Predefined::from_id(id) {
        invariant::editable(role.key())?;
    }
    let edit = Edit {
        id: id.to_owned(),
        name: change.name.as_deref().map(checked_name).transpose()?,
        permissions: change
            .permissions
            .as_deref()
            .map(|keys| permissions(services, keys))
            .transpose()?,
        held,
    };
    perform(services, caller, edit).await?;
    find_again(services, caller, id).await
}

/// Deletes a role; with [`Holding::Detach`] the grants that give it go with it, and rules lose the outcome.
///
/// # Errors
/// `Forbidden`, `NotFound`, a predefined role, a role that something hangs on.
pub async fn delete(services: &Services, caller: &Caller, id: &str, holding: Holding) -> Result<()> {
    let held = require(services, caller, &[authority::ROLES]).await?;
    if let Some(role) = Predefined::from_id(id) {
        invariant::editable(role.key())?;
    }
    let end = End(Ending::of(services, caller, (id, holding), held).await?);
    perform(services, caller, end).await
}

/// What the caller may see, as it made it so.
async fn find_again(services: &Services, caller: &Caller, id: &str) -> Result<Role> {
    let book = policy::current(services, caller).await?;
    let row = services.read(caller).roles().find(id).await?.ok_or(Error::NotFound)?;
    Ok(stored(services, &book, &row))
}

/// A new role on its way.
pub(super) struct New {
    id: String,
    name: String,
    permissions: Permissions,
    origin: Option<RoleKey>,
}

impl New {
    pub(super) fn of(services: &Services, new: &NewRole, held: Held) -> Result<Self> {
        let permissions = permissions(services, &new.permissions)?;
        held.covers(services, permissions)?;
        Ok(Self {
            id: services.ids().next().into_string(),
            name: checked_name(&new.name)?,
            permissions,
            origin: None,
        })
    }
}

impl Change for New {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let keys: Vec<&str> = desk.services.catalogue().keys(self.permissions).collect();
        let row = Row {
            id: &self.id,
            name: &self.name,
            permissions: &keys,
            origin: self.origin,
        };
        let made = desk.unit.roles().create(row, desk.now).await;
        made.map_err(|error| taken(error, &self.name))?;
        let data = json!({"role": self.id, "name": self.name, "permissions": keys});
        crate::service::ledger::note(&mut desk.unit, &desk.caller, desk.now, ("role.created", None), &data);
        Ok(())
    }
}

struct Edit {
    id: String,
    name: Option<String>,
    permissions: Option<Permissions>,
    held: Held,
}

impl Change for Edit {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.policy().hold().await?;
        let row = desk.unit.roles().find(&self.id).await?.ok_or(Error::NotFound)?;
        let services = desk.services.clone();
        let catalogue = services.catalogue();
        let before = catalogue.known(row.permissions.iter().map(String::as_str));
        let after = self.permissions.unwrap_or(before);
        self.held.covers(&services, after - before)?;
        let name = self.name.as_deref().unwrap_or(&row.name);
        let keys: Vec<&str> = catalogue.keys(after).collect();
        let written = desk.unit.roles().update(row.key, name, &keys, desk.now).await;
        written.map_err(|error| taken(error, name))?;
        let data = json!({
            "role": self.id,
            "name": name,
            "added": catalogue.keys(after - before).collect::<Vec<_>>(),
            "removed": catalogue.keys(before - after).collect::<Vec<_>>(),
        });
        desk.note("role.updated", None, &data);
        Ok(())
    }
}

/// A role that is deleted.
pub(super) struct End(pub(super) Ending);

impl Change for End {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.policy().hold().await?;
        let row = desk.unit.roles().find(&self.0.id).await?.ok_or(Error::NotFound)?;
        let author = Desk::author(&desk.caller);
        let removal = desk
            .unit
            .roles()
            .delete(row.key, self.0.holding, author.at(desk.now))
            .await?;
        let data = removed(&desk.services, &self.0, ("role", &row.name), removal)?;
        drop(author);
        desk.note("role.deleted", None, &data);
        Ok(())
    }
}

fn taken(error: store::Error, name: &str) -> Error {
    match error {
        store::Error::Taken(Unique::RoleName) => {
            Error::Conflict(Refusal::new(format!("there is a role `{name}` already")).at("/name"))
        }
        other => other.into(),
    }
}

fn checked_name(name: &str) -> Result<String> {
    let name = names::checked_name("/name", name)?;
    invariant::role_name(&name)?;
    Ok(name)
}

fn permissions(services: &Services, keys: &[String]) -> Result<Permissions> {
    let catalogue = services.catalogue();
    let found = keys.iter().enumerate().map(|(at, key)| {
        let found = catalogue.get(key);
        found.map_err(|unknown| {
            let refusal = Refusal::new(unknown.to_string()).at(format!("/permissions/{at}"));
            Error::Invalid(refusal.suggesting(unknown.nearest))
        })
    });
    found.collect()
}

fn stored(services: &Services, book: &Book, row: &StoredRole) -> Role {
    let known = Known {
        key: row.key,
        id: row.id.clone(),
        name: row.name.clone(),
        permissions: services.catalogue().known(row.permissions.iter().map(String::as_str)),
        origin: row.origin,
    };
    shown(book, &known, Some((row.created, row.modified)))
}

fn shown(book: &Book, role: &Known, times: Option<(Timestamp, Timestamp)>) -> Role {
    let origin = role.origin.and_then(|key| book.rulebook.role(key));
    let lineage = origin.map(|origin| {
        let diff = role.diff(origin);
        Lineage {
            role: Named {
                id: origin.id.clone(),
                name: origin.name.clone(),
            },
            added: book.keys(diff.added.into_iter().collect()),
            removed: book.keys(diff.removed.into_iter().collect()),
        }
    });
    Role {
        id: role.id.clone(),
        name: role.name.clone(),
        permissions: book.keys(role.permissions),
        predefined: role.is_predefined(),
        origin: lineage,
        created: times.map(|(created, _)| created),
        modified: times.map(|(_, modified)| modified),
    }
}
