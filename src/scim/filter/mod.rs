//! Filters: text is parsed, then checked against resource types, then used (RFC 7644 §3.4.2.2).
//!
//! Only a [`Checked`] filter may be executed. [`eval()`] is what a filter means; every other execution is compared
//! with it. May import `base`, `scim::schema`, `scim::path` and `scim::error`. Must never import anything else of
//! ours, nor know how documents are stored.

mod alike;
pub mod ast;
pub mod check;
pub mod eval;
pub(super) mod fault;
pub(super) mod grammar;
pub mod leaf;
mod print;
pub mod value;

#[cfg(test)]
mod tests;

pub use ast::{Filter, Literal, Op};
pub use check::{Checked, Match, Node, Test, check};
pub use eval::{eval, matches_element};
pub use fault::{MAX_FILTER_DEPTH, MAX_FILTER_LENGTH, MAX_FILTER_NODES};
pub use leaf::{Leaf, leaves};
pub use value::Kind;
