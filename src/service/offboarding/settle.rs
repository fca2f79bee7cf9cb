//! What an attempt at a step came to, written once, whoever made it.

use serde_json::json;

use super::follow::tell;
use super::late::turn_and_tell;
use crate::base::clock::Timestamp;
use crate::service::context::Caller;
use crate::service::error::Result;
use crate::service::ledger::{self, Thing, What};
use crate::store::Unit;
use crate::store::runs::due::Due;
use crate::store::runs::list::Brief;
use crate::store::runs::step::{Held, Outcome};

/// Whether a run is under way.
pub(super) fn is_live(held: &Held) -> bool {
    matches!(held.state.as_str(), "open" | "late")
}

/// Writes the outcome, and closes the run when everything in it is confirmed. The unit holds the run. False when somebody
/// else has written what became of this attempt: then the unit must not be saved.
pub(super) async fn settle(
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
        turn_and_tell(unit, caller, Some(due.run), now).await?;
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
