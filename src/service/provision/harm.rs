//! What a change of a resource takes away, for the mass-change fuse.

use super::draft::name_key;
use super::membership::Moved;
use super::refuse::name_attribute;
use crate::scim::Document;
use crate::scim::schema::ResourceType;
use crate::service::fuse::{Harm, Taken};

/// From whether it is called otherwise, who joined and left, and `active` before and after: absent counts as active, and
/// groups have none.
pub(super) fn of(renames: bool, moved: &Moved, (before, after): (Option<bool>, Option<bool>)) -> Taken {
    let (was_off, is_off) = (before == Some(false), after == Some(false));
    Taken::default()
        .and(Harm::Deactivations, u64::from(is_off && !was_off))
        .and(Harm::Departures, moved.left().len() as u64)
        .and(Harm::Renames, u64::from(renames))
        .reviving(was_off && !is_off)
}

/// Whether a resource is called otherwise than before, from the attributes that differ: a name that is only spelled
/// otherwise is the same.
pub(super) fn renames(kind: &ResourceType, names: &[String], before: &Document, after: &Document) -> bool {
    let name = name_attribute(kind);
    names.iter().any(|changed| changed == name) && name_key(kind, before) != name_key(kind, after)
}
