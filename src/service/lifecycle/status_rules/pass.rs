//! A change of the rules comes to everybody who is there, some of them at a time, each time in one unit with how far it is.

use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use super::everybody::{due, settle};
use super::shown::Work;
use crate::base::id::{Pk, ResourceId};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::policy;
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::{self, Thing, What};
use crate::service::lifecycle::parts::{Part, in_parts};
use crate::service::lifecycle::several::Came;
use crate::service::lifecycle::turn::saved;
use crate::service::setbacks::{self, one_of_many};
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
    Ok(!running(services, 1).await?.is_empty())
}

/// Those that go on, but for tenants where that failed a moment ago.
async fn running(services: &Services, most: u32) -> Result<Vec<Running>> {
    let alone = services
        .setbacks()
        .left_alone(setbacks::Work::Rules, services.clock().now());
    Ok(rulings::running(services.db(), &alone, most).await?)
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
/// program's log, is left alone for a while, and does not keep others back.
///
/// # Errors
/// A database that does not answer.
pub async fn pass(services: &Services) -> Result<bool> {
    let found = running(services, MOST).await?;
    // Others wait behind them.
    let mut more = found.len() == MOST as usize;
    for running in found {
        let work = (setbacks::Work::Rules, running.tenant.0);
        more |= one_of_many(services, work, step(services, &running))
            .await?
            .unwrap_or(false);
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
    let words = services.vocabulary(running.tenant).await?;
    let caller = Caller::new((running.tenant, slug), words, Authority::System(NAME), id);
    let last = services.read(&caller).rulings().last().await?;
    let Some(ruling) = last.filter(|last| last.running && last.id == running.id) else {
        return Ok(false);
    };
    let ruling = Arc::new(ruling);
    let Some((users, last)) = next(services, &caller, &ruling).await? else {
        perform(services, &caller, Ending { ruling }).await?;
        return Ok(false);
    };
    let round = Round { ruling, to: Some(last) };
    in_parts(services, &caller, round, users).await?;
    Ok(true)
}

/// Somebody to whom something is to be done.
type User = (Pk, ResourceId);

/// The next users to whom something is to be done, and up to which row number everybody was looked at; none where nobody
/// is left. By the rules that count now: whoever is written later is looked at by that.
async fn next(services: &Services, caller: &Caller, ruling: &Ruling) -> Result<Option<(Vec<User>, Pk)>> {
    let book = policy::current(services, caller).await?;
    let reader = services.read(caller);
    let found = reader.resources().after(Kind::User, ruling.after, LOOKED_AT).await?;
    let Some(last) = found.last().map(|stored| stored.pk) else {
        return Ok(None);
    };
    let users: Vec<Pk> = found.iter().map(|stored| stored.pk).collect();
    let holds = reader.statuses().of(&users).await?;
    let mut meant = Vec::new();
    for stored in found {
        // Who cannot be read is found out, and counted, by whoever does it.
        if !matches!(due(&book, &stored, holds.get(&stored.pk)), Ok(None)) {
            meant.push((stored.pk, stored.id));
        }
    }
    if meant.len() <= AT_ONCE {
        return Ok(Some((meant, last)));
    }
    meant.truncate(AT_ONCE);
    let last = meant[AT_ONCE - 1].0;
    Ok(Some((meant, last)))
}

/// Some users to whom the rules are brought.
#[derive(Clone)]
struct Round {
    ruling: Arc<Ruling>,
    /// Up to which row number everybody was looked at; none for one of them.
    to: Option<Pk>,
}

impl Part for Round {
    type User = User;

    fn of(&self) -> &str {
        &self.ruling.id
    }

    fn id((_, id): &User) -> &ResourceId {
        id
    }

    async fn turn(&self, services: &Services, caller: &Caller, users: &[User]) -> Result<()> {
        settled(services, caller, self, users).await
    }

    async fn leave(&self, services: &Services, caller: &Caller, (last, _): &User) -> Result<()> {
        let ruling = Arc::clone(&self.ruling);
        perform(services, caller, Leaving { ruling, last: *last }).await
    }

    fn past(&self, (last, _): &User) -> Self {
        let mut ruling = (*self.ruling).clone();
        ruling.after = *last;
        Self {
            ruling: Arc::new(ruling),
            to: None,
        }
    }

    fn only(&self) -> Self {
        Self {
            ruling: Arc::clone(&self.ruling),
            to: None,
        }
    }
}

/// Does it to some users in one unit with how far it is; nothing where somebody else has.
async fn settled(services: &Services, caller: &Caller, round: &Round, users: &[User]) -> Result<()> {
    let mut unit = services.begin(caller).await?;
    let (ruling, now) = (&*round.ruling, services.read(caller).rulings().last().await?);
    if now.is_none_or(|now| !now.running || now.id != ruling.id || now.after != ruling.after) {
        return Ok(unit.dismiss().await?);
    }
    let users: Vec<Pk> = users.iter().map(|user| user.0).collect();
    let came = if users.is_empty() {
        Came::default()
    } else {
        settle(services, caller, &mut unit, &users).await?
    };
    let last = round.to.or(users.last().copied()).unwrap_or(ruling.after);
    unit.rulings().advance(ruling, came.up_to(last));
    saved(services, caller, unit).await
}

/// Somebody cannot be changed.
struct Leaving {
    ruling: Arc<Ruling>,
    last: Pk,
}

impl Change for Leaving {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.rulings().advance(&self.ruling, Came::FAILED.up_to(self.last));
        Ok(())
    }
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
        let data = json!({ "turned": self.ruling.turned, "stayed": self.ruling.stayed, "failed": self.ruling.failed });
        desk.note(What::StatusRulesApplied, ledger::thing(Thing::Tenant, uid), &data);
        Ok(())
    }
}
