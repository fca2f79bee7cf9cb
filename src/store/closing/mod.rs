//! Connections and tenants that are suspended or deleted as a whole, and what is done to their users because of it.
//!
//! May import the rest of the store and [`crate::base`]; must never decide who is suspended.

mod state;
pub mod users;
pub mod works;

pub use state::State;
