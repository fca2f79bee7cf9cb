//! From the JSON of a request to a clean [`super::Document`]: names, types, required and immutable attributes.
//!
//! The rules are those of the RFC and strict; what clients do beside them is rewritten in `dialect` before. May import
//! `base` and, from `scim`, `schema`, `document`, `message`, `error` and, for how values compare, `filter`. Must never import
//! `dialect` or `patch`, nor know storage or HTTP.

mod complete;
mod country;
mod elements;
mod known;
mod members;
mod password;
mod resource;
mod schemas;
mod uris;
mod value;

#[cfg(test)]
mod tests;

pub use complete::MAX_DOCUMENT;
pub use country::countries;
pub use elements::MAX_ELEMENTS;
pub use known::known;
pub use resource::{Incoming, create, replace};
pub use uris::uris;
pub use value::MAX_TEXT;

pub(in crate::scim) use complete::{faults, size, user_name};
pub(in crate::scim) use elements::{changed_for_good, clear_other_primaries, join, merge_element, tidy};
pub(in crate::scim) use members::{holds_members, member_refs};
pub(in crate::scim) use password::password;
pub(in crate::scim) use resource::{carry_schemas, plainly_named, says_off, take_text};
pub(in crate::scim) use schemas::check_urns;
pub(in crate::scim) use value::{Cleaner, ReadOnly, is_absent};
