//! The machine: what becomes of a status when somebody asks for something.

use super::status::{OffBy, Status};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Provisioning: an identity provider or an HR system. It says what it knows, and knows nothing of suspensions.
    Source,
    /// An administrator, on any way.
    Administrator,
    /// Something that was planned, and is due.
    Schedule,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To let them in.
    Activate,
    /// To come in, as they were invited to.
    Accept,
    /// To keep them out for a while.
    Suspend,
    /// To keep them out.
    Deactivate,
    /// The end of a leave: they are again what provisioning says they are.
    Return {
        /// What it last said.
        source_active: bool,
    },
    /// To delete them.
    Delete,
    /// To bring them back, as they were.
    Restore {
        /// Whether the account was active.
        active: bool,
    },
}

/// Whether provisioning may take in somebody who has not accepted an invitation yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Joining {
    /// They accept it themselves.
    #[default]
    Accepts,
    /// Whom provisioning takes for active has joined.
    Joins,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The status changes.
    Turns(Status),
    /// It is so already.
    Already,
    /// The status stays, and whoever asked is told why.
    Stays(Stay),
    /// It is refused.
    Refused(Refusal),
}

/// Why a status stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// An administrator holds the account, and provisioning cannot lift that.
    Held,
    /// The invitation is not accepted.
    NotAccepted,
    /// More was done to the account than a plan asks for.
    HeldMore,
    /// It is not for provisioning to ask for.
    NotTheirs,
}

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// They are deleted, and have to be restored first.
    Deleted,
    /// There is nobody.
    Gone,
}

/// What becomes of a status. Total: every status has an answer to everything that anybody can ask for.
#[must_use]
pub const fn turn(from: Status, ask: Ask, by: By, joining: Joining) -> Verdict {
    match (from, ask) {
        (Status::Purged, _) | (Status::Deleted, Ask::Delete) => Verdict::Refused(Refusal::Gone),
        (Status::Deleted, _) => of_deleted(ask, by),
        (_, Ask::Restore { .. }) => Verdict::Already,
        (_, Ask::Delete) => Verdict::Turns(Status::Deleted),
        (_, Ask::Activate) => activated(from, by, joining),
        (_, Ask::Accept) => accepted(from),
        (_, Ask::Return { source_active }) => returned(from, source_active, by),
        (_, Ask::Suspend) => suspended(from, by),
        (_, Ask::Deactivate) => deactivated(from, by),
    }
}

const fn of_deleted(ask: Ask, by: By) -> Verdict {
    match (ask, by) {
        (_, By::Source) => Verdict::Refused(Refusal::Gone),
        (Ask::Restore { active }, _) => Verdict::Turns(Status::of(active, None)),
        _ => Verdict::Refused(Refusal::Deleted),
    }
}

const fn activated(from: Status, by: By, joining: Joining) -> Verdict {
    match (from, by, joining) {
        (Status::Active, _, _) => Verdict::Already,
        (Status::Invited, By::Source, Joining::Accepts) => Verdict::Stays(Stay::NotAccepted),
        (Status::Suspended | Status::Off(OffBy::Administrator), By::Source, _) => Verdict::Stays(Stay::Held),
        _ => Verdict::Turns(Status::Active),
    }
}

/// An invitation lets in who waits for it, and lifts nothing that somebody decided since.
const fn accepted(from: Status) -> Verdict {
    match from {
        Status::Invited => Verdict::Turns(Status::Active),
        Status::Active => Verdict::Already,
        _ => Verdict::Stays(Stay::Held),
    }
}

/// Only what is held can end; an invitation is no leave.
const fn returned(from: Status, source_active: bool, by: By) -> Verdict {
    match (from, by) {
        (_, By::Source) => Verdict::Stays(Stay::NotTheirs),
        (Status::Invited, _) => Verdict::Stays(Stay::NotAccepted),
        (Status::Suspended | Status::Off(OffBy::Administrator), _) => Verdict::Turns(Status::of(source_active, None)),
        _ => Verdict::Already,
    }
}

const fn suspended(from: Status, by: By) -> Verdict {
    match (from, by) {
        (_, By::Source) => Verdict::Stays(Stay::NotTheirs),
        (Status::Suspended, _) => Verdict::Already,
        // A leave that begins does not soften what an administrator has decided since.
        (Status::Off(OffBy::Administrator), By::Schedule) => Verdict::Stays(Stay::HeldMore),
        _ => Verdict::Turns(Status::Suspended),
    }
}

const fn deactivated(from: Status, by: By) -> Verdict {
    match (from, by) {
        (Status::Suspended, By::Source) => Verdict::Stays(Stay::Held),
        (Status::Off(OffBy::Administrator), _) | (Status::Off(OffBy::Source), By::Source) => Verdict::Already,
        (_, By::Source) => Verdict::Turns(Status::Off(OffBy::Source)),
        (_, By::Administrator | By::Schedule) => Verdict::Turns(Status::Off(OffBy::Administrator)),
    }
}
