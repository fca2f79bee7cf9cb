//! Why a user has a permission, by every way there is, or why not.
//!
//! What holds is asked of the same [`Standing`](super::Standing) and [`Located`](super::Located) that decide, so an
//! explanation cannot disagree with a decision. A [`Support`] is minimal: take away any of its [`Leaf`]s and it no
//! longer stands. Needs the groups' parents in [`Facts`](super::Facts), which a decision can do without.
//!
//! May import the values of `access`; must never know how an explanation is shown outside of its text tree.

mod ask;
mod explanation;
mod ground;
mod leaf;
mod miss;
mod prove;
mod support;
mod tree;

#[cfg(test)]
mod tests;

pub use ask::explain;
pub use explanation::{
    Basis, Explanation, Label, Lack, Miss, Obstacle, Offer, Place, Proof, Reason, ScopeLabel, Support, Way, WayIn,
};
pub use ground::{Ground, Lookup, Source, Sources};
pub use leaf::Leaf;
pub use miss::MAX_MISSES;
pub use prove::{MAX_PROOFS, MAX_WAYS};
pub use support::MAX_SUPPORTS;
