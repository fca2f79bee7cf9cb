//! Making the changes of a preview, if they still come to the same.

use std::sync::Arc;

use super::ask::{Asked, What, admit, within};
use super::compute::work_out;
use crate::base::id::RuleKey;
use crate::service::access::authority::Held;
use crate::service::access::deletion::Ending;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::grants::{self, Giving, Moving};
use crate::service::access::policy::{self, Book};
use crate::service::access::roles::{self, Holding};
use crate::service::access::rules::{self, Making, Prepared};
use crate::service::access::scopes;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// Makes the changes of a preview, all or none; `asked` is what [`find`](super::find) gave, read.
///
/// Rules that become active come into force one after the other when everything else is made. It waits for them some
/// seconds, for all together; what is not in force then is being prepared. One that is refused at that moment stays a
/// draft, and the refusal is told when all others are in force: they and everything else stay.
///
/// # Errors
/// `NotFound`; `Conflict` when the policy has changed since, when the changes would come to something else by now, or
/// when they are made already; whatever one of the changes is refused for.
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
    let moved = || Error::conflict("what the changes come to is not what the preview showed; make a new one");
    let (now, digest) = work_out(services, caller, asked).await?;
    if now.policy_version != row.policy_version || digest != row.digest {
        return Err(moved());
    }
    let book = policy::current(services, caller).await?;
    let steps = asked.iter().enumerate().map(|(at, change)| {
        let step = Step::of(services, &book, change, held);
        step.map_err(|error| within(error, at))
    });
    let applying = Applying {
        id: id.to_owned(),
        version: row.policy_version,
        steps: steps.collect::<Result<_>>()?,
    };
    finish(services, caller, perform(services, caller, applying).await?).await
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
    pub(super) fn of(services: &Services, book: &Arc<Book>, change: &Asked, held: Held) -> Result<Self> {
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
            Asked::Rule(new) => Self::Rule(Box::new(Making::of(services, new, held)?)),
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
    version: i64,
    steps: Vec<Step>,
}

impl Change for Applying {
    type Made = Vec<Left>;

    async fn make(&self, desk: &mut Desk) -> Result<Vec<Left>> {
        if desk.unit.policy().hold().await? != self.version {
            return Err(Error::conflict(
                "the policy has changed since the preview; make a new one",
            ));
        }
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
