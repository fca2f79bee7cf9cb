//! Who may, and on what: searches, each a page at a time.
//!
//! Candidates come from indexes, and every one of them is decided like any other question: an index that gives too
//! many costs time, never truth. May import the rest of `service::access`; must never decide but by `crate::access`.

mod lead;
mod resources;
mod subjects;
mod sweep;

pub(super) use lead::{Candidate, Lead, people};
pub use resources::resources;
pub use subjects::{Found, subjects};
pub(super) use sweep::sweep;
