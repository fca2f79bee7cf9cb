//! Schemas and resource types that an organisation defines at run time: what they do to its resources, and what stands in
//! the way of them.
//!
//! May use `support`, `admin`, `bulk`, `fuse`, `log` and the command line of the program; must never name a function of the
//! crate.

pub mod words;

mod bad_input;
mod bad_types;
mod changes;
mod devices;
mod disagree;
mod every_type;
mod files;
mod held;
mod late;
mod own_types;
mod parts;
mod same;
mod secrets;
mod taken;
mod uris;
mod values;
mod whole_files;
