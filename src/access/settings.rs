//! What an organisation has decided about its access for all of it, once.

use super::invariant::{Cap, Demands};

/// What becomes of a request of provisioning that would leave too few administrators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenRefused {
    /// It is refused, and that is all.
    #[default]
    Refuse,
    /// It is refused and kept, so that an administrator can have it made later.
    Park,
}

/// Decisions of an organisation that hold for everybody in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which roles provisioning may give.
    pub cap: Cap,
    /// What must hold of the administrators.
    pub demands: Demands,
    /// What becomes of requests of provisioning that go against them.
    pub when_refused: WhenRefused,
    /// Whether a manager sees (read only) what those see who report to them. Off when nobody said so.
    pub managers_see_reports: bool,
}
