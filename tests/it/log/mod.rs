//! The log through the use cases: numbers without a gap, one chain, and nothing left out of it.

mod crash;
pub mod folded;
mod forgery;
#[cfg(target_os = "linux")]
mod full;
mod large;
mod numbering;
mod read;
