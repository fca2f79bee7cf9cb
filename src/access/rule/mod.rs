//! Rules: their conditions, their outcomes, and the forms people read and write them in.
//!
//! May import `scim`, `base`, and from `access` the words that outcomes are made of. Must never import the rulebook or
//! what is decided with it.

pub mod condition;
pub mod definition;
pub mod group_test;
pub mod names;
pub mod review;
pub mod sentence;
pub mod text;

pub use condition::{Atom, Condition, MAX_ATOMS, Tree};
pub use definition::{Outcome, Rule, State};
pub use group_test::{GroupTest, GroupsRead};
