//! Grants as they are shown.

use std::collections::HashMap;

use super::subject::SubjectKind;
use crate::access::{Restriction, Subject, Validity};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, GrantKey, ResourceId};
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::names::{self, Named, Place};
use crate::service::access::page::{Page, Paging};
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::grants::{StoredGrant, Wanted};

/// A grant as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// A UUID.
    pub id: String,
    /// What holds it.
    pub subject_kind: SubjectKind,
    /// Who holds it.
    pub subject: Named,
    /// What it gives.
    pub role: Named,
    /// Where it counts.
    pub place: Place,
    /// When it counts.
    pub validity: Validity,
    /// Which records it is narrowed to.
    pub restrict: Restriction,
    /// `manual`, `rule`, `import`, `invitation` or `provisioned`.
    pub origin: &'static str,
    /// Who made it.
    pub made: Made,
}

/// Who made something so, when, and in which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// `connection`, `admin`, `user` or `operator`.
    pub by_kind: String,
    /// Which one.
    pub by: String,
    /// Name of the connection it came by.
    pub connection: Option<String>,
    /// Id of the request.
    pub request_id: Option<String>,
}

/// Which grants are asked for; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Id of a user or group: those it holds itself.
    pub subject: Option<String>,
    /// Id of a role.
    pub role: Option<String>,
    /// Id of a scope: those on the scope itself; `all` are those on everything.
    pub scope: Option<String>,
    /// A record: those on the record itself.
    pub record: Option<(String, String)>,
}

/// A page of grants, oldest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none. What does not exist has no grants.
pub async fn list(services: &Services, caller: &Caller, filter: &Filter, paging: &Paging) -> Result<Page<Grant>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let nothing = || Page {
        items: Vec::new(),
        next: None,
    };
    let reader = services.read(caller);
    let book = policy::current(services, caller).await?;
    let mut wanted = Wanted::default();
    if let Some(id) = &filter.subject {
        let ids = [ResourceId::new(id.as_str())];
        let Some((_, pk, _)) = reader.resources().pks(&ids).await?.into_iter().next() else {
            return Ok(nothing());
        };
        wanted.subject = Some(pk);
    }
    let policy = book.rulebook.policy();
    if let Some(id) = &filter.role {
        let Some(role) = policy.roles.iter().find(|role| role.id == *id) else {
            return Ok(nothing());
        };
        wanted.role = Some(role.key);
    }
    match filter.scope.as_deref() {
        None => {}
        Some(names::ALL) => wanted.everywhere = true,
        Some(id) => {
            let Some(scope) = policy.scopes.iter().find(|scope| scope.id == id) else {
                return Ok(nothing());
            };
            wanted.scope = Some(scope.key);
        }
    }
    let record = filter.record.as_ref().map(|(kind, id)| names::record("", kind, id));
    let record = record.transpose()?;
    wanted.record = record.as_ref();
    let rows = reader
        .grants()
        .list(wanted, GrantKey(paging.after()?), paging.rows())
        .await?;
    let page = paging.cut(rows, |row| row.grant.key.0);
    let connections = connections(services, caller).await?;
    Ok(page.map(|row| shown(&book, &connections, row)))
}

/// One grant.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Grant> {
    require(services, caller, &[VIEW, GIVE]).await?;
    find_again(services, caller, id).await
}

pub(super) async fn find_again(services: &Services, caller: &Caller, id: &str) -> Result<Grant> {
    let row = services.read(caller).grants().find(id).await?.ok_or(Error::NotFound)?;
    let book = policy::current(services, caller).await?;
    let connections = connections(services, caller).await?;
    Ok(shown(&book, &connections, row))
}

/// Names of the tenant's connections.
pub(in crate::service::access) async fn connections(
    services: &Services,
    caller: &Caller,
) -> Result<HashMap<ConnectionId, String>> {
    let rows = services.read(caller).connections().list().await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

fn shown(book: &Book, connections: &HashMap<ConnectionId, String>, row: StoredGrant) -> Grant {
    let subject_kind = match row.grant.subject {
        Subject::User(_) => SubjectKind::User,
        Subject::Group(_) => SubjectKind::Group,
    };
    let connection = row.made.connection.and_then(|id| connections.get(&id).cloned());
    Grant {
        subject_kind,
        subject: Named {
            id: row.subject_id.into_string(),
            name: row.subject_name,
        },
        role: names::role(book, row.grant.role),
        place: names::place(book, &row.grant.reach),
        validity: row.grant.validity,
        origin: row.grant.origin.as_str(),
        id: row.grant.id,
        restrict: row.grant.restriction,
        made: Made {
            at: row.made.at,
            by_kind: row.made.actor_kind,
            by: row.made.actor_name,
            connection,
            request_id: row.made.request_id,
        },
    }
}
