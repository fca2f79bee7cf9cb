//! What happened, kept: entries that wait for their numbers, the numbered events, and where the log of a tenant ends.
//!
//! May import what `store` may; must never change or remove an event, nor give a number to anything that is not committed.

pub mod checkpoints;
pub mod entries;
pub mod events;
pub mod heads;
pub mod installation;
pub mod leases;
pub mod past;
pub mod sealed;
pub mod signers;
pub mod waiting;
