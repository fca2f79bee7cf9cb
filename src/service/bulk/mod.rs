//! Bulk requests (RFC 7644 §3.7): each operation is done by the use case that does a single request of its kind.
//!
//! An operation is one unit of work, and creations that refer to each other in a circle are one together. Creations that
//! have nothing to do with each other share units, and are done alone where one of them is refused: nobody can tell but by
//! the time it takes. May import `provision` and what the rest of `service` may; must never change a resource itself.

mod beside;
mod circle;
mod job;
mod ready;

pub use job::{MOST_OPERATIONS, Outcome, run};
pub use ready::Came;
