//! Filtered, sorted pages (RFC 7644 §3.4.2).

use std::collections::HashMap;
use std::sync::Arc;

use super::membership;
use super::read::shown;
use super::shown::{Relations, Shown};
use crate::base::id::Pk;
use crate::scim;
use crate::scim::dialect::Dialect;
use crate::scim::filter::{self, Checked, Filter};
use crate::scim::message::{self, SortOrder};
use crate::scim::path::AttrPath;
use crate::scim::project::View;
use crate::scim::schema::{Place, ResourceType, Target};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::tolerances;
use crate::store::document::Stored;
use crate::store::query::{Query, Sort};
use crate::store::resources::Groups;
use crate::store::{Kind, Reader};

/// A page of what a query found.
pub struct Found {
    /// The resources of the page.
    pub items: Vec<Shown>,
    /// How many there are in all.
    pub total: u64,
    /// 1-based position of the first of the page.
    pub start_index: u64,
    /// What of them is shown.
    pub view: View,
}

/// Resources of these types that a query finds.
///
/// # Errors
/// `invalidFilter`, `invalidPath` for the sort attribute, `invalidValue` for a projection that contradicts itself.
pub async fn query(
    services: &Services,
    caller: &Caller,
    dialect: &Dialect,
    types: &[Arc<ResourceType>],
    asked: &message::Query,
) -> Result<Found> {
    let known: Vec<&ResourceType> = types.iter().map(Arc::as_ref).collect();
    if asked.cursor.is_some() {
        return Err(
            scim::Error::invalid_value("this server pages by `startIndex` and `count`, not by `cursor`").into(),
        );
    }
    let view = View::from_lists(asked.attributes.as_deref(), asked.excluded.as_deref(), &known)?;
    let filter = asked
        .filter
        .as_deref()
        .map(|text| checked(services, caller, *dialect, &known, text))
        .transpose()?;
    let sort = asked
        .sort_by
        .as_deref()
        .map(|path| sort(path, asked.sort_order, &known))
        .transpose()?;
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| known.iter().any(|ty| ty.name() == kind.name()))
        .collect();
    let reader = services.read(caller);
    let page = reader
        .queries()
        .list(&Query {
            kinds: &kinds,
            filter: filter.as_ref(),
            sort: sort.as_ref(),
            offset: asked.start_index - 1,
            limit: asked.count.unwrap_or(u64::MAX).min(services.max_results()),
            connection: caller.connection_id(),
            groups: if view.wants("groups") {
                Groups::Listed
            } else {
                Groups::LeftOut
            },
        })
        .await?;
    let items = show(&reader, types, page.rows, &view).await?;
    Ok(Found {
        items,
        total: page.total,
        start_index: asked.start_index,
        view,
    })
}

fn checked(
    services: &Services,
    caller: &Caller,
    dialect: Dialect,
    types: &[&ResourceType],
    text: &str,
) -> Result<Checked> {
    let (filter, applied) = dialect.filter(types, Filter::parse(text)?);
    tolerances::note(services, caller, dialect, &applied);
    Ok(filter::check(&filter, types)?)
}

/// Puts rows in the form of their types; the members of all groups of the page come in one read.
async fn show(reader: &Reader, types: &[Arc<ResourceType>], rows: Vec<Stored>, view: &View) -> Result<Vec<Shown>> {
    let groups: Vec<Pk> = rows
        .iter()
        .filter(|row| row.kind == Kind::Group)
        .map(|row| row.pk)
        .collect();
    let mut members: HashMap<Pk, Vec<_>> = HashMap::new();
    let wanted = view.wants("members");
    if wanted && !groups.is_empty() {
        for (group, member) in reader.members().of_groups(&groups).await? {
            members.entry(group).or_default().push(membership::member(member));
        }
    }
    let items = rows.into_iter().filter_map(|row| {
        let ty = types.iter().find(|ty| ty.name() == row.kind.name())?;
        let relations = (wanted && row.kind == Kind::Group)
            .then(|| Relations::Members(members.remove(&row.pk).unwrap_or_default()));
        Some(shown(ty, row, view, relations))
    });
    Ok(items.collect())
}

/// What `sortBy` names, in the types that have it.
///
/// # Errors
/// `invalidPath` for a name that no type has, and for an attribute without a single value to sort by.
fn sort(path: &str, order: SortOrder, types: &[&ResourceType]) -> Result<Sort> {
    let parsed = AttrPath::parse(path)?;
    let place = types.iter().find_map(|ty| match ty.resolve(&parsed) {
        Some(Target::Attribute(place)) => Some(place),
        _ => None,
    });
    let place = place.ok_or_else(|| scim::Error::invalid_path(format!("there is no attribute `{path}` to sort by")))?;
    let place = sortable(place).ok_or_else(|| {
        scim::Error::invalid_path(format!(
            "`{path}` has no single value to sort by; name one of its sub-attributes"
        ))
    })?;
    Ok(Sort {
        path: place.path().to_owned(),
        kind: filter::Kind::of(place.leaf(), place.path()),
        descending: order == SortOrder::Descending,
        multi_parent: place.top().multi_valued.then(|| place.top_path().to_owned()),
    })
}

/// The leaf to sort by: of a multi-valued complex attribute its `value`.
fn sortable(place: Place<'_>) -> Option<Place<'_>> {
    let hidden = [place.top(), place.leaf()]
        .iter()
        .any(|attribute| attribute.returned == scim::schema::Returned::Never);
    if hidden {
        return None;
    }
    if place.leaf().kind == scim::schema::Type::Complex {
        return place.with_sub("value").filter(|_| place.top().multi_valued);
    }
    Some(place)
}
