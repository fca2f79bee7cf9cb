//! A group.

use crate::base::id::Pk;
use crate::event::Seq;

/// A group, there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPast {
    /// Its row number: the same when it is restored.
    pub pk: Pk,
    /// Public id.
    pub id: String,
    /// Its name, as it last was.
    pub name: String,
    /// Whether it is there.
    pub there: bool,
    /// Where it was deleted last: who joined before that is in it no more.
    pub emptied: Seq,
}
