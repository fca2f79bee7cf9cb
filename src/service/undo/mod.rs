//! Undo: what a connection did in a time is taken back, as far as nobody else has touched it since.
//!
//! The plan comes from the log: what everything was before, and who had the last word about it. It is carried out by the
//! use cases that administrators and provisioning have, each step a unit of its own, and worked out anew until nothing is
//! left to be done; whoever stops in the middle goes on by working it out again.
//!
//! May import what `service` may, and its `provision`, `lifecycle`, `keys`, `log` and `ledger`; must never write a user, a
//! group or a membership itself.

mod begin;
mod lease;
mod look;
mod names;
mod parts;
mod plan;
mod result;
mod run;
mod walk;
mod work;

pub use begin::{Asked, Changes, begin, find, list, preview};
pub use result::{Conflict, Outcome, Shown};
pub use run::{finish, is_behind, resume};
