//! Contract of the store: every method, on each engine.

mod access;
mod filter_oracle;
mod gate;
mod log;
mod members;
mod open;
mod people;
mod query;
mod resources;
mod shelf;
mod tables;
mod world;
