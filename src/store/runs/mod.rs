//! Offboarding runs: what the end of an account opens, the part of each enforcer in it, and what is due.
//!
//! May import what `store` may; must never decide what an enforcer's answer means, nor read the log but as who follows it.

pub mod due;
pub mod ends;
pub mod enforcers;
pub mod hooks;
pub mod list;
pub mod step;
