//! The engine against a second reading of the same words that shares nothing with it: a random organisation, and a
//! model that answers by looking at everything, again and again.
//!
//! Tests only. May import the room it tests; must never be imported by anything.

mod agree;
mod broken;
mod differing;
mod explained;
mod groups;
mod stored;
mod support;

use super::worlds::{circle, dice, flaw, generate, model, world};
