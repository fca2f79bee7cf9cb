//! Extension attributes without their URN.

use serde_json::{Map, Value};

use super::Rule;
use super::lookup::parse;
use crate::scim::path::AttrPath;
use crate::scim::schema::ResourceType;

/// `manager`, `department`, `employeeNumber` and the like without the URN of their extension, in PATCH paths, in
/// the names of PATCH values and in filters: Entra ID mappings and its manager probe.
///
/// Only names the type itself does not have, and only when exactly one extension has them.
/// Departs from RFC 7644 §3.10: attributes of an extension are named with its URN.
pub(super) const SHORT_EXTENSION_NAMES: Rule = Rule {
    name: "short-extension-names",
    clients: "Entra ID",
    does: "finds an extension attribute that is named without its URN",
    departs: "RFC 7644 §3.10",
};

/// Adds the URN to a path that lacks it.
pub(super) fn qualify(types: &[&ResourceType], path: &mut AttrPath) -> u32 {
    if path.urn.is_some() || types.iter().any(|ty| ty.field(None, &path.name).is_some()) {
        return 0;
    }
    let Some(urn) = home(types, path) else {
        return 0;
    };
    path.urn = Some(urn);
    1
}

/// The only extension that has the attribute.
fn home(types: &[&ResourceType], path: &AttrPath) -> Option<String> {
    let extensions = types
        .iter()
        .flat_map(|ty| ty.extensions())
        .map(|extension| &extension.schema);
    let mut homes = extensions.filter(|schema| {
        let attribute = schema.attribute(&path.name);
        attribute.is_some_and(|found| path.sub.as_deref().is_none_or(|sub| found.sub(sub).is_some()))
    });
    let first = homes.next()?;
    homes.all(|other| other.id == first.id).then(|| first.id.clone())
}

/// Adds the URN to the names of a PATCH value.
pub(super) fn qualify_members(ty: &ResourceType, value: &mut Map<String, Value>) -> u32 {
    let renamed: Vec<(String, String)> = value
        .keys()
        .filter_map(|name| {
            let mut path = parse(name)?;
            (qualify(&[ty], &mut path) > 0).then(|| (name.clone(), path.to_string()))
        })
        .filter(|(_, full)| !value.keys().any(|known| known.eq_ignore_ascii_case(full)))
        .collect();
    let mut count = 0;
    for (name, full) in renamed {
        let position = value.keys().position(|known| *known == name);
        if let (Some(position), Some(member)) = (position, value.shift_remove(&name)) {
            value.shift_insert(position, full, member);
            count += 1;
        }
    }
    count
}
