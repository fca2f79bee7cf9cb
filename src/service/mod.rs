//! The use cases. Each opens one unit of work, and nothing else in the house changes data.
//!
//! May import `store`, `event`, `access`, `scim` and `base`; must never import axum, sqlx or clap, nor know HTTP.

pub mod access;
pub mod asides;
pub mod bulk;
pub mod closing;
pub mod connections;
mod context;
pub mod credentials;
pub mod deferred;
pub mod delivery;
mod derive;
mod error;
pub mod fuse;
pub mod health;
pub mod history;
pub mod invitations;
pub mod keys;
mod ledger;
pub mod lifecycle;
pub mod log;
pub mod mail;
pub mod offboarding;
pub mod once;
mod passwords;
pub mod provision;
pub mod schemas;
mod setbacks;
mod told;
pub mod tolerances;
pub mod undo;
mod waits;

pub use context::{Authority, Caller, ConnectionRef, Keeping, Parts, Services, Suspended};
pub use error::{Error, Fused, HeldBy, HoldingGrant, ReadAs, Refusal, Result};
pub use provision::{IfMatch, Shown, Wanted};
pub use waits::Waits;
