//! The admin API as administrators and users meet it over HTTP: a file a noun, each test on both engines.
//!
//! May use `support` and the command line of the program; must never name a function of the crate above `base`.

mod bad_input;
mod bodies;
pub mod desk;
mod events;
mod grants;
mod limits;
mod once;
mod openapi;
mod ownership;
mod pending;
mod preview;
mod roles;
mod routes;
mod rules;
mod scopes;
mod settings;
mod stories;
mod surface;
mod tokens;
mod views;
