//! Asking people to come: an account that waits, a role, and a mail with a token that lets its holder in once.
//!
//! May import what `service` may; must never keep a token, nor say an address or a token in the log.

mod accept;
mod address;
mod decide;
mod invite;
mod list;
mod token;

pub use accept::{Accepted, accept};
pub use decide::{resend, revoke};
pub use invite::{Asked, Came, Told, invite};
pub use list::{Invitation, State, list};
