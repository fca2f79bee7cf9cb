//! Mail to users: it is posted in the unit that makes it necessary, and handed to a worker that sends it.
//!
//! May import what `service` may; must never open a connection, nor keep an address in clear.

mod alert;
mod parcel;
mod secret;
mod template;

pub use parcel::{Outcome, Parcel, due, settle};
pub use template::Template;

pub(in crate::service) use alert::{alert, alert_in};
pub(in crate::service) use secret::{Letter, MAIL, post_secret};
