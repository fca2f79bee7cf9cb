//! Grants: roles given to users and groups.
//!
//! May import the rest of `service::access`; must never write a grant outside of a unit with its ledger row.

mod copy;
mod edit;
mod give;
mod shown;
mod subject;

pub(in crate::service) use copy::Copies;
pub(super) use edit::{Edit, Moving};
pub use edit::{change, delete};
pub(in crate::service) use give::Giving;
pub use give::{NewGrant, Where, create};
pub(super) use give::{permissions_of, restriction};
pub(super) use shown::connections;
pub use shown::{Filter, Grant, Made, find, list};
pub use subject::SubjectKind;
