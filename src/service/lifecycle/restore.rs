//! Something that was deleted comes back: with the same id, its memberships and its grants.

use serde_json::json;
use std::sync::Arc;

use super::tombstones::What;
use super::turn::{plain, saved};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::Changes;
use crate::scim::{Document, patch};
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::derive::{self, Known};
use crate::service::error::{Error, Refusal, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, What as Happened};
use crate::service::provision::attempt::attempts;
use crate::service::provision::draft;
use crate::store::document::Content;
use crate::store::error::Unique;
use crate::store::lifecycle::restore::Heir;
use crate::store::lifecycle::tombstones::{State, Tombstone};
use crate::store::resources::Groups;
use crate::store::{self, Kind, Unit};

/// How something is to come back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct How {
    /// Under another name: `userName` of a user, `displayName` of a group.
    pub name: Option<String>,
    /// Not at all: this one gets its memberships and grants.
    pub into: Option<String>,
    /// Whether the account of a user is active; as it was where nobody says so.
    pub active: Option<bool>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Id of what has it now: the same, or that of the heir.
    pub id: String,
    /// What did not come back.
    pub left_out: Vec<LeftOut>,
}

/// Something that did not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// `grant`, `membership` or `external_id`.
    pub what: &'static str,
    /// Its id; of a membership, that of the other end.
    pub id: String,
    /// Why.
    pub why: String,
}

/// Restores what was deleted, as far as what it hung on is there.
///
/// # Errors
/// `Forbidden`, also for grants that give what the caller does not hold; `NotFound`; a name that somebody else has by
/// now, with what can be done about it; what was not deleted, or whose things somebody else was given.
pub async fn restore(services: &Services, caller: &Caller, what: What, id: &str, how: &How) -> Result<Restored> {
    let held = require(services, caller, &[GIVE]).await?;
    if how.into.is_some() && (how.name.is_some() || how.active.is_some()) {
        let reason = "with `into`, nothing is restored: neither a name nor `active` can be given";
        return Err(Error::invalid("/into", reason));
    }
    let plan = Arc::new(Restoring {
        services: services.clone(),
        caller: caller.clone(),
        kind: what.kind(),
        id: ResourceId::new(id),
        how: how.clone(),
        held,
    });
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move { attempt(&plan).await }
    })
    .await
}

struct Restoring {
    services: Services,
    caller: Caller,
    kind: Kind,
    id: ResourceId,
    how: How,
    held: Held,
}

async fn attempt(plan: &Restoring) -> Result<Restored> {
    let mut unit = plan.services.begin(&plan.caller).await?;
    match plan.make(&mut unit).await {
        Ok(restored) => {
            saved(&plan.services, &plan.caller, unit).await?;
            Ok(restored)
        }
        // What a refusal rests on must be on disk before it is told.
        Err(error) => match unit.dismiss().await {
            Ok(()) => Err(error),
            Err(fault) => Err(fault.into()),
        },
    }
}

impl Restoring {
    async fn make(&self, unit: &mut Unit) -> Result<Restored> {
        // The policy before the resource, as every unit locks them.
        let book = self.book(unit).await?;
        let tomb = self.tombstone(unit).await?;
        self.may_give(unit, &tomb, &book).await?;
        let now = self.services.clock().now();
        let mut left_out = left_out(unit, &tomb).await?;
        let (to, version, document) = if let Some(into) = &self.how.into {
            (self.heir(unit, into).await?, None, None)
        } else {
            let (version, document) = self.revive(unit, &tomb, now).await?;
            ((tomb.pk, tomb.id.clone()), Some(version), Some(document))
        };
        let heir = Heir {
            tomb: tomb.pk,
            to: to.0,
            kind: self.kind,
            now,
        };
        self.give_back(unit, heir, &to.1, &book).await?;
        if version.is_some() {
            unit.tombstones().be_called_again(tomb.pk).await?;
            unit.tombstones().forget(tomb.pk);
        } else {
            unit.tombstones().supersede(tomb.pk);
            left_out.retain(|left| left.what != "external_id");
        }
        let happened = match self.kind {
            Kind::User => Happened::UserRestored,
            Kind::Group => Happened::GroupRestored,
        };
        let data = json!({
            "version": version.map(|version| version.0),
            "into": self.how.into,
            "left_out": left_out.len(),
        });
        let person = Person::of(&self.services, &self.caller, &tomb.id, tomb.seal.as_deref()).await?;
        let entry = ledger::Entry {
            what: happened,
            subject: (self.kind, tomb.pk, &tomb.id),
            about: Vec::new(),
            data,
            changes: document.map(|document| Changes::of(Document::default().as_map(), document.as_map())),
            reason: None,
            person: person.as_ref(),
        };
        ledger::record(unit, &self.caller, now, entry);
        Ok(Restored {
            id: to.1.into_string(),
            left_out,
        })
    }

    /// What it is restored from.
    async fn tombstone(&self, unit: &mut Unit) -> Result<Tombstone> {
        match unit.tombstones().find_for_update(self.kind, &self.id).await? {
            Some(tomb) if tomb.state == State::Kept => Ok(tomb),
            Some(_) => Err(Error::conflict(
                "its memberships and grants were given to somebody else: nothing is left to be restored",
            )),
            None => {
                let found = unit.resources().pks(std::slice::from_ref(&self.id)).await?;
                if found.iter().any(|(_, _, kind)| *kind == self.kind) {
                    return Err(Error::conflict("it is there: only what was deleted can be restored"));
                }
                Err(Error::NotFound)
            }
        }
    }

    /// The policy that the unit relies on. Of a group it moves: what it holds and where it is nested counts for others.
    async fn book(&self, unit: &mut Unit) -> Result<Arc<Book>> {
        let book = policy::latest(&self.services, &self.caller).await?;
        let version = match self.kind {
            Kind::User => unit.policy().share().await?,
            Kind::Group => unit.policy().hold().await?,
        };
        if book.rulebook.version() != version {
            derive::forget(&self.services, &self.caller);
            return Err(Error::Busy);
        }
        if self.kind == Kind::Group {
            unit.policy().bump();
        }
        Ok(book)
    }

    /// Nobody gives back more than they hold.
    async fn may_give(&self, unit: &mut Unit, tomb: &Tombstone, book: &Book) -> Result<()> {
        let roles = unit.tombstones().roles(tomb.pk).await?;
        let given = roles.into_iter().map(|role| book.rulebook.permissions(role));
        // Whoever fills a group gives what it gives, and what it is nested in.
        let groups = unit.tombstones().groups(tomb.pk).await?;
        let mut policy = book.rulebook.policy().clone();
        policy.groups.extend(unit.policy().groups(&groups).await?);
        let reached = policy.reachable(&groups);
        self.held
            .covers(&self.services, given.fold(reached, |all, role| all | role))
    }

    /// Who gets it instead.
    async fn heir(&self, unit: &mut Unit, into: &str) -> Result<(Pk, ResourceId)> {
        let id = ResourceId::new(into);
        let mut resources = unit.resources();
        let found = resources.find_for_update(self.kind, &id, None, Groups::LeftOut).await?;
        let found = found.ok_or_else(|| Error::invalid("/into", format!("there is no `{into}` to give it to")))?;
        Ok((found.pk, found.id))
    }

    /// Writes the resource again.
    async fn revive(&self, unit: &mut Unit, tomb: &Tombstone, now: Timestamp) -> Result<(Version, Document)> {
        let (document, content) = self.content(tomb)?;
        if let Some(holder) = unit.resources().holder(self.kind, &content.name_key).await? {
            return Err(taken(self.kind, &holder));
        }
        let derived = match self.kind {
            Kind::Group => None,
            Kind::User => {
                let meta = derive::Meta {
                    id: &tomb.id,
                    version: tomb.version.0 + 1,
                    created: tomb.created,
                    modified: now,
                };
                Some(derive::of(&self.services, &self.caller, &document, &meta).await?)
            }
        };
        let version = match unit.resources().revive(tomb, &content, now).await {
            // Somebody took the name or brought it back since it was looked for: it is told the next time.
            Err(store::Error::Taken(Unique::Name | Unique::ResourceId)) => return Err(Error::Busy),
            other => other?,
        };
        if let Some(derived) = derived {
            derived.share(unit);
            derived.write(&self.caller, unit, (tomb.pk, Known::New), now);
        }
        if self.how.active == Some(true) {
            // What held them when they were deleted does not hold them any more.
            unit.statuses().lift(tomb.pk);
        }
        Ok((version, document))
    }

    /// The document with which it comes back.
    fn content(&self, tomb: &Tombstone) -> Result<(Document, Content)> {
        let endpoint = match self.kind {
            Kind::User => "Users",
            Kind::Group => "Groups",
        };
        let kind = self.services.type_at(endpoint).ok_or(Error::NotFound)?;
        let damaged = |fault| Error::Internal(Box::new(fault));
        let mut document = Document::from_stored(&tomb.document).map_err(damaged)?;
        if let Some(name) = &self.how.name {
            let attribute = match self.kind {
                Kind::User => "userName",
                Kind::Group => "displayName",
            };
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "replace", "path": attribute, "value": name }],
            });
            document = patch::apply(kind, &patch::parse(&body)?, &document, None)?.document;
        }
        if let (Kind::User, Some(active)) = (self.kind, self.how.active) {
            document = document.with_active(active);
        }
        let content = draft::content(kind, plain(), &document);
        Ok((document, content))
    }

    /// Memberships and grants.
    async fn give_back(&self, unit: &mut Unit, heir: Heir, id: &ResourceId, book: &Book) -> Result<()> {
        let caller = &self.caller;
        let groups = unit.tombstones().groups(heir.tomb).await?;
        let smart: Vec<Pk> = groups
            .into_iter()
            .filter(|group| book.rulebook.is_smart(*group))
            .collect();
        let joined = unit.tombstones().join_again(heir, &smart).await?;
        for (group, group_id) in &joined {
            let entry = ledger::Entry {
                what: Happened::GroupUpdated,
                subject: (Kind::Group, *group, group_id),
                about: ledger::moves(*group, &[heir.to], &[]),
                data: ledger::changes(&[], None, std::slice::from_ref(id), &[]),
                changes: None,
                reason: None,
                person: None,
            };
            ledger::record(unit, caller, heir.now, entry);
        }
        if self.kind == Kind::Group {
            let members = unit.tombstones().gather_again(heir).await?;
            unit.tombstones().reach_again(heir, &members).await?;
            let (pks, ids): (Vec<Pk>, Vec<ResourceId>) = members.into_iter().unzip();
            let entry = ledger::Entry {
                what: Happened::GroupUpdated,
                subject: (Kind::Group, heir.to, id),
                about: ledger::moves(heir.to, &pks, &[]),
                data: ledger::changes(&[], None, &ids, &[]),
                changes: None,
                reason: None,
                person: None,
            };
            if !pks.is_empty() {
                ledger::record(unit, caller, heir.now, entry);
            }
        }
        for grant in unit.tombstones().hold_again(heir).await? {
            let subject = ledger::resource(self.kind, heir.to, id);
            ledger::note(
                unit,
                caller,
                heir.now,
                (Happened::GrantCreated, subject),
                &json!({ "grant": grant }),
            );
        }
        Ok(())
    }
}

/// What does not come back, and why.
async fn left_out(unit: &mut Unit, tomb: &Tombstone) -> Result<Vec<LeftOut>> {
    let mut tombstones = unit.tombstones();
    let grants = tombstones.grants_left_out(tomb.pk).await?;
    let members = tombstones.members_left_out(tomb.pk).await?;
    let names = tombstones.names_left_out(tomb.pk).await?;
    let left = |what, why: fn(&str) -> String| {
        move |(id, name): (String, String)| LeftOut {
            what,
            why: why(&name),
            id,
        }
    };
    let grants = grants
        .into_iter()
        .map(left("grant", |gone| format!("its {gone} is gone")));
    let members = members
        .into_iter()
        .map(left("membership", |name| format!("`{name}` was deleted")));
    let names = names.into_iter().map(left("external_id", |connection| {
        format!("the connection `{connection}` calls another one so")
    }));
    Ok(grants.chain(members).chain(names).collect())
}

/// Somebody else has the name.
fn taken(kind: Kind, holder: &ResourceId) -> Error {
    let (what, pointer) = match kind {
        Kind::User => ("user", "/user_name"),
        Kind::Group => ("group", "/display_name"),
    };
    let other = pointer.trim_start_matches('/');
    Error::Conflict(
        Refusal::new(format!(
            "the {what} {holder} has the name by now: `{other}` restores under another one, `into` gives the \
             memberships and grants to that {what}"
        ))
        .at(pointer),
    )
}
