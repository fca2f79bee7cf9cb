//! The access engine as values: who has which role where, why, and what that permits.
//!
//! Values in, values out: no clock, no storage, no chance; the order of what comes in never matters. May import `scim`
//! and `base`; must never import tokio, sqlx, axum or tracing, nor know whose data it decides about.
//!
//! A [`Policy`] is what all users share; [`Rulebook::compile`] makes it ready once a version. [`Facts`] are what is
//! known of one user. [`evaluate()`] gives everything the user has, with its provenance; [`decide()`] answers one
//! question with the same meaning and without looking at what does not matter to it.

pub mod assignment;
pub mod decide;
pub mod diff;
pub mod evaluate;
pub mod explain;
pub mod facts;
pub mod fuse;
pub mod grant;
pub mod groups;
pub mod invariant;
pub mod lifecycle;
pub mod path;
pub mod permission;
pub mod policy;
pub mod role;
pub mod rule;
pub mod rulebook;
pub mod scope;
pub mod settings;
mod shelf;
pub mod standing;
pub mod status_rule;
mod strata;
pub mod target;
mod wording;

#[cfg(test)]
mod tests;

pub use assignment::{Assignment, Assignments, Provenance};
pub use decide::{Decision, decide, permissions};
pub use evaluate::evaluate;
pub use facts::{Facts, GroupFact, RuleBits};
pub use grant::{Grant, Origin, Restriction, Subject, Validity};
pub use groups::{GroupSet, Member};
pub use path::{Entry, GroupStep, Path};
pub use permission::{Catalogue, Level, Permission, Permissions};
pub use policy::{Policy, PolicyGroup};
pub use role::Role;
pub use rule::{Condition, Outcome, Rule, State};
pub use rulebook::{RuleFault, Rulebook};
pub use scope::{Reach, RecordRef, Scope, ScopeKind};
pub use settings::{Retention, Settings, WhenRefused};
pub use standing::Standing;
pub use status_rule::{StatusRule, StatusRules};
pub use target::{Hold, Located, Target};
