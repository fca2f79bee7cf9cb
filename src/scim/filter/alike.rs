//! Types may have different attributes of one name: whether a question means the same at two of them.

use super::value::Kind;
use crate::scim::schema::{Attribute, Place, Returned, Target};

/// Whether a filter must not read it.
pub(super) fn is_hidden(place: Place<'_>) -> bool {
    [place.top(), place.leaf()]
        .iter()
        .any(|attribute| attribute.returned == Returned::Never)
}

/// Whether a question means the same at both: the same path, with the same parts, whose values compare alike.
pub(super) fn alike(one: &Target<'_>, other: &Target<'_>) -> bool {
    match (one, other) {
        (Target::Attribute(one), Target::Attribute(other)) => {
            let subs = |place: &Place<'_>| place.leaf().sub_attributes.len();
            let within = |sub: &Attribute| match (one.with_sub(&sub.name), other.with_sub(&sub.name)) {
                (Some(one), Some(other)) => compare_alike(one, other),
                (one, other) => one.is_none() && other.is_none(),
            };
            compare_alike(*one, *other) && subs(one) == subs(other) && one.leaf().sub_attributes.iter().all(within)
        }
        (Target::Attribute(_), _) | (_, Target::Attribute(_)) => false,
        // The presence of a schema is asked by its URN.
        _ => true,
    }
}

fn compare_alike(one: Place<'_>, other: Place<'_>) -> bool {
    let form = |place: Place<'_>| (Kind::of(place.leaf(), place.path()), place.leaf().multi_valued);
    one.path() == other.path()
        && form(one) == form(other)
        && one.top().multi_valued == other.top().multi_valued
        && is_hidden(one) == is_hidden(other)
}
