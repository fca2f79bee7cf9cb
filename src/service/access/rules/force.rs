//! The moment a version takes its place: whether the rules can stand together, and what counts for nothing after it.

use super::enter::Prepared;
use crate::access::{Condition, Rule, Rulebook, State, Validity, invariant};
use crate::base::id::RuleKey;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::policy;
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::told;
use crate::store;
use crate::store::access::matches::dead;
use crate::store::error::Unique;

/// Matches that are removed in one unit.
const REMOVED_AT_ONCE: u32 = 5_000;
/// Versions whose matches are removed in one go.
const MOST_DEAD: u32 = 100;

/// Puts a version in force whose matches are found; false when it is not being prepared any more.
pub(super) struct Force(pub(super) Box<Prepared>);

impl Change for Force {
    type Made = bool;

    async fn make(&self, desk: &mut Desk) -> Result<bool> {
        desk.unit.policy().hold().await?;
        let Prepared { key, id, version, .. } = &*self.0;
        let entered = desk.unit.rules().put_in_force(*key, *version, desk.now).await;
        let entered = entered.map_err(taken)?;
        if entered.is_none() {
            return Ok(false);
        }
        stands(desk).await?;
        let row = desk.unit.rules().get(*key).await?.ok_or(Error::NotFound)?;
        let image = told::rule(&mut desk.unit, &row).await?;
        desk.note(What::RuleActivated, ledger::thing(Thing::Rule, id), &image.data());
        Ok(true)
    }
}

/// Whether the rules that would be active can stand together: asked in the unit, of what it has written.
pub(super) async fn stands(desk: &mut Desk) -> Result<()> {
    let shared = desk.unit.policy().load().await?;
    let (policy, _) = policy::read(&desk.services, &desk.caller, shared)?;
    if invariant::by_rules(&policy) {
        desk.watch_passing().await?;
    }
    match Rulebook::compile(policy) {
        Ok(_) => Ok(()),
        Err(faults) => Err(faulty(&faults)),
    }
}

/// The same with one more rule.
pub(super) async fn would_stand(desk: &mut Desk, key: RuleKey, when: Condition, content: Content<'_>) -> Result<()> {
    let shared = desk.unit.policy().load().await?;
    let (mut policy, _) = policy::read(&desk.services, &desk.caller, shared)?;
    policy.rules.retain(|rule| rule.key != key);
    policy.rules.push(Rule {
        key,
        id: content.id.to_owned(),
        name: content.name.to_owned(),
        version: 0,
        matched: 0,
        state: State::Active,
        when,
        then: content.then.to_vec(),
        validity: Validity::ALWAYS,
    });
    if invariant::by_rules(&policy) {
        desk.watch_passing().await?;
    }
    match Rulebook::compile(policy) {
        Ok(_) => Ok(()),
        Err(faults) => Err(faulty(&faults)),
    }
}

/// What a trial looks at.
#[derive(Clone, Copy)]
pub(super) struct Content<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) then: &'a [crate::access::Outcome],
}

fn faulty(faults: &[crate::access::RuleFault]) -> Error {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Error::Invalid(Refusal::new(texts.join("; ")).at("/then"))
}

pub(super) fn taken(error: store::Error) -> Error {
    match error {
        store::Error::Taken(Unique::RuleName) => {
            Error::Conflict(Refusal::new("there is a rule of this name already").at("/name"))
        }
        store::Error::Stale => Error::Stale,
        other => other.into(),
    }
}

/// Removes matches that count for nothing any more.
pub(in crate::service::access) async fn forget(
    services: &Services,
    caller: &Caller,
    key: RuleKey,
    version: i64,
) -> Result<()> {
    while perform(services, caller, Forget { key, version }).await? > 0 {}
    Ok(())
}

/// Removes matches that nobody removed when they ceased to count: of versions that were given up, of rules that a
/// deletion retired, of servers that stopped in between. At most so many in one go; gives how many there were.
///
/// # Errors
/// When the database fails.
pub async fn forget_left(services: &Services) -> Result<usize> {
    let mut forgotten = 0;
    for left in dead(services.db(), MOST_DEAD).await? {
        let request = services.ids().next().into_string();
        let authority = Authority::Operator("left");
        let words = services.vocabulary(left.tenant).await?;
        let caller = Caller::new((left.tenant, left.slug.into()), words, authority, request.into());
        let (key, version) = (left.rule, left.version);
        forgotten += perform(services, &caller, Forget { key, version }).await?;
    }
    Ok(forgotten)
}

struct Forget {
    key: RuleKey,
    version: i64,
}

impl Change for Forget {
    type Made = usize;

    async fn make(&self, desk: &mut Desk) -> Result<usize> {
        let mut matches = desk.unit.matches();
        Ok(matches.forget((self.key, self.version), REMOVED_AT_ONCE).await?)
    }
}
