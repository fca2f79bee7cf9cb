//! Whether a person may come in: one status, and one machine that says what becomes of it, whoever asks.
//!
//! May import [`crate::base`]; must never look anything up: what is asked of it is handed in.

mod leaving;
mod rehire;
mod ruled;
mod status;
mod turn;

#[cfg(test)]
mod tests;

pub use leaving::Leaving;
pub use rehire::Rehire;
pub use ruled::Keeps;
pub use status::{Hold, OffBy, Status};
pub use turn::{Ask, By, Joining, Refusal, Stay, Verdict, turn};
