//! What was: people and their access as of any instant, from the log alone.
//!
//! May import what `service` may, and [`crate::event::past`]; must never read what is there now as if it had been there
//! then: the tables of today are asked for row numbers and keys of people, and for nothing else.

pub mod access;
pub mod diff;
pub mod events;
mod people;
pub mod profile;
mod scene;
pub mod who_could;

pub use access::{AccessThen, access_of_user};
pub use diff::{Difference, difference};
pub use events::events;
pub use profile::{Profile, profile};
pub use scene::Incomplete;
pub use who_could::{Asked, Place, who_could};
