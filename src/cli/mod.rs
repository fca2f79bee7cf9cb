//! The command line: one command a file, each a thin door to the use cases.
//!
//! May import everything below; must never hold SQL or a business decision.

mod args;
mod audit;
mod connection;
mod explain;
mod keys;
mod migrate;
mod owner;
mod rules;
mod run;
mod serve;
mod tenant;
mod token;
mod user;
mod verify;

pub use args::Cli;
pub use run::run;
