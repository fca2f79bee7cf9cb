//! Which records of the product belong to which scopes.

use serde_json::json;

use super::authority::{self, require};
use super::desk::{Change, Desk, perform};
use super::names::{self, Named};
use super::page::{Page, Paging};
use super::policy;
use crate::access::RecordRef;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};

/// Most records of one request.
pub const MAX_AT_ONCE: usize = 1000;

/// A record: a kind without `:`, and an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordShown {
    /// What it is, in the product's words.
    pub kind: String,
    /// Its id in the product.
    pub id: String,
}

/// A page of the records of a scope, by kind and id.
///
/// # Errors
/// `Forbidden`, `NotFound` for the scope, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, scope: &str, paging: &Paging) -> Result<Page<RecordShown>> {
    require(services, caller, &[authority::VIEW, authority::SCOPES]).await?;
    let reader = services.read(caller);
    let scope = reader.scopes().find(scope).await?.ok_or(Error::NotFound)?.scope;
    let after = RecordRef::parse(&paging.after_text()?);
    let rows = reader
        .records()
        .of_scope(scope.key, after.as_ref(), paging.rows())
        .await?;
    Ok(paging.cut_text(rows, RecordRef::to_string).map(|record| RecordShown {
        kind: record.kind,
        id: record.id,
    }))
}

/// The scopes a record belongs to.
///
/// # Errors
/// `Forbidden`, a record that cannot be one.
pub async fn scopes_of(services: &Services, caller: &Caller, kind: &str, id: &str) -> Result<Vec<Named>> {
    require(services, caller, &[authority::VIEW, authority::SCOPES]).await?;
    let record = names::record("", kind, id)?;
    let keys = services.read(caller).records().scopes_of(&record).await?;
    let book = policy::current(services, caller).await?;
    Ok(keys.into_iter().map(|key| names::scope(&book, key)).collect())
}

/// Puts records into a scope; gives how many were not there before.
///
/// # Errors
/// `Forbidden`, `NotFound` for the scope, a record that cannot be one, more than [`MAX_AT_ONCE`].
pub async fn put(services: &Services, caller: &Caller, scope: &str, records: &[RecordShown]) -> Result<usize> {
    place(services, caller, scope, records, Way::In).await
}

/// Takes records out of a scope; gives how many were there.
///
/// # Errors
/// As [`put`].
pub async fn remove(services: &Services, caller: &Caller, scope: &str, records: &[RecordShown]) -> Result<usize> {
    place(services, caller, scope, records, Way::Out).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

async fn place(services: &Services, caller: &Caller, scope: &str, records: &[RecordShown], way: Way) -> Result<usize> {
    require(services, caller, &[authority::SCOPES]).await?;
    if records.len() > MAX_AT_ONCE {
        return Err(Error::invalid("", format!("at most {MAX_AT_ONCE} records at once")));
    }
    let records = records
        .iter()
        .map(|record| names::record("", &record.kind, &record.id))
        .collect::<Result<Vec<_>>>()?;
    let placing = Placing {
        scope: scope.to_owned(),
        records,
        way,
    };
    perform(services, caller, placing).await
}

struct Placing {
    scope: String,
    records: Vec<RecordRef>,
    way: Way,
}

impl Change for Placing {
    type Made = usize;

    async fn make(&self, desk: &mut Desk) -> Result<usize> {
        // Shared, so that the scope stays while records join it.
        desk.unit.policy().share().await?;
        let scope = desk
            .unit
            .scopes()
            .find(&self.scope)
            .await?
            .ok_or(Error::NotFound)?
            .scope;
        let rows: Vec<_> = self.records.iter().map(|record| (scope.key, record.clone())).collect();
        let (what, moved) = match self.way {
            Way::In => (What::RecordsAdded, desk.unit.records().put(&rows).await?),
            Way::Out => (What::RecordsRemoved, desk.unit.records().remove(&rows).await?),
        };
        if !moved.is_empty() {
            let records: Vec<String> = moved.iter().map(RecordRef::to_string).collect();
            let data = json!({"scope": self.scope, "records": records});
            desk.note(what, ledger::thing(Thing::Scope, &self.scope), &data);
        }
        Ok(moved.len())
    }
}
