//! The one way an existing resource changes: read it locked, work out what comes next, write the difference.

use std::sync::Arc;
use tokio::sync::OnceCell;

use super::apply::{After, apply};
use super::aside::{self, Said};
use super::attempt::refused;
use super::draft::store_kind;
use super::effect::Effect;
use super::guard::{self, Locked, Need};
use super::harm;
use super::keep::{Failure, keep};
use super::membership::{self, Moved};
use super::plan::{Planned, derive, plan};
use super::precondition::IfMatch;
use super::read::{groups, shown};
use super::refuse::{self, Wants};
use super::secret;
use super::shown::{MAX_MEMBERS_IN_PATCH_ANSWER, Shown};
use super::stand;
use super::takeback::Word;
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::base::secret::Secret;
use crate::scim::Document;
use crate::scim::dialect::Dialect;
use crate::scim::patch::{Ended, MemberOp, PatchRequest};
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::service::access::smart::{self, Given};
use crate::service::context::{Caller, Services};
use crate::service::deferred;
use crate::service::derive;
use crate::service::error::{Error, Fused, Result};
use crate::service::fuse;
use crate::service::ledger;
use crate::service::tolerances;
use crate::store::members::ByRule;
use crate::store::resources::Groups;
use crate::store::{self, Kind, Unit};

/// Which resource is to change, for whom, and what the answer shows.
pub(super) struct Target {
    pub(super) services: Services,
    pub(super) caller: Caller,
    pub(super) dialect: Dialect,
    pub(super) kind: Arc<ResourceType>,
    pub(super) store_kind: Kind,
    id: ResourceId,
    pub(super) if_match: IfMatch,
    view: View,
    /// Whether the answer has a body however many members there are.
    pub(super) large_answers_allowed: bool,
    /// Whether the request speaks of members of a group and of nothing else.
    pub(super) only_members: bool,
    /// Whether the request gives a new whole.
    pub(super) replaces: bool,
    /// The request, where it is a PATCH.
    pub(super) request: Option<Arc<PatchRequest>>,
    /// The hash of the password that the request sets, made once.
    pub(super) hash: OnceCell<String>,
}

impl Target {
    pub(super) fn new(services: &Services, caller: &Caller, wanted: &Wanted<'_>) -> Result<Self> {
        Ok(Self {
            services: services.clone(),
            caller: caller.clone(),
            dialect: *wanted.dialect,
            kind: Arc::clone(wanted.kind),
            store_kind: store_kind(wanted.kind)?,
            id: wanted.id.clone(),
            if_match: wanted.if_match.clone(),
            view: wanted.view.clone(),
            large_answers_allowed: true,
            only_members: false,
            replaces: false,
            request: None,
            hash: OnceCell::new(),
        })
    }

    fn wants_groups(&self) -> bool {
        self.store_kind == Kind::User && self.view.wants("groups")
    }

    fn wants_members(&self) -> bool {
        self.store_kind == Kind::Group && self.view.wants("members")
    }
}

/// What a conditional PUT or PATCH names besides its body.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Client habits in force.
    pub dialect: &'a Dialect,
    /// Type of the resource.
    pub kind: &'a Arc<ResourceType>,
    /// Its id.
    pub id: &'a ResourceId,
    /// Versions that may be changed.
    pub if_match: &'a IfMatch,
    /// What the answer shows.
    pub view: &'a View,
}

/// What a request makes of a resource.
pub(super) struct Next {
    /// Whether the document differs.
    pub(super) changed: bool,
    /// Names of the attributes that differ.
    pub(super) names: Vec<String>,
    /// What the request speaks of.
    pub(super) says: Says,
    pub(super) document: Document,
    pub(super) external_id: Option<String>,
    pub(super) members: Vec<MemberOp>,
    pub(super) password: Option<Secret<String>>,
    /// Canonical paths of what is said and never returned: the version moves and the log names it, whatever it was before.
    pub(super) secrets: Vec<String>,
    pub(super) ended: Vec<Ended>,
    pub(super) asked_for: Vec<String>,
    /// Names that mean nothing, and after so many others that are known and were left out.
    pub(super) unknown: usize,
    pub(super) ignored: Vec<String>,
    /// What is said of extensions that no schema declares.
    pub(super) aside: Vec<Said>,
}

/// What a request speaks of, also when it stays the same.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a request speaks of each of them or not, whatever the others"
)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Says {
    /// Of everything: it is a new whole.
    pub(super) whole: bool,
    /// Of `active`.
    pub(super) active: bool,
    /// Of the name.
    pub(super) name: bool,
    /// Of `roles`: a new whole without them takes them away.
    pub(super) roles: bool,
    /// Of members, rather than leaving them out of a new whole.
    pub(super) members: bool,
}

/// One attempt at a change; `next` sees the stored document and the caller's `externalId`.
///
/// A user is first read without a lock, which stands in nobody's way: the write says if somebody was faster. Members
/// are rows of their own, which no version guards, so a group is locked.
pub(super) async fn attempt(
    target: &Target,
    next: impl Fn(&Document, Option<&str>) -> Result<Next> + Send,
) -> Result<Shown> {
    let need = match target.store_kind {
        Kind::User => match unlocked(target, &next).await? {
            Some(shown) => return Ok(shown),
            // The account may end.
            None => Need::Hold,
        },
        Kind::Own(_) => match unlocked(target, &next).await? {
            Some(shown) => return Ok(shown),
            None => Need::Share,
        },
        Kind::Group => foreseen(target, &next).await?,
    };
    let mut unit = target.services.begin_writing(&target.caller).await?;
    let locked = match Locked::take(&mut unit, need).await {
        Ok(locked) => locked,
        Err(error) => return Err(refused(unit, error).await),
    };
    let found = unit
        .resources()
        .find_for_update(
            target.store_kind,
            &target.id,
            target.caller.connection_id(),
            groups(&target.view),
        )
        .await;
    let stored = match found {
        Ok(found) => found,
        Err(error) => return Err(error.into()),
    };
    let mut planned = match plan(target, stored, &next) {
        Ok(planned) => planned,
        Err(error) => return Err(refused(unit, error).await),
    };
    if !locked.is_enough(planned.need()) {
        return Err(refused(unit, Error::Busy).await);
    }
    planned.locked = Some(locked);
    if let Err(error) = work_out(target, &mut planned, &mut unit).await {
        return Err(refused(unit, error).await);
    }
    let now = target.services.clock().now();
    let given = match given(target, &planned).await {
        Ok(given) => given,
        Err(error) => return Err(refused(unit, error).await),
    };
    let moved = match move_members(target, &mut unit, &planned, &given, now).await {
        Ok(moved) => moved,
        Err(error) => return Err(refused(unit, error).await),
    };
    match write(target, unit, planned, (&moved, &given), now).await {
        // Locked: nobody can have been faster.
        Err(Failure::Stale) => Err(Error::Busy),
        Err(Failure::Other(error)) => Err(error),
        Ok(shown) => Ok(shown),
    }
}

/// Works out what becomes of everything beside the document, with the resource locked.
async fn work_out(target: &Target, planned: &mut Planned, unit: &mut Unit) -> Result<()> {
    stand::locked(target, planned, unit).await?;
    aside::locked(target, planned, unit).await?;
    derive(target, planned).await
}

/// What the change of a group will need of the policy, as far as it can be told before the group is locked.
async fn foreseen(target: &Target, next: &(impl Fn(&Document, Option<&str>) -> Result<Next> + Send)) -> Result<Need> {
    let Target { services, caller, .. } = target;
    if !target.only_members {
        let found = services
            .read(caller)
            .resources()
            .find(target.store_kind, &target.id, caller.connection_id(), Groups::LeftOut)
            .await?;
        let planned = plan(target, found, next)?;
        if planned.need() == Need::Hold || planned.next.members.is_empty() {
            return Ok(planned.need());
        }
    }
    guard::need_for_members(services, caller).await
}

/// The members that rules give to a group, where the answer shows members or the request speaks of them.
async fn given(target: &Target, planned: &Planned) -> Result<ByRule> {
    if target.store_kind != Kind::Group || !target.wants_members() && planned.next.members.is_empty() {
        return Ok(ByRule::NONE);
    }
    let Target { services, caller, .. } = target;
    let group = (planned.stored.pk, planned.stored.policy_version);
    let given = Given::for_groups(services, caller, &[group]).await?;
    Ok(given.map_or(ByRule::NONE, |given| given.by_rule))
}

/// Carries member operations out; where rules say who is in the group, as far as they can be.
async fn move_members(
    target: &Target,
    unit: &mut Unit,
    planned: &Planned,
    given: &ByRule,
    now: Timestamp,
) -> Result<Moved> {
    if planned.next.members.is_empty() {
        return Ok(Moved::default());
    }
    let group = planned.stored.pk;
    let locked = planned.locked.as_ref().ok_or(Error::Busy)?;
    let guard = guard::before_members(&target.services, &target.caller, (unit, locked), group, now).await?;
    let Next { members, says, .. } = &planned.next;
    let moved = if guard.is_smart() {
        if !says.members {
            return Ok(Moved::default());
        }
        let moved = membership::apply_to_smart(unit, group, members, given).await?;
        moved.ok_or_else(guard::given_by_rules)?
    } else {
        membership::apply(unit, group, members, ledger::cause(&target.caller, now)).await?
    };
    if !moved.is_nothing() {
        guard.check(unit, now).await?;
    }
    Ok(moved)
}

/// The same without a lock; `None` when the resource changed meanwhile.
async fn unlocked(
    target: &Target,
    next: &(impl Fn(&Document, Option<&str>) -> Result<Next> + Send),
) -> Result<Option<Shown>> {
    let connection = target.caller.connection_id();
    let reader = target.services.read(&target.caller);
    let stored = reader
        .resources()
        .find(target.store_kind, &target.id, connection, groups(&target.view))
        .await?;
    let mut planned = plan(target, stored, next)?;
    // Also for an attempt that locks: whoever holds the policy does not hash.
    secret::once(target, planned.next.password.as_ref()).await?;
    if !stand::unlocked(target, &mut planned, &reader).await? {
        return Ok(None);
    }
    aside::unlocked(target, &mut planned, &reader).await?;
    derive(target, &mut planned).await?;
    let unit = target.services.begin_writing(&target.caller).await?;
    // Read inside the unit, so that on one node the order of times is the order of changes.
    let now = target.services.clock().now();
    match write(target, unit, planned, (&Moved::default(), &ByRule::NONE), now).await {
        Err(Failure::Stale) => Ok(None),
        Err(Failure::Other(error)) => Err(error),
        Ok(shown) => Ok(Some(shown)),
    }
}

/// Writes the difference and ends the unit.
async fn write(
    target: &Target,
    mut unit: Unit,
    mut planned: Planned,
    (moved, given): (&Moved, &ByRule),
    now: Timestamp,
) -> std::result::Result<Shown, Failure> {
    match keep(target, &mut unit, &mut planned, now).await {
        Ok(()) => {}
        Err(Failure::Stale) => {
            unit.dismiss().await?;
            return Err(Failure::Stale);
        }
        Err(Failure::Other(error)) => return Err(refused(unit, error).await.into()),
    }
    let (asked_for, ignored) = (planned.next.asked_for.clone(), planned.next.ignored.clone());
    let mut effects = effects(target, &planned.next, moved);
    planned.aside.tell_effects(&mut effects);
    let word = Word::of(target, &planned);
    let derives = planned.derived.is_some();
    let content = planned.content.as_ref();
    let wants = content
        .map_or_else(Wants::default, |(content, _)| Wants::of(content))
        .by(planned.stored.pk);
    let active = content.map_or(planned.stored.active, |(content, _)| content.active);
    let taken = harm::of(
        planned.stored.pk,
        planned.renames,
        moved,
        (planned.stored.active, active),
    );
    let outcome = match apply(target, &mut unit, planned, moved, now).await {
        Ok(after) => match fuse::count(&target.caller, &mut unit, &taken, now).await {
            Ok(None) => finish(target, unit, after, (word, given), now).await,
            Ok(Some(over)) => return Err(refused(unit, Error::Fused(Fused::Over(over))).await.into()),
            Err(error) => Err(ended(unit, error).await),
        },
        Err(error) => Err(ended(unit, error).await),
    };
    let mut shown = match outcome {
        Ok(shown) => shown,
        Err(store::Error::Stale) => {
            if derives {
                derive::forget(&target.services, &target.caller);
            }
            return Err(Failure::Stale);
        }
        Err(error) => {
            let Target {
                services, caller, kind, ..
            } = target;
            return Err(refuse::explain(services, caller, (kind, &wants), error).await.into());
        }
    };
    tolerances::note_ignored(&target.services, &target.caller, &ignored);
    (shown.asked_for, shown.ignored, shown.effects) = (asked_for, ignored, effects);
    Ok(shown)
}

/// Ends a unit that failed. Who is told that something is taken waits until what has it is on disk.
async fn ended(unit: Unit, error: store::Error) -> store::Error {
    match error {
        store::Error::Taken(_) => unit.dismiss().await.err().unwrap_or(error),
        other => other,
    }
}

/// What became of each operation of a PATCH.
fn effects(target: &Target, next: &Next, moved: &Moved) -> Vec<Effect> {
    let mut effects = Effect::of(&next.ended, moved);
    let operations = target.request.iter().flat_map(|request| &request.operations);
    for (effect, operation) in effects.iter_mut().zip(operations) {
        effect.leave_out(operation, &next.ignored[next.unknown..]);
    }
    effects
}

/// Makes it durable and gathers what the answer shows.
async fn finish(
    target: &Target,
    mut unit: Unit,
    after: After,
    (word, given): (Option<Word>, &ByRule),
    now: Timestamp,
) -> store::Result<Shown> {
    let After {
        mut stored,
        mut wrote,
        derived,
    } = after;
    if let Some(word) = word {
        wrote |= word.settle(target, &mut unit, now).await?;
    }
    if target.wants_groups()
        && let Some((derived, now)) = derived
        && let Some(groups) = smart::in_unit(&mut unit, derived.book(), stored.pk, now).await?
    {
        stored.groups = groups;
    }
    let most = if target.large_answers_allowed {
        None
    } else {
        Some(MAX_MEMBERS_IN_PATCH_ANSWER)
    };
    let members = if target.wants_members() {
        Some(membership::in_unit(&mut unit, stored.pk, most, given).await?)
    } else {
        None
    };
    if wrote {
        // Whatever is saved of a request that nobody waits for ends its waiting, also where no version moves.
        deferred::done(&mut unit, &target.caller, now, (&stored.id, Some(stored.version)));
        unit.save().await?;
    } else {
        unit.dismiss().await?;
    }
    Ok(shown(&target.kind, stored, &target.view, members))
}
