//! What a change of a resource takes away, for the mass-change fuse.

use super::draft::name_key;
use super::membership::Moved;
use super::refuse::name_attribute;
use crate::base::id::Pk;
use crate::scim::Document;
use crate::scim::schema::ResourceType;
use crate::service::fuse::{Harm, Taken};

/// From whether the resource is called otherwise, who joined and left, and `active` before and after: absent counts as
/// active, and groups have none.
pub(super) fn of(whose: Pk, renames: bool, moved: &Moved, (before, after): (Option<bool>, Option<bool>)) -> Taken {
    let taken = Taken::default()
        .and(Harm::Departures, moved.left().len() as u64)
        .and(Harm::Renames, u64::from(renames));
    match (before == Some(false), after == Some(false)) {
        (false, true) => taken.ending(whose),
        (true, false) => taken.reviving(whose),
        _ => taken,
    }
}

/// Whether a resource is called otherwise than before, from the attributes that differ: a name that is only spelled
/// otherwise is the same. Only users and groups are known by it.
pub(super) fn renames(kind: &ResourceType, names: &[String], before: &Document, after: &Document) -> bool {
    let name = name_attribute(kind);
    !kind.is_own() && names.iter().any(|changed| changed == name) && name_key(kind, before) != name_key(kind, after)
}
