//! A role is made, copied, changed, deleted.

use super::shown::{Role, find_again};
use crate::access::invariant;
use crate::access::permission::{Permissions, Predefined};
use crate::base::id::RoleKey;
use crate::event::image::RoleImage;
use crate::service::access::authority::{Held, ROLES, require};
use crate::service::access::deletion::{Ending, removed, tell_what_went};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::{names, policy};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::told;
use crate::store;
use crate::store::access::hanging::Holding;
use crate::store::access::roles::NewRole as Row;
use crate::store::access::told::Telling;
use crate::store::error::Unique;

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

/// Makes a role.
///
/// # Errors
/// `Forbidden`, also for permissions the caller does not hold; a name that is taken; an unknown permission.
pub async fn create(services: &Services, caller: &Caller, new: &NewRole) -> Result<Role> {
    let held = require(services, caller, &[ROLES]).await?;
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
    let held = require(services, caller, &[ROLES]).await?;
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
    let held = require(services, caller, &[ROLES]).await?;
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
    let held = require(services, caller, &[ROLES]).await?;
    if let Some(role) = Predefined::from_id(id) {
        invariant::editable(role.key())?;
    }
    let end = End(Ending::of(services, caller, (id, holding), held).await?);
    perform(services, caller, end).await
}

/// A new role on its way.
pub(in crate::service::access) struct New {
    id: String,
    name: String,
    permissions: Permissions,
    origin: Option<RoleKey>,
}

impl New {
    pub(in crate::service::access) fn of(services: &Services, new: &NewRole, held: Held) -> Result<Self> {
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
        let row = desk.unit.roles().find(&self.id).await?.ok_or(Error::NotFound)?;
        let after = told::role(&mut desk.unit, &row).await?;
        let data = RoleImage::data(None, Some(&after));
        desk.note(What::RoleCreated, ledger::thing(Thing::Role, &self.id), &data);
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
        let before = told::role(&mut desk.unit, &row).await?;
        let after = RoleImage {
            name: name.to_owned(),
            permissions: keys.iter().map(|key| (*key).to_owned()).collect(),
            copy_of: before.copy_of.clone(),
        };
        let data = RoleImage::data(Some(&before), Some(&after));
        desk.note(What::RoleUpdated, ledger::thing(Thing::Role, &self.id), &data);
        Ok(())
    }
}

/// A role that is deleted.
pub(in crate::service::access) struct End(pub(in crate::service::access) Ending);

impl Change for End {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.policy().hold().await?;
        let row = desk.unit.roles().find(&self.0.id).await?.ok_or(Error::NotFound)?;
        let before = told::role(&mut desk.unit, &row).await?;
        let grants = self.0.grants(desk, Telling::Role(row.key)).await?;
        let author = Desk::author(&desk.caller);
        let removal = desk
            .unit
            .roles()
            .delete(row.key, self.0.holding, author.at(desk.now))
            .await?;
        drop(author);
        let went = removed(&desk.services, &self.0, "role", removal)?;
        tell_what_went(desk, &grants, &went).await?;
        let data = RoleImage::data(Some(&before), None);
        desk.note(What::RoleDeleted, ledger::thing(Thing::Role, &self.0.id), &data);
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
