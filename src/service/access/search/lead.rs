//! Where those who are looked for are found, as far as an index knows it.

use std::collections::{BTreeSet, HashMap};

use crate::access::permission::Permission;
use crate::access::{self, Reach, RecordRef, Subject, Target};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};
use crate::service::access::policy::Book;
use crate::service::error::Result;
use crate::store::Reader;
use crate::store::access::facts::{DecisionRow, Detail};
use crate::store::access::views::{Person, Sources};

/// Where whoever has a permission on a target can have it from.
pub(in crate::service::access) struct Lead {
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
pub(in crate::service::access) struct Candidate {
    pub(in crate::service::access) row: DecisionRow,
    /// Where the lead is asked for names.
    pub(in crate::service::access) person: Option<Person>,
}

/// What is shown of these users.
pub(in crate::service::access) async fn people(
    reader: &Reader,
    users: impl Iterator<Item = Pk>,
) -> Result<HashMap<Pk, Person>> {
    let users: Vec<Pk> = users.collect();
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let people = reader.views().people(&users).await?;
    Ok(people.into_iter().map(|person| (person.pk, person)).collect())
}

impl Lead {
    /// To those who have one permission.
    pub(in crate::service::access) fn to(
        book: &Book,
        permission: Permission,
        target: &Target<'_>,
        now: Timestamp,
    ) -> Self {
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
    pub(in crate::service::access) fn to_role(
        book: &Book,
        role: Option<RoleKey>,
        target: &Target<'_>,
        now: Timestamp,
    ) -> Self {
        let roles = book.rulebook.policy().roles.iter().map(|role| role.key);
        let wanted = roles.filter(|key| role.is_none_or(|role| role == *key));
        Self::by(book, wanted.collect(), target, now)
    }

    /// To all users.
    pub(in crate::service::access) const fn to_everyone() -> Self {
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
    pub(in crate::service::access) const fn with_names(mut self) -> Self {
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
    pub(super) async fn read(&self, reader: &Reader, after: Pk, most: u32) -> Result<(Vec<Candidate>, bool)> {
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
