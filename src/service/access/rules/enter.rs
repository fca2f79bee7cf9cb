//! How a rule comes into force: its version is prepared, the users it speaks of are found a few at a time, and then it
//! takes its place at once. Decisions are made meanwhile, by the version before.
//!
//! How far that is stands in the database with every piece of work, so it can be told, and whoever finds it left over
//! goes on from there.

use serde_json::json;

use super::content::condition;
use super::force::{Force, forget};
use crate::access::Condition;
use crate::access::rule::condition::Atom;
use crate::base::id::{Pk, RuleKey};
use crate::scim::filter::Checked;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::access::matches::Range;
use crate::store::access::rules::{LeftOver, Standing, StoredVersion, left_over};

/// Users of one unit: some 20 ms of the writer.
const USERS_AT_ONCE: u32 = 2_000;
/// Versions that are taken up in one go.
const MOST_LEFT_OVER: u32 = 100;

/// A version that waits for its matches.
#[derive(Debug, Clone)]
pub(in crate::service::access) struct Prepared {
    pub(super) key: RuleKey,
    pub(super) id: String,
    pub(super) version: i64,
    /// The version whose matches counted before.
    pub(super) before: i64,
    pub(super) when: Condition,
}

/// Finds the matches and puts the version in force; returns when it is, or when that takes longer than a request should.
///
/// In a task of its own: a client that hangs up does not leave it half done.
pub(in crate::service::access) async fn enter(
    services: &Services,
    caller: &Caller,
    prepared: Box<Prepared>,
) -> Result<()> {
    enter_each(services, caller, vec![*prepared]).await
}

/// The same for several, one after the other: what stands against one keeps no other from its place. Gives the first
/// refusal when all have had their turn, and waits for all of them together no longer than for one.
pub(in crate::service::access) async fn enter_each(
    services: &Services,
    caller: &Caller,
    prepared: Vec<Prepared>,
) -> Result<()> {
    let patience = services.waits().rule;
    let (services, caller) = (services.clone(), caller.unclaimed());
    let work = tokio::spawn(async move {
        let mut outcome = Ok(());
        for prepared in prepared {
            outcome = outcome.and(enter_one(&services, &caller, Box::new(prepared)).await);
        }
        outcome
    });
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done.map_err(|fault| Error::Internal(Box::new(fault)))?,
        Err(_) => Ok(()),
    }
}

async fn enter_one(services: &Services, caller: &Caller, prepared: Box<Prepared>) -> Result<()> {
    let at = (prepared.key, prepared.version);
    let outcome = match drive(services, caller, prepared, Pk(0)).await {
        Ok(Driven::Overtaken) => overtaken(services, caller, at).await,
        Ok(Driven::InForce) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = &outcome {
        tracing::info!(
            error = error as &dyn std::error::Error,
            "a rule did not come into force"
        );
    }
    outcome
}

/// What became of the work at a version.
enum Driven {
    /// It is in force.
    InForce,
    /// Somebody else has got further, or has made it pointless.
    Overtaken,
}

/// What it means for the request that began: nothing, when another server is at it; else another change came between.
async fn overtaken(services: &Services, caller: &Caller, (rule, version): (RuleKey, i64)) -> Result<()> {
    let reader = services.read(caller);
    // The first before the next is this one, unless it has another number by now.
    let found = reader.rules().versions(rule, Some(version + 1), 1).await?;
    let is_given_up = |found: &StoredVersion| found.version == version && found.standing == Standing::Abandoned;
    if found.iter().any(is_given_up) {
        return Err(Error::conflict("the rule was changed by somebody else meanwhile"));
    }
    Ok(())
}

/// Takes up every version that nobody is at: of a server that stopped, or of one that is not heard of any more. Gives
/// how many came into force.
///
/// # Errors
/// When the database fails; what stands against one version is told in the log.
pub async fn resume(services: &Services) -> Result<usize> {
    let mut entered = 0;
    for left in left_over(services.db(), services.clock().now(), MOST_LEFT_OVER).await? {
        match take_up(services, &left).await {
            Ok(Driven::InForce) => entered += 1,
            Ok(Driven::Overtaken) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a rule that was being prepared did not come into force");
            }
        }
    }
    Ok(entered)
}

/// Goes on in the name of the request that asked for it.
async fn take_up(services: &Services, left: &LeftOver) -> Result<Driven> {
    let own = || services.ids().next().into_string();
    let request = left.request_id.clone().unwrap_or_else(own);
    let authority = Authority::Operator("resumed");
    let words = services.vocabulary(left.tenant).await?;
    let caller = Caller::new(
        (left.tenant, left.slug.as_str().into()),
        words,
        authority,
        request.into(),
    );
    let reader = services.read(&caller);
    let rule = reader.rules().get(left.rule).await?;
    let versions = reader.rules().versions(left.rule, Some(left.version + 1), 1).await?;
    let version = versions.into_iter().find(|version| version.version == left.version);
    let claim = Claim(left.rule, left.version);
    let (Some(rule), Some(version), Some(from)) = (rule, version, perform(services, &caller, claim).await?) else {
        return Ok(Driven::Overtaken);
    };
    match condition(&version.when, caller.user_type()?) {
        Ok(when) => {
            let prepared = Prepared {
                key: left.rule,
                id: rule.id,
                version: left.version,
                before: rule.matched,
                when,
            };
            drive(services, &caller, Box::new(prepared), from).await
        }
        Err(error) => {
            give_up(services, &caller, (left.rule, left.version), rule.id).await;
            Err(error)
        }
    }
}

/// All there is to do for a version, from this user on.
async fn drive(services: &Services, caller: &Caller, prepared: Box<Prepared>, from: Pk) -> Result<Driven> {
    let (key, before, version) = (prepared.key, prepared.before, prepared.version);
    if !find_matches(services, caller, &prepared, from).await? {
        return Ok(Driven::Overtaken);
    }
    let id = prepared.id.clone();
    match perform(services, caller, Force(prepared)).await {
        Ok(true) => {}
        Ok(false) => return Ok(Driven::Overtaken),
        Err(error) => {
            if is_final(&error) {
                give_up(services, caller, (key, version), id).await;
            }
            return Err(error);
        }
    }
    // What counts for nothing any more is in nobody's way.
    if before != version
        && let Err(error) = forget(services, caller, key, before).await
    {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "old matches of a rule are left"
        );
    }
    Ok(Driven::InForce)
}

/// Whether a version is refused for what it says, so that trying again would put it in force behind the back of whoever
/// was told that it is refused.
fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::Invalid(_) | Error::Conflict(_) | Error::Violated(_) | Error::Forbidden(_) | Error::NotFound
    )
}

/// Gives a version up for good. A failure is logged: the version is taken up again then, and refused again.
async fn give_up(services: &Services, caller: &Caller, version: (RuleKey, i64), id: String) {
    if let Err(error) = perform(services, caller, GiveUp(version, id)).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a rule that is refused is still being prepared"
        );
    }
}

/// False when somebody else has got further.
async fn find_matches(services: &Services, caller: &Caller, prepared: &Prepared, mut from: Pk) -> Result<bool> {
    // What asks for groups alone has no matches.
    if prepared.when.atoms().is_empty() {
        return Ok(true);
    }
    let reader = services.read(caller);
    while let Some((range, users)) = reader.matches().next_range(from, USERS_AT_ONCE).await? {
        from = range.to;
        let piece = Piece {
            key: (prepared.key, prepared.version),
            when: prepared.when.clone(),
            range,
            users,
        };
        if !perform(services, caller, piece).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Says that somebody is at a version; gives the first user that is not looked at.
struct Claim(RuleKey, i64);

impl Change for Claim {
    type Made = Option<Pk>;

    async fn make(&self, desk: &mut Desk) -> Result<Option<Pk>> {
        Ok(desk.unit.rules().claim((self.0, self.1), desk.now).await?)
    }
}

/// The users of one range.
struct Piece {
    key: (RuleKey, i64),
    when: Condition,
    range: Range,
    users: u64,
}

impl Change for Piece {
    type Made = bool;

    async fn make(&self, desk: &mut Desk) -> Result<bool> {
        let (range, now) = (self.range, desk.now);
        if !desk.unit.rules().advance(self.key, range, self.users, now).await? {
            return Ok(false);
        }
        let atoms: Vec<&Checked> = self.when.atoms().iter().map(Atom::checked).collect();
        let cause = ledger::cause(&desk.caller, desk.now);
        desk.unit.matches().derive(self.key, &atoms, range, cause).await?;
        Ok(true)
    }
}

/// A version that is refused: what it would be in force with has changed, or the schema.
struct GiveUp((RuleKey, i64), String);

impl Change for GiveUp {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.policy().hold().await?;
        if desk.unit.rules().give_up(self.0).await? {
            let (_, version) = self.0;
            let data = json!({ "version": version });
            desk.note(What::RuleAbandoned, ledger::thing(Thing::Rule, &self.1), &data);
        }
        Ok(())
    }
}
