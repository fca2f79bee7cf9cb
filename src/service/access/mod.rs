//! Roles, scopes, grants and rules, and the questions they answer: who may do what, and why.
//!
//! Every write passes one gate ([`authority`]), keeps what must hold at every commit (`invariants`), and is one unit
//! with its ledger row. Reads decide by a policy that is compiled once a version (`policy`).
//!
//! May import what `service` may, and the rest of it; must never decide access by anything but `crate::access`.

pub mod access_of_user;
pub mod authority;
pub mod decide;
mod deletion;
pub(super) mod desk;
pub mod explain;
mod gather;
pub mod grants;
pub(super) mod invariants;
pub mod names;
pub mod ownership;
pub mod page;
pub mod pending;
pub(super) mod policy;
pub mod preview;
pub mod records;
mod reports;
pub mod roles;
pub mod rules;
pub mod scopes;
pub mod search;
pub mod settings;
pub(super) mod smart;
pub mod sources;
pub mod tokens;
pub mod views;

pub use crate::access::explain::{
    Basis, Explanation, Label, Lack, Lookup, Miss, Obstacle, Offer, Place as ExplainedPlace, Proof, Reason, ScopeLabel,
    Source, Support, Way, WayIn,
};
pub use crate::access::{Restriction, ScopeKind, State, Validity, WhenRefused};
pub use names::{Named, Place};
pub use page::{Page, Paging};
