//! Schemas that an organisation defines at run time: what they do to its resources, and what stands in the way of them.
//!
//! May use `support`, `admin` and the command line of the program; must never name a function of the crate.

mod bad_input;
mod changes;
mod files;
mod values;
pub mod words;
