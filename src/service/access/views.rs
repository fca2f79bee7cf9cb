//! Who has what where, a page at a time: of each user the scopes and roles, of each scope the users and roles. And the
//! same as rows of a table.

use super::access_of_user::{Assignment, Via, Why, assignment};
use super::authority::{VIEW, require};
use super::decide::{Resource, target};
use super::names::{Named, Place};
use super::page::{Page, Paging};
use super::policy::{self, Book};
use super::search::{Candidate, Lead, people, sweep};
use crate::access::lifecycle::Status;
use crate::access::{Located, evaluate};
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{Pk, RoleKey};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Reader;
use crate::store::access::views::Person;

/// Beginnings before a policy that changes all the time is given up on.
const MAX_BEGINNINGS: u32 = 3;

/// What is looked for; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Id of a role that is held.
    pub role: Option<String>,
    /// A way in which it is held.
    pub via: Option<Via>,
    /// Part of the name or `userName`, in any letter case.
    pub text: Option<String>,
}

/// A user with what they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Id and display name.
    pub user: Named,
    /// What they sign in with.
    pub user_name: String,
    /// What they are: who is not active has nothing.
    pub status: Status,
    /// What they have of what is looked for.
    pub assignments: Vec<Assignment>,
}

/// A page of the active users who have a role on a scope, on what it lies in, or everywhere; `all` is everywhere alone.
/// A page can be short, even empty, and not the last.
///
/// # Errors
/// `Forbidden`, `NotFound` for the scope, a cursor that is none. A role that does not exist is held by nobody.
pub async fn of_scope(
    services: &Services,
    caller: &Caller,
    scope: &str,
    wanted: &Wanted,
    paging: &Paging,
) -> Result<Page<Holder>> {
    require(services, caller, &[VIEW]).await?;
    let asked = Resource::Scope(scope.to_owned());
    let reader = services.read(caller);
    for _ in 0..MAX_BEGINNINGS {
        let book = policy::current(services, caller).await?;
        let target = target(caller, &book, &asked, None, &[]).ok_or(Error::NotFound)?;
        let now = services.clock().now();
        let Some(view) = View::of(&book, wanted, now) else {
            return Ok(nothing());
        };
        let located = book.rulebook.locate(target, now);
        let lead = view.names(Lead::to_role(&book, view.role, &target, now));
        let keep = |candidate: &Candidate| view.row(candidate, Some((scope, &located)));
        if let Some(page) = sweep(&reader, &book, &lead, paging, keep).await? {
            return named(&reader, page).await;
        }
    }
    Err(Error::Busy)
}

/// A page of users with everything each has; those who have nothing are among them unless a role or a way is looked
/// for. A page can be short, even empty, and not the last.
///
/// # Errors
/// As [`of_scope`].
pub async fn of_users(services: &Services, caller: &Caller, wanted: &Wanted, paging: &Paging) -> Result<Page<Holder>> {
    require(services, caller, &[VIEW]).await?;
    let reader = services.read(caller);
    for _ in 0..MAX_BEGINNINGS {
        let book = policy::current(services, caller).await?;
        let Some(view) = View::of(&book, wanted, services.clock().now()) else {
            return Ok(nothing());
        };
        let lead = view.names(Lead::to_everyone());
        let keep = |candidate: &Candidate| view.row(candidate, None);
        if let Some(page) = sweep(&reader, &book, &lead, paging, keep).await? {
            return named(&reader, page).await;
        }
    }
    Err(Error::Busy)
}

fn nothing<T>() -> Page<T> {
    Page {
        items: Vec::new(),
        next: None,
    }
}

/// One look at everyone, by one policy at one instant.
struct View<'a> {
    book: &'a Book,
    now: Timestamp,
    role: Option<RoleKey>,
    via: Option<Via>,
    /// Folded.
    text: Option<String>,
}

/// A user before the name is known.
struct Row {
    pk: Pk,
    id: String,
    active: bool,
    assignments: Vec<Assignment>,
}

impl<'a> View<'a> {
    /// None where the role does not exist.
    fn of(book: &'a Book, wanted: &Wanted, now: Timestamp) -> Option<Self> {
        let mut roles = book.rulebook.policy().roles.iter();
        let role = match &wanted.role {
            Some(id) => Some(roles.find(|role| role.id == *id)?.key),
            None => None,
        };
        Some(Self {
            book,
            now,
            role,
            via: wanted.via,
            text: wanted.text.as_deref().map(fold),
        })
    }

    fn names(&self, lead: Lead) -> Lead {
        if self.text.is_some() { lead.with_names() } else { lead }
    }

    /// The user as they are shown, if they are looked for; on a scope, only with what counts there.
    fn row(&self, candidate: &Candidate, on: Option<(&str, &Located<'_>)>) -> Option<Row> {
        let facts = &candidate.row.facts;
        let called = |person: &Person| {
            let names = [person.name.as_str(), &person.user_name].map(fold);
            self.text
                .as_ref()
                .is_none_or(|text| names.iter().any(|name| name.contains(text)))
        };
        if !candidate.person.as_ref().is_none_or(called) {
            return None;
        }
        let held = evaluate(facts, &self.book.rulebook, self.now);
        let here = held.iter().filter(|held| {
            let there = on.is_none_or(|(_, located)| held.role.is_some() && located.hold(&held.reach).is_some());
            there && self.role.is_none_or(|role| held.role == Some(role))
        });
        let assignments = here.map(|held| {
            let mut shown = assignment(self.book, facts, held);
            if on.is_some_and(|(scope, _)| shown.place.scope() != Some(scope)) {
                shown.via.push(Via::Inherited);
            }
            shown
        });
        let looked_for = |shown: &Assignment| self.via.is_none_or(|via| shown.via.contains(&via));
        let assignments: Vec<_> = assignments.filter(looked_for).collect();
        let everyone = on.is_none() && self.role.is_none() && self.via.is_none();
        (everyone || !assignments.is_empty()).then(|| Row {
            pk: facts.user,
            id: facts.id.clone(),
            active: facts.active,
            assignments,
        })
    }
}

/// The page with names: one read.
async fn named(reader: &Reader, page: Page<Row>) -> Result<Page<Holder>> {
    let mut people = people(reader, page.items.iter().map(|row| row.pk)).await?;
    Ok(page.map(|row| {
        let (name, user_name, status) = people.remove(&row.pk).map_or_else(
            || (String::new(), String::new(), Status::of(row.active, None)),
            |person| (person.name, person.user_name, person.status.as_read(row.active)),
        );
        Holder {
            user: Named { id: row.id, name },
            user_name,
            status,
            assignments: row.assignments,
        }
    }))
}

/// Names of the columns of [`rows`].
pub const COLUMNS: [&str; 8] = [
    "user",
    "user_name",
    "name",
    "role",
    "place",
    "restricted_to",
    "via",
    "why",
];

/// A user as rows of a table, one for each thing they have and one where they have nothing; the caller writes them in
/// its format.
#[must_use]
pub fn rows(user: &Named, user_name: &str, assignments: &[Assignment]) -> Vec<[String; 8]> {
    let row = |held: [String; 5]| {
        let [role, place, restricted_to, via, why] = held;
        let (id, name) = (user.id.clone(), user.name.clone());
        [id, user_name.to_owned(), name, role, place, restricted_to, via, why]
    };
    if assignments.is_empty() {
        return vec![row(std::array::from_fn(|_| String::new()))];
    }
    assignments.iter().map(|held| row(cells(held))).collect()
}

fn cells(assignment: &Assignment) -> [String; 5] {
    let role = assignment
        .role
        .as_ref()
        .map(|role| role.name.clone())
        .unwrap_or_default();
    let place = match &assignment.place {
        Place::All => "all".to_owned(),
        Place::Scope(scope) => scope.name.clone(),
        Place::Record { kind, id } => format!("{kind}:{id}"),
    };
    let via: Vec<&str> = assignment.via.iter().map(|via| via.as_str()).collect();
    let why: Vec<String> = assignment.why.iter().map(said).collect();
    [
        role,
        place,
        assignment.restrict.to_string(),
        via.join(" "),
        why.join("; "),
    ]
}

fn said(why: &Why) -> String {
    match why {
        Why::Grant { id, through, .. } => match through.last().map(|step| &step.group) {
            Some(Named { name, .. }) => format!("grant {id} to group {name}"),
            None => format!("grant {id}"),
        },
        Why::Rule { rule, version, .. } => format!("rule {} (version {version})", rule.name),
    }
}
