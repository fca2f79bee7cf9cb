//! What an attempt at a step came to, written once, whoever made it.

use serde_json::json;

use super::follow::tell;
use super::late::turn_and_tell;
use crate::base::clock::Timestamp;
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::{self, Thing, What};
use crate::store::Unit;
use crate::store::runs::due::Due;
use crate::store::runs::list::Brief;
use crate::store::runs::step::{Held, Outcome};

/// Holds the run of a step, if it is under way and the person is still out; none when there is nothing to do any more.
///
/// The policy is locked before the run, as every unit does. Whoever lets the person in again shares it: so they are out for
/// as long as this unit looks. When they are back, the log says so to whoever withdraws the run.
pub(super) async fn hold(unit: &mut Unit, due: &Due) -> Result<Option<Held>> {
    unit.policy().hold().await?;
    let held = unit.runs().hold(due.run).await?;
    let Some(held) = held.filter(|held| matches!(held.state.as_str(), "open" | "late")) else {
        return Ok(None);
    };
    let found = unit.resources().users(&[held.user.0]).await?;
    let is_out = found.iter().all(|user| user.active == Some(false));
    Ok(is_out.then_some(held))
}

/// Writes the outcome, and closes the run when nothing in it waits any more. The unit holds the run. False when somebody
/// else has written what became of this attempt: then the unit must not be saved.
pub(super) async fn settle(
    services: &Services,
    unit: &mut Unit,
    caller: &Caller,
    (due, held): (&Due, &Held),
    outcome: &Outcome,
    now: Timestamp,
) -> Result<bool> {
    let attempt = (due.run, due.name.as_str(), due.attempts);
    if !unit.runs().settle(attempt, outcome, now).await? {
        return Ok(false);
    }
    let what = match outcome {
        Outcome::Acknowledged { .. } => What::StepAcknowledged,
        Outcome::Confirmed { .. } => What::StepConfirmed,
        Outcome::Again { .. } => return Ok(true),
    };
    let subject = ledger::thing(Thing::Run, &due.run_uid);
    let data = json!({ "user": held.user.1, "step": due.name });
    ledger::note(unit, caller, now, (what, subject), &data);
    if what == What::StepConfirmed {
        // Before it is closed: a run that ends after its deadline was late, also where nobody had looked in time.
        turn_and_tell(services, unit, caller, Some(due.run), now).await?;
        if unit.runs().close(due.run, now).await? {
            let run = Brief {
                id: due.run,
                uid: due.run_uid.clone(),
                user: held.user.1.clone(),
            };
            tell(unit, caller, now, What::RunConfirmed, &[run]);
        }
    }
    Ok(true)
}
