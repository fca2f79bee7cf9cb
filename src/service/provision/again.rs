//! Somebody who was deleted comes again by provisioning: the creation brings them back under their id, as the document
//! says that they are now.

use serde_json::json;

use super::attempt::refused;
use super::carried::Carried;
use super::create::{Came, Plan};
use super::hold;
use super::refuse::{self, Wants};
use super::{draft, roles, secret};
use crate::access::StatusRule;
use crate::access::lifecycle::{Hold, Status};
use crate::base::clock::Timestamp;
use crate::base::id::Version;
use crate::event::Changes;
use crate::scim::Document;
use crate::service::access::policy::{self, Book};
use crate::service::deferred;
use crate::service::derive::{self, Known};
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, What};
use crate::service::lifecycle::given_back::{GivingBack, gone};
use crate::service::lifecycle::leaving::Change;
use crate::service::lifecycle::schedule::{Source, tell as tell_plan, wait_again};
use crate::service::lifecycle::status::{self, Turned};
use crate::service::lifecycle::status_rules;
use crate::service::lifecycle::turn::plain;
use crate::store::error::Unique;
use crate::store::lifecycle::rehires::Former;
use crate::store::lifecycle::restore::{Called, Heir};
use crate::store::lifecycle::statuses::StoredHold;
use crate::store::lifecycle::tombstones::{State, Tombstone};
use crate::store::{self, Kind, Unit};

/// Brings somebody back; `None` where somebody else, who has the same name, is kept out: then it is not for the client to
/// say who this is.
pub(super) async fn come(plan: &Plan, former: &Former) -> Result<Option<Came>> {
    let named = (plan.content.name_key.as_str(), plan.incoming.external_id.as_deref());
    let held = Carried::find(&plan.services, &plan.caller, named, true).await?;
    if held.is_some_and(|held| !held.is_of(&former.id)) {
        return Ok(None);
    }
    let mut unit = plan.services.begin_writing(&plan.caller).await?;
    let ignored = match make(plan, former, &mut unit).await {
        Ok(ignored) => ignored,
        Err(error) => return Err(refused(unit, error).await),
    };
    match unit.save().await {
        Ok(()) => {}
        Err(store::Error::Stale) => {
            derive::forget(&plan.services, &plan.caller);
            return Err(Error::Busy);
        }
        Err(error) => return Err(error.into()),
    }
    let id = former.id.clone();
    Ok(Some(Came::Again { id, ignored }))
}

/// Makes it in a unit; gives what is ignored of the request.
async fn make(plan: &Plan, former: &Former, unit: &mut Unit) -> Result<Vec<String>> {
    let Plan { services, caller, .. } = plan;
    // The policy before the resource, as every unit locks them.
    let version = unit.policy().share().await?;
    let book = policy::locked_at(services, caller, version).await?;
    let found = unit.tombstones().find_for_update(Kind::User, &former.id).await?;
    // Somebody was faster: whoever is meant now is looked for anew.
    let tomb = found.filter(|tomb| tomb.state == State::Kept).ok_or(Error::Busy)?;
    // They are of the connection that has them now.
    let tomb = Tombstone {
        connection: caller.connection_id().or(tomb.connection),
        ..tomb
    };
    let now = services.clock().now();
    let stood = Stood::of(plan, unit, (&tomb, &book), now).await?;
    let content = draft::content(&plan.kind, plain(), &stood.document);
    if unit.resources().holder(Kind::User, &content.name_key).await?.is_some() {
        let taken = store::Error::Taken(Unique::Name);
        return Err(refuse::explain(services, caller, (&plan.kind, &Wants::of(&content)), taken).await);
    }
    refuse::unless_claimed(unit, &plan.kind, &content).await?;
    let meta = derive::Meta {
        id: &tomb.id,
        version: tomb.version.0 + 1,
        created: tomb.created,
        modified: now,
    };
    let derived = derive::of(services, caller, &stood.document, &meta).await?;
    let asked = roles::ask(services, caller, &book, &[], &roles::values(&stood.document)).await?;
    let version = match unit.resources().revive(&tomb, &content, now).await {
        Err(store::Error::Taken(Unique::Name | Unique::ResourceId)) => return Err(Error::Busy),
        other => other?,
    };
    secret::keep(unit, tomb.pk, plan.password.as_ref(), now);
    plan.aside.keep(unit, caller, tomb.pk, now);
    derived.share(unit);
    derived.write(caller, unit, (tomb.pk, Known::New), now);
    if let Some(asked) = &asked {
        asked.give_first(services, caller, unit, (tomb.pk, &tomb.id), now);
    }
    let back = give_back(plan, (&tomb, version), unit, &book, now).await?;
    tell(plan, (&tomb, former), unit, (&stood, version, &back), now).await?;
    wait_again(unit, caller, (tomb.pk, &tomb.id), tomb.deleted, now).await?;
    let leaving = plan_end(plan, &tomb, unit, (&book, &stood.document), now).await?;
    let mut ignored = plan.incoming.ignored.clone();
    ignored.extend(stood.refuses().then(|| hold::ATTRIBUTE.to_owned()));
    ignored.extend(leaving.iter().flat_map(Change::unreadable).cloned());
    let roles = asked.is_some_and(|asked| asked.leaves_out());
    ignored.extend(roles.then(|| roles::LEFT_OUT.to_owned()));
    Ok(ignored)
}

/// What they are from now on.
struct Stood {
    document: Document,
    turned: Turned,
    /// The rule that keeps them out, where it is one.
    rule: Option<StatusRule>,
    /// Whether provisioning takes them for active.
    says: bool,
}

impl Stood {
    /// Whom an administrator keeps out stays out; of everybody else the document says it, and rules by what it says.
    async fn of(plan: &Plan, unit: &mut Unit, (tomb, book): (&Tombstone, &Book), now: Timestamp) -> Result<Self> {
        let was = before(tomb)?;
        let (was_active, says) = (was.as_map().get(hold::ATTRIBUTE) != Some(&json!(false)), plan.says);
        let held = unit.statuses().find(tomb.pk).await?;
        let from = Status::of(was_active, held.as_ref().map(|held| held.hold));
        let lasts = |held: &StoredHold| {
            let passes = held.hold == Hold::Invited || held.by_rule().is_some();
            !passes && (held.closing.is_some() || held.until.is_none_or(|until| until > now))
        };
        let document = plan.incoming.document.clone().with_active(says);
        let rule = says.then(|| status_rules::wanted(book, &tomb.id, &document)).flatten();
        let (document, to, rule) = if let Some(held) = held.filter(lasts) {
            let to = Status::of(false, Some(held.hold));
            let source_active = says;
            unit.statuses().set(tomb.pk, StoredHold { source_active, ..held });
            (document.with_active(false), to, None)
        } else if let Some(rule) = rule {
            unit.statuses().set(tomb.pk, status_rules::hold(rule, now));
            let to = Status::Active.under(Some(rule.keeps));
            (document.with_active(false), to, Some(rule.clone()))
        } else {
            unit.statuses().lift(tomb.pk);
            (document, Status::of(says, None), None)
        };
        let turned = Turned { from, to, until: None };
        Ok(Self {
            document,
            turned,
            rule,
            says,
        })
    }

    fn refuses(&self) -> bool {
        self.says && !self.turned.to.is_active()
    }
}

fn before(tomb: &Tombstone) -> Result<Document> {
    Document::from_stored(&tomb.document).map_err(|fault| Error::Internal(Box::new(fault)))
}

/// What came back with them.
struct Back {
    called: Vec<Called>,
    left_out: usize,
    grants: bool,
    /// How many roles they had by grants that did not come back.
    lost: usize,
}

/// Memberships come back, and grants where the organisation has decided so and provisioning could give each of their
/// roles itself.
async fn give_back(
    plan: &Plan,
    (tomb, version): (&Tombstone, Version),
    unit: &mut Unit,
    book: &Book,
    now: Timestamp,
) -> Result<Back> {
    let heir = Heir {
        tomb: tomb.pk,
        to: tomb.pk,
        kind: Kind::User,
        now,
    };
    let giving = GivingBack {
        services: &plan.services,
        caller: &plan.caller,
        heir,
        id: &tomb.id,
        version,
        book,
    };
    let mut left_out = gone(unit, tomb).await?;
    left_out.extend(giving.join(unit).await?);
    unit.tombstones().forget_asked_for(tomb.pk).await?;
    let grants = book.rulebook.policy().settings.rehire_grants && may_give(unit, tomb, book).await?;
    let mut lost = 0;
    if grants {
        left_out.extend(giving.hold(unit).await?);
    } else {
        lost = unit.tombstones().roles(tomb.pk).await?.len();
    }
    let external = plan.incoming.external_id.as_deref();
    if let Some(connection) = plan.caller.connection_id() {
        unit.tombstones().be_called(tomb.pk, connection, external).await?;
    }
    let called = unit.tombstones().be_called_again(tomb.pk).await?;
    unit.tombstones().forget(heir);
    let left_out = left_out.len();
    Ok(Back {
        called,
        left_out,
        grants,
        lost,
    })
}

async fn may_give(unit: &mut Unit, tomb: &Tombstone, book: &Book) -> Result<bool> {
    let given = unit.tombstones().roles(tomb.pk).await?;
    let known = &book.rulebook.policy().roles;
    let may = |key| {
        let role = known.iter().find(|role| role.key == key);
        role.is_none_or(|role| roles::may_give(book, role).is_ok())
    };
    Ok(given.into_iter().all(may))
}

/// Plans their end as the document says; what it said of the end before is over.
async fn plan_end(
    plan: &Plan,
    tomb: &Tombstone,
    unit: &mut Unit,
    (book, document): (&Book, &Document),
    now: Timestamp,
) -> Result<Option<Change>> {
    for over in unit.schedules().cancel(tomb.pk, Source::Attribute, now).await? {
        tell_plan(unit, &plan.caller, now, What::ScheduleCancelled, &over);
    }
    let leaving = Change::between(book, &plan.kind, None, document);
    if let Some(leaving) = &leaving {
        let user = (tomb.pk, &tomb.id);
        leaving.keep(&plan.services, &plan.caller, unit, user, now).await?;
    }
    Ok(leaving)
}

async fn tell(
    plan: &Plan,
    (tomb, former): (&Tombstone, &Former),
    unit: &mut Unit,
    (stood, version, back): (&Stood, Version, &Back),
    now: Timestamp,
) -> Result<()> {
    let Plan { services, caller, .. } = plan;
    let person = Person::of(services, caller, &tomb.id, tomb.seal.as_deref()).await?;
    let connections: Vec<&str> = back.called.iter().map(|called| called.name.as_str()).collect();
    // What the connection of the event calls them from now on.
    let by = caller.connection_id().or(tomb.connection);
    let own = back.called.iter().find(|called| Some(called.connection) == by);
    let changes = Changes::of(Document::default().as_map(), &stood.document.told(&plan.kind));
    let entry = ledger::Entry {
        what: What::UserRestored,
        subject: (Kind::User, tomb.pk, &tomb.id),
        about: Vec::new(),
        data: json!({
            "version": version.0,
            "status": status::word(stood.turned.to),
            "left_out": back.left_out,
            "called_by": connections,
            "via": "rehire",
            "matched": former.matched.as_str(),
            "grants": back.grants,
            "roles_lost": back.lost,
        }),
        changes: Some(changes.and("externalId", None, own.map(|own| own.value.clone().into()))),
        reason: None,
        person: person.as_ref(),
    };
    ledger::record(unit, caller, now, entry);
    deferred::done(unit, caller, now, (&tomb.id, Some(version)));
    let user = (tomb.pk, &tomb.id);
    let ruled = stood.rule.as_ref().map(|rule| caller.by_rule(&rule.name));
    let caller = ruled.as_ref().unwrap_or(caller);
    if stood.turned.from != stood.turned.to {
        status::tell(
            unit,
            caller,
            now,
            user,
            (stood.turned, version),
            (None, person.as_ref()),
        );
    }
    if stood.refuses() {
        status::tell_refused(unit, caller, now, user, stood.turned.to);
    }
    Ok(())
}
