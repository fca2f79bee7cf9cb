//! What a change gives and takes: effective access before and after, whatever it comes from.
//!
//! Access is a permission, where it counts, and the records it is narrowed to. Something held on *All* or further up is
//! held further down, too; so taking away what is also held otherwise takes nothing away.
//!
//! May import the values of `access`; must never decide anything itself, nor ask when it is now.

mod differ;
mod item;

#[cfg(test)]
mod tests;

pub use differ::{Access, Diff, Differ, Moment};
