//! The command line: one command a file, each a thin door to the use cases.
//!
//! May import everything below; must never hold SQL or a business decision.

mod args;
mod audit;
mod closing;
mod connection;
mod enforcer;
mod explain;
mod fuse;
mod history;
mod hold;
mod instant;
mod invite;
mod keys;
mod migrate;
mod owner;
mod rules;
mod run;
mod schema;
mod selftest;
mod serve;
mod status_rules;
mod stream;
mod tenant;
mod throwaway;
mod token;
mod undo;
mod user;
mod verify;
mod webhook;
mod who_could;

pub use args::Cli;
pub use run::run;
