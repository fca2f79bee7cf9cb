//! A new user or group after the profile of another one: `POST /users/{id}/clone`, `POST /groups/{id}/clone`.
//!
//! May import what `service::lifecycle` may; must never give what the caller does not hold, nor anything that names or
//! reaches the person it was copied from.

mod group;
mod profile;
mod told;
mod user;

pub use group::{NewGroup, group};
pub use user::{NewUser, user};
