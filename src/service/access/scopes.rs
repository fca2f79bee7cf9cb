//! Territories, programs and record groups. *All* is none of them: it holds every one there is and will be.

use std::collections::HashMap;

use super::authority::{self, require};
use super::deletion::{Ending, removed, tell_what_went};
use super::desk::{Change, Desk, perform};
use super::names::{self, ALL, Named};
use super::page::{Page, Paging};
use super::policy::{self, Book};
use super::roles::Holding;
use crate::access::{self, ScopeKind};
use crate::base::clock::Timestamp;
use crate::base::id::ScopeKey;
use crate::event::image::ScopeImage;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::told::{self, Parents};
use crate::store::access::scopes::{ScopeContent, StoredScope};
use crate::store::access::told::Telling;

/// A scope as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// A UUID, or `all`.
    pub id: String,
    /// What it is; none of `all`.
    pub kind: Option<ScopeKind>,
    /// For people.
    pub name: String,
    /// The scope it lies in.
    pub parent: Option<Named>,
    /// When a program begins.
    pub starts: Option<Timestamp>,
    /// When a program is over.
    pub ends: Option<Timestamp>,
    /// When it was made; `all` was there before.
    pub created: Option<Timestamp>,
}

/// What a new scope is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewScope {
    /// What it is.
    pub kind: ScopeKind,
    /// For people; other scopes may have the same.
    pub name: String,
    /// Id of the scope it lies in.
    pub parent: Option<String>,
    /// When a program begins, itself included.
    pub starts: Option<Timestamp>,
    /// When it is over, itself excluded.
    pub ends: Option<Timestamp>,
}

/// What becomes of a scope; what is absent stays, what is `Some(None)` is taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeChange {
    /// Another name.
    pub name: Option<String>,
    /// Another parent.
    pub parent: Option<Option<String>>,
    /// Another start.
    pub starts: Option<Option<Timestamp>>,
    /// Another end.
    pub ends: Option<Option<Timestamp>>,
}

/// The scope that holds every other one.
fn all() -> Scope {
    Scope {
        id: ALL.to_owned(),
        kind: None,
        name: "All".to_owned(),
        parent: None,
        starts: None,
        ends: None,
        created: None,
    }
}

/// A page of scopes, `all` and then oldest first; with a kind, only those of it.
///
/// # Errors
/// `Forbidden`, or a cursor that is none.
pub async fn list(
    services: &Services,
    caller: &Caller,
    kind: Option<ScopeKind>,
    paging: &Paging,
) -> Result<Page<Scope>> {
    require(services, caller, &[authority::VIEW, authority::SCOPES]).await?;
    let after = ScopeKey(paging.after()?);
    let rows = services.read(caller).scopes().list(kind, after, paging.rows()).await?;
    let book = policy::current(services, caller).await?;
    let begins = paging.after.is_none() && kind.is_none();
    let mut scopes: Vec<(i64, Scope)> = begins.then(|| (0, all())).into_iter().collect();
    scopes.extend(rows.into_iter().map(|row| (row.scope.key.0, shown(&book, row))));
    scopes.truncate(paging.rows() as usize);
    Ok(paging.cut(scopes, |(key, _)| *key).map(|(_, scope)| scope))
}

/// One scope.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Scope> {
    require(services, caller, &[authority::VIEW, authority::SCOPES]).await?;
    if id == ALL {
        return Ok(all());
    }
    find_again(services, caller, id).await
}

/// The id of the scope that a person means by an id or a name, in any letter case; `all` is itself.
///
/// # Errors
/// `Forbidden`; `Invalid` when nothing or several scopes have the name.
pub async fn named(services: &Services, caller: &Caller, text: &str) -> Result<String> {
    require(services, caller, &[authority::VIEW, authority::SCOPES]).await?;
    if text == ALL {
        return Ok(text.to_owned());
    }
    let reader = services.read(caller);
    if let Some(row) = reader.scopes().find(text).await? {
        return Ok(row.scope.id);
    }
    let mut rows = reader.scopes().named(text).await?.into_iter();
    match (rows.next(), rows.next()) {
        (Some(row), None) => Ok(row.scope.id),
        (Some(_), Some(_)) => Err(Error::invalid(
            "/scope",
            format!("several scopes are called `{text}`; name one by its id"),
        )),
        (None, _) => Err(Error::invalid("/scope", format!("there is no scope `{text}`"))),
    }
}

/// Makes a scope.
///
/// # Errors
/// `Forbidden`, a parent that does not exist, times on what is no program.
pub async fn create(services: &Services, caller: &Caller, new: &NewScope) -> Result<Scope> {
    require(services, caller, &[authority::SCOPES]).await?;
    let new = New::of(services, new)?;
    let id = new.id.clone();
    perform(services, caller, new).await?;
    find_again(services, caller, &id).await
}

/// Changes a scope.
///
/// # Errors
/// `Forbidden`, `NotFound`, a parent that does not exist or lies in the scope itself.
pub async fn change(services: &Services, caller: &Caller, id: &str, change: &ScopeChange) -> Result<Scope> {
    require(services, caller, &[authority::SCOPES]).await?;
    stays(id)?;
    let mut change = change.clone();
    if let Some(name) = &mut change.name {
        *name = names::checked_name("/name", name)?;
    }
    let edit = Edit {
        id: id.to_owned(),
        change,
    };
    perform(services, caller, edit).await?;
    find_again(services, caller, id).await
}

/// Deletes a scope; its records leave it. With [`Holding::Detach`] grants on it go, rules lose the outcome, and scopes
/// below it move up.
///
/// # Errors
/// `Forbidden`, `NotFound`, a scope that something hangs on.
pub async fn delete(services: &Services, caller: &Caller, id: &str, holding: Holding) -> Result<()> {
    let held = require(services, caller, &[authority::SCOPES]).await?;
    stays(id)?;
    let end = End(Ending::of(services, caller, (id, holding), held).await?);
    perform(services, caller, end).await
}

async fn find_again(services: &Services, caller: &Caller, id: &str) -> Result<Scope> {
    let row = services.read(caller).scopes().find(id).await?.ok_or(Error::NotFound)?;
    let book = policy::current(services, caller).await?;
    Ok(shown(&book, row))
}

fn shown(book: &Book, row: StoredScope) -> Scope {
    let StoredScope { scope, created } = row;
    Scope {
        id: scope.id,
        kind: Some(scope.kind),
        name: scope.name,
        parent: scope.parent.map(|parent| names::scope(book, parent)),
        starts: scope.starts,
        ends: scope.ends,
        created: Some(created),
    }
}

/// Refuses what would change `all`.
fn stays(id: &str) -> Result<()> {
    if id == ALL {
        return Err(Error::conflict(
            "`all` holds everything there is and will be: it can be neither changed nor deleted",
        ));
    }
    Ok(())
}

fn check_times(kind: ScopeKind, starts: Option<Timestamp>, ends: Option<Timestamp>) -> Result<()> {
    if kind != ScopeKind::Program && (starts.is_some() || ends.is_some()) {
        return Err(Error::invalid("/starts", "only a program has a start and an end"));
    }
    match (starts, ends) {
        (Some(starts), Some(ends)) if ends <= starts => Err(Error::invalid("/ends", "a program ends after it starts")),
        _ => Ok(()),
    }
}

/// The parent of this id, which must fit what is to lie in it.
async fn find_parent(desk: &mut Desk, kind: ScopeKind, id: &str) -> Result<ScopeKey> {
    if id == ALL {
        return Err(Error::invalid(
            "/parent",
            "every scope lies in `all` by itself; leave the parent out",
        ));
    }
    let parent = names::find_scope(&mut desk.unit, "/parent", id).await?.scope;
    if kind == ScopeKind::Territory && parent.kind != ScopeKind::Territory {
        return Err(Error::invalid("/parent", "a territory lies in a territory"));
    }
    Ok(parent.key)
}

/// A new scope on its way.
pub(super) struct New {
    id: String,
    new: NewScope,
}

impl New {
    pub(super) fn of(services: &Services, new: &NewScope) -> Result<Self> {
        check_times(new.kind, new.starts, new.ends)?;
        let name = names::checked_name("/name", &new.name)?;
        Ok(Self {
            id: services.ids().next().into_string(),
            new: NewScope { name, ..new.clone() },
        })
    }
}

impl Change for New {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let new = &self.new;
        desk.unit.policy().hold().await?;
        let parent = match &new.parent {
            Some(parent) => Some(find_parent(desk, new.kind, parent).await?),
            None => None,
        };
        let content = ScopeContent {
            name: &new.name,
            parent,
            starts: new.starts,
            ends: new.ends,
        };
        desk.unit.scopes().create(&self.id, new.kind, content, desk.now).await?;
        let after = ScopeImage {
            kind: new.kind.as_str().to_owned(),
            name: new.name.clone(),
            parent: new.parent.clone(),
            starts: new.starts,
            ends: new.ends,
        };
        let data = ScopeImage::data(None, Some(&after));
        desk.note(What::ScopeCreated, ledger::thing(Thing::Scope, &self.id), &data);
        Ok(())
    }
}

struct Edit {
    id: String,
    change: ScopeChange,
}

impl Change for Edit {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.policy().hold().await?;
        let scope = desk.unit.scopes().find(&self.id).await?.ok_or(Error::NotFound)?.scope;
        let parent = match &self.change.parent {
            None => scope.parent,
            Some(None) => None,
            Some(Some(parent)) => Some(find_parent(desk, scope.kind, parent).await?),
        };
        if let Some(parent) = parent
            && desk.unit.scopes().is_below(parent, scope.key).await?
        {
            return Err(Error::invalid(
                "/parent",
                "a scope cannot lie in itself or in what lies in it",
            ));
        }
        let starts = self.change.starts.unwrap_or(scope.starts);
        let ends = self.change.ends.unwrap_or(scope.ends);
        check_times(scope.kind, starts, ends)?;
        let name = self.change.name.as_deref().unwrap_or(&scope.name);
        let content = ScopeContent {
            name,
            parent,
            starts,
            ends,
        };
        desk.unit.scopes().update(scope.key, content).await?;
        let parents = parents(desk, [scope.parent, parent]).await?;
        let before = told::scope(&scope, &parents);
        let after = access::Scope {
            name: name.to_owned(),
            parent,
            starts,
            ends,
            ..scope
        };
        let data = ScopeImage::data(Some(&before), Some(&told::scope(&after, &parents)));
        desk.note(What::ScopeUpdated, ledger::thing(Thing::Scope, &self.id), &data);
        Ok(())
    }
}

/// A scope that is deleted.
pub(super) struct End(pub(super) Ending);

impl Change for End {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.policy().hold().await?;
        let scope = desk.unit.scopes().find(&self.0.id).await?.ok_or(Error::NotFound)?.scope;
        let parents = parents(desk, [scope.parent, Some(scope.key)]).await?;
        let below = desk.unit.scopes().below(scope.key).await?;
        let grants = self.0.grants(desk, Telling::Scope(scope.key)).await?;
        let author = Desk::author(&desk.caller);
        let by = author.at(desk.now);
        let removal = desk.unit.scopes().delete(scope.key, self.0.holding, by).await?;
        drop(author);
        let went = removed(&desk.services, &self.0, "scope", removal)?;
        tell_what_went(desk, &grants, &went).await?;
        for StoredScope { scope: child, .. } in below {
            let before = told::scope(&child, &parents);
            let after = access::Scope {
                parent: scope.parent,
                ..child
            };
            let data = ScopeImage::data(Some(&before), Some(&told::scope(&after, &parents)));
            desk.note(What::ScopeUpdated, ledger::thing(Thing::Scope, &after.id), &data);
        }
        let data = ScopeImage::data(Some(&told::scope(&scope, &parents)), None);
        desk.note(What::ScopeDeleted, ledger::thing(Thing::Scope, &self.0.id), &data);
        Ok(())
    }
}

/// Ids of these scopes.
async fn parents(desk: &mut Desk, keys: [Option<ScopeKey>; 2]) -> Result<Parents> {
    let mut parents = HashMap::new();
    for key in keys.into_iter().flatten() {
        if let Some(row) = desk.unit.scopes().get(key).await? {
            parents.insert(key, row.scope.id);
        }
    }
    Ok(parents)
}
