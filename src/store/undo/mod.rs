//! What is taken back of what a connection did: the work itself, and what is read for it.
//!
//! May import the rest of the store, [`crate::event`] and [`crate::base`]. Must never decide what is taken back.

pub mod list;
pub mod now;
pub mod past;
