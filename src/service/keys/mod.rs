//! Keys: those outside the database that seal what is secret in it, and those that sign.
//!
//! May import what `service` may, and its `context` and `error`; must never read a file, nor let a key be printed.

mod bind;
mod person;
mod sealer;

pub use bind::{Fault, bind, is_bound};
pub use person::Person;
pub use sealer::Sealer;
