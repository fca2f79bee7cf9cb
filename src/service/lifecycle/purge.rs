//! Somebody who was deleted is forgotten for good: what is kept of them is destroyed, with the key of what the log says.
//!
//! First one unit empties everything and tells the log; from then on nothing brings them back. Then old versions of the
//! rows are removed from the disk, which needs the database for itself for a moment and may have to wait for readers. The
//! empty tombstone says that this is still to be done, also after a crash, and goes when it is.

use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use super::turn::saved;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::service::access::authority::{GIVE, SETTINGS, require};
use crate::service::context::{Caller, Services};
use crate::service::deferred;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::service::provision::attempt::attempts;
use crate::service::provision::{self, IfMatch};
use crate::store::lifecycle::purge::{forget_purged, purging};
use crate::store::lifecycle::tombstones::State;
use crate::store::log::leases;
use crate::store::{Kind, Unit, tenants};

/// The lease of whoever removes the rest from the disk.
const LEASE: &str = "purge";

/// How long a node that stops in mid-work keeps the others from it.
const LEASE_LASTS: Duration = Duration::from_mins(1);

/// People of a tenant who are forgotten in one unit, when their time is over: few, as others wait for it to write.
const MOST: u32 = 20;

/// Days that somebody who was deleted can be restored for are so long.
const DAY: Duration = Duration::from_hours(24);

/// Whether to delete somebody first who is not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Living {
    /// They are refused.
    Stay,
    /// They are deleted, as an administrator deletes.
    Go,
}

/// Destroys what is kept of a user, from now on for everybody; [`finish`] removes what is left of it on the disk.
///
/// # Errors
/// `Forbidden`; `NotFound`, also for who was purged before; a user who is not deleted, or must not be.
pub async fn purge(services: &Services, caller: &Caller, user: &str, living: Living) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    require(services, caller, &[SETTINGS]).await?;
    let id = ResourceId::new(user);
    if living == Living::Go && is_there(services, caller, &id).await? {
        let kind = caller.user_type()?;
        match provision::delete(services, caller, kind, &id, &IfMatch::Absent).await {
            // Somebody else has deleted them meanwhile.
            Err(Error::NotFound) => {}
            other => other?,
        }
    }
    forget(services, caller, vec![id]).await
}

/// Empties all of these in one unit.
async fn forget(services: &Services, caller: &Caller, ids: Vec<ResourceId>) -> Result<()> {
    let plan = Arc::new((services.clone(), caller.clone(), ids));
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move { attempt(&plan.0, &plan.1, &plan.2).await }
    })
    .await
}

async fn is_there(services: &Services, caller: &Caller, id: &ResourceId) -> Result<bool> {
    let found = services.read(caller).resources().pks(std::slice::from_ref(id)).await?;
    Ok(found.iter().any(|(_, _, kind)| *kind == Kind::User))
}

async fn attempt(services: &Services, caller: &Caller, ids: &[ResourceId]) -> Result<()> {
    let mut unit = services.begin(caller).await?;
    match all_emptied(services, caller, &mut unit, ids).await {
        Ok(()) => saved(services, caller, unit).await,
        // What a refusal rests on must be on disk before it is told.
        Err(error) => match unit.dismiss().await {
            Ok(()) => Err(error),
            Err(fault) => Err(fault.into()),
        },
    }
}

async fn all_emptied(services: &Services, caller: &Caller, unit: &mut Unit, ids: &[ResourceId]) -> Result<()> {
    for id in ids {
        emptied(services, caller, unit, id).await?;
    }
    unit.tombstones().forget_answers();
    Ok(())
}

async fn emptied(services: &Services, caller: &Caller, unit: &mut Unit, id: &ResourceId) -> Result<()> {
    let Some(tomb) = unit.tombstones().find_for_update(Kind::User, id).await? else {
        let found = unit.resources().pks(std::slice::from_ref(id)).await?;
        if found.iter().any(|(_, _, kind)| *kind == Kind::User) {
            return Err(Error::conflict(
                "this user is not deleted: delete them first, or say `\"force\": true`",
            ));
        }
        return Err(Error::NotFound);
    };
    if tomb.state == State::Purging {
        return Ok(());
    }
    unit.tombstones().empty(tomb.pk);
    // A document that is damaged names nobody, and goes like any other.
    let document: Value = serde_json::from_str(&tomb.document).unwrap_or_default();
    let name = document["userName"].as_str().unwrap_or_default();
    unit.tombstones().unname_in_requests(id, name).await?;
    deferred::forget(unit, id);
    let now = services.clock().now();
    let subject = ledger::resource(Kind::User, tomb.pk, id);
    ledger::note(unit, caller, now, (What::UserPurged, subject), &json!({}));
    Ok(())
}

/// Removes from the disk what was purged in any tenant; false while something is left of it.
///
/// # Errors
/// A database that does not answer.
pub async fn finish(services: &Services) -> Result<bool> {
    let purged = purging(services.db()).await?;
    if purged.is_empty() {
        return Ok(true);
    }
    // Only those whose rows were empty before it are done by it.
    if services.db().scrub().await? {
        forget_purged(services.db(), &purged).await?;
    }
    Ok(purging(services.db()).await?.is_empty())
}

/// The same, unless another node is at it.
///
/// # Errors
/// A database that does not answer.
pub async fn finish_as(services: &Services, holder: &str) -> Result<()> {
    if purging(services.db()).await?.is_empty() {
        return Ok(());
    }
    let now = services.clock().now();
    if leases::take(services.db(), LEASE, holder, now, now.plus(LEASE_LASTS)).await? {
        finish(services).await?;
    }
    Ok(())
}

/// Forgets those whose time is over, in every tenant, as long as it is to go on. Who cannot be forgotten is told in the
/// program's log, and does not keep the others.
///
/// # Errors
/// A database that does not answer.
pub async fn expire(services: &Services, goes_on: impl Fn() -> bool) -> Result<()> {
    for tenant in tenants::list(services.db()).await? {
        let words = services.vocabulary(tenant.id).await?;
        let caller = Caller::system(services, tenant.id, &tenant.slug, "retention").knowing(words);
        if let Err(error) = expire_of(services, &caller, &goes_on).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                tenant = tenant.slug,
                "those whose time is over are looked for again later"
            );
        }
    }
    Ok(())
}

async fn expire_of(services: &Services, caller: &Caller, goes_on: &impl Fn() -> bool) -> Result<()> {
    let reader = services.read(caller);
    let Some(days) = reader.policy().settings().await?.retention.days() else {
        return Ok(());
    };
    let before = earlier(services.clock().now(), DAY * days);
    let mut after = (Timestamp(i64::MIN), Pk(i64::MIN));
    while goes_on() {
        let over = reader.tombstones().expired(before, after, MOST).await?;
        let Some(last) = over.last() else { break };
        after = last.at;
        let ids: Vec<ResourceId> = over.into_iter().map(|expired| expired.id).collect();
        if forget(services, caller, ids.clone()).await.is_err() {
            one_by_one(services, caller, ids).await;
        }
    }
    Ok(())
}

/// One of them stands in the way of the others.
async fn one_by_one(services: &Services, caller: &Caller, ids: Vec<ResourceId>) {
    for id in ids {
        match forget(services, caller, vec![id.clone()]).await {
            // Restored or purged since they were looked for.
            Ok(()) | Err(Error::NotFound | Error::Conflict(_)) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, resource.id = %id, "somebody whose time is over could not be purged");
            }
        }
    }
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(micros))
}
