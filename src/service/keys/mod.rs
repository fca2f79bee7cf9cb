//! Keys: those outside the database that seal what is secret in it, and those that sign.
//!
//! May import what `service` may, and its `context` and `error`; must never read a file, nor let a key be printed.

mod bind;
mod person;
mod published;
mod rewrap;
mod rotate;
mod sealer;
mod signing;

pub use bind::{Fault, bind, is_bound};
pub use person::Person;
pub use published::published;
pub use rewrap::{Damaged, Rewrapped, Wrap, rewrap, wraps};
pub use rotate::rotate;
pub use sealer::Sealer;
pub(in crate::service) use signing::Signers;
pub use signing::{Listed, Purpose, list, proven, public, signer, signer_afresh};
