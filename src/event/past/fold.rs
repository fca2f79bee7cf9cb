//! What folds of all kinds share.

use super::gap::Gap;
use super::told::Told;

/// An event that was not understood.
pub(super) fn gap(told: &Told<'_>) -> Gap {
    Gap {
        seq: told.seq,
        kind: told.kind.to_owned(),
    }
}
