//! Telling others what happens: what is sent, in which order, and what becomes of what does not get through.

mod changed;
mod egress;
mod faults;
mod gaps;
mod groups;
pub mod hook;
mod live;
mod order;
pub mod polls;
mod pushes;
mod replay;
mod snapshot;
pub mod token;
mod webhooks;
