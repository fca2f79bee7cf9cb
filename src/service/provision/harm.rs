//! What a change of a resource takes away, for the mass-change fuse.

use super::membership::Moved;
use super::refuse::name_attribute;
use crate::scim::schema::ResourceType;
use crate::service::fuse::{Harm, Taken};

/// From the attributes that differ, who joined and left, and `active` before and after: absent counts as active, and
/// groups have none.
pub(super) fn of(
    kind: &ResourceType,
    names: &[String],
    moved: &Moved,
    (before, after): (Option<bool>, Option<bool>),
) -> Taken {
    let (was_off, is_off) = (before == Some(false), after == Some(false));
    let name = name_attribute(kind);
    let renames = names.iter().any(|changed| changed == name);
    Taken::default()
        .and(Harm::Deactivations, u64::from(is_off && !was_off))
        .and(Harm::Departures, moved.left().len() as u64)
        .and(Harm::Renames, u64::from(renames))
        .reviving(was_off && !is_off)
}
