//! Requests that their clients do not wait for (RFC 9967 §2.5.1): kept, done later by any node, and told of.
//!
//! What such a request changes, the end of its waiting and the event that tells of it are one unit. So it is done once,
//! and a crash leaves it either waiting with nothing done, or done and told. May import the rest of `service` and what it
//! may; must never change a resource but by `provision`.

mod accept;
mod errand;
mod kept;
mod refused;
mod run;
mod shown;

pub use accept::{Asked, accept};
pub(in crate::service) use errand::{Errand, done};
pub(in crate::service) use kept::DEFERRED;
pub(in crate::service) use refused::{forget, refuse};
pub use run::{is_behind, lease, pass, prune};
pub use shown::find;

pub use crate::scim::Verb;
