//! Facts for many questions at once: a few statements, whatever the questions are.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::decide::{MAX_QUESTIONS, Subject, looks_like_id};
use super::{policy, reports};
use crate::access::RecordRef;
use crate::base::fold;
use crate::base::id::{Pk, ResourceId, ScopeKey};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::facts::{DecisionRow, Detail};

/// Users, or records, that are read in one statement.
const AT_ONCE: usize = 100;
/// Reads before a policy that changes all the time is given up on.
const MAX_READS: u32 = 5;

/// Users whose facts are held at once: fewer where each of them comes with those who report to them.
pub(super) async fn users_at_once(services: &Services, caller: &Caller) -> Result<usize> {
    let book = policy::latest(services, caller).await?;
    Ok(if book.managers_see_reports() {
        reports::MANAGERS_AT_ONCE as usize
    } else {
        MAX_QUESTIONS
    })
}

/// What is known of those who are asked about, and of the records.
pub(super) struct Found {
    /// By id or `userName`, as it is asked for. Who is not here does not exist.
    users: HashMap<String, Arc<Subject>>,
    scopes: HashMap<RecordRef, Vec<ScopeKey>>,
}

impl Found {
    /// A user.
    pub(super) fn user(&self, user: &str) -> Option<&Subject> {
        self.users.get(user).map(Arc::as_ref)
    }

    /// Where a record lies.
    pub(super) fn scopes(&self, record: Option<&RecordRef>) -> &[ScopeKey] {
        let scopes = record.and_then(|record| self.scopes.get(record));
        scopes.map(Vec::as_slice).unwrap_or_default()
    }
}

/// The facts for these users and records.
///
/// Those who are named by id are read together, and those who are named by `userName`, or not found by id, are, too.
pub(super) async fn subjects(
    services: &Services,
    caller: &Caller,
    wanted: impl Iterator<Item = &str>,
    records: impl Iterator<Item = &RecordRef>,
) -> Result<Found> {
    let wanted: BTreeSet<&str> = wanted.collect();
    let ids: Vec<&str> = wanted.iter().copied().filter(|user| looks_like_id(user)).collect();
    let mut users = HashMap::with_capacity(wanted.len());
    for some in ids.chunks(AT_ONCE) {
        users.extend(by_ids(services, caller, some).await?);
    }
    let names: Vec<&str> = wanted.into_iter().filter(|user| !users.contains_key(*user)).collect();
    for some in names.chunks(AT_ONCE) {
        users.extend(by_names(services, caller, some).await?);
    }
    let scopes = scopes_of(services, caller, records.collect()).await?;
    Ok(Found { users, scopes })
}

/// Users by id, each with the policy that goes with them.
async fn by_ids(services: &Services, caller: &Caller, users: &[&str]) -> Result<Vec<(String, Arc<Subject>)>> {
    let reader = services.read(caller);
    let ids: Vec<ResourceId> = users.iter().copied().map(ResourceId::new).collect();
    for _ in 0..MAX_READS {
        let rows = reader.facts().by_ids(&ids).await?;
        if let Some(known) = settled(services, caller, rows, Detail::Decision).await? {
            let named = |subject: Subject| (subject.0.facts.id.clone(), Arc::new(subject));
            return Ok(known.into_iter().map(named).collect());
        }
    }
    Err(Error::Busy)
}

/// The same by `userName`; each goes by what was asked for, whose letter case may be another.
async fn by_names(services: &Services, caller: &Caller, users: &[&str]) -> Result<Vec<(String, Arc<Subject>)>> {
    let reader = services.read(caller);
    let names: Vec<String> = users.iter().map(|user| fold::user_name_key(user)).collect();
    for _ in 0..MAX_READS {
        let (places, rows): (Vec<usize>, Vec<DecisionRow>) = reader.facts().by_names(&names).await?.into_iter().unzip();
        if let Some(known) = settled(services, caller, rows, Detail::Decision).await? {
            let asked = places.into_iter().filter_map(|at| users.get(at));
            let found = asked
                .zip(known)
                .map(|(user, subject)| ((*user).to_owned(), Arc::new(subject)));
            return Ok(found.collect());
        }
    }
    Err(Error::Busy)
}

/// Users by row number, with the groups' parents.
async fn together_with_paths(services: &Services, caller: &Caller, users: &[Pk]) -> Result<Vec<Subject>> {
    let reader = services.read(caller);
    for _ in 0..MAX_READS {
        let rows = reader.facts().of(users, Detail::Paths).await?;
        if let Some(known) = settled(services, caller, rows, Detail::Paths).await? {
            return Ok(known);
        }
    }
    Err(Error::Busy)
}

/// What was read, with those who report to each where that counts, and the policy that goes with all of it. `None` when
/// the policy moved meanwhile: then it is to be read again.
async fn settled(
    services: &Services,
    caller: &Caller,
    mut rows: Vec<DecisionRow>,
    detail: Detail,
) -> Result<Option<Vec<Subject>>> {
    let Some(version) = rows.first().map(|row| row.policy_version) else {
        return Ok(Some(Vec::new()));
    };
    let book = policy::at(services, caller, version).await?;
    if book.rulebook.version() != version || rows.iter().any(|row| row.policy_version != version) {
        return Ok(None);
    }
    let mut managers: Vec<&mut DecisionRow> = rows.iter_mut().collect();
    if !reports::add(&services.read(caller), &book, detail, &mut managers).await? {
        return Ok(None);
    }
    Ok(Some(rows.into_iter().map(|row| (row, Arc::clone(&book))).collect()))
}

async fn scopes_of(
    services: &Services,
    caller: &Caller,
    records: BTreeSet<&RecordRef>,
) -> Result<HashMap<RecordRef, Vec<ScopeKey>>> {
    let reader = services.read(caller);
    let records: Vec<RecordRef> = records.into_iter().cloned().collect();
    let mut found: HashMap<RecordRef, Vec<ScopeKey>> = HashMap::new();
    for some in records.chunks(AT_ONCE) {
        for (record, scope) in reader.records().scopes_of_each(some).await? {
            found.entry(record).or_default().push(scope);
        }
    }
    Ok(found)
}

/// Reads the facts about these users anew, with the groups' parents, which reasons name. What is decided is decided by
/// the same facts.
pub(super) async fn with_paths(
    services: &Services,
    caller: &Caller,
    found: &mut Found,
    wanted: impl Iterator<Item = &str>,
) -> Result<()> {
    let wanted: BTreeSet<&str> = wanted.collect();
    let number = |user: &&str| Some(found.user(user)?.0.facts.user);
    // Who is asked about by id and by name is read once.
    let users: BTreeSet<Pk> = wanted.iter().filter_map(number).collect();
    let users: Vec<Pk> = users.into_iter().collect();
    let mut known: HashMap<Pk, Arc<Subject>> = HashMap::with_capacity(users.len());
    for some in users.chunks(AT_ONCE) {
        let rows = together_with_paths(services, caller, some).await?;
        known.extend(
            rows.into_iter()
                .map(|subject| (subject.0.facts.user, Arc::new(subject))),
        );
    }
    for user in wanted {
        let Some((name, before)) = found.users.remove_entry(user) else {
            continue;
        };
        // Who is gone by now is nobody.
        if let Some(again) = known.get(&before.0.facts.user) {
            found.users.insert(name, Arc::clone(again));
        }
    }
    Ok(())
}
