//! The SCIM front door: extract, one use case, reply.
//!
//! May import `service`, `scim` and `base`; must never hold an `if` about business.

pub mod bulk;
pub mod deferred;
pub mod discovery;
pub mod extract;
pub mod me;
pub mod negotiate;
pub mod reply;
pub mod resources;
pub mod search;
