//! Rules as a file that people read, review and keep beside their code, in TOML.
//!
//! ```toml
//! # Whoever has userType "partner" and is in the group "Sales EMEA" is Manager in Germany, from 1 March 2027.
//! [[rule]]
//! name = "Partners of EMEA"
//! state = "active"
//! when = 'userType eq "partner" and groups.display eq "Sales EMEA"'
//! from = 2027-03-01
//!
//! [[rule.then]]
//! role = "Manager"
//! scope = "Germany"
//! ```
//!
//! Roles, scopes and groups stand by name, in any letter case; where a name is not unique, or is `all`, by
//! `{ id = "…" }`. `scope = "all"` is every scope. An outcome is `role` with `scope` or `record`, `scope` alone
//! (membership), or `group` alone. `state` is `draft` when it is left out. What [`write()`]
//! gives, [`read()`] reads back.
//!
//! May import the values of `access`, filters of `scim` and the TOML reader; must never touch a file itself.

mod read;
mod shape;
mod write;
mod written;

#[cfg(test)]
mod tests;

pub use read::{TextFault, read};
pub use write::{Nameless, write};
pub use written::Written;
