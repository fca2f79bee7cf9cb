//! Roles and permissions as they are shown.

use crate::access::Role as Known;
use crate::access::permission::Predefined;
use crate::base::clock::Timestamp;
use crate::base::id::RoleKey;
use crate::service::access::authority::{ROLES, VIEW, require};
use crate::service::access::names::Named;
use crate::service::access::page::{Page, Paging};
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::roles::StoredRole;

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
    require(services, caller, &[VIEW, ROLES]).await?;
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
    require(services, caller, &[VIEW, ROLES]).await?;
    let book = policy::current(services, caller).await?;
    if let Some(role) = Predefined::from_id(id).and_then(|role| book.rulebook.role(role.key())) {
        return Ok(shown(&book, role, None));
    }
    let row = services.read(caller).roles().find(id).await?.ok_or(Error::NotFound)?;
    Ok(stored(services, &book, &row))
}

/// What the caller may see, as it made it so.
pub(super) async fn find_again(services: &Services, caller: &Caller, id: &str) -> Result<Role> {
    let book = policy::current(services, caller).await?;
    let row = services.read(caller).roles().find(id).await?.ok_or(Error::NotFound)?;
    Ok(stored(services, &book, &row))
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
