//! Sends mail: over SMTP, or into files, which needs no server.
//!
//! May import `service` and `base`; must never say an address, a name or a text of a mail in a log.

mod post;
mod round;
mod text;

pub use post::{Fault, Post, Settings};
pub use round::{once, run};
