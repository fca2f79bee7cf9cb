//! Who is told of what happens, how far each of them was told, and what did not get through.
//!
//! The log is the queue: a receiver is a position in it. May import the rest of the store; must never hold a row for a
//! delivery that went through.

pub mod deliveries;
pub mod receivers;
pub mod work;
