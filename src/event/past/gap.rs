//! What an event does not say.

use crate::event::Seq;

/// An event that cannot be understood: what was is known without it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Where it stands.
    pub seq: Seq,
    /// What happened.
    pub kind: String,
}
