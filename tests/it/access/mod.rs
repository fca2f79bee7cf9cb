//! Access through the use cases: what the admin API, the command line and provisioning share.

mod activation;
mod behind;
mod census;
mod circles;
mod decisions;
mod files;
mod gate;
mod grants;
pub mod house;
mod interleavings;
mod invariants;
mod meanwhile;
mod moving;
mod narrowing;
mod once;
mod pendings;
mod previews;
mod provisioned;
mod reports;
mod roles;
mod rules;
mod scopes;
mod searches;
mod smart;
mod underway;
mod worlds;
