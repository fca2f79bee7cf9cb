//! Enforcers outside of Muster: made, shown, changed, paused, tried, removed.
//!
//! May import what its parent may; must never call one: that is asked for here and done later.

mod change;
mod create;
mod shown;
mod tested;
mod turn;

pub use change::{Asked, add_secret, change, end_secret};
pub use create::{NewEnforcer, create};
pub use shown::{Enforcer, Probing, find, list};
pub use tested::{Said, Tested};
pub use turn::{Turn, turn};

pub(super) use shown::of;
