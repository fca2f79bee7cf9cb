//! What provisioning asked for and an administrator has to decide: an owner who is leaving, and requests that were
//! parked because too few administrators would have been left.
//!
//! May import what `service/access` may, and `service/provision/parked`, which makes a kept request again; must never
//! change a resource in another way.

mod decide;
mod keep;
mod matter;
mod shown;

pub use decide::{apply, dismiss};
pub use matter::Matter;
pub use shown::{Pending, Request, find, list};

pub(in crate::service) use decide::{Settlement, make};
pub(in crate::service) use keep::keep;
pub(in crate::service::access) use shown::about;
pub(in crate::service) use shown::of_hold;
