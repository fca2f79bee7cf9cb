//! Something that was deleted comes back: with the same id, its memberships and its grants.

use serde_json::{Value, json};
use std::sync::Arc;

use super::given_back::{self, GivingBack};
use super::rehire::over;
use super::schedule;
use super::standing::{self, Stands};
use super::status;
use super::tombstones::What;
use super::turn::{habits, saved};
use crate::access::PolicyGroup;
use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, Version};
use crate::event::Changes;
use crate::scim::schema::ResourceType;
use crate::scim::{Document, patch, validate};
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::derive::{self, Known};
use crate::service::error::{Error, Refusal, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, What as Happened};
use crate::service::provision::attempt::attempts;
use crate::service::provision::{draft, refuse};
use crate::store::document::{Stored, Uniqueness};
use crate::store::error::Unique;
use crate::store::lifecycle::rehires::State as Decided;
use crate::store::lifecycle::restore::{Called, Heir};
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
    perform(Restoring {
        services: services.clone(),
        caller: caller.clone(),
        kind: what.kind(),
        id: ResourceId::new(id),
        how: how.clone(),
        offer: None,
        held,
    })
    .await
}

/// Gives somebody new what somebody had who was deleted, as it was offered.
///
/// # Errors
/// As [`restore`]; an offer that does not wait any more.
pub(super) async fn accept(
    services: &Services,
    caller: &Caller,
    (former, user): (&ResourceId, &ResourceId),
    offer: &str,
) -> Result<Restored> {
    let held = require(services, caller, &[GIVE]).await?;
    perform(Restoring {
        services: services.clone(),
        caller: caller.clone(),
        kind: Kind::User,
        id: former.clone(),
        how: How {
            into: Some(user.as_str().to_owned()),
            ..How::default()
        },
        offer: Some(offer.to_owned()),
        held,
    })
    .await
}

async fn perform(plan: Restoring) -> Result<Restored> {
    let plan = Arc::new(plan);
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move { attempt(&plan).await }
    })
    .await
}

/// Who has what the tombstone had.
enum Came {
    /// It came back.
    Again(Revived),
    /// Somebody else.
    To(Stored),
}

/// What came back.
struct Revived {
    version: Version,
    document: Document,
    /// What a user was when they were deleted, and is from now on.
    stands: Option<Stands>,
}

struct Restoring {
    services: Services,
    caller: Caller,
    kind: Kind,
    id: ResourceId,
    how: How,
    /// The offer by which it is done.
    offer: Option<String>,
    held: Held,
}

async fn attempt(plan: &Restoring) -> Result<Restored> {
    let mut unit = plan.services.begin_writing(&plan.caller).await?;
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
        let mut left_out = given_back::gone(unit, &tomb).await?;
        let came = match &self.how.into {
            Some(into) => Came::To(self.heir(unit, into).await?),
            None => Came::Again(self.revive(unit, (&tomb, &book), now).await?),
        };
        if self.kind == Kind::Group {
            self.may_fill(unit, &tomb, &came, &book).await?;
        }
        let (to, id, version) = match &came {
            Came::To(heir) => (heir.pk, &heir.id, heir.version),
            Came::Again(revived) => (tomb.pk, &tomb.id, revived.version),
        };
        let heir = Heir {
            tomb: tomb.pk,
            to,
            kind: self.kind,
            now,
        };
        let giving = GivingBack {
            services: &self.services,
            caller: &self.caller,
            heir,
            id,
            version,
            book: &book,
        };
        let first = unit.said();
        left_out.extend(giving.all(unit).await?);
        let then = unit.said();
        let id = id.clone();
        match came {
            Came::Again(revived) => {
                let called = unit.tombstones().be_called_again(tomb.pk).await?;
                unit.tombstones().forget(heir);
                self.tell(unit, &tomb, (revived, called, left_out.len()), now).await?;
                // Whom somebody wants active now is not held to what was planned before.
                if self.kind == Kind::User && self.how.active != Some(true) {
                    let user = (tomb.pk, &tomb.id);
                    schedule::wait_again(unit, &self.caller, user, tomb.deleted, now).await?;
                }
                // It is there before somebody is in it.
                unit.say_first(first, then);
            }
            Came::To(new) => {
                self.settle(unit, &tomb, &new, now).await?;
                unit.tombstones().supersede(heir);
                left_out.retain(|left| left.what != "external_id");
                let data = json!({ "into": self.how.into, "left_out": left_out.len() });
                let subject = ledger::resource(self.kind, tomb.pk, &tomb.id);
                ledger::note(unit, &self.caller, now, (self.happened(), subject), &data);
            }
        }
        Ok(Restored {
            id: id.into_string(),
            left_out,
        })
    }

    /// Settles the offer by which it is done.
    async fn settle(&self, unit: &mut Unit, tomb: &Tombstone, new: &Stored, now: Timestamp) -> Result<()> {
        let Some(offer) = &self.offer else { return Ok(()) };
        if !unit.rehires().settle(offer, Decided::Accepted, now).await? {
            return Err(over());
        }
        let data = json!({ "rehire": offer, "former": tomb.id.as_str() });
        let subject = ledger::resource(Kind::User, new.pk, &new.id);
        ledger::note(unit, &self.caller, now, (Happened::RehireAccepted, subject), &data);
        Ok(())
    }

    const fn happened(&self) -> Happened {
        match self.kind {
            Kind::User => Happened::UserRestored,
            Kind::Group | Kind::Own(_) => Happened::GroupRestored,
        }
    }

    /// Says in the log what came back, and what a user is from now on.
    async fn tell(
        &self,
        unit: &mut Unit,
        tomb: &Tombstone,
        (revived, called, left_out): (Revived, Vec<Called>, usize),
        now: Timestamp,
    ) -> Result<()> {
        let person = Person::of(&self.services, &self.caller, &tomb.id, tomb.seal.as_deref()).await?;
        let (user, version) = ((tomb.pk, &tomb.id), revived.version);
        let connections: Vec<&str> = called.iter().map(|called| called.name.as_str()).collect();
        let mut data = json!({ "version": version.0, "left_out": left_out, "called_by": connections });
        if let Some(stands) = &revived.stands {
            data["status"] = status::word(stands.turned.to).into();
        }
        // As in the event of the creation: what the connection calls it that created it.
        let own = called.iter().find(|called| Some(called.connection) == tomb.connection);
        let changes = Changes::of(Document::default().as_map(), &revived.document.told(self.schema()?));
        let entry = ledger::Entry {
            what: self.happened(),
            subject: (self.kind, tomb.pk, &tomb.id),
            about: Vec::new(),
            data,
            changes: Some(changes.and("externalId", None, own.map(|own| own.value.clone().into()))),
            reason: None,
            person: person.as_ref(),
        };
        ledger::record(unit, &self.caller, now, entry);
        if let Some(Stands { turned, rule }) = revived.stands.filter(|stands| stands.turned.from != stands.turned.to) {
            let by = rule.map_or_else(|| self.caller.clone(), |rule| self.caller.by_rule(&rule.name));
            status::tell(unit, &by, now, user, (turned, version), (None, person.as_ref()));
        }
        Ok(())
    }

    /// What it is restored from.
    async fn tombstone(&self, unit: &mut Unit) -> Result<Tombstone> {
        match unit.tombstones().find_for_update(self.kind, &self.id).await? {
            Some(tomb) if tomb.state == State::Kept => Ok(tomb),
            Some(tomb) if tomb.state == State::Purging => Err(Error::NotFound),
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
            Kind::Group | Kind::Own(_) => unit.policy().hold().await?,
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

    /// Nobody fills a group that gives more than they hold: the one that comes back, by the name that it then has, or the
    /// one that gets the members.
    async fn may_fill(&self, unit: &mut Unit, tomb: &Tombstone, came: &Came, book: &Book) -> Result<()> {
        let mut policy = book.rulebook.policy().clone();
        let filled = match came {
            Came::To(heir) => {
                policy.groups.extend(unit.policy().groups(&[heir.pk]).await?);
                heir.pk
            }
            Came::Again(revived) => {
                let parents = unit.tombstones().groups(tomb.pk).await?;
                policy.groups.extend(unit.policy().groups(&parents).await?);
                let display = revived.document.as_map().get("displayName").and_then(Value::as_str);
                policy.groups.push(PolicyGroup {
                    pk: tomb.pk,
                    id: tomb.id.as_str().to_owned(),
                    display: display.unwrap_or_default().to_owned(),
                    parents,
                });
                tomb.pk
            }
        };
        self.held.covers(&self.services, policy.reachable(&[filled]))
    }

    /// Who gets it instead.
    async fn heir(&self, unit: &mut Unit, into: &str) -> Result<Stored> {
        let id = ResourceId::new(into);
        let mut resources = unit.resources();
        let found = resources.find_for_update(self.kind, &id, None, Groups::LeftOut).await?;
        found.ok_or_else(|| Error::invalid("/into", format!("there is no `{into}` to give it to")))
    }

    /// Writes the resource again.
    async fn revive(&self, unit: &mut Unit, (tomb, book): (&Tombstone, &Book), now: Timestamp) -> Result<Revived> {
        let document = Document::from_stored(&tomb.document).map_err(|fault| Error::Internal(Box::new(fault)))?;
        let mut document = self.named(validate::known(self.schema()?, document))?;
        let stands = match self.kind {
            Kind::User => {
                let user = (tomb.pk, &tomb.id, &mut document);
                Some(standing::of(unit, user, (book, self.how.active), now).await?)
            }
            Kind::Group | Kind::Own(_) => None,
        };
        let made_by = match tomb.connection {
            Some(connection) => unit.connections().find_by_id(connection).await?,
            None => None,
        };
        let content = draft::content(self.schema()?, habits(made_by.as_ref()), &document);
        if content.unique == Uniqueness::Enforced
            && let Some(holder) = unit.resources().holder(self.kind, &content.name_key).await?
        {
            return Err(taken(self.kind, &holder));
        }
        refuse::unless_claimed(unit, self.schema()?, &content).await?;
        let derived = match self.kind {
            Kind::Group | Kind::Own(_) => None,
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
        Ok(Revived {
            version,
            document,
            stands,
        })
    }

    fn schema(&self) -> Result<&Arc<ResourceType>> {
        let endpoint = match self.kind {
            Kind::User => "Users",
            Kind::Group | Kind::Own(_) => "Groups",
        };
        self.caller.type_at(endpoint).ok_or(Error::NotFound)
    }

    /// The document with the name under which it comes back.
    fn named(&self, document: Document) -> Result<Document> {
        let Some(name) = &self.how.name else {
            return Ok(document);
        };
        let attribute = match self.kind {
            Kind::User => "userName",
            Kind::Group | Kind::Own(_) => "displayName",
        };
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": attribute, "value": name }],
        });
        Ok(patch::apply(self.schema()?, &patch::parse(&body)?, &document, None)?.document)
    }
}

/// Somebody else has the name.
fn taken(kind: Kind, holder: &ResourceId) -> Error {
    let (what, pointer) = match kind {
        Kind::User => ("user", "/user_name"),
        Kind::Group | Kind::Own(_) => ("group", "/display_name"),
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
