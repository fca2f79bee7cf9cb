//! The SCIM service as clients meet it over HTTP: a file a verb or subject, each test on both engines.
//!
//! May use `support` and the command line of the program; must never name a function of the crate above `base`.

mod active;
mod aside;
pub mod asks;
mod bad_input;
pub mod bodies;
mod create;
mod cursors;
mod delete;
mod dialects;
mod discovery;
mod effects;
mod errors;
mod etag;
mod groups;
mod history;
mod ledger;
mod limits;
mod list;
mod me;
mod negotiate;
mod nesting;
mod passwords;
mod patch;
mod projection;
mod proxy;
mod published;
mod read;
mod replace;
mod roles;
mod roles_agree;
mod routes;
mod search;
mod sorting;
mod strict;
mod surface;
mod tenants;
mod walks;
