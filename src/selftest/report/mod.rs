//! What came of a run, and its forms: for people at a terminal, a page, CI servers, programs; and the list of requirements.
//!
//! May import what its parent may; must never ask the server anything.

mod html;
mod json;
mod junit;
mod markdown;
mod record;
mod terminal;

pub use html::html;
pub use json::{json, list_json};
pub use junit::junit;
pub use markdown::{list, markdown};
pub use record::{Finding, Record, Report, Shown, Tally, Verdict};
pub(super) use record::{of_check, of_requirement};
pub use terminal::terminal;
