//! PATCH against a second reading of the RFC that shares nothing with the first: a resource is a list of facts
//! (attribute, element, sub-attribute, value), and each operation adds and deletes facts.
//!
//! Tests only. May import the room it tests; must never be imported by anything.

mod known;
mod model;
mod requests;
mod tests;
