//! `/RoleAssignments`: the grants. There may be millions, so the store pages them, and finds by what it has an index for.

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::made;
use crate::access::permission::Predefined;
use crate::access::{Origin, Reach, RecordRef, Subject};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, ResourceId, RoleKey, ScopeKey};
use crate::scim;
use crate::scim::cursor::{Mark, Turn};
use crate::scim::filter::{Match, Node, Test};
use crate::scim::schema::ResourceType;
use crate::service::access::names::ALL;
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::provision::query::Question;
use crate::service::provision::shown::{Related, Relations, Shown};
use crate::service::provision::walk::Part;
use crate::store::access::grants::{Order, StoredGrant, Wanted};
use crate::store::{Kind, Reader};

/// A page, and how many the filter finds.
///
/// # Errors
/// `invalidFilter` for a filter that is more than equality of what grants are found by, `invalidPath` for an order by
/// anything but the time they were made.
pub(super) async fn page(
    services: &Services,
    caller: &Caller,
    kind: &Arc<ResourceType>,
    question: &Question,
) -> Result<(Vec<Shown>, u64)> {
    let (order, book, sought) = understood(services, caller, question).await?;
    let Some(sought) = sought else {
        return Ok((Vec::new(), 0));
    };
    let reader = services.read(caller);
    let total = reader.grants().count(sought.wanted()).await?;
    let slice = (question.offset, question.limit);
    let rows = if question.limit == 0 || question.offset >= total {
        Vec::new()
    } else {
        reader.grants().slice(sought.wanted(), order, slice).await?
    };
    Ok((rows.into_iter().map(|row| shown(&book, kind, row)).collect(), total))
}

/// A page of a walk. What was made later has the higher number, so the number is the place.
///
/// # Errors
/// As [`page`].
pub(super) async fn walk(
    services: &Services,
    caller: &Caller,
    kind: &Arc<ResourceType>,
    question: &Question,
    turn: &Turn,
) -> Result<Part> {
    let (order, book, sought) = understood(services, caller, question).await?;
    let Some(sought) = sought else {
        return Ok(Part {
            items: Vec::new(),
            ends: None,
            more: false,
        });
    };
    let order = if turn.is_back() { order.reversed() } else { order };
    // The place itself comes right behind the one that would be before it.
    let one_before = match (turn.is_with(), order) {
        (false, _) => 0,
        (true, Order::OldestFirst) => -1,
        (true, Order::NewestFirst) => 1,
    };
    let place = turn.mark().and_then(|mark| mark.tie.parse::<i64>().ok());
    let place = place.map(|place| GrantKey(place.saturating_add(one_before)));
    let most = question.limit.saturating_add(1);
    let reader = services.read(caller);
    let mut rows = reader.grants().beyond(sought.wanted(), order, place, most).await?;
    let limit = usize::try_from(question.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    if turn.is_back() {
        rows.reverse();
    }
    let mark = |row: &StoredGrant| Mark {
        key: None,
        tie: row.grant.key.0.to_string(),
    };
    Ok(Part {
        ends: rows
            .first()
            .zip(rows.last())
            .map(|(first, last)| [mark(first), mark(last)]),
        items: rows.into_iter().map(|row| shown(&book, kind, row)).collect(),
        more,
    })
}

/// The order and what is sought, which is `None` where nothing can be found; and the policy that both are read by.
async fn understood(
    services: &Services,
    caller: &Caller,
    question: &Question,
) -> Result<(Order, Arc<Book>, Option<Sought>)> {
    let order = match &question.sort {
        None => Order::OldestFirst,
        Some(sort) if sort.path == "meta.created" && sort.descending => Order::NewestFirst,
        Some(sort) if sort.path == "meta.created" => Order::OldestFirst,
        Some(_) => {
            return Err(scim::Error::invalid_path("role assignments can be sorted by `meta.created` alone").into());
        }
    };
    let mut terms = Vec::new();
    if let Some(filter) = &question.filter {
        equalities(filter.root(), &mut terms)?;
    }
    let book = policy::current(services, caller).await?;
    let sought = Sought::of(&services.read(caller), &book, &terms).await?;
    Ok((order, book, sought))
}

/// One of them.
///
/// # Errors
/// `NotFound`.
pub(super) async fn find(
    services: &Services,
    caller: &Caller,
    kind: &Arc<ResourceType>,
    id: &ResourceId,
) -> Result<Shown> {
    let found = services.read(caller).grants().find(id.as_str()).await?;
    let row = found.ok_or(Error::NotFound)?;
    let book = policy::current(services, caller).await?;
    Ok(shown(&book, kind, row))
}

/// What can be asked for by equality.
const FOUND_BY: [&str; 5] = ["id", "subject.value", "role.value", "scope.value", "origin"];

/// Takes a filter apart into attributes and what they must equal.
fn equalities<'f>(node: &'f Node, terms: &mut Vec<(&'f str, &'f str)>) -> Result<()> {
    match node {
        Node::And(parts) => parts.iter().try_for_each(|part| equalities(part, terms)),
        Node::Test(Test {
            path,
            check: Match::Equal(value),
            ..
        }) if FOUND_BY.contains(&path.as_str()) => {
            terms.push((path, value));
            Ok(())
        }
        _ => {
            let names = FOUND_BY.map(|name| format!("`{name}`")).join(", ");
            Err(scim::Error::invalid_filter(format!(
                "role assignments are found by `eq` on {names}, joined by `and`; other filters are not supported"
            ))
            .into())
        }
    }
}

/// What a filter asks for, as the store knows it.
#[derive(Default)]
struct Sought {
    id: Option<String>,
    subject: Option<Pk>,
    role: Option<RoleKey>,
    scope: Option<ScopeKey>,
    record: Option<RecordRef>,
    everywhere: bool,
    origin: Option<Origin>,
}

impl Sought {
    /// `None` when nothing can satisfy the terms.
    async fn of(reader: &Reader, book: &Book, terms: &[(&str, &str)]) -> Result<Option<Self>> {
        let mut sought = Self::default();
        for (at, (path, value)) in terms.iter().enumerate() {
            if terms[..at].iter().any(|(other, _)| other == path) {
                if !terms[..at].contains(&(path, value)) {
                    return Ok(None);
                }
                continue;
            }
            let known = match *path {
                "id" => set(&mut sought.id, Some((*value).to_owned())),
                "subject.value" => set(&mut sought.subject, subject(reader, value).await?),
                "role.value" => set(&mut sought.role, role(book, value)),
                "origin" => set(&mut sought.origin, Origin::parse(value)),
                _ => sought.place(book, value),
            };
            if known.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(sought))
    }

    /// A scope by its id, or a record as `kind:id`.
    fn place(&mut self, book: &Book, value: &str) -> Option<()> {
        if value == ALL {
            self.everywhere = true;
            return Some(());
        }
        let scopes = &book.rulebook.policy().scopes;
        if let Some(scope) = scopes.iter().find(|scope| scope.id == value) {
            return set(&mut self.scope, Some(scope.key));
        }
        let (kind, id) = value.split_once(':')?;
        set(&mut self.record, RecordRef::new(kind, id))
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            id: self.id.as_deref(),
            subject: self.subject,
            role: self.role,
            scope: self.scope,
            record: self.record.as_ref(),
            everywhere: self.everywhere,
            origin: self.origin,
        }
    }
}

/// Keeps a value, and says whether there is one.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    *place = value;
    place.as_ref().map(drop)
}

async fn subject(reader: &Reader, id: &str) -> Result<Option<Pk>> {
    let found = reader.resources().pks(&[ResourceId::new(id)]).await?;
    Ok(found.into_iter().next().map(|(_, pk, _)| pk))
}

fn role(book: &Book, id: &str) -> Option<RoleKey> {
    let mut roles = book.rulebook.policy().roles.iter();
    roles.find(|role| role.id == id).map(|role| role.key)
}

fn shown(book: &Book, kind: &Arc<ResourceType>, row: StoredGrant) -> Shown {
    let of = match row.grant.subject {
        Subject::User(_) => Kind::User,
        Subject::Group(_) => Kind::Group,
    };
    let subject = Related {
        id: row.subject_id.into_string(),
        endpoint: of.endpoint(),
        kind: of.name(),
        display: row.subject_name,
    };
    let known = book.rulebook.role(row.grant.role);
    let published = row.grant.role != Predefined::Owner.key();
    let role = Related {
        id: known.map_or_else(|| row.grant.role.to_string(), |role| role.id.clone()),
        endpoint: if published { "/Roles" } else { "" },
        kind: "",
        display: known.map_or_else(String::new, |role| role.name.clone()),
    };
    let restrictions = row.grant.restriction.0.iter();
    let restrictions: Vec<Value> = restrictions
        .flat_map(|(property, values)| {
            values
                .iter()
                .map(move |value| json!({ "property": property, "value": value }))
        })
        .collect();
    let attributes: Map<String, Value> = [
        ("scope", scope(book, &row.grant.reach)),
        ("restrictions", restrictions.into()),
        ("validFrom", row.grant.validity.from.map(Timestamp::rfc3339).into()),
        ("validTo", row.grant.validity.to.map(Timestamp::rfc3339).into()),
        ("origin", row.grant.origin.as_str().into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect();
    let relations = Relations::Assigned(Box::new([subject, role]));
    made::shown(kind, &row.grant.id, attributes, relations, [Some(row.made.at), None])
}

/// Where a role counts.
fn scope(book: &Book, reach: &Reach) -> Value {
    match reach {
        Reach::All => json!({ "value": ALL, "display": "All", "type": "all" }),
        Reach::Record(record) => json!({ "value": record.to_string(), "type": "record" }),
        Reach::Scope(key) => match book.rulebook.scope(*key) {
            Some(scope) => json!({ "value": scope.id, "display": scope.name, "type": scope.kind.as_str() }),
            None => json!({ "value": key.to_string() }),
        },
    }
}
