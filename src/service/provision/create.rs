//! A new resource (RFC 7644 §3.3).

use serde_json::Value;
use std::sync::Arc;

use super::attempt::attempts;
use super::draft::{content, differences, store_kind};
use super::membership;
use super::refuse;
use super::roles::{self, Asked};
use super::shown::{Relations, Shown};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::Changes;
use crate::scim::Document;
use crate::scim::dialect::Dialect;
use crate::scim::patch::MemberOp;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::scim::validate::{self, Incoming};
use crate::service::context::{Caller, Services};
use crate::service::derive::{self, Derived, Known};
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, What};
use crate::service::tolerances;
use crate::store::document::Content;
use crate::store::members::ByRule;
use crate::store::{self, Kind, Unit};

/// What an attempt needs, made ready once.
struct Plan {
    services: Services,
    caller: Caller,
    kind: Arc<ResourceType>,
    store_kind: Kind,
    id: ResourceId,
    incoming: Incoming,
    content: Content,
    /// The key of a new person, and the same as it is stored.
    person: Option<(Person, String)>,
    /// Names of the attributes it starts with, for the ledger.
    names: Vec<String>,
    wants_members: bool,
}

impl Plan {
    fn joins_members(&self) -> bool {
        self.incoming
            .members
            .as_ref()
            .is_some_and(|members| !members.is_empty())
    }
}

/// Creates a resource of this type from the body of a POST.
///
/// # Errors
/// What breaks the schema, a member that does not exist, or a name that is taken.
pub async fn create(
    services: &Services,
    caller: &Caller,
    dialect: &Dialect,
    kind: &Arc<ResourceType>,
    body: Value,
    view: &View,
) -> Result<Shown> {
    let (body, applied) = dialect.create(kind, body);
    tolerances::note(services, caller, *dialect, &applied);
    let mut incoming = validate::create(kind, &body)?;
    refuse::password_unkept(&mut incoming.ignored, incoming.password.as_ref());
    tolerances::note_ignored(services, caller, &incoming.ignored);
    refuse::unless_countries(*dialect, &incoming.document)?;
    let mut names = differences(&Document::default(), &incoming.document);
    names.extend(incoming.external_id.is_some().then(|| "externalId".to_owned()));
    let (store_kind, id) = (store_kind(kind)?, services.ids().next());
    let person = match store_kind {
        Kind::User => Some(Person::new(services, caller, &id).await?),
        Kind::Group => None,
    };
    let plan = Arc::new(Plan {
        names,
        person,
        services: services.clone(),
        caller: caller.clone(),
        kind: Arc::clone(kind),
        store_kind,
        id,
        content: content(kind, *dialect, &incoming.document),
        incoming,
        wants_members: view.wants("members"),
    });
    attempts(|| attempt(Arc::clone(&plan))).await
}

async fn attempt(plan: Arc<Plan>) -> Result<Shown> {
    let Plan {
        services,
        caller,
        kind,
        content,
        ..
    } = &*plan;
    let derived = derived(&plan).await?;
    let asked = asked(&plan, derived.as_ref()).await?;
    let mut unit = services.begin(caller).await?;
    share(derived.as_ref(), &mut unit);
    // Read inside the unit, so that on one node the order of times is the order of changes.
    let now = services.clock().now();
    let new = store::resources::New {
        kind: plan.store_kind,
        id: &plan.id,
        connection: caller.connection_id(),
        external_id: plan.incoming.external_id.as_deref(),
        seal: plan.person.as_ref().map(|(_, seal)| seal.as_str()),
        content,
        now,
    };
    let pk = match insert(&plan, &mut unit, new).await {
        Ok(pk) => pk,
        Err(error) => {
            // The holder of the name may be in a batch that is not on disk yet.
            unit.dismiss().await?;
            return Err(explained(&plan, error).await);
        }
    };
    if let Some(derived) = &derived {
        derived.write(caller, &mut unit, (pk, Known::New), now);
    }
    if let Some(asked) = &asked {
        asked.give_first(services, caller, &mut unit, (pk, &plan.id), now);
    }
    let mut joined = match join(&plan, &mut unit, pk, now).await {
        Ok(joined) => joined,
        Err(error) => return Err(refused(unit, error).await),
    };
    if let Some(derived) = &derived {
        joined.relations = membership::groups(derived.groups((pk, &plan.id), now));
    }
    ledger::record(&mut unit, caller, now, entry(&plan, pk, &joined));
    if let Err(error) = unit.save().await {
        return Err(explained(&plan, error).await);
    }
    Ok(Shown {
        kind: Arc::clone(kind),
        id: plan.id.clone(),
        version: 1,
        created: Some(now),
        modified: Some(now),
        document: content.document.clone(),
        external_id: plan.incoming.external_id.clone(),
        relations: joined.relations,
        asked_for: plan.incoming.asked_for.clone(),
        ignored: ignored(&plan, asked.as_ref()),
    })
}

/// Shares the policy: that the matches of a user were worked out by, or that the members of a group get something by.
fn share(derived: Option<&Derived>, unit: &mut Unit) {
    match derived {
        Some(derived) => derived.share(unit),
        None => unit.policy().share_later(),
    }
}

/// Why the store did not take it. What it finds stale is the policy: then the whole is done again, by the one there is.
async fn explained(plan: &Plan, error: store::Error) -> Error {
    if matches!(error, store::Error::Stale) {
        derive::forget(&plan.services, &plan.caller);
        return Error::Busy;
    }
    refuse::explain(&plan.services, &plan.caller, &plan.kind, &plan.content.name_key, error).await
}

/// The roles that its `roles` ask for.
async fn asked(plan: &Plan, derived: Option<&Derived>) -> Result<Option<Asked>> {
    let Some(derived) = derived else { return Ok(None) };
    let after = roles::values(&plan.incoming.document);
    roles::ask(&plan.services, &plan.caller, derived.book(), &[], &after).await
}

/// Names of what means nothing here, counted before but for roles, which only the policy knows.
fn ignored(plan: &Plan, asked: Option<&Asked>) -> Vec<String> {
    let mut ignored = plan.incoming.ignored.clone();
    if asked.is_some_and(Asked::leaves_out) {
        ignored.push(roles::LEFT_OUT.to_owned());
        tolerances::note_ignored(&plan.services, &plan.caller, &ignored[ignored.len() - 1..]);
    }
    ignored
}

/// Written with the save, where nothing else has to be asked first: the writer is held half as long.
async fn insert(plan: &Plan, unit: &mut Unit, new: store::resources::New<'_>) -> store::Result<Pk> {
    if plan.joins_members() {
        unit.resources().insert(new).await
    } else {
        unit.resources().insert_later(new).await
    }
}

/// What the document of a user says about rules.
async fn derived(plan: &Plan) -> Result<Option<Derived>> {
    if plan.store_kind != Kind::User {
        return Ok(None);
    }
    let now = plan.services.clock().now();
    let meta = derive::Meta {
        id: &plan.id,
        version: 1,
        created: now,
        modified: now,
    };
    let derived = derive::of(&plan.services, &plan.caller, &plan.incoming.document, &meta).await?;
    Ok(Some(derived))
}

fn entry<'p>(plan: &'p Plan, pk: Pk, joined: &Joined) -> ledger::Entry<'p> {
    ledger::Entry {
        what: match plan.store_kind {
            Kind::User => What::UserCreated,
            Kind::Group => What::GroupCreated,
        },
        subject: (plan.store_kind, pk, &plan.id),
        about: ledger::moves(pk, &joined.members, &[]),
        data: ledger::changes(&plan.names, Some(Version(1)), &joined.added, &[]),
        changes: Some(changes(plan)),
        reason: None,
        person: plan.person.as_ref().map(|(person, _)| person),
    }
}

/// All of the document, and what the connection calls it.
fn changes(Plan { caller, incoming, .. }: &Plan) -> Changes {
    let changes = Changes::of(Document::default().as_map(), incoming.document.as_map());
    let called = incoming
        .external_id
        .as_deref()
        .filter(|_| caller.connection_id().is_some());
    changes.and("externalId", None, called.map(Value::from))
}

/// The members a new group starts with, and what the answer shows of them.
struct Joined {
    added: Vec<ResourceId>,
    /// Their row numbers.
    members: Vec<Pk>,
    relations: Relations,
}

async fn join(plan: &Plan, unit: &mut Unit, pk: Pk, now: Timestamp) -> Result<Joined> {
    let cause = ledger::cause(&plan.caller, now);
    if plan.store_kind == Kind::User {
        return Ok(Joined {
            added: Vec::new(),
            members: Vec::new(),
            relations: Relations::Groups(Vec::new()),
        });
    }
    let mut joined = Joined {
        added: Vec::new(),
        members: Vec::new(),
        relations: Relations::Members(Vec::new()),
    };
    if let Some(members) = plan.incoming.members.as_deref().filter(|_| plan.joins_members()) {
        let moved = membership::apply(unit, pk, &[MemberOp::Add(members.to_vec())], cause).await?;
        joined.members = moved.joined();
        joined.added = moved.added();
        if plan.wants_members {
            joined.relations = membership::in_unit(unit, pk, None, &ByRule::NONE).await?;
        }
    }
    Ok(joined)
}

/// Ends a unit that refuses: the answer waits until what it rests on is on disk.
pub(super) async fn refused(unit: Unit, error: Error) -> Error {
    match unit.dismiss().await {
        Ok(()) => error,
        Err(fault) => fault.into(),
    }
}
