//! What is done with a receiver as a whole, whatever kind it is.

use serde_json::{Value, json};

use crate::base::id::ResourceId;
use crate::event::SubjectKind;
use crate::event::set::MAX_STATE_BYTES;
use crate::service::access::authority::{INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::store::delivery::receivers::Family;

/// What can be done with a receiver as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Sends nothing more; what happens waits.
    Pause,
    /// Sends again, beginning with what waits.
    Resume,
    /// Sends one event to see whether it gets through, with what it is to say.
    Test(Option<String>),
    /// Removes it, and what waits for it.
    Delete,
}

/// Does it. What is already so is no refusal, and no event.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn turn(services: &Services, caller: &Caller, (family, id): (Family, &str), turn: Turn) -> Result<()> {
    require(services, caller, &[INTEGRATIONS]).await?;
    if let Turn::Test(Some(state)) = &turn {
        let printable = state.bytes().all(|byte| (32..127).contains(&byte));
        if !(1..=MAX_STATE_BYTES).contains(&state.len()) || !printable {
            let reason = format!("a state has 1 to {MAX_STATE_BYTES} printable ASCII characters");
            return Err(Error::invalid("/state", reason));
        }
    }
    let turning = Turning {
        family,
        id: ResourceId::new(id),
        turn,
    };
    perform(services, caller, turning).await
}

struct Turning {
    family: Family,
    id: ResourceId,
    turn: Turn,
}

impl Change for Turning {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.receivers().find(self.family, &self.id).await?;
        let row = found.ok_or(Error::NotFound)?;
        let (what, data): (What, Value) = match &self.turn {
            Turn::Pause => {
                if !desk.unit.receivers().pause(row.id, "asked").await? {
                    return Ok(());
                }
                (What::ReceiverPaused, json!({ "reason": "asked" }))
            }
            Turn::Resume => {
                if !desk.unit.receivers().resume(row.id, desk.now).await? {
                    return Ok(());
                }
                (What::ReceiverResumed, json!({}))
            }
            Turn::Test(None) => (What::ReceiverTested, json!({})),
            Turn::Test(Some(state)) => (What::ReceiverTested, json!({ "state": state })),
            Turn::Delete => {
                if !desk.unit.receivers().delete(row.id).await? {
                    return Err(Error::NotFound);
                }
                (What::ReceiverDeleted, json!({ "name": row.name }))
            }
        };
        desk.note(what, ledger::thing(SubjectKind::Receiver, &self.id), &data);
        Ok(())
    }
}
