//! The program as an operator meets it: first start, commands, exit codes, signals. A file a subject.
//!
//! May use `support` and the program itself; must never name a function of the crate above `base`.

mod audit;
mod delivery;
mod explain;
mod first_start;
mod fuse;
mod keys;
mod migrate;
mod owner;
mod permissions;
mod rules;
mod selftest;
pub mod server;
mod shutdown;
mod startup;
mod status_rules;
mod tenants;
mod tokens;
