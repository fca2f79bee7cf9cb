//! What resources are sorted by, where one type is asked for, and where several are.

use crate::scim::Error;
use crate::scim::filter::Kind;
use crate::scim::message::SortOrder;
use crate::scim::path::AttrPath;
use crate::scim::schema::{Place, ResourceType, Returned, Target, Type};
use crate::store::query::Sort;

/// What `sortBy` names, in the types that have it.
///
/// # Errors
/// 403 `sensitive` for what is never returned; `invalidPath` for a name that no type has, for an attribute without a single value to sort by, and where types have
/// attributes of that name that do not compare alike.
pub(super) fn by(path: &str, order: SortOrder, types: &[&ResourceType]) -> Result<Sort, Error> {
    let parsed = AttrPath::parse(path)?;
    let found: Vec<(&str, Place<'_>)> = types
        .iter()
        .filter_map(|ty| match ty.resolve(&parsed) {
            Some(Target::Attribute(place)) => Some((ty.name(), place)),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(Error::invalid_path(format!(
            "there is no attribute `{path}` to sort by"
        )));
    }
    if found
        .iter()
        .any(|(_, place)| matches!(place.top_path(), "members" | "groups"))
    {
        let detail = format!("`{path}` follows from memberships, some of them from rules: nothing is sorted by it");
        return Err(Error::invalid_path(detail));
    }
    if let Some((ty, _)) = found.iter().find(|(_, place)| is_hidden(*place)) {
        let of = among(ty, types);
        return Err(Error::sensitive(format!("`{path}` cannot be sorted by{of}")));
    }
    let places = found.into_iter().map(|(ty, place)| {
        sortable(place)
            .map(|place| (ty, place))
            .ok_or_else(|| no_single(path, ty, types))
    });
    let places: Vec<(&str, Place<'_>)> = places.collect::<Result<_, _>>()?;
    let kind = |place: &Place<'_>| Kind::of(place.leaf(), place.path());
    let (first_type, first) = places[0];
    if let Some((ty, _)) = places.iter().find(|(_, place)| kind(place) != kind(&first)) {
        return Err(Error::invalid_path(format!(
            "the values of `{path}` in resources of the types `{first_type}` and `{ty}` do not compare alike, so there is no \
             order of both; search one type"
        )));
    }
    Ok(sort(&places, kind(&first), order))
}

/// One value, wherever its types have it.
fn sort(places: &[(&str, Place<'_>)], kind: Kind, order: SortOrder) -> Sort {
    let mut paths: Vec<(String, Option<String>)> = Vec::new();
    for (_, place) in places {
        let parent = place.top().multi_valued.then(|| place.top_path().to_owned());
        match paths.iter_mut().find(|(path, _)| path == place.path()) {
            // Where there is one value at most, its element is the first.
            Some((_, known)) => *known = known.take().or(parent),
            None => paths.push((place.path().to_owned(), parent)),
        }
    }
    let (path, multi_parent) = paths.remove(0);
    Sort {
        path,
        kind,
        descending: order == SortOrder::Descending,
        multi_parent,
        elsewhere: paths,
    }
}

fn no_single(path: &str, ty: &str, types: &[&ResourceType]) -> Error {
    let of = among(ty, types);
    Error::invalid_path(format!(
        "`{path}` has no single value to sort by{of}; name one of its sub-attributes"
    ))
}

/// In which of several types something is the matter.
fn among(ty: &str, types: &[&ResourceType]) -> String {
    if types.len() > 1 {
        format!(" in resources of the type `{ty}`")
    } else {
        String::new()
    }
}

/// Whether it is never returned: an order would tell it.
fn is_hidden(place: Place<'_>) -> bool {
    let parts = [place.top(), place.leaf()];
    parts.iter().any(|part| part.returned == Returned::Never)
}

/// The leaf to sort by: of a multi-valued complex attribute its `value`.
fn sortable(place: Place<'_>) -> Option<Place<'_>> {
    if place.leaf().kind == Type::Complex {
        let value = place.with_sub("value").filter(|_| place.top().multi_valued);
        return value.filter(|value| !is_hidden(*value));
    }
    Some(place)
}
