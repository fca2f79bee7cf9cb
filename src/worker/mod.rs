//! What happens later, beside the requests.
//!
//! May import `service` and `base`; must never import `store`, sqlx or another door of the house.

pub mod egress;
pub mod holds;
pub mod mail;
pub mod offboard;
pub mod prepare;
pub mod relay;
pub mod schedule;
pub mod sequence;
pub mod sweep;
