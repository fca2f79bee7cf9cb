//! Security event tokens for who fetches them, and the keys that all of them are signed with.
//!
//! May import the rest of `api`, `service` and `base`; must never give out what the log has not numbered.

mod jwks;
mod poll;
mod surface;

pub use surface::{open_routes, routes};
