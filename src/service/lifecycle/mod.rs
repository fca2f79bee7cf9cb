//! Who may come in: activate, suspend, deactivate; what was deleted and comes back; what is planned.
//!
//! What becomes of a status is for `crate::access::lifecycle` to say; here it is asked, written and told, each change
//! one unit with its entry in the log. May import what `service` may, and the rest of it; must never turn a status by
//! anything but that machine.

pub mod due;
pub mod restore;
pub mod schedule;
pub mod status;
pub mod tombstones;
pub mod turn;

pub use crate::access::lifecycle::Status;
