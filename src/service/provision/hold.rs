//! What becomes of somebody's status when provisioning speaks of `active`; whom an administrator keeps out stays out.

use crate::access::lifecycle::{Ask, By, Joining, Status, Verdict, turn};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::service::context::Caller;
use crate::service::lifecycle::status::{self, Turned};
use crate::store::Unit;
use crate::store::lifecycle::statuses::StoredHold;

/// The attribute that the status follows from, and that follows from it.
pub(super) const ATTRIBUTE: &str = "active";

/// What provisioning says of an account, and what comes of it.
#[derive(Debug)]
pub(super) struct Standing {
    from: Status,
    to: Status,
    held: Option<StoredHold>,
    /// What provisioning says.
    says: bool,
}

impl Standing {
    /// `None` where nothing comes of it and nothing is kept.
    pub(super) fn of(was_active: bool, says: bool, held: Option<StoredHold>, joining: Joining) -> Option<Self> {
        let from = Status::of(was_active, held.as_ref().map(|held| held.hold));
        let ask = if says { Ask::Activate } else { Ask::Deactivate };
        let to = match turn(from, ask, By::Source, joining) {
            Verdict::Turns(to) => to,
            Verdict::Already | Verdict::Stays(_) | Verdict::Refused(_) => from,
        };
        let kept = held.as_ref().is_some_and(|held| held.source_active != says);
        let standing = Self { from, to, held, says };
        (standing.turns() || standing.is_refused() || kept).then_some(standing)
    }

    /// Whether provisioning takes them for active.
    pub(super) const fn says(&self) -> bool {
        self.says
    }

    fn turns(&self) -> bool {
        self.from != self.to
    }

    /// Whether provisioning takes somebody for active who stays out.
    pub(super) fn is_refused(&self) -> bool {
        self.says && !self.to.is_active()
    }

    /// Whether it is something to be kept, also when the document stays as it is.
    pub(super) fn is_kept(&self) -> bool {
        self.held.is_some()
    }

    /// Keeps it; written with the save.
    pub(super) fn keep(&self, unit: &mut Unit, user: Pk) {
        match &self.held {
            Some(_) if self.turns() => unit.statuses().lift(user),
            Some(held) => unit.statuses().remember(user, held, self.says),
            None => {}
        }
    }

    /// Says in the log what came of it.
    pub(super) fn tell(
        &self,
        unit: &mut Unit,
        caller: &Caller,
        now: Timestamp,
        user: (Pk, &ResourceId),
        version: Version,
    ) {
        if let Some(held) = self
            .held
            .as_ref()
            .filter(|held| !self.turns() && held.source_active != self.says)
        {
            status::tell_noted(unit, caller, now, user, (held.source_active, self.says));
        }
        if self.is_refused() {
            // Whoever takes back what provisioning said does not expect to let anybody in.
            if !caller.takes_back() {
                status::tell_refused(unit, caller, now, user, self.from);
            }
        } else if self.turns() {
            let turned = Turned {
                from: self.from,
                to: self.to,
                until: None,
            };
            status::tell(unit, caller, now, user, (turned, version), (None, None));
        }
    }
}
