//! From a checked filter to SQL, and from a document to the rows that the SQL searches.
//!
//! May import the rest of the store and [`crate::scim::filter`]. Must never decide what a filter means: that is
//! [`crate::scim::filter::eval()`], which the SQL is tested against.

mod ask;
mod by_rule;
mod column;
mod compile;
mod element;
mod leaves;
mod plan;
mod relation;
mod sort;
mod text;

pub(super) use by_rule::Filled;
pub(super) use compile::{Compiler, members_of, paths_of};
pub use leaves::{Claims, Leaves};
pub(super) use leaves::{Rows, as_rows, intern, read_paths};
pub(super) use plan::{finds_few, is_of_listed_columns};
pub use sort::Sort;
pub(super) use sort::{Key, is_number, key_of, primary_path};
