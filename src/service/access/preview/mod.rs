//! What changes would come to, before they are made; and making them only if it still is so.
//!
//! A preview decides by an unsaved policy, with the same engine. May import the rest of `service::access`; must never
//! write what it only looks at.

mod again;
mod apply;
mod ask;
mod compute;
mod everybody;
mod rehearse;
mod touched;

pub use apply::apply;
pub use ask::{Asked, What};
pub use compute::{Counts, Delta, Kept, MAX_DELTAS, Preview, find, preview};
