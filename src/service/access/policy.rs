//! Policies, compiled once a version and kept in memory.
//!
//! Whoever uses one knows the version it must be: it is read in the same statement as the facts, or held by the unit.

use moka::sync::Cache;
use std::collections::HashMap;
use std::sync::Arc;

use super::reports;
use crate::access::permission::Permissions;
use crate::access::role::predefined;
use crate::access::{Condition, Policy, Role, Rule, Rulebook, StatusRules};
use crate::base::id::{RuleKey, ScopeKey, TenantId};
use crate::scim::schema::ResourceType;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Kind;
use crate::store::access::facts::{DecisionRow, Detail, UserKey};
use crate::store::access::policy::{RuleRow, Shared};

/// Tenants whose policy is kept ready.
const MAX_TENANTS: u64 = 10_000;
/// Reads before a policy that changes all the time is given up on.
const MAX_READS: u32 = 5;

/// A policy made ready for use.
#[derive(Debug)]
pub struct Book {
    /// What is decided by.
    pub rulebook: Rulebook,
    /// Conditions that must be asked of every document that is written: of active rules, and of versions that are
    /// being prepared.
    pub watched: Vec<Watched>,
    /// Who is kept out because of what is known of them.
    pub status_rules: StatusRules,
    /// Scopes by their ids.
    scopes: HashMap<String, ScopeKey>,
}

/// A condition whose matches are kept.
#[derive(Debug)]
pub struct Watched {
    /// Of which rule.
    pub rule: RuleKey,
    /// The version under which its matches are kept.
    pub version: i64,
    /// The condition.
    pub condition: Condition,
    /// Whether it counts; else it is being prepared.
    pub in_force: bool,
}

/// The policies of all tenants, as far as they were needed lately.
pub struct Policies(Cache<TenantId, Arc<Book>>);

impl Policies {
    pub(in crate::service) fn new() -> Self {
        Self(Cache::new(MAX_TENANTS))
    }

    fn keep(&self, tenant: TenantId, book: &Arc<Book>) {
        let newer = |kept: Arc<Book>| kept.rulebook.version() > book.rulebook.version();
        if !self.0.get(&tenant).is_some_and(newer) {
            self.0.insert(tenant, Arc::clone(book));
        }
    }

    /// Forgets what is known of a tenant: the next use reads it again.
    pub(in crate::service) fn forget(&self, tenant: TenantId) {
        self.0.invalidate(&tenant);
    }
}

/// The policy of this version, or of a later one if there is one by now.
pub(in crate::service) async fn at(services: &Services, caller: &Caller, version: i64) -> Result<Arc<Book>> {
    if let Some(book) = services.policies().0.get(&caller.tenant())
        && book.rulebook.version() == version
    {
        return Ok(book);
    }
    let shared = services.read(caller).policy().load().await?;
    let words = services.vocabulary_at(caller.tenant(), shared.schemas).await?;
    let book = Arc::new(compile(services, words.user_type()?, shared));
    services.policies().keep(caller.tenant(), &book);
    Ok(book)
}

/// The policy as it was when last needed: for work that is checked against the version later.
pub(in crate::service) async fn latest(services: &Services, caller: &Caller) -> Result<Arc<Book>> {
    match services.policies().0.get(&caller.tenant()) {
        Some(book) => Ok(book),
        None => current(services, caller).await,
    }
}

/// The policy of a unit that has locked it at this version. `Busy` when another one was in memory: then the whole is to be
/// done again.
pub(in crate::service) async fn locked_at(services: &Services, caller: &Caller, version: i64) -> Result<Arc<Book>> {
    let book = latest(services, caller).await?;
    if book.rulebook.version() == version {
        return Ok(book);
    }
    services.policies().forget(caller.tenant());
    Err(Error::Busy)
}

/// The policy now.
pub(in crate::service) async fn current(services: &Services, caller: &Caller) -> Result<Arc<Book>> {
    let version = services.read(caller).policy().version().await?;
    at(services, caller, version).await
}

/// What a decision about a user needs: one statement, as long as the policy is the one in memory.
pub(in crate::service) async fn facts(
    services: &Services,
    caller: &Caller,
    who: UserKey<'_>,
    record: Option<&crate::access::RecordRef>,
) -> Result<Option<(DecisionRow, Arc<Book>)>> {
    let reader = services.read(caller);
    let mut kept = services.policies().0.get(&caller.tenant());
    for _ in 0..MAX_READS {
        let with_reports = kept.is_some_and(|book| book.managers_see_reports());
        let row = if with_reports {
            reader.facts().for_manager(who, record).await?
        } else {
            reader.facts().for_decision(who, record).await?
        };
        let Some(row) = row else {
            return Ok(None);
        };
        let book = at(services, caller, row.policy_version).await?;
        if book.rulebook.version() == row.policy_version && book.managers_see_reports() == with_reports {
            return Ok(Some((row, book)));
        }
        kept = Some(book);
    }
    Err(Error::Busy)
}

/// Compiles what can be: a rule that something else has broken gives nothing, and is told in the log.
pub(in crate::service) fn compile(services: &Services, user: &ResourceType, shared: Shared) -> Book {
    let (policy, watched) = against(services, user, shared);
    let (status_rules, faults) = StatusRules::compile(&policy.settings.status_rules, user);
    for (name, fault) in faults {
        tracing::warn!(rule.name = name, %fault, "the condition of a rule of status no longer fits the schema");
    }
    let book = bound(policy, watched);
    Book { status_rules, ..book }
}

/// A policy of any time, made ready.
pub(in crate::service) fn bound(policy: Policy, watched: Vec<Watched>) -> Book {
    let (rulebook, faults) = Rulebook::salvage(policy);
    for fault in faults {
        tracing::warn!(%fault, "a rule cannot be used");
    }
    let scopes = rulebook.policy().scopes.iter();
    let scopes = scopes.map(|scope| (scope.id.clone(), scope.key)).collect();
    Book {
        rulebook,
        watched,
        status_rules: StatusRules::default(),
        scopes,
    }
}

/// What is stored as the engine sees it. Rules whose condition no longer fits the schema are left out.
pub(in crate::service) fn read(services: &Services, caller: &Caller, shared: Shared) -> Result<(Policy, Vec<Watched>)> {
    Ok(against(services, caller.user_type()?, shared))
}

fn against(services: &Services, user: &ResourceType, shared: Shared) -> (Policy, Vec<Watched>) {
    let catalogue = services.catalogue();
    let mut roles: Vec<Role> = predefined(catalogue).into();
    roles.extend(shared.roles.into_iter().map(|row| Role {
        key: row.key,
        id: row.id,
        name: row.name,
        permissions: catalogue.known(row.permissions.iter().map(String::as_str)),
        origin: row.origin,
    }));
    let mut watched = Vec::new();
    let mut active = Vec::new();
    for row in shared.rules {
        let matched = row.matched;
        if let Some(rule) = rule(user, row) {
            watched.push(Watched {
                rule: rule.key,
                version: matched,
                condition: rule.when.clone(),
                in_force: true,
            });
            active.push(rule);
        }
    }
    for row in shared.preparing {
        let matched = row.matched;
        if let Some(rule) = rule(user, row) {
            watched.push(Watched {
                rule: rule.key,
                version: matched,
                condition: rule.when,
                in_force: false,
            });
        }
    }
    let policy = Policy {
        version: shared.version,
        settings: shared.settings,
        closed: shared.closed,
        catalogue: Arc::clone(catalogue),
        roles,
        scopes: shared.scopes,
        grants: shared.grants,
        rules: active,
        groups: shared.groups,
    };
    (policy, watched)
}

fn rule(user: &ResourceType, row: RuleRow) -> Option<Rule> {
    match Condition::compile(&row.when, user) {
        Ok(when) => Some(Rule {
            key: row.key,
            id: row.id,
            name: row.name,
            version: row.version,
            matched: row.matched,
            state: row.state,
            when,
            then: row.then,
            validity: row.validity,
        }),
        Err(fault) => {
            tracing::warn!(rule.id = row.id, %fault, "the condition of a rule no longer fits the schema");
            None
        }
    }
}

impl Book {
    /// The scope of this id.
    pub(super) fn scope_of(&self, id: &str) -> Option<ScopeKey> {
        self.scopes.get(id).copied()
    }

    /// Whether a manager sees what those see who report to them.
    pub(super) fn managers_see_reports(&self) -> bool {
        self.rulebook.policy().settings.managers_see_reports
    }

    /// Whether rules say who is in any group.
    pub(in crate::service) fn has_smart_groups(&self) -> bool {
        !self.rulebook.smart_groups().is_empty()
    }

    /// The version under which the matches of a rule in force are kept.
    pub(in crate::service) fn matched(&self, rule: RuleKey) -> Option<i64> {
        let mut known = self.watched.iter().filter(|known| known.in_force);
        known.find(|known| known.rule == rule).map(|known| known.version)
    }

    /// The permissions of a set, by their keys in the order of the catalogue.
    pub(in crate::service) fn keys(&self, permissions: Permissions) -> Vec<String> {
        let catalogue = self.rulebook.catalogue();
        catalogue.keys(permissions).map(str::to_owned).collect()
    }
}

/// The same with the groups' parents, by id: what an explanation needs.
pub(super) async fn paths(
    services: &Services,
    caller: &Caller,
    id: &crate::base::id::ResourceId,
) -> Result<(DecisionRow, Arc<Book>)> {
    let reader = services.read(caller);
    let found = reader.resources().pks(std::slice::from_ref(id)).await?;
    let user = found.into_iter().find(|(_, _, kind)| *kind == Kind::User);
    let (_, pk, _) = user.ok_or(Error::NotFound)?;
    for _ in 0..MAX_READS {
        let rows = reader.facts().of(&[pk], Detail::Paths).await?;
        let mut row = rows.into_iter().next().ok_or(Error::NotFound)?;
        let book = at(services, caller, row.policy_version).await?;
        if book.rulebook.version() == row.policy_version
            && reports::add(&reader, &book, Detail::Paths, &mut [&mut row]).await?
        {
            return Ok((row, book));
        }
    }
    Err(Error::Busy)
}
