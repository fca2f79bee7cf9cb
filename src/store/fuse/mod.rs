//! The mass-change fuse as it is kept: budgets of connections, what they have used of them, and what is held.
//!
//! May import the rest of the store and [`crate::access::fuse`]; must never decide what a request may do.

pub mod counters;
pub mod holds;
mod settings;
