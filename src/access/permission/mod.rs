//! Permissions: single rights, sets of them, and the catalogue that names them.
//!
//! May import `base` and `access::near`. Must never import roles, grants or anything that is decided with permissions.

mod builtin;
mod catalogue;
mod file;
mod predefined;
mod set;

#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, UnknownPermission};
pub use file::CatalogueFault;
pub use predefined::Predefined;
pub use set::{Level, MAX_PERMISSIONS, Permission, Permissions};
