//! What was: the log told forward to a position, and what that comes to for the access engine.
//!
//! Values in, values out, as `event` is; events are handed in one after the other. May import what `event` may; must never
//! guess: what an event does not say is a [`Gap`], and everything goes on without it.
//!
//! [`PolicyPast`] is what all users shared: roles, scopes, rules, grants of groups, groups. [`PersonPast`] is one user.
//! [`Ties`] are memberships. A [`Stage`] puts the three together as what [`crate::access`] decides by.

mod fold;
mod gap;
mod group;
mod numbers;
mod person;
mod policy;
mod stage;
mod ties;
mod told;

pub use gap::Gap;
pub use group::GroupPast;
pub use person::{PersonPast, Standing};
pub use policy::PolicyPast;
pub use stage::Stage;
pub use ties::{Tie, Ties};
pub use told::{Sides, Told};

#[cfg(test)]
mod tests;
