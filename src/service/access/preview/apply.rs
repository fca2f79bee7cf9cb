//! Making the changes of a preview, if they still come to the same.
//!
//! What they come to is worked out before the unit that makes them, because that takes long and the unit keeps everybody
//! else from writing. So a mark is set before, and the unit looks at what happened after it: who may have changed by that
//! is compared again. Where that is too much for one unit, units that change nothing catch up first.

use std::sync::Arc;

use super::again::{Seen, moved};
use super::ask::{Asked, What, admit, within};
use super::compute::{WorkedOut, work_out};
use super::touched::{Mark, Touched};
use crate::base::id::RuleKey;
use crate::service::access::authority::Held;
use crate::service::access::deletion::Ending;
use crate::service::access::desk::{Change, Desk, perform, rehearse};
use crate::service::access::grants::{self, Giving, Moving};
use crate::service::access::policy::{self, Book};
use crate::service::access::roles::{self, Holding};
use crate::service::access::rules::{self, Making, Prepared};
use crate::service::access::scopes;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::log::settled;
use crate::store::access::previews::Preview as Row;

/// How often it is worked out while things happen of which nobody knows whose access they change.
const MAX_ROUNDS: u32 = 5;
/// How often what happened since is caught up with before it is worked out again.
const MAX_CATCH_UPS: u32 = 200;

/// Makes the changes of a preview, all or none; `asked` is what [`find`](super::find) gave, read.
///
/// Rules that become active come into force one after the other when everything else is made. It waits for them some
/// seconds, for all together; what is not in force then is being prepared. One that is refused at that moment stays a
/// draft, and the refusal is told when all others are in force: they and everything else stay.
///
/// # Errors
/// `NotFound`; `Conflict` when the policy has changed since, when the changes would come to something else by now, or
/// when they are made already; whatever one of the changes is refused for; `Busy` when too much happens while it is
/// worked out.
pub async fn apply(services: &Services, caller: &Caller, id: &str, asked: &[Asked]) -> Result<()> {
    let held = admit(services, caller, asked).await?;
    let row = services
        .read(caller)
        .previews()
        .find(id)
        .await?
        .ok_or(Error::NotFound)?;
    if row.applied.is_some() {
        return Err(Error::conflict("the changes of this preview are made already"));
    }
    for _ in 0..MAX_ROUNDS {
        match round(services, caller, &row, asked, held).await {
            // What happened after the mark may have changed more users than can be looked at again.
            Err(Error::Stale) => {}
            outcome => return finish(services, caller, outcome?).await,
        }
    }
    Err(Error::Busy)
}

/// Works out what the changes come to, and makes them when that is what the preview showed. `Stale` when it may be
/// something else by then.
async fn round(services: &Services, caller: &Caller, row: &Row, asked: &[Asked], held: Held) -> Result<Vec<Left>> {
    // Units that are given up: the claim of the request has no effect by them.
    let mut mark = rehearse(services, caller, Marking).await?;
    let WorkedOut { preview, digest, seen } = work_out(services, caller, asked).await?;
    if preview.policy_version != row.policy_version || digest != row.digest {
        return Err(moved());
    }
    let seen = Arc::new(seen);
    for _ in 0..MAX_CATCH_UPS {
        match make(services, caller, (row, asked, held), (&seen, mark)).await {
            Err(Error::Stale) => {
                // Only what has a number can be looked at part by part.
                settled(services, caller).await?;
                let seen = Arc::clone(&seen);
                mark = rehearse(services, caller, CatchingUp { seen, mark }).await?;
            }
            outcome => return outcome,
        }
    }
    Err(Error::Stale)
}

/// Makes the changes if whoever may have changed since the mark has not. `Stale` when that is too much for one unit.
async fn make(
    services: &Services,
    caller: &Caller,
    (row, asked, held): (&Row, &[Asked], Held),
    (seen, mark): (&Arc<Seen>, Mark),
) -> Result<Vec<Left>> {
    let book = policy::current(services, caller).await?;
    let steps = asked.iter().enumerate().map(|(at, change)| {
        let step = Step::of((services, caller), &book, change, held);
        step.map_err(|error| within(error, at))
    });
    let applying = Applying {
        id: row.id.clone(),
        seen: Arc::clone(seen),
        mark,
        steps: steps.collect::<Result<_>>()?,
    };
    perform(services, caller, applying).await
}

/// How much happened, when nobody is writing about a user: whoever writes shares the policy, and who does so later has a
/// later entry.
struct Marking;

impl Change for Marking {
    type Made = Mark;

    async fn make(&self, desk: &mut Desk) -> Result<Mark> {
        desk.unit.policy().hold().await?;
        Mark::now(&mut desk.unit).await
    }
}

/// Whoever may have changed since the mark is compared, some of them, and nothing is made.
struct CatchingUp {
    seen: Arc<Seen>,
    mark: Mark,
}

impl Change for CatchingUp {
    /// How much was looked at.
    type Made = Mark;

    async fn make(&self, desk: &mut Desk) -> Result<Mark> {
        hold(desk, &self.seen).await?;
        let touched = Touched::since(&mut desk.unit, self.mark).await?;
        let mark = touched.mark();
        self.seen.compare(&mut desk.unit, touched).await?;
        Ok(mark)
    }
}

/// Keeps everybody from writing, and sees that the policy is the one it was worked out by.
async fn hold(desk: &mut Desk, seen: &Seen) -> Result<()> {
    if desk.unit.policy().hold().await? == seen.policy_version() {
        return Ok(());
    }
    Err(Error::conflict(
        "the policy has changed since the preview; make a new one",
    ))
}

/// Does what is left. The changes are made by now, so whatever fails here keeps nothing else from being done.
async fn finish(services: &Services, caller: &Caller, left: Vec<Left>) -> Result<()> {
    let (mut entering, mut forgetting) = (Vec::new(), Vec::new());
    for one in left {
        match one {
            Left::Enter(prepared) => entering.push(*prepared),
            Left::Forget(key, version) => forgetting.push((key, version)),
        }
    }
    let entered = rules::enter_each(services, caller, entering).await;
    for (key, version) in forgetting {
        if let Err(error) = rules::forget(services, caller, key, version).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "old matches of a rule are left"
            );
        }
    }
    entered
}

/// One change on its way.
pub(super) enum Step {
    Grant(Giving),
    Role(roles::New),
    Scope(scopes::New),
    Rule(Box<Making>),
    EndGrant(Moving),
    EndRole(roles::End),
    EndScope(scopes::End),
    EndRule(rules::End),
}

impl Step {
    pub(super) fn of(
        (services, caller): (&Services, &Caller),
        book: &Arc<Book>,
        change: &Asked,
        held: Held,
    ) -> Result<Self> {
        let ending = |id: &str| Ending {
            id: id.to_owned(),
            holding: Holding::Detach,
            book: Arc::clone(book),
            held,
        };
        Ok(match change {
            Asked::Grant(new) => {
                let id = services.ids().next().into_string();
                Self::Grant(Giving::new(&id, new, held)?)
            }
            Asked::Role(new) => Self::Role(roles::New::of(services, new, held)?),
            Asked::Scope(new) => Self::Scope(scopes::New::of(services, new)?),
            Asked::Rule(new) => Self::Rule(Box::new(Making::of((services, caller), new, held)?)),
            Asked::Delete(What::Grant, id) => Self::EndGrant(Moving {
                id: id.clone(),
                held,
                deed: grants::Edit::Delete,
            }),
            Asked::Delete(What::Role, id) => Self::EndRole(roles::End(ending(id))),
            Asked::Delete(What::Scope, id) => Self::EndScope(scopes::End(ending(id))),
            Asked::Delete(What::Rule, id) => Self::EndRule(rules::End(id.clone())),
        })
    }

    pub(super) async fn make(&self, desk: &mut Desk) -> Result<Option<Left>> {
        match self {
            Self::Grant(change) => change.make(desk).await?,
            Self::Role(change) => change.make(desk).await?,
            Self::Scope(change) => change.make(desk).await?,
            Self::Rule(change) => return Ok(change.make(desk).await?.map(Left::Enter)),
            Self::EndGrant(change) => change.make(desk).await?,
            Self::EndRole(change) => change.make(desk).await?,
            Self::EndScope(change) => change.make(desk).await?,
            Self::EndRule(change) => {
                let (key, version) = change.make(desk).await?;
                return Ok(Some(Left::Forget(key, version)));
            }
        }
        Ok(None)
    }
}

/// What is left to do when the changes are made.
pub(super) enum Left {
    /// Put a rule in force.
    Enter(Box<Prepared>),
    /// Remove matches that no longer count.
    Forget(RuleKey, i64),
}

struct Applying {
    id: String,
    seen: Arc<Seen>,
    /// What happened up to it was looked at.
    mark: Mark,
    steps: Vec<Step>,
}

impl Change for Applying {
    type Made = Vec<Left>;

    async fn make(&self, desk: &mut Desk) -> Result<Vec<Left>> {
        hold(desk, &self.seen).await?;
        let touched = Touched::since(&mut desk.unit, self.mark).await?;
        if touched.is_behind() {
            return Err(Error::Stale);
        }
        self.seen.compare(&mut desk.unit, touched).await?;
        if !desk.unit.previews().apply(&self.id, desk.now).await? {
            return Err(Error::conflict("the changes of this preview are made already"));
        }
        let mut left = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            left.extend(step.make(desk).await.map_err(|error| within(error, at))?);
        }
        Ok(left)
    }
}
