//! Contract of the store: every method, on each engine.

mod members;
mod resources;
mod shelf;
