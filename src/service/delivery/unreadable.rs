//! Receivers whose secrets do not open any more: nothing can be sent to them until somebody gives them others.

use serde_json::json;

use super::relay::alert;
use crate::event::{self, SubjectKind};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::service::log::open::sealed_fault;
use crate::store::delivery::receivers::Receiver;

/// Why such a receiver is paused.
pub(super) const UNREADABLE: &str = "unreadable";

/// Whether a failure is that what is sealed is damaged. A key that is missing in the key file is nobody's damage: it is
/// found again.
pub(super) fn is_damage(fault: &Error) -> bool {
    matches!(
        sealed_fault(fault),
        Some(event::Error::Sealed | event::Error::Unreadable(_))
    )
}

/// Pauses a receiver for it.
pub(super) async fn pause(services: &Services, caller: &Caller, receiver: &Receiver) -> Result<()> {
    perform(services, caller, Pausing(receiver.clone())).await
}

struct Pausing(Receiver);

impl Change for Pausing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        if desk.unit.receivers().pause(self.0.id, UNREADABLE).await? {
            let subject = ledger::thing(SubjectKind::Receiver, &self.0.uid);
            desk.note(What::ReceiverPaused, subject, &json!({ "reason": UNREADABLE }));
            alert(&desk.services, &mut desk.unit, &self.0, (Some(UNREADABLE), desk.now)).await?;
        }
        Ok(())
    }
}
