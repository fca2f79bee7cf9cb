//! Telling others what happens: who is told, what is sent to them, and what becomes of what does not get through.
//!
//! Here is decided what goes out, in which order and how often; `worker` carries it. May import what `service` may, and
//! the rest of it; must never open a connection itself, nor send what has no number in the log.

mod attempt;
mod deliveries;
mod guard;
mod outcome;
mod relay;
mod secrets;
mod wanted;
pub mod webhooks;

pub use attempt::{Parcel, Round, begin};
pub use deliveries::{Again, Delivery, deliveries, replay};
pub use guard::{Guard, Refused};
pub use outcome::{Failure, Outcome};
pub use relay::{Work, claim, settle, waiting};
