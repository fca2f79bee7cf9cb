//! Access as it is kept: roles, scopes, grants, rules, which rules match whom, and what a decision reads of all that.
//!
//! May import the rest of the store, [`crate::access`] and [`crate::scim::filter`]. Must never decide anything:
//! what rows mean is the business of [`crate::access`].
//!
//! What all decisions of a tenant share has a version ([`policy`]). Every write to it moves the version in the same
//! unit, so whoever reads facts and version in one statement knows whether a compiled policy still holds.

pub mod accounts;
pub mod causes;
pub mod facts;
pub mod grants;
pub mod hanging;
pub mod matches;
pub mod pendings;
pub mod policy;
pub mod previews;
pub mod records;
pub mod replays;
pub mod roles;
pub mod rules;
pub mod scopes;
mod settings;
pub mod told;
pub mod views;
mod written;
