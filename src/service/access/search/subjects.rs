//! Who may do something on a resource.

use super::lead::{Candidate, Lead, people};
use super::sweep::sweep;
use crate::access::permission::Permission;
use crate::access::{self, Facts, RecordRef};
use crate::service::access::authority::{VIEW, require};
use crate::service::access::decide::{Resource, target};
use crate::service::access::page::{Page, Paging};
use crate::service::access::{names, policy};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// Beginnings before a policy that changes all the time is given up on.
const MAX_BEGINNINGS: u32 = 3;

/// A user that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Id of the user.
    pub id: String,
    /// What they sign in with.
    pub user_name: String,
}

/// A page of users who may do something on a resource. A page can be short, even empty, and not the last.
///
/// # Errors
/// `Forbidden`; `Invalid` for what does not exist.
pub async fn subjects(
    services: &Services,
    caller: &Caller,
    action: &str,
    resource: &Resource,
    paging: &Paging,
) -> Result<Page<Found>> {
    require(services, caller, &[VIEW]).await?;
    let permission = permission(services, action)?;
    let reader = services.read(caller);
    let record = record_of(resource)?;
    let scopes = match &record {
        Some(record) => reader.records().scopes_of(record).await?,
        None => Vec::new(),
    };
    for _ in 0..MAX_BEGINNINGS {
        let book = policy::current(services, caller).await?;
        let Some(target) = target(caller, &book, resource, record.as_ref(), &scopes) else {
            return Err(Error::invalid("/resource", "there is no such resource"));
        };
        let now = services.clock().now();
        let may = |facts: &Facts| access::decide(facts, &book.rulebook, now, permission, &target).allowed;
        let lead = Lead::to(&book, permission, &target, now);
        let keep = |candidate: &Candidate| {
            let facts = &candidate.row.facts;
            may(facts).then(|| (facts.user, facts.id.clone()))
        };
        if let Some(page) = sweep(&reader, &book, &lead, paging, keep).await? {
            let people = people(&reader, page.items.iter().map(|(pk, _)| *pk)).await?;
            return Ok(page.map(|(pk, id)| Found {
                user_name: people
                    .get(&pk)
                    .map(|person| person.user_name.clone())
                    .unwrap_or_default(),
                id,
            }));
        }
    }
    Err(Error::Busy)
}

pub(super) fn permission(services: &Services, action: &str) -> Result<Permission> {
    let found = services.catalogue().get(action);
    found.map_err(|unknown| Error::invalid("/action/name", unknown.to_string()))
}

fn record_of(resource: &Resource) -> Result<Option<RecordRef>> {
    match resource {
        Resource::Record { kind, id, .. } => Ok(Some(names::record("/resource", kind, id)?)),
        Resource::Tenant(_) | Resource::Scope(_) => Ok(None),
    }
}
