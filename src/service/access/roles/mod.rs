//! Roles: the predefined ones, and those a tenant makes.
//!
//! May import the rest of `service::access`; must never write to a predefined role.

mod change;
mod shown;

pub(super) use change::{End, New};
pub use change::{NewRole, RoleChange, change, copy, create, delete};
pub use shown::{Lineage, PermissionShown, Role, catalogue, find, list};

pub use crate::store::access::hanging::Holding;
