//! What was: the log says all of it, and whoever asks about an instant is answered what was answered then.

mod ahead;
mod kept_out;
mod naive;
mod routes;
mod told;
pub mod town;
mod worlds;
