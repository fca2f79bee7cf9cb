//! The mass-change fuse over HTTP: what a misconfigured client can do, and what administrators decide about the rest.
//!
//! May use `support` and the desk of `admin`; must never name a function of the crate above `base`.

mod budgets;
mod held;
mod holds;
mod misconfigured;
mod nodes;
pub mod words;
