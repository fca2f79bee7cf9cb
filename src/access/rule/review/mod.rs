//! What is odd about a set of rules, without looking at any user.
//!
//! Nothing here is an error: two rules may say the same for a while. What is told is certain, but not everything that
//! is so is seen: a condition counts as weaker only where that can be read from its words.
//!
//! May import the values of `access` and conditions of `scim`; must never refuse a rule.

mod finding;
mod gives;
mod implies;

#[cfg(test)]
mod tests;

pub use finding::{Finding, review};
pub use implies::implies;
