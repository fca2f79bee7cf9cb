//! Rules about who may come in: what they make of somebody who is written, and of everybody who is there when they change.
//!
//! May import what `service` may, and the rest of it; must never turn a status by anything but
//! `crate::access::lifecycle`.

mod asked;
mod everybody;
mod pass;
mod preview;
mod shown;
mod wanted;

pub(in crate::service) use asked::{checked, said};
pub use pass::{finish, is_behind, lease, pass};
pub use preview::{Kept, Preview, preview};
pub use shown::{InForce, Shown, Work, find};
pub(in crate::service) use wanted::{hold, wanted};
