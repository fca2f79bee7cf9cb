//! Random organisations as plain facts, and a second reading of what they mean that shares nothing with the engine.
//!
//! Tests only: those of the engine, and those that keep such organisations in a database. May name two words of the
//! engine and one of the protocol, which whoever includes this folder brings along; must never import anything else,
//! or the second reading would be the first.

pub mod circle;
pub mod dice;
pub mod flaw;
pub mod generate;
pub mod model;
pub mod world;

use super::{ENTERPRISE_USER, ScopeKind, State};
