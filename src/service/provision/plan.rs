//! What a request makes of a resource that is there, worked out before anything is written.

use serde_json::Value;

use super::aside::Settled;
use super::draft::{content, leaves};
use super::guard::{Locked, Need};
use super::harm;
use super::hold::Standing;
use super::roles::{self, Asked};
use super::secret;
use super::write::{Next, Target};
use crate::event::Changes;
use crate::scim::Document;
use crate::service::derive::{self, Derived};
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::service::lifecycle::leaving::Change;
use crate::store::Kind;
use crate::store::document::{Content, Stored};
use crate::store::filter::Leaves;

/// What is stored, and what the request makes of it.
pub(super) struct Planned {
    pub(super) stored: Stored,
    pub(super) next: Next,
    /// The new content and what filters found of the old, when the document differs.
    pub(super) content: Option<(Content, Leaves)>,
    /// What the new document of a user says about rules.
    pub(super) derived: Option<Derived>,
    /// Whether the account ends: it was active, and is not after.
    pub(super) ends: bool,
    /// What becomes of the status of a user.
    pub(super) standing: Option<Standing>,
    /// The `roles` of a user as they are stored.
    pub(super) roles: Vec<String>,
    /// The roles that they ask for from now on, where the request says so.
    pub(super) asked: Option<Asked>,
    /// Whether these give more or less than those before.
    pub(super) roles_moved: bool,
    /// The policy, where the unit has locked it already.
    pub(super) locked: Option<Locked>,
    /// From the stored document to the next, and the same of what the caller calls it.
    pub(super) changes: Changes,
    /// Whether it is called otherwise than before.
    pub(super) renames: bool,
    /// What a rule of status makes of `active`, beside what the request changes.
    pub(super) flip: Option<Changes>,
    /// Version of the policy by which rules of status were asked.
    pub(super) ruled_by: Option<i64>,
    /// What is said anew of when the user leaves.
    pub(super) leaving: Option<Change>,
    /// The hash of the password that is set.
    pub(super) password: Option<String>,
    /// The user, with their key.
    pub(super) person: Option<Person>,
    /// What becomes of what is kept aside.
    pub(super) aside: Settled,
}

impl Planned {
    /// What is needed of the policy for the document; members may need more.
    pub(super) fn need(&self) -> Need {
        // Rules may read the name of a group.
        let renames = self.stored.kind == Kind::Group && self.content.is_some();
        if self.ends || renames { Need::Hold } else { Need::Share }
    }
}

pub(super) fn parsed(stored: &Stored) -> Result<Document> {
    Document::from_stored(&stored.document).map_err(|fault| Error::Internal(Box::new(fault)))
}

pub(super) fn plan(
    target: &Target,
    stored: Option<Stored>,
    next: &impl Fn(&Document, Option<&str>) -> Result<Next>,
) -> Result<Planned> {
    let stored = stored.ok_or(Error::NotFound)?;
    if !target.if_match.allows(stored.version.0) {
        return Err(Error::Stale);
    }
    let before = parsed(&stored)?;
    let next = next(&before, stored.external_id.as_deref())?;
    let content = next.changed.then(|| {
        let content = content(&target.kind, target.dialect, &next.document);
        (content, leaves(&target.kind, &before))
    });
    let changes = changes(target, &before, &stored, &next);
    let renames = harm::renames(&target.kind, &next.names, &before, &next.document);
    let ends = target.store_kind == Kind::User
        && stored.active != Some(false)
        && content
            .as_ref()
            .is_some_and(|(content, _)| content.active == Some(false));
    Ok(Planned {
        stored,
        next,
        content,
        derived: None,
        ends,
        standing: None,
        roles: roles::values(&before),
        asked: None,
        roles_moved: false,
        locked: None,
        changes,
        renames,
        flip: None,
        ruled_by: None,
        leaving: None,
        password: None,
        person: None,
        aside: Settled::default(),
    })
}

/// What the request changes, with the name that its connection has for the resource.
pub(super) fn changes(target: &Target, before: &Document, stored: &Stored, next: &Next) -> Changes {
    let changes = Changes::of(&before.told(&target.kind), &next.document.told(&target.kind));
    if target.caller.connection_id().is_none() {
        return changes;
    }
    let called = |name: Option<&String>| name.map(|name| Value::from(name.as_str()));
    let (before, after) = (stored.external_id.as_ref(), next.external_id.as_ref());
    changes.and("externalId", called(before), called(after))
}

/// Adds what the document says about rules, and which roles it asks for.
pub(super) async fn derive(target: &Target, planned: &mut Planned) -> Result<()> {
    if target.store_kind == Kind::User {
        let meta = derive::Meta {
            id: &planned.stored.id,
            version: planned.stored.version.0 + 1,
            created: planned.stored.created,
            modified: target.services.clock().now(),
        };
        let derived = derive::of(&target.services, &target.caller, &planned.next.document, &meta).await?;
        // One policy says both: another one came in between.
        if planned
            .ruled_by
            .is_some_and(|version| version != derived.book().rulebook.version())
        {
            return Err(Error::Busy);
        }
        if planned.next.says.roles {
            let after = roles::values(&planned.next.document);
            let Target { services, caller, .. } = target;
            planned.asked = roles::ask(services, caller, derived.book(), &planned.roles, &after).await?;
        }
        if planned.asked.as_ref().is_some_and(Asked::leaves_out) {
            planned.next.ignored.push(roles::LEFT_OUT.to_owned());
        }
        if planned.content.is_some() && !derived.book().rulebook.policy().settings.leaving.is_empty() {
            let before = parsed(&planned.stored)?;
            let next = &mut planned.next;
            planned.leaving = Change::between(derived.book(), &target.kind, Some(&before), &next.document);
            let unreadable = planned
                .leaving
                .iter()
                .flat_map(|change| change.unreadable().iter().cloned());
            next.ignored.extend(unreadable);
        }
        planned.derived = Some(derived);
        planned.password = secret::once(target, planned.next.password.as_ref()).await?;
        let Target { services, caller, .. } = target;
        planned.person = Person::of(services, caller, &planned.stored.id, planned.stored.seal.as_deref()).await?;
    }
    Ok(())
}
