//! The requirements of the standards, run against any SCIM server from the outside.
//!
//! `conformance/requirements` is the data, embedded in the program; its README is the language. May import `scim` and `base`;
//! must never import anything else of ours: what it tests is a URL, and Muster is one of many behind it.

mod challenge;
mod choose;
mod client;
mod compare;
mod data;
mod exchange;
mod fact;
mod feature;
mod made;
mod needed;
mod place;
mod procedure;
pub mod report;
mod requirement;
mod run;
mod sample;
mod shape;
mod steps;
mod stop;
mod values;
mod world;

pub use choose::{Choice, NoSuch, Range};
pub use data::{Book, Chapter, Departure, Fault as DataFault};
pub use requirement::{Level, Requirement};
pub use run::{Progress, Target, Unreachable, run};
