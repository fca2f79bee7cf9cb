//! What waits is done: what one connection asks about one resource in the order in which it came, everything else beside it.
//!
//! One node does it at a time, to save work. Two that do it at once do each request once: its change and the end of its
//! waiting are one unit.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::errand::{Errand, came};
use super::kept::{Kept, Of};
use super::refused::{told, untried};
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::ResourceId;
use crate::event::set::Answer;
use crate::scim::dialect::Setting;
use crate::scim::project::View;
use crate::scim::{self, Verb};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Authority, Caller, ConnectionRef, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::provision;
use crate::store::closing::State as Closed;
use crate::store::deferred::{self, Open, State};
use crate::store::log::leases;

/// How long it is known what came of a request.
pub const KEPT: Duration = Duration::from_hours(24);
/// How long a request that comes to a fault of ours is tried again.
const PATIENCE: Duration = Duration::from_hours(1);
/// The longest pause before it is.
const LONGEST_PAUSE_SECS: u64 = 60;

/// Requests that are read at a time: each may be as long as a body may.
const MOST: u32 = 32;
/// Chains of requests that are gone through at once: the server has others to answer, who wait.
const AT_ONCE: usize = 8;
/// Rows that are removed in one unit: the writer is not held up for long.
const PRUNED_AT_ONCE: u32 = 1_000;

/// The lease of whoever does them.
const LEASE: &str = "deferred";
/// How long a node that stops in mid-work keeps the others from it; a pass takes far less.
const LEASE_LASTS: Duration = Duration::from_secs(10);

/// Whether something is to be done or told, in any tenant.
///
/// # Errors
/// A database that does not answer.
pub async fn is_behind(services: &Services) -> Result<bool> {
    Ok(deferred::any(services.db(), services.clock().now()).await?)
}

/// Takes or renews the lease of doing it; says whether this holder has it now.
///
/// # Errors
/// A database that does not answer.
pub async fn lease(services: &Services, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    Ok(leases::take(services.db(), LEASE, holder, now, now.plus(LEASE_LASTS)).await?)
}

/// Forgets what ended longer ago than results are kept.
///
/// # Errors
/// A database that does not answer.
pub async fn prune(services: &Services) -> Result<()> {
    let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp(services.clock().now().0.saturating_sub(kept));
    while deferred::prune(services.db(), before, PRUNED_AT_ONCE).await? == PRUNED_AT_ONCE as usize {}
    Ok(())
}

/// Does some of what waits; says whether something was done, and so more may be there.
///
/// # Errors
/// A database that does not answer.
pub async fn pass(services: &Services) -> Result<bool> {
    let rows = deferred::open(services.db(), services.clock().now(), MOST).await?;
    let (mut at_it, mut went_on) = (JoinSet::new(), false);
    for chain in chains(services, rows) {
        if at_it.len() >= AT_ONCE {
            went_on |= matches!(at_it.join_next().await, Some(Ok(true)));
        }
        let services = services.clone();
        at_it.spawn(async move { gone_through(&services, &chain).await });
    }
    while let Some(done) = at_it.join_next().await {
        went_on |= matches!(done, Ok(true));
    }
    Ok(went_on)
}

/// A request that is to be done or told, opened.
struct Job {
    row: Open,
    /// None where nothing of it is done.
    kept: Option<Result<Kept>>,
}

impl Job {
    fn open(services: &Services, row: Open) -> Self {
        let of = Of {
            tenant: &row.tenant_uid,
            request: &row.id,
        };
        let shut = row.tenant_state != Closed::Active || row.connection_state != Closed::Active;
        let sealed = row.sealed.as_deref().filter(|_| row.state == State::Waiting && !shut);
        let kept = sealed.map(|sealed| Kept::open(services, of, sealed));
        Self { row, kept }
    }

    /// What has to be done in order: requests about one resource, or that make something of one name.
    fn order(&self) -> String {
        let Open {
            connection,
            endpoint,
            resource,
            id,
            ..
        } = &self.row;
        if let Some(resource) = resource {
            return format!("{} of {}", resource, connection.0);
        }
        let body = match &self.kept {
            Some(Ok(kept)) => kept.body.as_object(),
            _ => None,
        };
        let is_name = |name: &&String| {
            ["userName", "displayName"]
                .iter()
                .any(|one| name.eq_ignore_ascii_case(one))
        };
        let names = body.into_iter().flatten().filter(|(name, _)| is_name(name));
        let name = names.map(|(_, value)| value.as_str().map(fold)).next().flatten();
        match name {
            Some(name) => format!("{endpoint} {name} of {}", connection.0),
            None => id.clone(),
        }
    }

    /// The connection that sent it, asking by the request that it came by.
    async fn caller(&self, services: &Services) -> Result<Caller> {
        let row = &self.row;
        let authority = Authority::Connection(ConnectionRef {
            id: row.connection,
            name: Arc::from(row.name.as_str()),
            dialect: row.dialect.parse::<Setting>().unwrap_or_default(),
        });
        let request = match &self.kept {
            Some(Ok(kept)) => &kept.request_id,
            _ => &row.id,
        };
        let (slug, request) = (Arc::from(row.slug.as_str()), Arc::from(request.as_str()));
        let words = services.vocabulary(row.tenant).await?;
        Ok(Caller::new((row.tenant, slug), words, authority, request))
    }
}

fn chains(services: &Services, rows: Vec<Open>) -> Vec<Vec<Job>> {
    let mut chains: Vec<(String, Vec<Job>)> = Vec::new();
    for job in rows.into_iter().map(|row| Job::open(services, row)) {
        let order = job.order();
        match chains.iter_mut().find(|(of, _)| *of == order) {
            Some((_, chain)) => chain.push(job),
            None => chains.push((order, vec![job])),
        }
    }
    chains.into_iter().map(|(_, chain)| chain).collect()
}

/// Does one after the other, until one has to wait; says whether something was done.
async fn gone_through(services: &Services, chain: &[Job]) -> bool {
    for (at, job) in chain.iter().enumerate() {
        let outcome = match ended(services, job).await {
            Ok(true) => continue,
            Ok(false) => postponed(services, &chain[at..]).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            let error = &fault as &dyn std::error::Error;
            tracing::warn!(
                error,
                request.id = job.row.id,
                "a request that waits could not be done; it is tried again"
            );
        }
        return at > 0;
    }
    true
}

/// Does one, or tells that it is not done; false where it is tried again later.
async fn ended(services: &Services, job: &Job) -> Result<bool> {
    let row = &job.row;
    let verb = Verb::parse(&row.method).ok_or_else(|| Error::Internal("the method of a deferred request".into()))?;
    let errand = Errand::new(&row.id, verb, &row.endpoint);
    let caller = job.caller(services).await?.doing(errand.clone());
    // A server that lags behind does not begin with what another one has done.
    if !waits(services, &caller, row).await? {
        return Ok(true);
    }
    let outcome = match &job.kept {
        None => Err(Error::Protocol(untried(row.status))),
        Some(Err(_)) => Err(Error::Internal("what was kept of a request does not open".into())),
        Some(Ok(kept)) => made(services, &caller, (verb, row), kept).await,
    };
    // What changed something was ended by that, here or by another server that was in the way.
    let ours = matches!(outcome, Ok(_) | Err(Error::Busy | Error::Crowded | Error::Internal(_)));
    if ours && !waits(services, &caller, row).await? {
        return Ok(true);
    }
    let (answer, reason) = match outcome {
        Ok(made) => {
            let (resource, version) = match &made {
                Some((id, version)) => (Some(id.as_str()), Some(*version)),
                None => (row.resource.as_deref(), None),
            };
            (errand.success(resource, version), None)
        }
        Err(fault @ (Error::Busy | Error::Crowded | Error::Internal(_)))
            if services.clock().now() < row.created.plus(PATIENCE) =>
        {
            let error = &fault as &dyn std::error::Error;
            tracing::warn!(
                error,
                request.id = row.id,
                "a request that waits came to a fault of ours"
            );
            return Ok(false);
        }
        Err(refused) => {
            let fault = told(&refused);
            (refusal(row, &fault), Some(fault.detail))
        }
    };
    settled(services, &caller, row, (answer, reason)).await?;
    Ok(true)
}

async fn waits(services: &Services, caller: &Caller, row: &Open) -> Result<bool> {
    let found = services.read(caller).deferred().find(row.connection, &row.id).await?;
    Ok(found.is_some_and(|found| found.state != State::Done))
}

fn refusal(row: &Open, fault: &scim::Error) -> Answer {
    Answer {
        method: row.method.clone(),
        endpoint: row.endpoint.clone(),
        status: fault.status,
        resource: row.resource.clone(),
        version: None,
        scim_type: fault.scim_type.map(|keyword| keyword.as_str().to_owned()),
    }
}

/// Makes what is asked for, as any request does; gives what was made or changed, and its version.
async fn made(
    services: &Services,
    caller: &Caller,
    (verb, row): (Verb, &Open),
    kept: &Kept,
) -> Result<Option<(ResourceId, i64)>> {
    let kind = caller
        .type_at(row.endpoint.trim_start_matches('/'))
        .ok_or(Error::NotFound)?;
    let dialect = kept.dialect(*caller.dialect());
    let (view, if_match) = (View::default(), kept.if_match());
    let id = row.resource.as_deref().map(ResourceId::new);
    let request = provision::Request {
        verb,
        kind,
        id: id.as_ref(),
        hash: None,
        if_match: &if_match,
        dialect: &dialect,
        view: &view,
    };
    let shown = provision::perform(services, caller, request, kept.body.clone()).await?;
    Ok(shown.map(|shown| (shown.id, shown.version)))
}

/// Ends the waiting of a request by itself, and tells what came of it; nothing where it is ended already.
async fn settled(
    services: &Services,
    caller: &Caller,
    row: &Open,
    (answer, reason): (Answer, Option<String>),
) -> Result<()> {
    let of = Of {
        tenant: &row.tenant_uid,
        request: &row.id,
    };
    let settling = Settling {
        id: row.id.clone(),
        from: row.state,
        sealed: reason.map(|reason| of.seal(services, &reason)).transpose()?,
        answer,
    };
    perform(services, &caller.telling(), settling).await
}

struct Settling {
    id: String,
    from: State,
    answer: Answer,
    /// Why it was refused.
    sealed: Option<String>,
}

impl Change for Settling {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let came = came(&self.answer, self.sealed.as_deref(), desk.now);
        if desk.unit.deferred().settle(&self.id, self.from, &came).await? {
            let request = ledger::thing(Thing::Request, &self.id);
            desk.note(What::RequestAnswered, request, &self.answer.data());
        }
        Ok(())
    }
}

/// Has requests be tried again later: the first came to a fault of ours, and the others keep their places behind it.
async fn postponed(services: &Services, jobs: &[Job]) -> Result<()> {
    let Some(first) = jobs.first() else { return Ok(()) };
    let doubled = 1_u64 << first.row.attempts.clamp(0, 10);
    let pause = Duration::from_secs(doubled.min(LONGEST_PAUSE_SECS));
    let postponing = Postponing {
        ids: jobs.iter().map(|job| job.row.id.clone()).collect(),
        pause,
    };
    perform(services, &first.caller(services).await?.telling(), postponing).await
}

struct Postponing {
    ids: Vec<String>,
    pause: Duration,
}

impl Change for Postponing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let due = desk.now.plus(self.pause);
        desk.unit.deferred().postpone(&self.ids, due);
        Ok(())
    }
}
