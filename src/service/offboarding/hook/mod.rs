//! Calling enforcers outside of Muster: what is sent, and what an answer means. The worker carries it.
//!
//! May import what its parent may; must never open a connection, nor take an acknowledgement for more than it is.

mod call;
mod judge;
mod round;

pub use call::Call;
pub use judge::{Answers, Reply};
pub use round::{answered, calls, claim, waiting};

pub use crate::store::runs::hooks::Work;
