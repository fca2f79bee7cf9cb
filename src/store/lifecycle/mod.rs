//! What is kept of people besides their documents: what holds them, what they can be restored from, what is planned.
//!
//! May import the rest of the store, [`crate::access`] and [`crate::base`]. Must never decide anything: what a status
//! comes to is the business of [`crate::access::lifecycle`].

pub mod held;
pub mod purge;
pub mod rehires;
pub mod restore;
pub mod rulings;
pub mod schedules;
pub mod statuses;
pub mod tombstones;
