//! Bulk requests as values (RFC 7644 §3.7): taken apart, what refers to what, and an order to do it in.
//!
//! May import the rest of `scim` and `base`; must never do an operation, nor know who asks.

mod circles;
mod plan;
mod reference;
mod request;

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod reference_tests;

pub use plan::{Plan, Step, plan};
pub use reference::{BULK_ID, Need, need, resolve, take_members};
pub use request::{Asked, Name, Operation, Request, parse};
