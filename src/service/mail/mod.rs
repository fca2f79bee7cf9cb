//! Mail to users: it is posted in the unit that makes it necessary, and handed to a worker that sends it.
//!
//! May import what `service` may; must never open a connection, nor keep an address.

mod alert;
mod parcel;
mod template;

pub use parcel::{Outcome, Parcel, due, settle};
pub use template::Template;

pub(in crate::service) use alert::alert;
