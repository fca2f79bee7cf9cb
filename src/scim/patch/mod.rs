//! PATCH: a list of operations over a stored document, all or nothing (RFC 7644 §3.5.2).
//!
//! Group members are not in the document; what an operation does to them becomes a [`MemberOp`] for the store. May
//! import `base` and, from `scim`, everything but `dialect`. Must never import `dialect`, nor know storage or HTTP.

mod apply;
mod attribute;
mod draft;
mod element;
mod members;
mod operation;
mod request;

#[cfg(test)]
mod property;
#[cfg(test)]
mod strict_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vector_tests;

pub use apply::{Ended, OpOutcome, Patched, apply};
pub use members::MemberOp;
pub use request::{MAX_OPERATIONS, Operation, PatchRequest, Verb, parse, selects};
