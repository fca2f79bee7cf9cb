//! What can wait.

use crate::service::ledger::What;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// Provisioning wants to end the owner's account: ownership has to be transferred. Settled by a transfer.
    LeavingOwner,
    /// A request that was refused, and can be made later.
    Parked,
    /// A request beyond a budget of the mass-change fuse, decided about with the others of its hold, or alone.
    Held,
}

impl Matter {
    /// As it stands in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeavingOwner => "leaving-owner",
            Self::Parked => "parked-request",
            Self::Held => "held-change",
        }
    }

    /// What the ledger calls its beginning.
    pub(super) const fn event(self) -> What {
        match self {
            Self::LeavingOwner => What::OwnershipTransferNeeded,
            Self::Parked | Self::Held => What::RequestParked,
        }
    }
}
