//! What must hold at every commit, whoever writes and by whatever path; each check is a pure function.
//!
//! A use case gathers what a check asks for in its own transaction, asks before it saves, and gives up on a
//! [`Violation`].
//!
//! May import the values of `access`; must never look anything up: what is checked is handed in.

mod admins;
mod authority;
mod owner;
mod violation;

#[cfg(test)]
mod tests;

pub use admins::{Admin, Census, Demands, admin, admins, by_rules, founded, makes_admins};
pub use authority::{Cap, editable, given, mints, role_name};
pub use owner::{Deed, Hand, Transfer, owner_stays, owners, transfer};
pub use violation::Violation;
