//! The mass-change fuse: what a provisioning connection may take away within a window, and what an administrator decides
//! about the rest.
//!
//! `provision` counts here what a request takes away, in the unit that does it; what goes beyond a budget is refused, or
//! kept like a parked request, and approved or rejected with all others of its hold.
//!
//! May import what `service` may, and `service/access/pending`, which keeps and makes requests; must never change a
//! resource in another way.

mod carry;
mod count;
mod holds;
mod settings;
mod trip;

pub use crate::access::fuse::{Beyond, Fuse, Harm, Limit};
pub use carry::{is_behind, lease, resume};
pub use holds::{Hold, approve, changes, find as hold, list as holds, reject, tripped};
pub use settings::{FuseChange, Fused, Used, change, find};

pub use crate::store::fuse::holds::{State, Tally};
pub use count::Over;
pub(in crate::service) use count::{Taken, count};
pub(in crate::service) use trip::trip;
