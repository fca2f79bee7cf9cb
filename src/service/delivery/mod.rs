//! Telling others what happens: who is told, what is sent to them, and what becomes of what does not get through.
//!
//! Here is decided what goes out, in which order and how often; `worker` carries it. May import what `service` may, and
//! the rest of it; must never open a connection itself, nor send what has no number in the log.

mod attempt;
mod deliveries;
mod guard;
mod outcome;
mod passed;
pub mod poll;
mod relay;
pub(in crate::service) mod secrets;
mod sets;
mod speech;
pub mod streams;
mod turn;
mod unreadable;
mod wanted;
pub mod webhooks;

pub use attempt::{Parcel, Round, begin};
pub use deliveries::{Again, Delivery, deliveries, replay};
pub use guard::{Guard, Refused};
pub use outcome::{Failure, Outcome};
pub(in crate::service) use relay::Looked;
pub use relay::{Work, claim, settle, waiting};
pub(in crate::service) use secrets::RECEIVER;
pub(in crate::service) use sets::told;
pub use turn::{Turn, turn};

pub use crate::store::delivery::receivers::Family;
