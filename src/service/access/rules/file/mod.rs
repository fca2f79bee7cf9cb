//! Rules as a file: written, compared, and read in again, by name.
//!
//! May import the rest of `service::access`; must never write a rule but by making or changing it like anybody.

mod difference;
mod house;
mod import;
mod wait;

pub use difference::{Deed, Difference};
pub use import::{diff, export, import};
pub use wait::Patience;
