//! HTTP in JSON: routes, authentication, limits, and the one place where errors become responses.
//!
//! May import `service`, `scim` and `base`; must never import `store` or sqlx, nor decide anything about business.

pub mod access;
pub mod admin;
pub mod auth;
pub mod body;
pub mod events;
pub mod linger;
pub mod middleware;
pub mod once;
pub mod openapi;
pub mod places;
pub mod probes;
pub mod problem;
pub mod queue;
pub mod router;
pub mod scim;
pub mod state;
pub mod table;
