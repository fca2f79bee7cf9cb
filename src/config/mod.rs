//! Settings: defaults < file < environment < flags, typed once at start.
//!
//! May import `base`. Must never be read below the composition root: what a room needs is handed to it.

mod layers;
mod rate;

pub use layers::{Config, Fault, LogFormat, Overrides};
pub use rate::RateLimit;
