//! Access through the use cases: what the admin API, the command line and provisioning share.

mod activation;
mod census;
mod decisions;
mod gate;
mod grants;
mod house;
mod interleavings;
mod invariants;
mod meanwhile;
mod once;
mod previews;
mod provisioned;
mod reports;
mod roles;
mod rules;
mod scopes;
mod searches;
mod smart;
mod worlds;
