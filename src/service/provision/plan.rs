//! What a request makes of a resource that is there, worked out before anything is written.

use serde_json::Value;

use super::draft::{content, leaves};
use super::guard::{Locked, Need};
use super::harm;
use super::hold::{self, Standing};
use super::join;
use super::roles::{self, Asked};
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
use crate::store::lifecycle::statuses::StoredHold;

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
    /// What is said anew of when the user leaves.
    pub(super) leaving: Option<Change>,
    /// The user, with their key.
    pub(super) person: Option<Person>,
}

impl Planned {
    /// What is needed of the policy for the document; members may need more.
    pub(super) fn need(&self) -> Need {
        // Rules may read the name of a group.
        let renames = self.stored.kind == Kind::Group && self.content.is_some();
        if self.ends || renames { Need::Hold } else { Need::Share }
    }

    /// Whether something may hold the user whom the request speaks of: it is looked up then.
    pub(super) fn may_be_held(&self) -> bool {
        self.says_of_active() && self.stored.active == Some(false)
    }

    /// Whether the request says of a user what provisioning takes their account for.
    fn says_of_active(&self) -> bool {
        let after = self
            .content
            .as_ref()
            .map_or(self.stored.active, |(content, _)| content.active);
        self.stored.kind == Kind::User && (self.next.says.active || after != self.stored.active)
    }
}

/// Works out what becomes of the status. Whom an administrator keeps out stays out: the rest of the request is done.
pub(super) async fn stand(target: &Target, planned: &mut Planned, held: Option<StoredHold>) -> Result<()> {
    if !planned.says_of_active() {
        return Ok(());
    }
    let before = planned.stored.active != Some(false);
    let after = planned
        .content
        .as_ref()
        .map_or(planned.stored.active, |(content, _)| content.active);
    let joining = join::decided(target, held.as_ref()).await?;
    planned.standing = Standing::of(before, after != Some(false), held, joining);
    if planned.standing.as_ref().is_some_and(Standing::is_refused) {
        let next = &mut planned.next;
        next.document = std::mem::take(&mut next.document).with_active(false);
        next.names.retain(|name| name != hold::ATTRIBUTE);
        next.ignored.push(hold::ATTRIBUTE.to_owned());
        let before = parsed(&planned.stored)?;
        next.changed = next.document != before;
        planned.changes = changes(target, &before, &planned.stored, next);
        let old = planned.content.take().filter(|_| next.changed);
        planned.content = old.map(|(_, old)| (content(&target.kind, target.dialect, &next.document), old));
    }
    Ok(())
}

fn parsed(stored: &Stored) -> Result<Document> {
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
        leaving: None,
        person: None,
    })
}

/// What the request changes, with the name that its connection has for the resource.
fn changes(target: &Target, before: &Document, stored: &Stored, next: &Next) -> Changes {
    let changes = Changes::of(before.as_map(), next.document.as_map());
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
        let Target { services, caller, .. } = target;
        planned.person = Person::of(services, caller, &planned.stored.id, planned.stored.seal.as_deref()).await?;
    }
    Ok(())
}
