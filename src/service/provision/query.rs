//! Filtered, sorted pages (RFC 7644 §3.4.2).

use std::collections::HashMap;
use std::sync::Arc;

use super::membership;
use super::published::Source;
use super::read::{groups, shown};
use super::shown::{Relations, Shown};
use super::sort;
use super::walk::{self, Part};
use crate::base::id::Pk;
use crate::scim::cursor::{Mark, Turn};
use crate::scim::dialect::Dialect;
use crate::scim::filter::{self, Checked, Filter};
use crate::scim::message;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::service::access::smart::{self, Given};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::tolerances;
use crate::store::Kind;
use crate::store::document::Stored;
use crate::store::query::{Query, Sort};

/// A page of what a query found.
pub struct Found {
    /// The resources of the page.
    pub items: Vec<Shown>,
    /// How many there are in all; in a walk by cursor, how many there were when it began.
    pub total: u64,
    /// 1-based position of the first of the page; none in a walk by cursor.
    pub start_index: Option<u64>,
    /// The cursor of the page after; none on the last one, and in pages by position.
    pub next: Option<String>,
    /// The cursor of the page before; none on the first one, and in pages by position.
    pub previous: Option<String>,
    /// What of them is shown.
    pub view: View,
}

/// A query that was read against the types it is about.
pub(super) struct Question {
    pub(super) view: View,
    pub(super) filter: Option<Checked>,
    pub(super) sort: Option<Sort>,
    /// Resources before the page, where it is asked for by position.
    pub(super) offset: u64,
    /// Most resources of the page.
    pub(super) limit: u64,
}

/// What a page is looked for by, and what is known of it beside its resources.
enum Rest {
    /// By its position: how many there are in all.
    Total(u64),
    /// By a turn of a walk: where it ends, and whether there is more.
    Ends(Option<[Mark; 2]>, bool),
}

/// Resources of these types that a query finds.
///
/// # Errors
/// `invalidFilter`, `invalidPath` for the sort attribute, `invalidValue` for a projection that contradicts itself; for a
/// cursor `invalidCursor`, `expiredCursor` and `invalidCount`.
pub async fn query(
    services: &Services,
    caller: &Caller,
    dialect: &Dialect,
    types: &[Arc<ResourceType>],
    asked: &message::Query,
) -> Result<Found> {
    let question = question(services, caller, *dialect, types, asked)?;
    if asked.cursor.is_some() {
        return walk::page(services, caller, types, question, asked).await;
    }
    let (items, total) = at_position(services, caller, types, &question).await?;
    Ok(Found {
        items,
        total,
        start_index: Some(asked.start_index),
        next: None,
        previous: None,
        view: question.view,
    })
}

/// A page by its position, and how many there are in all.
pub(super) async fn at_position(
    services: &Services,
    caller: &Caller,
    types: &[Arc<ResourceType>],
    question: &Question,
) -> Result<(Vec<Shown>, u64)> {
    if let Some((kind, source)) = derived(types) {
        return source.page(services, caller, kind, question).await;
    }
    let (items, rest) = stored(services, caller, types, question, None).await?;
    let total = if let Rest::Total(total) = rest { total } else { 0 };
    Ok((items, total))
}

/// A page of a walk.
pub(super) async fn at_turn(
    services: &Services,
    caller: &Caller,
    types: &[Arc<ResourceType>],
    question: &Question,
    turn: &Turn,
) -> Result<Part> {
    if let Some((kind, source)) = derived(types) {
        return source.walk(services, caller, kind, question, turn).await;
    }
    let (items, rest) = stored(services, caller, types, question, Some(turn)).await?;
    let (ends, more) = if let Rest::Ends(ends, more) = rest {
        (ends, more)
    } else {
        (None, false)
    };
    Ok(Part { items, ends, more })
}

/// The source of resources that no client writes.
fn derived(types: &[Arc<ResourceType>]) -> Option<(&Arc<ResourceType>, Source)> {
    let kind = types.first()?;
    Some((kind, Source::of(kind)?))
}

fn question(
    services: &Services,
    caller: &Caller,
    dialect: Dialect,
    types: &[Arc<ResourceType>],
    asked: &message::Query,
) -> Result<Question> {
    let known: Vec<&ResourceType> = types.iter().map(Arc::as_ref).collect();
    let view = View::from_lists(asked.attributes.as_deref(), asked.excluded.as_deref(), &known)?;
    let filter = asked.filter.as_deref();
    let filter = filter.map(|text| checked(services, caller, dialect, &known, text));
    let sort = asked.sort_by.as_deref();
    let sort = sort.map(|path| sort::by(path, asked.sort_order, &known));
    Ok(Question {
        view,
        filter: filter.transpose()?,
        sort: sort.transpose()?,
        offset: asked.start_index - 1,
        limit: asked.count.unwrap_or(u64::MAX).min(services.max_results()),
    })
}

/// What the store finds: resources that clients write. By a turn of a walk if there is one, else by position.
async fn stored(
    services: &Services,
    caller: &Caller,
    types: &[Arc<ResourceType>],
    question: &Question,
    turn: Option<&Turn>,
) -> Result<(Vec<Shown>, Rest)> {
    let kinds: Vec<Kind> = types.iter().filter_map(|ty| Kind::of(ty)).collect();
    for _ in 0..smart::MAX_READS {
        let given = Given::for_filter(services, caller, question.filter.as_ref()).await?;
        let query = Query {
            kinds: &kinds,
            filter: question.filter.as_ref(),
            sort: question.sort.as_ref(),
            offset: question.offset,
            limit: question.limit,
            connection: caller.connection_id(),
            groups: groups(&question.view),
            by_rule: given.as_ref().map(|given| &given.by_rule),
        };
        let reader = services.read(caller);
        let mut queries = reader.queries();
        let (rows, rest) = match turn {
            None => {
                let page = queries.list(&query).await?;
                (page.rows, Rest::Total(page.total))
            }
            Some(turn) => {
                let stretch = queries.walk(&query, turn).await?;
                (stretch.rows, Rest::Ends(stretch.ends, stretch.more))
            }
        };
        if holds(services, caller, given.as_ref()).await?
            && let Some(items) = show(services, caller, types, rows, &question.view).await?
        {
            return Ok((items, rest));
        }
    }
    Err(Error::Busy)
}

/// Whether what was read by rules may be shown.
async fn holds(services: &Services, caller: &Caller, given: Option<&Given>) -> Result<bool> {
    match given {
        Some(given) => given.still_holds(services, caller).await,
        None => Ok(true),
    }
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

/// Puts rows in the form of their types; the members of all groups of the page come in one read, and so do the groups
/// of all its users. `None` when the policy moved meanwhile.
async fn show(
    services: &Services,
    caller: &Caller,
    types: &[Arc<ResourceType>],
    mut rows: Vec<Stored>,
    view: &View,
) -> Result<Option<Vec<Shown>>> {
    smart::complete(services, caller, &mut rows).await?;
    let groups = rows.iter().filter(|row| row.kind == Kind::Group);
    let groups: Vec<_> = groups.map(|row| (row.pk, row.policy_version)).collect();
    let mut members: HashMap<Pk, Vec<_>> = HashMap::new();
    let wanted = view.wants("members");
    if wanted && !groups.is_empty() {
        let given = Given::for_groups(services, caller, &groups).await?;
        let by_rule = Given::members(given.as_ref());
        let pks: Vec<Pk> = groups.iter().map(|(pk, _)| *pk).collect();
        for (group, member) in services.read(caller).members().of_groups(&pks, by_rule).await? {
            members.entry(group).or_default().push(membership::member(member));
        }
        if !holds(services, caller, given.as_ref()).await? {
            return Ok(None);
        }
    }
    let items = rows.into_iter().filter_map(|row| {
        let ty = types
            .iter()
            .find(|ty| ty.name() == row.kind.name() && ty.is_own() == row.kind.is_own())?;
        let relations = (wanted && row.kind == Kind::Group)
            .then(|| Relations::Members(members.remove(&row.pk).unwrap_or_default()));
        Some(shown(ty, row, view, relations))
    });
    Ok(Some(items.collect()))
}
