//! On what a user may do something.

use std::collections::{BTreeSet, HashSet};

use super::subjects::permission;
use crate::access::permission::Permission;
use crate::access::{self, Facts, Reach, Target, evaluate};
use crate::base::clock::Timestamp;
use crate::base::id::ScopeKey;
use crate::service::access::decide::{may_ask, subject};
use crate::service::access::page::{Page, Paging};
use crate::service::access::policy::Book;
use crate::service::context::{Caller, Services};
use crate::service::error::Result;

/// A page of ids of records of a kind, or of scopes where the kind is `scope`, that a user may do something on.
///
/// Records are those that belong to a scope or are given one by one. What is held with a restriction is left out: what
/// properties a record has is not known here.
///
/// # Errors
/// As [`subjects`](super::subjects()); a user may ask about themselves.
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
