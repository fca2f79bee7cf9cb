//! Administration of one organisation: roles, scopes, grants, rules, and what they come to. A file a noun.
//!
//! May import the rest of `api`, `service` and `base`; must never decide who may do what: use cases ask for what they
//! need, and the table of routes only says it.

mod asides;
mod clones;
mod closing;
mod connection;
mod enforcers;
mod events;
mod explanation;
mod fuse;
mod grants;
mod history;
mod holds;
mod invitations;
mod leavers;
mod live;
mod log;
mod ownership;
mod page;
mod pending;
mod preview;
mod query;
mod rehires;
mod roles;
mod rules;
mod runs;
mod schedules;
mod schemas;
mod scopes;
mod settings;
mod snapshot;
mod status;
mod status_rules;
mod streams;
mod surface;
mod tokens;
mod tombstones;
mod undo;
mod users;
mod views;
mod webhooks;
mod wire;

pub use surface::{open_routes, routes};
pub use wire::Segments;
