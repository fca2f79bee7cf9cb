//! Offboarding: what the end of an account opens, how it is proven, and what can be shown of it.
//!
//! May use `support`, the admin desk, and what the crate says of certificates; must never write a run itself.

mod certificates;
mod deadlines;
mod enforcer_faults;
mod enforcer_routes;
mod enforcers;
pub mod runs;
mod shop;
mod verify;
