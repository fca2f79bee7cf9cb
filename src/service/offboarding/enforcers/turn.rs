//! What can be done with an enforcer as a whole.

use std::collections::HashMap;

use serde_json::json;

use crate::base::id::ResourceId;
use crate::service::access::authority::{INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::offboarding::follow::tell;
use crate::service::offboarding::late::turn_and_tell;
use crate::store::runs::enforcers::{Enforcer as Row, State};
use crate::store::runs::list::Brief;

/// What can be done with an enforcer as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Runs that are opened from now on go without it, and those under way wait for it.
    Pause,
    /// It is called again, at once for everything that waits.
    Resume,
    /// It is tried with requests that end nothing.
    Test,
    /// It is removed, from the runs under way, too.
    Delete,
}

/// Does it. What is already so is no refusal, and no event.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn turn(services: &Services, caller: &Caller, id: &str, turn: Turn) -> Result<()> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let turning = Turning {
        id: ResourceId::new(id),
        turn,
    };
    perform(services, caller, turning).await
}

struct Turning {
    id: ResourceId,
    turn: Turn,
}

impl Change for Turning {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.enforcers().find(&self.id).await?;
        let row = found.ok_or(Error::NotFound)?;
        let (what, data) = match self.turn {
            Turn::Pause | Turn::Resume => {
                let (state, what) = match self.turn {
                    Turn::Pause => (State::Paused, What::EnforcerPaused),
                    _ => (State::Active, What::EnforcerResumed),
                };
                if !desk.unit.enforcers().turn(row.id, state, desk.now).await? {
                    return Ok(());
                }
                (what, json!({}))
            }
            Turn::Test => {
                desk.unit.enforcers().test(row.id, Some(desk.now), row.tested);
                (What::EnforcerTested, json!({}))
            }
            Turn::Delete => {
                // Before the runs are looked at: no run that waits for it is opened from here on.
                if !desk.unit.enforcers().delete(row.id).await? {
                    return Err(Error::NotFound);
                }
                leave_runs(desk, &row).await?;
                (What::EnforcerDeleted, json!({ "name": row.name }))
            }
        };
        desk.note(what, ledger::thing(Thing::Enforcer, &self.id), &data);
        Ok(())
    }
}

/// Takes an enforcer out of the runs under way, and closes those that waited for nobody else.
async fn leave_runs(desk: &mut Desk, row: &Row) -> Result<()> {
    let (now, caller) = (desk.now, desk.caller.clone());
    let runs = desk.unit.runs().hold_waiting(row.id).await?;
    if runs.is_empty() {
        return Ok(());
    }
    // Before they are closed: a run that ends after its deadline was late.
    let services = desk.services.clone();
    turn_and_tell(&services, &mut desk.unit, &caller, None, now).await?;
    let removed = desk.unit.runs().remove(row.id, &runs, now).await?;
    let by_number: HashMap<i64, &Brief> = runs.iter().map(|run| (run.id, run)).collect();
    for (run, name) in removed {
        if let Some(run) = by_number.get(&run) {
            let data = json!({ "user": run.user, "step": name });
            desk.note(What::StepRemoved, ledger::thing(Thing::Run, &run.uid), &data);
        }
    }
    let closed = desk.unit.runs().close_all(&runs, now).await?;
    tell(&mut desk.unit, &caller, now, What::RunConfirmed, &closed);
    Ok(())
}
