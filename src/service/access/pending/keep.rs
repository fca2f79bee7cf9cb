//! A refused request of provisioning begins to wait.

use serde_json::json;

use super::matter::Matter;
use crate::access::invariant::Violation;
use crate::base::id::ResourceId;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::invariants::user_of;
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::ledger;
use crate::service::provision::parked::Kept;
use crate::store::access::pendings::NewPending;

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
        Matter::Held => tracing::warn!(
            tenant.slug = slug,
            resource.id = id,
            "a request of provisioning is held: it goes beyond a budget"
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
        let Some((_, pk, kind)) = found.into_iter().next() else {
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
            hold: None,
        };
        let id = desk.unit.pendings().keep(new).await?;
        if id == self.id {
            let data = json!({ "pending": id });
            desk.note(self.matter.event(), ledger::resource(kind, pk, &self.resource), &data);
        }
        Ok(Some(id))
    }
}
