//! A change of the rules comes to everybody who is there, some of them at a time, each time in one unit with how far it is.

use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use super::everybody::{due, settle};
use super::shown::Work;
use crate::base::id::Pk;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::policy;
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::{self, Thing, What};
use crate::service::lifecycle::several::Came;
use crate::service::lifecycle::turn::saved;
use crate::service::provision::attempt::attempts;
use crate::store::Kind;
use crate::store::lifecycle::rulings::{self, Ruling, Running};
use crate::store::log::leases;

/// Users who are looked at together, without a lock.
const LOOKED_AT: u32 = 500;
/// Users whose status is turned in one unit, for which others wait that need the writer or the policy.
const AT_ONCE: usize = 100;
/// Works that are gone on with in one go.
const MOST: u32 = 20;

/// The lease of whoever carries them out, and their name in the log.
const NAME: &str = "status-rules";
/// How long a node that stops in mid-work keeps the others from it; a chunk takes far less.
const LEASE_LASTS: Duration = Duration::from_secs(30);

/// Whether something is to be done, in any tenant.
///
/// # Errors
/// A database that does not answer.
pub async fn is_behind(services: &Services) -> Result<bool> {
    Ok(!rulings::running(services.db(), 1).await?.is_empty())
}

/// Takes or renews the lease of carrying it out; says whether this holder has it now.
///
/// # Errors
/// A database that does not answer.
pub async fn lease(services: &Services, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    Ok(leases::take(services.db(), NAME, holder, now, now.plus(LEASE_LASTS)).await?)
}

/// Does more of what is to be done in any tenant; says whether there is more to do at once. One that fails is told in the
/// program's log, is tried again later, and does not keep others back.
///
/// # Errors
/// A database that does not answer.
pub async fn pass(services: &Services) -> Result<bool> {
    let mut more = false;
    for running in rulings::running(services.db(), MOST).await? {
        match step(services, &running).await {
            Ok(goes_on) => more |= goes_on,
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                tenant.slug = running.slug,
                "rules of status could not be brought to everybody; it is tried again"
            ),
        }
    }
    Ok(more)
}

/// Carries the last change of the rules of a tenant out to its end, for who waits for it; none where there was none.
///
/// # Errors
/// A database that does not answer.
pub async fn finish(services: &Services, caller: &Caller) -> Result<Option<Work>> {
    loop {
        let Some(last) = services.read(caller).rulings().last().await? else {
            return Ok(None);
        };
        let running = Running {
            tenant: caller.tenant(),
            slug: caller.tenant_slug().to_owned(),
            id: last.id.clone(),
        };
        if !last.running || !step(services, &running).await? {
            let last = services.read(caller).rulings().last().await?;
            return Ok(last.map(Work::from));
        }
    }
}

/// Some users more; false when there was none left, or another one has begun.
async fn step(services: &Services, running: &Running) -> Result<bool> {
    let (slug, id) = (Arc::from(running.slug.as_str()), Arc::from(running.id.as_str()));
    let caller = Caller::new(running.tenant, slug, Authority::System(NAME), id);
    let last = services.read(&caller).rulings().last().await?;
    let Some(ruling) = last.filter(|last| last.running && last.id == running.id) else {
        return Ok(false);
    };
    let ruling = Arc::new(ruling);
    let Some((users, last)) = next(services, &caller, &ruling).await? else {
        perform(services, &caller, Ending { ruling }).await?;
        return Ok(false);
    };
    let users: Arc<[Pk]> = users.into();
    attempts(|| {
        let (services, caller) = (services.clone(), caller.clone());
        let (ruling, users) = (Arc::clone(&ruling), Arc::clone(&users));
        async move { settled(&services, &caller, &ruling, (&users, last)).await }
    })
    .await?;
    Ok(true)
}

/// The next users to whom something is to be done, and up to which row number everybody was looked at; none where nobody
/// is left. By the rules that count now: whoever is written later is looked at by that.
async fn next(services: &Services, caller: &Caller, ruling: &Ruling) -> Result<Option<(Vec<Pk>, Pk)>> {
    let book = policy::current(services, caller).await?;
    let reader = services.read(caller);
    let found = reader.resources().after(Kind::User, ruling.after, LOOKED_AT).await?;
    let Some(last) = found.last().map(|stored| stored.pk) else {
        return Ok(None);
    };
    let users: Vec<Pk> = found.iter().map(|stored| stored.pk).collect();
    let holds = reader.statuses().of(&users).await?;
    let mut meant = Vec::new();
    for stored in &found {
        if due(&book, stored, holds.get(&stored.pk))?.is_some() {
            meant.push(stored.pk);
        }
    }
    if meant.len() <= AT_ONCE {
        return Ok(Some((meant, last)));
    }
    meant.truncate(AT_ONCE);
    let last = meant[AT_ONCE - 1];
    Ok(Some((meant, last)))
}

/// Does it to some users in one unit with how far it is; nothing where somebody else has.
async fn settled(services: &Services, caller: &Caller, ruling: &Ruling, (users, last): (&[Pk], Pk)) -> Result<()> {
    let mut unit = services.begin(caller).await?;
    let now = services.read(caller).rulings().last().await?;
    if now.is_none_or(|now| !now.running || now.id != ruling.id || now.after != ruling.after) {
        return Ok(unit.dismiss().await?);
    }
    let came = if users.is_empty() {
        Came::default()
    } else {
        settle(services, caller, &mut unit, users).await?
    };
    unit.rulings().advance(ruling, (last, came.turned, came.stayed));
    saved(services, caller, unit).await
}

/// There is nobody left.
struct Ending {
    ruling: Arc<Ruling>,
}

impl Change for Ending {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        if !desk.unit.rulings().end(&self.ruling, desk.now).await? {
            return Ok(());
        }
        let uid = desk.services.tenant_uid(&desk.caller).await?;
        let data = json!({ "turned": self.ruling.turned, "stayed": self.ruling.stayed });
        desk.note(What::StatusRulesApplied, ledger::thing(Thing::Tenant, uid), &data);
        Ok(())
    }
}
