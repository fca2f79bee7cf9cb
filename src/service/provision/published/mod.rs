//! What the server decides by, as resources that clients of provisioning read: roles, permissions, who was given what.
//!
//! They are queried like any other resource. Roles and permissions are few: all of them are made, then filtered and
//! sorted in memory, by the one meaning of a filter. Assignments are many: the store finds and pages them.
//!
//! May import the rest of `service` and what it may; must never write.

mod assignments;
mod entitlements;
mod made;
mod roles;
mod source;

pub(super) use source::Source;
