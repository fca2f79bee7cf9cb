//! What happens later, beside the requests.
//!
//! May import `service` and `base`; must never import `store`, sqlx or another door of the house.

pub mod closing;
pub mod deferred;
pub mod egress;
pub mod enforce;
pub mod holds;
mod idle;
pub mod mail;
pub mod offboard;
pub mod prepare;
pub mod purge;
pub mod relay;
pub mod schedule;
pub mod sequence;
pub mod status_rules;
pub mod sweep;
pub mod undo;
mod watch;
