//! An undo is carried out: what is left to be done is worked out, done step by step, and worked out again.

use serde_json::json;
use std::time::Duration;

use super::lease::Lease;
use super::result::{Conflict, Outcome};
use super::work::Work;
use crate::event::Seq;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What as Happened};
use crate::service::lifecycle::turn::habits;
use crate::store::undo::list::{self, Running};

/// Undos that are looked up together.
const MOST: u32 = 20;

/// How often somebody who waits for an undo looks whether it is done.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether one goes on, in any tenant.
///
/// # Errors
/// A database that does not answer.
pub async fn is_behind(services: &Services) -> Result<bool> {
    Ok(!list::running(services.db(), 0, 1).await?.is_empty())
}

/// Carries out what goes on in any tenant, each to its end, unless somebody else is at it. One that fails is told in the
/// program's log and does not keep others back: what is done stays done, and the rest is done the next time.
///
/// # Errors
/// A database that does not answer.
pub async fn resume(services: &Services, holder: &str) -> Result<()> {
    let mut lease = Lease::of(holder.to_owned());
    if !lease.take(services).await? {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let page = list::running(services.db(), after, MOST).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for running in page {
            if lease.hold(services).await.is_err() {
                return Ok(());
            }
            match carry(services, &running, &mut lease).await {
                // Other work was in the way, or the log is behind: it goes on by itself.
                Ok(()) | Err(Error::Busy | Error::Crowded) => {}
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(
                        error,
                        undo = running.id,
                        "an undo could not be carried out; it is tried again"
                    );
                }
            }
        }
    }
    lease.give_up(services).await
}

/// Resolves when an undo is done: carries it out, unless a server is at it.
///
/// # Errors
/// A database that does not answer; `NotFound`.
pub async fn finish(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    let holder = services.ids().next_unit();
    loop {
        let undo = services.read(caller).undos().find(id).await?.ok_or(Error::NotFound)?;
        if !undo.running {
            return Ok(());
        }
        let running = Running {
            number: undo.number,
            tenant: caller.tenant(),
            slug: caller.tenant_slug().to_owned(),
            id: undo.id,
            connection: undo.what.connection,
        };
        let mut lease = Lease::of(holder.clone());
        if lease.take(services).await? {
            let carried = carry(services, &running, &mut lease).await;
            lease.give_up(services).await?;
            match carried {
                Ok(()) => continue,
                Err(Error::Busy | Error::Crowded) => {}
                Err(error) => return Err(error),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn carry(services: &Services, running: &Running, lease: &mut Lease) -> Result<()> {
    let words = services.vocabulary(running.tenant).await?;
    let of = (running.tenant, running.slug.as_str());
    let caller = Caller::undoing(of, words, &running.id, running.connection);
    let found = services.read(&caller).undos().find(&running.id).await?;
    let Some(undo) = found.filter(|undo| undo.running) else {
        return Ok(());
    };
    let of = services
        .read(&caller)
        .connections()
        .find_by_id(running.connection)
        .await?;
    let mut work = Work::new(services, (caller.clone(), habits(of.as_ref())), lease, undo);
    let conflicts = match work.rounds().await {
        Ok(conflicts) => conflicts,
        // It cannot be worked out, now or later.
        Err(Error::Invalid(refusal)) => vec![Conflict::of_all(&running.id, refusal.reason)],
        Err(error) => return Err(error),
    };
    let (outcome, at) = work.came_to().await?;
    lease.hold(services).await?;
    let ending = Ending {
        id: running.id.clone(),
        outcome: outcome.with(conflicts),
        at,
    };
    perform(services, &caller, ending).await
}

/// All is done that could be.
struct Ending {
    id: String,
    outcome: Outcome,
    /// Where the log is.
    at: Seq,
}

impl Change for Ending {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let result = json!(self.outcome).to_string();
        if desk.unit.undos().end(&self.id, &result, (desk.now, self.at)).await? {
            let Outcome {
                restored,
                removed,
                changed,
                conflicts,
                ..
            } = self.outcome;
            let data = json!({ "restored": restored, "removed": removed, "changed": changed, "conflicts": conflicts });
            desk.note(Happened::UndoEnded, ledger::thing(Thing::Undo, &self.id), &data);
        }
        Ok(())
    }
}
