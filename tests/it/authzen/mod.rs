//! Decisions as enforcement points ask for them: the `AuthZEN` Authorization API 1.0, each test on both engines.
//!
//! May use `support` and the desk of `admin`; must never name a function of the crate above `base`.

mod batch;
mod evaluation;
mod fixture;
mod metadata;
mod scenario;
mod search;
