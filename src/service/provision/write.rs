//! The one way an existing resource changes: read it locked, work out what comes next, write the difference.

use std::sync::Arc;

use super::create::refused;
use super::draft::{content, leaves, store_kind};
use super::membership::{self, Moved};
use super::precondition::IfMatch;
use super::read::shown;
use super::refuse;
use super::shown::{MAX_MEMBERS_IN_PATCH_ANSWER, Shown};
use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, Version};
use crate::scim::Document;
use crate::scim::dialect::Dialect;
use crate::scim::patch::MemberOp;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::{ledger, tolerances};
use crate::store::document::{Content, Stored};
use crate::store::filter::Leaves;
use crate::store::resources::{External, Groups};
use crate::store::{self, Kind, Unit};

/// Which resource is to change, for whom, and what the answer shows.
pub(super) struct Target {
    pub(super) services: Services,
    pub(super) caller: Caller,
    pub(super) dialect: Dialect,
    pub(super) kind: Arc<ResourceType>,
    store_kind: Kind,
    id: ResourceId,
    if_match: IfMatch,
    view: View,
    /// Whether the answer has a body however many members there are.
    pub(super) large_answers_allowed: bool,
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
        })
    }

    fn groups(&self) -> Groups {
        if self.view.wants("groups") {
            Groups::Listed
        } else {
            Groups::LeftOut
        }
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
    pub(super) document: Document,
    pub(super) external_id: Option<String>,
    pub(super) members: Vec<MemberOp>,
    pub(super) asked_for: Vec<String>,
    pub(super) ignored: Vec<String>,
}

/// One attempt at a change; `next` sees the stored document and the caller's `externalId`.
///
/// A user is first read without a lock, which stands in nobody's way: the write says if somebody was faster. Members
/// are rows of their own, which no version guards, so a group is locked.
pub(super) async fn attempt(
    target: &Target,
    next: impl Fn(&Document, Option<&str>) -> Result<Next> + Send,
) -> Result<Shown> {
    if target.store_kind == Kind::User
        && let Some(shown) = unlocked(target, &next).await?
    {
        return Ok(shown);
    }
    let mut unit = target.services.begin(&target.caller).await?;
    let found = unit
        .resources()
        .find_for_update(
            target.store_kind,
            &target.id,
            target.caller.connection_id(),
            target.groups(),
        )
        .await;
    let stored = match found {
        Ok(found) => found,
        Err(error) => return Err(error.into()),
    };
    let planned = match plan(target, stored, &next) {
        Ok(planned) => planned,
        Err(error) => return Err(refused(unit, error).await),
    };
    let now = target.services.clock().now();
    let moved = match membership::apply(&mut unit, planned.stored.pk, &planned.next.members, now).await {
        Ok(moved) => moved,
        Err(error) => return Err(refused(unit, error).await),
    };
    match write(target, unit, planned, &moved, now).await {
        // Locked: nobody can have been faster.
        Err(Failure::Stale) => Err(Error::Busy),
        Err(Failure::Other(error)) => Err(error),
        Ok(shown) => Ok(shown),
    }
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
        .find(target.store_kind, &target.id, connection, target.groups())
        .await?;
    let planned = plan(target, stored, next)?;
    let unit = target.services.begin(&target.caller).await?;
    // Read inside the unit, so that on one node the order of times is the order of changes.
    let now = target.services.clock().now();
    match write(target, unit, planned, &Moved::default(), now).await {
        Err(Failure::Stale) => Ok(None),
        Err(Failure::Other(error)) => Err(error),
        Ok(shown) => Ok(Some(shown)),
    }
}

/// What is stored, and what the request makes of it.
struct Planned {
    stored: Stored,
    next: Next,
    /// The new content and what filters found of the old, when the document differs.
    content: Option<(Content, Leaves)>,
}

fn plan(
    target: &Target,
    stored: Option<Stored>,
    next: &impl Fn(&Document, Option<&str>) -> Result<Next>,
) -> Result<Planned> {
    let stored = stored.ok_or(Error::NotFound)?;
    if !target.if_match.allows(stored.version.0) {
        return Err(Error::Stale);
    }
    let before = Document::from_stored(&stored.document).map_err(|fault| Error::Internal(Box::new(fault)))?;
    let next = next(&before, stored.external_id.as_deref())?;
    let content = next.changed.then(|| {
        let content = content(&target.kind, target.dialect, &next.document);
        (content, leaves(&target.kind, &before))
    });
    Ok(Planned { stored, next, content })
}

/// Writes the difference and ends the unit.
async fn write(
    target: &Target,
    mut unit: Unit,
    planned: Planned,
    moved: &Moved,
    now: Timestamp,
) -> std::result::Result<Shown, Failure> {
    let (asked_for, ignored) = (planned.next.asked_for.clone(), planned.next.ignored.clone());
    let after = apply(target, &mut unit, planned, moved, now).await?;
    let name = after.name.clone();
    let mut shown = match finish(target, unit, after).await {
        Ok(shown) => shown,
        Err(store::Error::Stale) => return Err(Failure::Stale),
        Err(error) => {
            let Target {
                services, caller, kind, ..
            } = target;
            return Err(refuse::explain(services, caller, kind, &name, error).await.into());
        }
    };
    tolerances::note_ignored(&target.services, &target.caller, &ignored);
    (shown.asked_for, shown.ignored) = (asked_for, ignored);
    Ok(shown)
}

enum Failure {
    /// The resource is not at the version that was read.
    Stale,
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The resource after the change, and whether there was one.
struct After {
    stored: Stored,
    wrote: bool,
    /// The unique name that it has now, where that was written.
    name: String,
}

/// Writes what differs; nothing when nothing does, so that neither version nor time moves.
async fn apply(target: &Target, unit: &mut Unit, planned: Planned, moved: &Moved, now: Timestamp) -> Result<After> {
    let Planned {
        mut stored,
        next,
        content,
    } = planned;
    let external = external(target, stored.external_id.as_deref(), next.external_id.as_deref());
    let mut names = next.names;
    if !matches!(external, External::Keep) {
        names.push("externalId".to_owned());
    }
    let mut name = String::new();
    let version: Option<Version> = if let Some((content, old)) = content {
        let version = unit
            .resources()
            .update(stored.pk, stored.version, &old, &content, external, now)
            .await?;
        name = content.name_key;
        stored.document = content.document;
        Some(version)
    } else if !matches!(external, External::Keep) {
        Some(unit.resources().rename(stored.pk, stored.version, external, now))
    } else if moved.is_nothing() {
        None
    } else {
        Some(unit.resources().touch(stored.pk, stored.version, now))
    };
    let wrote = version.is_some();
    if let Some(version) = version {
        stored.version = version;
        stored.modified = now;
        stored.external_id = next.external_id;
        let kind = if target.store_kind == Kind::User {
            "user.updated"
        } else {
            "group.updated"
        };
        let data = ledger::changes(&names, &moved.added, &moved.removed);
        ledger::record(
            unit,
            &target.caller,
            now,
            &ledger::Entry {
                kind,
                subject: (stored.pk, &stored.id),
                data,
            },
        );
    }
    Ok(After { stored, wrote, name })
}

/// What becomes of the caller's own name for the resource.
fn external<'a>(target: &Target, before: Option<&str>, after: Option<&'a str>) -> External<'a> {
    match (target.caller.connection_id(), after) {
        (Some(connection), Some(after)) if before != Some(after) => External::Set(connection, after),
        (Some(connection), None) if before.is_some() => External::Clear(connection),
        _ => External::Keep,
    }
}

/// Makes it durable and gathers what the answer shows.
async fn finish(target: &Target, mut unit: Unit, after: After) -> store::Result<Shown> {
    let After { stored, wrote, .. } = after;
    let most = if target.large_answers_allowed {
        None
    } else {
        Some(MAX_MEMBERS_IN_PATCH_ANSWER)
    };
    let members = if target.wants_members() {
        Some(membership::in_unit(&mut unit, stored.pk, most).await?)
    } else {
        None
    };
    if wrote {
        unit.save().await?;
    } else {
        unit.dismiss().await?;
    }
    Ok(shown(&target.kind, stored, &target.view, members))
}
