//! The named procedures, for what a list of steps cannot say.
//!
//! May import what its parent may; must never know a particular server.

mod definitions;
mod every;
mod race;
mod walk;
mod with;

pub(super) use definitions::{attribute, each_attribute};
pub(super) use every::{every_answer, every_resource};
pub(super) use race::race;
pub(super) use walk::walk;
pub(super) use with::{with_attribute, with_type};
