//! What waits, as administrators see it.

use serde_json::Value;

use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::grants::connections;
use crate::service::access::names::Named;
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::provision::parked::Kept;
use crate::store::access::pendings::{Pending as Row, WAITING};

/// Most of them that are shown with a user.
const MAX_WITH_USER: u32 = 20;

/// Something that waits, or waited.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// A UUID.
    pub id: String,
    /// `leaving-owner`, `parked-request` or `held-change`.
    pub kind: String,
    /// `waiting`, `applied`, `dismissed`, `failed` or `transferred`.
    pub state: String,
    /// When it was asked for first.
    pub created: Timestamp,
    /// Why it was refused.
    pub reason: String,
    /// What it is about; none when that is gone.
    pub resource: Option<Named>,
    /// The request; none once it is settled.
    pub request: Option<Request>,
}

/// A request of provisioning.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Name of the connection it came by.
    pub connection: Option<String>,
    /// Its id.
    pub request_id: String,
    /// `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Below the SCIM base URL.
    pub path: String,
    /// In clean SCIM form.
    pub body: Option<Value>,
}

/// What waits, oldest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Pending>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let reader = services.read(caller);
    let rows = reader.pendings().list(WAITING, paging.after()?, paging.rows()).await?;
    let names = connections(services, caller).await?;
    let page = paging.cut(rows, |row| row.number);
    Ok(page.map(|row| shown(row, |kept| names.get(&kept.connection()).cloned())))
}

/// One of them, settled ones too.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Pending> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let row = services.read(caller).pendings().find(id).await?;
    let names = connections(services, caller).await?;
    Ok(shown(row.ok_or(Error::NotFound)?, |kept| {
        names.get(&kept.connection()).cloned()
    }))
}

/// The requests of a hold, oldest first, decided ones too.
pub(in crate::service) async fn of_hold(
    services: &Services,
    caller: &Caller,
    hold: i64,
    paging: &Paging,
) -> Result<Page<Pending>> {
    let reader = services.read(caller);
    let rows = reader
        .pendings()
        .of_hold(hold, "", paging.after()?, paging.rows())
        .await?;
    let names = connections(services, caller).await?;
    let page = paging.cut(rows, |row| row.number);
    Ok(page.map(|row| shown(row, |kept| names.get(&kept.connection()).cloned())))
}

/// What waits about a user, at most 20, oldest first, without the requests.
pub(in crate::service::access) async fn about(services: &Services, caller: &Caller, user: Pk) -> Result<Vec<Pending>> {
    let rows = services.read(caller).pendings().about(user, MAX_WITH_USER).await?;
    let without = |row| Pending {
        request: None,
        ..shown(row, |_| None)
    };
    Ok(rows.into_iter().map(without).collect())
}

fn shown(row: Row, connection: impl Fn(&Kept) -> Option<String>) -> Pending {
    // A settled one has nothing that could be read.
    let kept: Option<Kept> = serde_json::from_str(&row.request).ok();
    Pending {
        id: row.id,
        kind: row.kind,
        state: row.state,
        created: row.created,
        reason: row.reason,
        resource: row.resource.map(|(id, name)| Named {
            id: id.into_string(),
            name,
        }),
        request: kept.map(|kept| {
            let (method, path, body) = kept.shown();
            Request {
                connection: connection(&kept),
                request_id: kept.request_id().to_owned(),
                method,
                path,
                body,
            }
        }),
    }
}
