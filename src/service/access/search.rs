//! Who may, and on what: searches, each a page at a time.
//!
//! Candidates come from indexes, and every one of them is decided like any other question: an index that gives too
//! many costs time, never truth.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::authority::{VIEW, require};
use super::decide::{Resource, may_ask, subject, target};
use super::page::{Page, Paging, cursor};
use super::policy::{self, Book};
use super::reports;
use crate::access::permission::Permission;
use crate::access::{self, Facts, Reach, RecordRef, Subject, Target, evaluate};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Reader;
use crate::store::access::facts::{DecisionRow, Detail};
use crate::store::access::views::{Person, Sources};

/// Users that are read in one statement.
const AT_ONCE: u32 = 500;
/// Users that are looked at for one page; then it is given as it is, perhaps short.
const MOST_LOOKED_AT: u32 = 10_000;
/// Beginnings before a policy that changes all the time is given up on.
const MAX_BEGINNINGS: u32 = 3;

/// A user that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Id of the user.
    pub id: String,
    /// What they sign in with.
    pub user_name: String,
}

/// A page of users who may do something on a resource. A page can be short, even empty, and not the last.
///
/// # Errors
/// `Forbidden`; `Invalid` for what does not exist.
pub async fn subjects(
    services: &Services,
    caller: &Caller,
    action: &str,
    resource: &Resource,
    paging: &Paging,
) -> Result<Page<Found>> {
    require(services, caller, &[VIEW]).await?;
    let permission = permission(services, action)?;
    let reader = services.read(caller);
    let record = record_of(resource)?;
    let scopes = match &record {
        Some(record) => reader.records().scopes_of(record).await?,
        None => Vec::new(),
    };
    for _ in 0..MAX_BEGINNINGS {
        let book = policy::current(services, caller).await?;
        let Some(target) = target(caller, &book, resource, record.as_ref(), &scopes) else {
            return Err(Error::invalid("/resource", "there is no such resource"));
        };
        let now = services.clock().now();
        let may = |facts: &Facts| access::decide(facts, &book.rulebook, now, permission, &target).allowed;
        let lead = Lead::to(&book, permission, &target, now);
        let keep = |candidate: &Candidate| {
            let facts = &candidate.row.facts;
            may(facts).then(|| (facts.user, facts.id.clone()))
        };
        if let Some(page) = sweep(&reader, &book, &lead, paging, keep).await? {
            let people = people(&reader, page.items.iter().map(|(pk, _)| *pk)).await?;
            return Ok(page.map(|(pk, id)| Found {
                user_name: people
                    .get(&pk)
                    .map(|person| person.user_name.clone())
                    .unwrap_or_default(),
                id,
            }));
        }
    }
    Err(Error::Busy)
}

/// A page of ids of records of a kind, or of scopes where the kind is `scope`, that a user may do something on.
///
/// Records are those that belong to a scope or are given one by one. What is held with a restriction is left out: what
/// properties a record has is not known here.
///
/// # Errors
/// As [`subjects`]; a user may ask about themselves.
pub async fn resources(
    services: &Services,
    caller: &Caller,
    who: &str,
    action: &str,
    kind: &str,
    paging: &Paging,
) -> Result<Page<String>> {
    may_ask(services, caller, [who]).await?;
    let permission = permission(services, action)?;
    let nothing = Page {
        items: Vec::new(),
        next: None,
    };
    let Some((row, book)) = subject(services, caller, who, None).await? else {
        return Ok(nothing);
    };
    let now = services.clock().now();
    if kind == "scope" {
        return scopes(&book, &row.facts, permission, now, paging);
    }
    let held = Held::of(&book, &row.facts, permission, now, kind);
    let after = paging.after_text()?;
    let scopes: Vec<ScopeKey> = held.scopes.into_iter().collect();
    let reader = services.read(caller);
    let mut ids = if scopes.is_empty() {
        Vec::new()
    } else {
        reader.records().of_kind(kind, &scopes, &after, paging.rows()).await?
    };
    ids.extend(held.records.into_iter().filter(|id| *id > after));
    ids.sort_unstable();
    ids.dedup();
    Ok(paging.cut_text(ids, String::clone))
}

fn permission(services: &Services, action: &str) -> Result<Permission> {
    let found = services.catalogue().get(action);
    found.map_err(|unknown| Error::invalid("/action/name", unknown.to_string()))
}

fn record_of(resource: &Resource) -> Result<Option<RecordRef>> {
    match resource {
        Resource::Record { kind, id, .. } => Ok(Some(super::names::record("/resource", kind, id)?)),
        Resource::Tenant(_) | Resource::Scope(_) => Ok(None),
    }
}

fn scopes(book: &Book, facts: &Facts, permission: Permission, now: Timestamp, paging: &Paging) -> Result<Page<String>> {
    let after = paging.after()?;
    let mut all: Vec<_> = book.rulebook.policy().scopes.iter().collect();
    all.sort_unstable_by_key(|scope| scope.key);
    let may = |key| access::decide(facts, &book.rulebook, now, permission, &Target::Scope(key)).allowed;
    let found = all
        .into_iter()
        .filter(|scope| scope.key.0 > after && may(scope.key))
        .take(paging.rows() as usize);
    let rows = found.map(|scope| (scope.key.0, scope.id.clone())).collect();
    Ok(paging.cut(rows, |(key, _)| *key).map(|(_, id)| id))
}

/// Where a user has a permission without restriction.
struct Held {
    scopes: BTreeSet<ScopeKey>,
    records: Vec<String>,
}

impl Held {
    fn of(book: &Book, facts: &Facts, permission: Permission, now: Timestamp, kind: &str) -> Self {
        let assignments = evaluate(facts, &book.rulebook, now);
        let giving = assignments.iter().filter(|held| {
            let permitted = |role| book.rulebook.permissions(role).contains(permission);
            let inherited = held.report.is_none() || book.rulebook.viewing().contains(permission);
            inherited && held.restriction.is_empty() && held.role.is_some_and(permitted)
        });
        let mut held = Self {
            scopes: BTreeSet::new(),
            records: Vec::new(),
        };
        let mut named: HashSet<ScopeKey> = HashSet::new();
        let mut everywhere = false;
        for assignment in giving {
            match &assignment.reach {
                Reach::All => everywhere = true,
                Reach::Scope(scope) => {
                    named.insert(*scope);
                }
                Reach::Record(record) if record.kind == kind => held.records.push(record.id.clone()),
                Reach::Record(_) => {}
            }
        }
        let lies_in_one = |key: ScopeKey| {
            let located = book.rulebook.locate(Target::Scope(key), now);
            located.scopes().iter().any(|above| named.contains(above))
        };
        let all = book.rulebook.policy().scopes.iter().map(|scope| scope.key);
        held.scopes = all.filter(|key| everywhere || lies_in_one(*key)).collect();
        held
    }
}

/// Where whoever has a permission on a target can have it from.
pub(super) struct Lead {
    roles: Vec<RoleKey>,
    scopes: Vec<ScopeKey>,
    record: Option<RecordRef>,
    groups: Vec<Pk>,
    rules: Vec<(RuleKey, i64)>,
    /// Whether no index leads to all of them: because a rule asks what groups somebody is not in, because managers see
    /// what their reports see, or because everyone is looked for.
    everyone: bool,
    /// Whether their names matter to who looks.
    named: bool,
}

/// Somebody who is looked at.
pub(super) struct Candidate {
    pub(super) row: DecisionRow,
    /// Where the lead is asked for names.
    pub(super) person: Option<Person>,
}

/// What is shown of these users.
pub(super) async fn people(reader: &Reader, users: impl Iterator<Item = Pk>) -> Result<HashMap<Pk, Person>> {
    let users: Vec<Pk> = users.collect();
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let people = reader.views().people(&users).await?;
    Ok(people.into_iter().map(|person| (person.pk, person)).collect())
}

impl Lead {
    /// To those who have one permission.
    pub(super) fn to(book: &Book, permission: Permission, target: &Target<'_>, now: Timestamp) -> Self {
        let permitted = |role: &&access::Role| role.permissions.contains(permission);
        let roles = book
            .rulebook
            .policy()
            .roles
            .iter()
            .filter(permitted)
            .map(|role| role.key);
        Self::by(book, roles.collect(), target, now)
    }

    /// To those who have a role that counts on a target: this one, or any.
    pub(super) fn to_role(book: &Book, role: Option<RoleKey>, target: &Target<'_>, now: Timestamp) -> Self {
        let roles = book.rulebook.policy().roles.iter().map(|role| role.key);
        let wanted = roles.filter(|key| role.is_none_or(|role| role == *key));
        Self::by(book, wanted.collect(), target, now)
    }

    /// To all users.
    pub(super) const fn to_everyone() -> Self {
        Self {
            roles: Vec::new(),
            scopes: Vec::new(),
            record: None,
            groups: Vec::new(),
            rules: Vec::new(),
            everyone: true,
            named: false,
        }
    }

    /// The same, with the names of those it leads to.
    pub(super) const fn with_names(mut self) -> Self {
        self.named = true;
        self
    }

    fn by(book: &Book, roles: Vec<RoleKey>, target: &Target<'_>, now: Timestamp) -> Self {
        let rulebook = &book.rulebook;
        let located = rulebook.locate(*target, now);
        let gives = |role: RoleKey, reach: &Reach| roles.contains(&role) && located.hold(reach).is_some();
        let granting = rulebook
            .policy()
            .grants
            .iter()
            .filter(|grant| gives(grant.role, &grant.reach));
        let groups: BTreeSet<Pk> = granting
            .filter_map(|grant| match grant.subject {
                Subject::Group(group) => Some(group),
                Subject::User(_) => None,
            })
            .collect();
        let mut giving: BTreeSet<RuleKey> = BTreeSet::new();
        for rule in rulebook.rules() {
            if rule.roles().any(|(role, reach)| gives(role, reach)) {
                giving.insert(rule.key);
            }
        }
        for smart in rulebook.smart_groups() {
            if groups.contains(&smart.group) || smart.above.iter().any(|above| groups.contains(above)) {
                giving.extend(smart.rules.iter().map(|number| rulebook.rules()[*number].key));
            }
        }
        let reads_groups = |key: &RuleKey| rulebook.rule(*key).is_some_and(|rule| rule.when.reads_groups());
        let everyone = book.managers_see_reports() || giving.iter().any(reads_groups);
        let kept = book.watched.iter().filter(|watched| giving.contains(&watched.rule));
        Self {
            scopes: located.scopes().to_vec(),
            record: located.record().cloned(),
            rules: kept.map(|watched| (watched.rule, watched.version)).collect(),
            groups: groups.into_iter().collect(),
            everyone,
            named: false,
            roles,
        }
    }

    /// The next of them, at most so many, in the order of their row numbers, and whether they are the last.
    async fn read(&self, reader: &Reader, after: Pk, most: u32) -> Result<(Vec<Candidate>, bool)> {
        let users = if self.everyone {
            reader.views().all(after, most).await?
        } else {
            self.sources(reader, after, most).await?
        };
        let mut rows = reader.facts().of(&users, Detail::Paths).await?;
        rows.sort_unstable_by_key(|row| row.facts.user);
        let mut people = if self.named {
            people(reader, users.iter().copied()).await?
        } else {
            HashMap::new()
        };
        let candidate = |row: DecisionRow| Candidate {
            person: people.remove(&row.facts.user),
            row,
        };
        let candidates = rows.into_iter().map(candidate).collect();
        Ok((candidates, users.len() < most as usize))
    }

    async fn sources(&self, reader: &Reader, after: Pk, most: u32) -> Result<Vec<Pk>> {
        let sources = Sources {
            roles: Some(&self.roles),
            everywhere: true,
            scopes: &self.scopes,
            record: self.record.as_ref(),
            groups: &self.groups,
            rules: &self.rules,
        };
        Ok(reader.views().users(&sources, after, most).await?)
    }
}

/// Looks at candidates until the page is full. None when the policy moved: then it is to be begun again.
///
/// A full page says that it is the last where that is known without looking further than at those already read.
pub(super) async fn sweep<T>(
    reader: &Reader,
    book: &Book,
    lead: &Lead,
    paging: &Paging,
    keep: impl Fn(&Candidate) -> Option<T> + Send,
) -> Result<Option<Page<T>>>
where
    T: Send,
{
    let mut after = Pk(paging.after()?);
    let most = paging.items() as usize;
    let mut items = Vec::new();
    let mut looked_at = 0;
    let at_once = if book.managers_see_reports() {
        reports::MANAGERS_AT_ONCE
    } else {
        AT_ONCE
    };
    loop {
        let (mut candidates, last) = lead.read(reader, after, at_once).await?;
        let moved = |candidate: &Candidate| candidate.row.policy_version != book.rulebook.version();
        let mut rows = candidates
            .iter_mut()
            .map(|candidate| &mut candidate.row)
            .collect::<Vec<_>>();
        if !reports::add(reader, book, Detail::Paths, &mut rows).await? || candidates.iter().any(moved) {
            return Ok(None);
        }
        for candidate in &candidates {
            let kept = keep(candidate);
            if items.len() == most && kept.is_some() {
                let next = Some(cursor(after.0));
                return Ok(Some(Page { items, next }));
            }
            after = candidate.row.facts.user;
            items.extend(kept);
        }
        looked_at += at_once;
        if last {
            return Ok(Some(Page { items, next: None }));
        }
        if items.len() == most || looked_at >= MOST_LOOKED_AT {
            let next = Some(cursor(after.0));
            return Ok(Some(Page { items, next }));
        }
    }
}
