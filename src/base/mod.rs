//! Words every floor speaks: ids, the clock, instants, folded text, URIs, secrets.
//!
//! May import the standard library and small pure crates. Must never import anything else of ours,
//! nor tokio, sqlx, axum or tracing.

pub mod clock;
pub mod fold;
pub mod id;
pub mod instant;
pub mod near;
pub mod number;
pub mod secret;
pub mod uri;
pub mod zone;
