//! Rules as they are shown.

use std::borrow::Cow;

use super::content::{Example, read_examples};
use crate::access::rule::names::Names;
use crate::access::rule::sentence::sentence;
use crate::access::{Condition, Outcome, Policy, Reach, Rule as Known, State, Validity};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RuleKey, ScopeKey};
use crate::scim::schema::ResourceType;
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::grants::{Made, connections};
use crate::service::access::names::{self, Named, Place};
use crate::service::access::page::{Page, Paging};
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Kind;
use crate::store::access::rules::{Standing, StoredRule};

/// A rule as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// A UUID.
    pub id: String,
    /// For people.
    pub name: String,
    /// Counts every change.
    pub version: i64,
    /// Whether it counts.
    pub state: State,
    /// The condition: a SCIM filter over users.
    pub when: String,
    /// What it gives.
    pub then: Vec<OutcomeShown>,
    /// When it counts.
    pub validity: Validity,
    /// What it is meant to say.
    pub examples: Vec<Example>,
    /// All of it in one plain sentence.
    pub sentence: String,
    /// The version whose users are being found, and how far that is; it comes into force then.
    pub progress: Option<Progress>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

/// How far the users of a version are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The version that is being prepared.
    pub version: i64,
    /// Users that were looked at.
    pub done: u64,
    /// Users that there are.
    pub total: u64,
}

/// What a rule gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutcomeShown {
    /// A role, somewhere.
    Role {
        /// Which.
        role: Named,
        /// Where.
        place: Place,
    },
    /// The bare membership of a scope.
    Member(Named),
    /// Membership of a group.
    Group(Named),
}

/// One version of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number.
    pub version: i64,
    /// `draft`, `active`, `retired`, `preparing` or `abandoned`.
    pub state: &'static str,
    /// For people.
    pub name: String,
    /// The condition.
    pub when: String,
    /// What it gives.
    pub then: Vec<OutcomeShown>,
    /// When it counts.
    pub validity: Validity,
    /// Who made it.
    pub made: Made,
}

/// A page of rules, oldest first; with a state, only those in it.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, state: Option<State>, paging: &Paging) -> Result<Page<Rule>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let after = RuleKey(paging.after()?);
    let rows = services.read(caller).rules().list(state, after, paging.rows()).await?;
    let book = policy::current(services, caller).await?;
    let users = users(services, caller, &rows).await?;
    let groups = knowing(services, caller, &book, rows.iter().flat_map(|row| &row.then)).await?;
    let page = paging.cut(rows, |row| row.key.0);
    Ok(page.map(|row| shown(caller, (&book, &groups), users, row)))
}

/// How many users there are, where a rule is being prepared.
async fn users(services: &Services, caller: &Caller, rows: &[StoredRule]) -> Result<u64> {
    if rows.iter().all(|row| row.preparing.is_none()) {
        return Ok(0);
    }
    Ok(services.read(caller).resources().count(Kind::User).await?)
}

/// One rule.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Rule> {
    require(services, caller, &[VIEW, GIVE]).await?;
    find_again(services, caller, id).await
}

/// A page of the versions of a rule, latest first.
///
/// # Errors
/// `Forbidden`, `NotFound`, a cursor that is none.
pub async fn versions(services: &Services, caller: &Caller, id: &str, paging: &Paging) -> Result<Page<Version>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let reader = services.read(caller);
    let key = reader.rules().find(id).await?.ok_or(Error::NotFound)?.key;
    let before = Some(paging.after()?).filter(|before| *before != 0);
    let rows = reader.rules().versions(key, before, paging.rows()).await?;
    let book = policy::current(services, caller).await?;
    let connections = connections(services, caller).await?;
    let groups = knowing(services, caller, &book, rows.iter().flat_map(|row| &row.then)).await?;
    let page = paging.cut(rows, |row| row.version);
    Ok(page.map(|row| Version {
        version: row.version,
        state: match row.standing {
            Standing::Entered(state) => state.as_str(),
            Standing::Preparing => "preparing",
            Standing::Abandoned => "abandoned",
        },
        name: row.name,
        when: row.when,
        then: outcomes(&book, &groups, &row.then),
        validity: row.validity,
        made: Made {
            at: row.made.at,
            by_kind: row.made.actor_kind,
            by: row.made.actor_name,
            connection: row.made.connection.and_then(|id| connections.get(&id).cloned()),
            request_id: row.made.request_id,
        },
    }))
}

pub(super) async fn find_again(services: &Services, caller: &Caller, id: &str) -> Result<Rule> {
    let row = services.read(caller).rules().find(id).await?.ok_or(Error::NotFound)?;
    let book = policy::current(services, caller).await?;
    let users = users(services, caller, std::slice::from_ref(&row)).await?;
    let groups = knowing(services, caller, &book, &row.then).await?;
    Ok(shown(caller, (&book, &groups), users, row))
}

/// The policy, and beside it the groups that these outcomes name and it does not know: what does not count, as a draft
/// does not, may name such.
async fn knowing<'b>(
    services: &Services,
    caller: &Caller,
    book: &'b Book,
    then: impl IntoIterator<Item = &Outcome>,
) -> Result<Cow<'b, Policy>> {
    let policy = book.rulebook.policy();
    let named = then.into_iter().filter_map(|outcome| match outcome {
        Outcome::Group(group) => Some(*group),
        Outcome::Role { .. } | Outcome::Member(_) => None,
    });
    let mut unknown: Vec<Pk> = named.filter(|group| policy.group(*group).is_none()).collect();
    if unknown.is_empty() {
        return Ok(Cow::Borrowed(policy));
    }
    unknown.sort_unstable();
    unknown.dedup();
    let found = services.read(caller).policy().groups(&unknown).await?;
    let mut more = policy.clone();
    more.groups.extend(found);
    Ok(Cow::Owned(more))
}

fn shown(caller: &Caller, (book, names): (&Book, &Policy), users: u64, row: StoredRule) -> Rule {
    let user = caller.user_type().ok();
    let known = user.and_then(|user| Some((known(&row, user)?, user)));
    let sentence = known
        .map(|(rule, user)| sentence(&rule, names, user))
        .unwrap_or_default();
    Rule {
        id: row.id,
        name: row.name,
        version: row.version,
        state: row.state,
        then: outcomes(book, names, &row.then),
        when: row.when,
        validity: row.validity,
        examples: read_examples(&row.examples),
        sentence,
        progress: row.preparing.map(|preparing| Progress {
            version: preparing.version,
            done: preparing.looked_at,
            // Some may have gone since they were looked at.
            total: users.max(preparing.looked_at),
        }),
        created: row.created,
        modified: row.modified,
    }
}

/// The rule as the engine sees it; none when its condition no longer fits the schema.
fn known(row: &StoredRule, user: &ResourceType) -> Option<Known> {
    Some(Known {
        key: row.key,
        id: row.id.clone(),
        name: row.name.clone(),
        version: row.version,
        matched: row.matched,
        state: row.state,
        when: Condition::compile(&row.when, user).ok()?,
        then: row.then.clone(),
        validity: row.validity,
    })
}

/// What a rule gives, without what is gone since: a draft keeps nothing from being deleted.
fn outcomes(book: &Book, groups: &Policy, then: &[Outcome]) -> Vec<OutcomeShown> {
    let has = |scope: &ScopeKey| book.rulebook.scope(*scope).is_some();
    let is_there = |outcome: &&Outcome| match outcome {
        Outcome::Role { role, reach } => {
            book.rulebook.role(*role).is_some() && !matches!(reach, Reach::Scope(scope) if !has(scope))
        }
        Outcome::Member(scope) => has(scope),
        Outcome::Group(group) => groups.group(*group).is_some(),
    };
    let shown = |outcome: &Outcome| match outcome {
        Outcome::Role { role, reach } => OutcomeShown::Role {
            role: names::role(book, *role),
            place: names::place(book, reach),
        },
        Outcome::Member(scope) => OutcomeShown::Member(names::scope(book, *scope)),
        Outcome::Group(group) => OutcomeShown::Group(group_named(groups, *group)),
    };
    then.iter().filter(is_there).map(shown).collect()
}

fn group_named(groups: &Policy, pk: Pk) -> Named {
    let found = groups.group(pk);
    Named {
        id: found.map_or_else(|| pk.to_string(), |group| group.id.to_owned()),
        name: found.map_or_else(|| pk.to_string(), |group| group.name.to_owned()),
    }
}
