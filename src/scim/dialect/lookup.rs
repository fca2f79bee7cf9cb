//! Names as clients write them, and what they stand for in a resource type.

use serde_json::{Map, Value};

use super::Applied;
use super::reference::{BLANK_REFERENCE_CLEARED, is_cleared_by_part};
use super::walk::{Carrier, Site, walk};
use crate::scim::path::AttrPath;
use crate::scim::schema::{Place, ResourceType, Schema, Target};

/// What a member of a resource or of a PATCH value is named after.
pub(super) enum Spot<'a> {
    /// An attribute or sub-attribute.
    Attribute(Place<'a>),
    /// The URN of a schema: a container of its attributes.
    Container(&'a Schema),
}

/// What a member name stands for at the top of a resource.
pub(super) fn spot<'a>(ty: &'a ResourceType, name: &str) -> Option<Spot<'a>> {
    spot_of(ty, &parse(name)?)
}

/// What a path stands for.
pub(super) fn spot_of<'a>(ty: &'a ResourceType, path: &AttrPath) -> Option<Spot<'a>> {
    ty.resolve(path).map(|target| match target {
        Target::Attribute(place) => Spot::Attribute(place),
        Target::Extension(extension) => Spot::Container(&extension.schema),
        Target::Core(schema) => Spot::Container(schema),
    })
}

/// The path a member name spells; plain names skip the parser.
pub(super) fn parse(name: &str) -> Option<AttrPath> {
    if name.contains([':', '.']) {
        return AttrPath::parse(name).ok();
    }
    Some(AttrPath::plain(name))
}

/// The member of this name, in any letter case.
pub(super) fn member_mut<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Value> {
    object
        .iter_mut()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// Walks the value of whatever `spot` stands for.
pub(super) fn walk_spot(
    ty: &ResourceType,
    spot: &Spot<'_>,
    value: &mut Value,
    (carrier, entra): (Carrier, bool),
    applied: &mut Applied,
) {
    match (spot, value) {
        (Spot::Attribute(place), value)
            if place
                .sub()
                .is_some_and(|part| is_cleared_by_part(place.top(), part, value)) =>
        {
            *value = Value::Null;
            applied.add(&BLANK_REFERENCE_CLEARED, 1);
        }
        (Spot::Attribute(place), value) => {
            let parent = place.sub().map(|_| place.top());
            walk(
                &Site {
                    attribute: place.leaf(),
                    parent,
                    carrier,
                    entra,
                },
                value,
                applied,
            );
        }
        (Spot::Container(schema), Value::Object(members)) => {
            for (name, value) in members.iter_mut() {
                let inner = parse(name).map(|path| AttrPath {
                    urn: Some(schema.id.clone()),
                    ..path
                });
                if let Some(spot @ Spot::Attribute(_)) = inner.and_then(|path| spot_of(ty, &path)) {
                    walk_spot(ty, &spot, value, (carrier, entra), applied);
                }
            }
        }
        (Spot::Container(_), _) => {}
    }
}
