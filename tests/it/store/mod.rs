//! Contract of the store: every method, on each engine.

mod filter_oracle;
mod members;
mod resources;
mod shelf;
mod world;
