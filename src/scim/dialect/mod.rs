//! What real clients send instead of what the RFC asks for, rewritten before validation sees it.
//!
//! Each tolerance is one named [`Rule`]: a pure function that turns one habit into clean RFC form and says how often
//! it did. A habit many clients share has a file by subject; a habit of one client is in that client's file and
//! applies to that client alone. `strict` turns every rule off. No rule changes a request that is valid by the RFC.
//! A new habit is a `Rule` in its file, a line in `rule::RULES`, and a payload in `tests/fixtures/dialect/`.
//!
//! May import `base` and, from `scim`, `schema`, `path` and `filter`. Must never import `validate`, `patch` or
//! `document`: they see clean requests only and know no client.
//!
//! # What depends on who is calling
//!
//! Everything but four rules works for any caller. These need Microsoft Entra ID to be recognised, by its
//! `ADSCIMVersion` header, by the connection's setting or, in a PATCH of a caller without a name, by the spelling
//! `Add`, `Replace` or `Remove`:
//!
//! | recorded scenario | rule | without the header |
//! |---|---|---|
//! | `entra-legacy-update-many`, when an entry it names is missing | `entra-replace-creates` | recognised by `Replace` |
//! | `entra-single-app-role`, when the user has no primary role yet | `entra-replace-creates` | recognised by `Replace` |
//! | `entra-flag-update-dotted-keys`, when the user has no work e-mail yet | `entra-replace-creates` | 400 `noTarget` |
//! | roles as JSON text (no recorded scenario) | `entra-role-as-json-text` | recognised by `Add` |
//! | plain values in a list (no recorded scenario) | `entra-value-in-list` | recognised by `Replace` |
//! | PATCH without operations (validator, preview) | `entra-empty-operations` | 400 `invalidSyntax` |
//!
//! The scenarios as recorded all pass without their headers: in each the entry that is replaced exists.

mod address;
mod applied;
mod booleans;
mod client;
mod country;
mod entra;
mod flatten;
mod lookup;
mod operations;
mod query;
mod reference;
mod rewrite;
mod rule;
mod schemas;
mod server_owned;
mod setting;
mod short_names;
mod single;
mod undeclared;
mod walk;

#[cfg(test)]
mod tests;

pub use applied::Applied;
pub use client::{Client, Hints};
pub use country::COUNTRY_AS_SENT;
pub use rewrite::Dialect;
pub use rule::{RULES, Rule};
pub use setting::{Setting, UnknownSetting};
pub use undeclared::is_undeclared;
