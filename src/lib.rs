//! Muster: a SCIM 2.0 identity provisioning server.
//!
//! The rooms of the house and their floors are drawn in `docs/architecture.md`; `tests/floors.rs` keeps them.

pub mod access;
pub mod api;
pub mod app;
pub mod base;
pub mod cli;
pub mod config;
pub mod event;
pub mod scim;
pub mod selftest;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod worker;
