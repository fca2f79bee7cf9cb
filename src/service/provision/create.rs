//! A new resource (RFC 7644 §3.3).

use serde_json::Value;
use std::sync::Arc;

use super::again;
use super::aside::{self, Settled};
use super::attempt::{attempts, refused};
use super::carried::Carried;
use super::draft::{content, differences, store_kind};
use super::former::Formers;
use super::hold;
use super::join::{self, Refused};
use super::membership;
use super::read::read;
use super::refuse;
use super::roles::{self, Asked};
use super::secret;
use super::shown::{Relations, Shown};
use crate::access::StatusRule;
use crate::access::lifecycle::Status;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::Changes;
use crate::scim::Document;
use crate::scim::dialect::{Applied, Dialect};
use crate::scim::patch::MemberOp;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::scim::validate::{self, Incoming};
use crate::service::context::{Caller, Services};
use crate::service::deferred;
use crate::service::derive::{self, Derived, Known};
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, What};
use crate::service::lifecycle::leaving::Change;
use crate::service::lifecycle::status::{self, Turned};
use crate::service::lifecycle::status_rules;
use crate::service::tolerances;
use crate::store::document::Content;
use crate::store::members::ByRule;
use crate::store::{self, Kind, Unit};

/// What an attempt needs, made ready once.
pub(super) struct Plan {
    pub(super) services: Services,
    pub(super) caller: Caller,
    pub(super) kind: Arc<ResourceType>,
    store_kind: Kind,
    id: ResourceId,
    pub(super) incoming: Incoming,
    pub(super) content: Content,
    /// The hash of their password.
    pub(super) password: Option<String>,
    /// The key of a new person, and the same as it is stored.
    person: Option<(Person, String)>,
    /// Names of the attributes it starts with, for the ledger.
    names: Vec<String>,
    wants_members: bool,
    /// What holds them from the first: an administrator kept out the one who was deleted.
    pub(super) carried: Option<Carried>,
    /// The rule that keeps them out from the first, where nothing else does.
    ruled: Option<StatusRule>,
    /// Whether provisioning takes them for active.
    pub(super) says: bool,
    /// What is kept aside of it.
    pub(super) aside: Settled,
}

/// What came of an attempt.
pub(super) enum Came {
    /// The resource.
    Created(Box<Shown>),
    /// Nothing: whoever is meant was deleted, and is held.
    Held(Carried),
    /// Nothing: this rule keeps them out, or none any more.
    Ruled(Option<StatusRule>),
    /// Somebody who was deleted is there again.
    Again {
        /// The id that they had, and have.
        id: ResourceId,
        /// Names in the request body that mean nothing here.
        ignored: Vec<String>,
    },
}

impl Plan {
    /// The same of somebody who is kept out.
    fn kept_out(mut self, carried: Carried, dialect: Dialect) -> Self {
        self.incoming.document = std::mem::take(&mut self.incoming.document).with_active(false);
        self.content = content(&self.kind, dialect, &self.incoming.document);
        if carried.is_refused() && self.ruled.is_none() {
            self.incoming.ignored.push(hold::ATTRIBUTE.to_owned());
            tolerances::note_ignored(&self.services, &self.caller, &[hold::ATTRIBUTE.to_owned()]);
        }
        if !self.names.iter().any(|name| name == hold::ATTRIBUTE) {
            self.names.push(hold::ATTRIBUTE.to_owned());
        }
        self.carried = Some(carried);
        self.ruled = None;
        self
    }

    /// The same of somebody whom this rule keeps out, or none any more.
    fn ruled_by(mut self, rule: Option<StatusRule>, dialect: Dialect) -> Self {
        let was_ruled = self.ruled.is_some();
        let document = std::mem::take(&mut self.incoming.document);
        self.incoming.document = document.with_active(rule.is_none());
        self.content = content(&self.kind, dialect, &self.incoming.document);
        if rule.is_some() && !was_ruled {
            self.incoming.ignored.push(hold::ATTRIBUTE.to_owned());
            tolerances::note_ignored(&self.services, &self.caller, &[hold::ATTRIBUTE.to_owned()]);
        } else if rule.is_none() {
            self.incoming.ignored.retain(|name| name != hold::ATTRIBUTE);
        }
        if !self.names.iter().any(|name| name == hold::ATTRIBUTE) {
            self.names.push(hold::ATTRIBUTE.to_owned());
        }
        self.ruled = rule;
        self
    }

    /// The rule that keeps them out, by the policy of now.
    fn rule<'b>(&self, derived: Option<&'b Derived>) -> Option<&'b StatusRule> {
        let book = derived.filter(|_| self.says && self.carried.is_none())?.book();
        status_rules::wanted(book, &self.id, &self.incoming.document)
    }

    /// Only provisioning can mean somebody who is held: what an administrator does, they decide.
    pub(super) fn may_mean_held(&self) -> bool {
        self.store_kind == Kind::User && self.caller.connection_id().is_some() && self.carried.is_none()
    }

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
    let id = services.ids().next();
    create_as(services, caller, (id, None), (dialect, kind, view), body).await
}

/// The same with an id that was given out before, and perhaps with the password hashed.
pub(super) async fn create_as(
    services: &Services,
    caller: &Caller,
    (id, hash): (ResourceId, Option<String>),
    (dialect, kind, view): (&Dialect, &Arc<ResourceType>, &View),
    body: Value,
) -> Result<Shown> {
    let (body, applied) = dialect.create(kind, body);
    tolerances::note(services, caller, *dialect, &applied);
    let mut incoming = validate::create(kind, &body)?;
    let aside = Settled::first(&aside::of_body(*dialect, caller, kind, &body), &mut incoming.ignored);
    refuse::unless_defined(*dialect, &incoming.ignored)?;
    tolerances::note_ignored(services, caller, &incoming.ignored);
    refuse::unless_plausible(*dialect, kind, &incoming.document, None)?;
    let mut names = differences(&Document::default(), &incoming.document);
    names.extend(incoming.external_id.is_some().then(|| "externalId".to_owned()));
    let password = secret::kept(services, incoming.password.as_ref(), hash).await?;
    names.extend(password.is_some().then(|| secret::ATTRIBUTE.to_owned()));
    let store_kind = store_kind(kind)?;
    let person = match store_kind {
        Kind::User => Some(Person::new(services, caller, &id).await?),
        Kind::Group | Kind::Own(_) => None,
    };
    let content = content(kind, *dialect, &incoming.document);
    let says = content.active != Some(false);
    let plan = Arc::new(Plan {
        names,
        person,
        services: services.clone(),
        caller: caller.clone(),
        kind: Arc::clone(kind),
        store_kind,
        id,
        content,
        incoming,
        password,
        wants_members: view.wants("members"),
        carried: None,
        ruled: None,
        says,
        aside,
    });
    let name_key = plan.content.name_key.clone();
    let error = match created(plan, *dialect, view).await {
        Ok(mut shown) => {
            shown.tolerated = applied;
            return Ok(shown);
        }
        Err(error) => error,
    };
    let refused = Refused {
        dialect,
        kind,
        view,
        name_key: &name_key,
        body,
    };
    join::instead(services, caller, refused, error).await
}

/// How often it is made anew because somebody is kept out, or not any more.
const MOST_TIMES: usize = 4;

/// Makes it; somebody who is meant to be kept out, so.
async fn created(mut plan: Arc<Plan>, dialect: Dialect, view: &View) -> Result<Shown> {
    for _ in 0..MOST_TIMES {
        // No attempt is under way any more when one has come to something.
        let last = |plan| Arc::into_inner(plan).ok_or(Error::Busy);
        plan = Arc::new(match attempts(|| attempt(Arc::clone(&plan))).await? {
            Came::Created(shown) => return Ok(*shown),
            Came::Again { id, ignored } => return again(&plan, view, &id, ignored).await,
            Came::Held(carried) => last(plan)?.kept_out(carried, dialect),
            Came::Ruled(rule) => last(plan)?.ruled_by(rule, dialect),
        });
    }
    Err(Error::Busy)
}

/// What an answer shows of somebody who was deleted and is there again.
async fn again(plan: &Plan, view: &View, id: &ResourceId, ignored: Vec<String>) -> Result<Shown> {
    let mut shown = read(&plan.services, &plan.caller, &plan.kind, id, view).await?;
    tolerances::note_ignored(&plan.services, &plan.caller, &ignored[plan.incoming.ignored.len()..]);
    (shown.asked_for, shown.ignored) = (plan.incoming.asked_for.clone(), ignored);
    Ok(shown)
}

async fn attempt(plan: Arc<Plan>) -> Result<Came> {
    let derived = derived(&plan).await?;
    let formers = Formers::of(&plan, derived.as_ref()).await?;
    if let Some(former) = formers.linked()
        && let Some(came) = again::come(&plan, former).await?
    {
        return Ok(came);
    }
    let rule = plan.rule(derived.as_ref());
    if rule != plan.ruled.as_ref() {
        return Ok(Came::Ruled(rule.cloned()));
    }
    make(plan, derived, formers).await
}

/// Makes somebody or something new.
async fn make(plan: Arc<Plan>, derived: Option<Derived>, formers: Formers) -> Result<Came> {
    let Plan {
        services,
        caller,
        kind,
        content,
        ..
    } = &*plan;
    let leaving = leaving(&plan, derived.as_ref());
    let asked = asked(&plan, derived.as_ref()).await?;
    let mut unit = services.begin_writing(caller).await?;
    share(derived.as_ref(), &mut unit);
    // Read inside the unit, so that on one node the order of times is the order of changes.
    let now = services.clock().now();
    let pk = match insert(&plan, &mut unit, now).await {
        Ok(pk) => pk,
        Err(error) => {
            // The holder of the name may be in a batch that is not on disk yet.
            unit.dismiss().await?;
            return refuse::creation(&plan, error).await;
        }
    };
    secret::keep(&mut unit, pk, plan.password.as_ref(), now);
    plan.aside.keep(&mut unit, caller, pk, now);
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
    formers.offer(&plan, &mut unit, (pk, &plan.id), now);
    if let Err(error) = saved(&plan, unit, (pk, leaving.as_ref()), now).await {
        return refuse::creation(&plan, error).await;
    }
    Ok(Came::Created(Box::new(Shown {
        kind: Arc::clone(kind),
        id: plan.id.clone(),
        version: 1,
        created: Some(now),
        modified: Some(now),
        document: content.document.clone(),
        external_id: plan.incoming.external_id.clone(),
        relations: joined.relations,
        asked_for: plan.incoming.asked_for.clone(),
        ignored: ignored(&plan, asked.as_ref(), leaving.as_ref()),
        effects: Vec::new(),
        tolerated: Applied::default(),
    })))
}

/// Writes what holds them and what the document says of when they leave, and ends the unit.
async fn saved(plan: &Plan, mut unit: Unit, (pk, leaving): (Pk, Option<&Change>), now: Timestamp) -> store::Result<()> {
    deferred::done(&mut unit, &plan.caller, now, (&plan.id, Some(Version(1))));
    if let Some(carried) = &plan.carried {
        let user = (pk, &plan.id, plan.person.as_ref().map(|(person, _)| person));
        carried.keep(&plan.services, &plan.caller, &mut unit, user, now).await?;
    }
    if let Some(rule) = &plan.ruled {
        let user = (pk, &plan.id);
        let turned = Turned {
            from: Status::Active,
            to: rule.keeps.status(),
            until: None,
        };
        let caller = plan.caller.by_rule(&rule.name);
        unit.statuses().set(pk, status_rules::hold(rule, now));
        status::tell(&mut unit, &caller, now, user, (turned, Version(1)), (None, None));
        status::tell_refused(&mut unit, &caller, now, user, turned.to);
    }
    if let Some(leaving) = leaving {
        let user = (pk, &plan.id);
        leaving.keep(&plan.services, &plan.caller, &mut unit, user, now).await?;
    }
    unit.save().await
}

/// Shares the policy: that the matches of a user were worked out by, or that the members of a group get something by.
fn share(derived: Option<&Derived>, unit: &mut Unit) {
    match derived {
        Some(derived) => derived.share(unit),
        None => unit.policy().share_later(),
    }
}

/// The roles that its `roles` ask for.
async fn asked(plan: &Plan, derived: Option<&Derived>) -> Result<Option<Asked>> {
    let Some(derived) = derived else { return Ok(None) };
    let after = roles::values(&plan.incoming.document);
    roles::ask(&plan.services, &plan.caller, derived.book(), &[], &after).await
}

/// What the document says of when the user leaves.
fn leaving(plan: &Plan, derived: Option<&Derived>) -> Option<Change> {
    Change::between(derived?.book(), &plan.kind, None, &plan.incoming.document)
}

/// Names of what means nothing here, counted before but for what only the policy knows.
fn ignored(plan: &Plan, asked: Option<&Asked>, leaving: Option<&Change>) -> Vec<String> {
    let mut ignored = plan.incoming.ignored.clone();
    let counted = ignored.len();
    if let Some(leaving) = leaving {
        ignored.extend_from_slice(leaving.unreadable());
    }
    if asked.is_some_and(Asked::leaves_out) {
        ignored.push(roles::LEFT_OUT.to_owned());
    }
    tolerances::note_ignored(&plan.services, &plan.caller, &ignored[counted..]);
    ignored
}

/// Written with the save, where nothing else has to be asked first: the writer is held half as long.
async fn insert(plan: &Plan, unit: &mut Unit, now: Timestamp) -> store::Result<Pk> {
    let new = store::resources::New {
        kind: plan.store_kind,
        id: &plan.id,
        connection: plan.caller.connection_id(),
        external_id: plan.incoming.external_id.as_deref(),
        seal: plan.person.as_ref().map(|(_, seal)| seal.as_str()),
        content: &plan.content,
        now,
    };
    if plan.joins_members() {
        unit.resources().insert(new).await
    } else if plan.may_mean_held() {
        unit.resources().insert_unless_held(new).await
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
    let mut data = ledger::changes(&plan.names, Some(Version(1)), &joined.added, &[]);
    ledger::kept_out(&mut data, plan.content.active);
    plan.aside.tell(&mut data);
    ledger::Entry {
        what: match plan.store_kind {
            Kind::User => What::UserCreated,
            Kind::Group => What::GroupCreated,
            Kind::Own(_) => What::ResourceCreated,
        },
        subject: (plan.store_kind, pk, &plan.id),
        about: ledger::moves(pk, &joined.members, &[]),
        data,
        changes: Some(changes(plan)),
        reason: None,
        person: plan.person.as_ref().map(|(person, _)| person),
    }
}

/// All of the document, and what the connection calls it.
fn changes(plan: &Plan) -> Changes {
    let incoming = &plan.incoming;
    let changes = Changes::of(Document::default().as_map(), &incoming.document.told(&plan.kind));
    let called = incoming.external_id.as_deref();
    let called = called.filter(|_| plan.caller.connection_id().is_some());
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
    let mut joined = Joined {
        added: Vec::new(),
        members: Vec::new(),
        relations: match plan.store_kind {
            Kind::User => Relations::Groups(Vec::new()),
            Kind::Group => Relations::Members(Vec::new()),
            Kind::Own(_) => Relations::Unread,
        },
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
