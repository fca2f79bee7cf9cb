//! The self-test against servers that are made wrong on purpose: its language, its procedures, its reports.
//!
//! May use `support` and the room `selftest`; must never know the rest of the crate.

mod cut;
mod language;
mod leftovers;
mod needed;
mod procedures;
mod reports;
mod tiny;
