//! Who may come in: activate, suspend, deactivate; what was deleted and comes back; what is planned.
//!
//! What becomes of a status is for `crate::access::lifecycle` to say; here it is asked, written and told, each change
//! one unit with its entry in the log. May import what `service` may, and the rest of it; must never turn a status by
//! anything but that machine.

mod beside;
pub mod clone;
pub mod due;
pub mod early;
pub(super) mod given_back;
pub(super) mod leaving;
pub(super) mod newcomer;
pub(super) mod parts;
pub mod purge;
pub mod rehire;
pub mod restore;
pub mod schedule;
pub(super) mod several;
mod standing;
pub mod status;
pub mod status_rules;
pub mod tombstones;
pub mod turn;

pub use crate::access::StatusRule;
pub use crate::access::lifecycle::{Joining, Keeps, Leaving, Rehire, Status};
