//! Create, read, replace, patch, delete, query: one path for every resource type.
//!
//! A body goes through `scim::dialect` (client habits become clean RFC form, counted), `scim::validate` or
//! `scim::patch`, and then one unit of work that changes the resource, its memberships and the ledger together.
//!
//! May import the rest of `service` and what it may; must never be entered but by these functions, nor know HTTP.

mod again;
mod apply;
mod aside;
pub(super) mod attempt;
mod back;
mod brought;
mod carried;
mod create;
mod delete;
pub(super) mod draft;
mod effect;
mod former;
mod guard;
mod harm;
mod hold;
mod join;
mod keep;
mod membership;
mod own;
pub(super) mod parked;
mod patch;
mod perform;
mod plan;
mod precondition;
mod published;
mod query;
mod read;
pub(super) mod refuse;
mod replace;
mod roles;
mod secret;
mod shown;
pub mod snapshot;
mod sort;
mod stand;
mod takeback;
mod unsaid;
mod walk;
mod write;

pub(in crate::service) use back::{Back, Called, put_back};
pub use create::create;
pub(in crate::service) use delete::apply as end;
pub use delete::delete;
pub use effect::{Effect, Outcome};
pub(in crate::service) use guard::begin_together;
pub use own::may_change;
pub use patch::patch;
pub(in crate::service) use perform::{Request, perform};
pub use precondition::IfMatch;
pub use query::{Found, query};
pub use read::read;
pub use replace::replace;
pub(in crate::service) use secret::hashed;
pub use shown::{Related, Relations, Shown};
pub use walk::CURSOR_TIMEOUT_SECS;
pub use write::Wanted;
