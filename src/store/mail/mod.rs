//! Mail to users that is not sent yet.
//!
//! May import the rest of the store; must never hold an address: it is read with the user when the mail is sent.

mod queue;

pub use queue::{Due, Mails, NewMail, due};
