//! What provisioning asked for and an administrator has to decide: an owner who is leaving, and requests that were
//! parked because too few administrators would have been left.

use serde_json::{Value, json};
use std::sync::Arc;

use super::authority::{GIVE, VIEW, require};
use super::desk::{Change, Desk, perform};
use super::grants::connections;
use super::invariants::user_of;
use super::names::Named;
use super::page::{Page, Paging};
use crate::access::invariant::Violation;
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::scim::dialect::Setting;
use crate::service::context::{Authority, Caller, ConnectionRef, Services};
use crate::service::error::{Error, Result};
use crate::service::provision::parked::{self, Kept};
use crate::store::access::pendings::{NewPending, Pending as Row, WAITING};

/// Most of them that are shown with a user.
const MAX_WITH_USER: u32 = 20;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// Provisioning wants to end the owner's account: ownership has to be transferred. Settled by a transfer.
    LeavingOwner,
    /// A request that was refused, and can be made later.
    Parked,
}

impl Matter {
    /// As it stands in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeavingOwner => "leaving-owner",
            Self::Parked => "parked-request",
        }
    }

    /// What the ledger calls its beginning.
    const fn event(self) -> &'static str {
        match self {
            Self::LeavingOwner => "ownership.transfer_needed",
            Self::Parked => "request.parked",
        }
    }
}

/// Something that waits, or waited.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// A UUID.
    pub id: String,
    /// `leaving-owner` or `parked-request`.
    pub kind: String,
    /// `waiting`, `applied`, `dismissed` or `transferred`.
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

/// What waits about a user, at most 20, oldest first, without the requests.
pub(super) async fn about(services: &Services, caller: &Caller, user: crate::base::id::Pk) -> Result<Vec<Pending>> {
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

/// Has a refused request of provisioning wait, once however often it comes, and raises an alert the first time.
///
/// Gives its id; none when there is nothing left to decide: the resource is gone, or the user is not the owner by now.
pub(in crate::service) async fn keep(
    services: &Services,
    caller: &Caller,
    matter: Matter,
    resource: &ResourceId,
    request: &Kept,
    digest: &str,
    violation: &Violation,
) -> Result<Option<String>> {
    let keeping = Keeping {
        id: services.ids().next().into_string(),
        matter,
        resource: resource.clone(),
        request: json!(request).to_string(),
        digest: digest.to_owned(),
        reason: violation.to_string(),
    };
    let id = keeping.id.clone();
    let kept = perform(services, caller, keeping).await?;
    if kept.as_ref() == Some(&id) {
        alert(caller, matter, resource);
    }
    Ok(kept)
}

fn alert(caller: &Caller, matter: Matter, resource: &ResourceId) {
    metrics::counter!("muster_pending_total", "kind" => matter.as_str()).increment(1);
    let (slug, id) = (caller.tenant_slug(), resource.as_str());
    match matter {
        Matter::LeavingOwner => tracing::warn!(
            tenant.slug = slug,
            resource.id = id,
            "provisioning wants to end the account of an owner: ownership has to be transferred"
        ),
        Matter::Parked => tracing::warn!(
            tenant.slug = slug,
            resource.id = id,
            "a request of provisioning waits for an administrator: too few of them would have been left"
        ),
    }
}

struct Keeping {
    id: String,
    matter: Matter,
    resource: ResourceId,
    request: String,
    digest: String,
    reason: String,
}

impl Change for Keeping {
    type Made = Option<String>;

    async fn make(&self, desk: &mut Desk) -> Result<Option<String>> {
        // Nobody transfers ownership meanwhile: a mark that came after it would never be settled.
        desk.unit.policy().share().await?;
        let found = desk.unit.resources().pks(std::slice::from_ref(&self.resource)).await?;
        let Some((_, pk, _)) = found.into_iter().next() else {
            return Ok(None);
        };
        if self.matter == Matter::LeavingOwner {
            let owner = desk.unit.grants().owner().await?;
            if owner.as_ref().and_then(user_of) != Some(pk) {
                return Ok(None);
            }
        }
        let new = NewPending {
            id: &self.id,
            created: desk.now,
            kind: self.matter.as_str(),
            resource: pk,
            digest: &self.digest,
            request: &self.request,
            reason: &self.reason,
        };
        let id = desk.unit.pendings().keep(new).await?;
        if id == self.id {
            let data = json!({ "pending": id });
            desk.note(self.matter.event(), Some((pk, self.resource.clone())), &data);
        }
        Ok(Some(id))
    }
}

/// Makes a parked request now, as the connection that sent it.
///
/// # Errors
/// `Forbidden`, `NotFound`; one that does not wait, or is not a request; whatever the request is refused for: then it
/// goes on waiting.
pub async fn apply(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let row = waiting(services, caller, id).await?;
    if row.kind != Matter::Parked.as_str() {
        return Err(Error::conflict(
            "this is settled by a transfer of ownership: `POST /api/v1/ownership`",
        ));
    }
    let kept: Kept = serde_json::from_str(&row.request).map_err(|fault| Error::Internal(Box::new(fault)))?;
    let connection = connection(services, caller, &kept).await?;
    match parked::again(services, &connection, &kept).await {
        // What was to be deleted is gone: by whomever, it is what was asked for.
        Err(Error::NotFound) if kept.deletes() => {}
        made => made?,
    }
    // Somebody else may have made the same meanwhile: once is enough.
    perform(services, caller, Settling::new(row, "applied", "request.applied"))
        .await
        .map(drop)
}

/// Decides that nothing is done.
///
/// # Errors
/// `Forbidden`, `NotFound`; one that does not wait.
pub async fn dismiss(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let row = waiting(services, caller, id).await?;
    let dismissed = perform(services, caller, Settling::new(row, "dismissed", "request.dismissed")).await?;
    // Somebody else has made or dismissed it meanwhile: it is not told to have been left undone.
    if dismissed { Ok(()) } else { Err(Error::NotFound) }
}

async fn waiting(services: &Services, caller: &Caller, id: &str) -> Result<Row> {
    let row = services.read(caller).pendings().find(id).await?;
    row.filter(|row| row.state == WAITING).ok_or(Error::NotFound)
}

/// The connection that sent a request, asking by the request of who decides.
async fn connection(services: &Services, caller: &Caller, kept: &Kept) -> Result<Caller> {
    let row = services
        .read(caller)
        .connections()
        .find_by_id(kept.connection())
        .await?;
    let row = row.ok_or_else(|| Error::conflict("the connection that sent this request is gone"))?;
    let authority = Authority::Connection(ConnectionRef {
        id: row.id,
        name: Arc::from(row.name.as_str()),
        dialect: row.dialect.parse::<Setting>().unwrap_or_default(),
    });
    let (slug, request_id) = (Arc::from(caller.tenant_slug()), Arc::from(caller.request_id()));
    Ok(Caller::new(caller.tenant(), slug, authority, request_id))
}

struct Settling {
    row: Row,
    to: &'static str,
    event: &'static str,
}

impl Settling {
    const fn new(row: Row, to: &'static str, event: &'static str) -> Self {
        Self { row, to, event }
    }
}

impl Change for Settling {
    /// Whether it waited.
    type Made = bool;

    async fn make(&self, desk: &mut Desk) -> Result<bool> {
        let settled = desk.unit.pendings().settle(&self.row.id, self.to).await?;
        if settled {
            let resource = self.row.resource.as_ref().map(|(id, _)| id.as_str());
            let data = json!({ "pending": self.row.id, "kind": self.row.kind, "resource": resource });
            desk.note(self.event, None, &data);
        }
        Ok(settled)
    }
}
