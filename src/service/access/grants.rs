//! Grants: roles given to users and groups.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::authority::{self, GIVE, Held, require};
use super::desk::{Change, Desk, perform};
use super::names::{self, Named, Place};
use super::page::{Page, Paging};
use super::policy::{self, Book};
use crate::access::invariant::{self, Deed};
use crate::access::permission::{Permissions, Predefined};
use crate::access::{Origin, Reach, Restriction, Subject, Validity};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, GrantKey, RoleKey};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Kind;
use crate::store::access::grants::{NewGrant as Row, StoredGrant, Wanted};

/// Most properties of a restriction, and most values of one.
const MAX_RESTRICTION: usize = 100;

/// A user or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// One user.
    User,
    /// Everyone in a group, directly or through groups in it.
    Group,
}

impl SubjectKind {
    /// `user` or `group`, as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::User => Kind::User,
            Self::Group => Kind::Group,
        }
    }
}

/// Where a new grant is to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// On the scope of this id; `all` is everywhere.
    Scope(String),
    /// On one record.
    Record {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
    },
}

/// What a new grant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// Whether a user or a group holds it.
    pub subject_kind: SubjectKind,
    /// Id of that user or group.
    pub subject: String,
    /// Id of the role.
    pub role: String,
    /// Where it counts.
    pub place: Where,
    /// When it counts.
    pub validity: Validity,
    /// Property → values; empty is no restriction.
    pub restrict: BTreeMap<String, Vec<String>>,
}

/// A grant as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// A UUID.
    pub id: String,
    /// What holds it.
    pub subject_kind: SubjectKind,
    /// Who holds it.
    pub subject: Named,
    /// What it gives.
    pub role: Named,
    /// Where it counts.
    pub place: Place,
    /// When it counts.
    pub validity: Validity,
    /// Which records it is narrowed to.
    pub restrict: Restriction,
    /// `manual`, `rule`, `import`, `invitation` or `provisioned`.
    pub origin: &'static str,
    /// Who made it.
    pub made: Made,
}

/// Who made something so, when, and in which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// `connection`, `admin`, `user` or `operator`.
    pub by_kind: String,
    /// Which one.
    pub by: String,
    /// Name of the connection it came by.
    pub connection: Option<String>,
    /// Id of the request.
    pub request_id: Option<String>,
}

/// Which grants are asked for; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Id of a user or group: those it holds itself.
    pub subject: Option<String>,
    /// Id of a role.
    pub role: Option<String>,
    /// Id of a scope: those on the scope itself; `all` are those on everything.
    pub scope: Option<String>,
    /// A record: those on the record itself.
    pub record: Option<(String, String)>,
}

/// A page of grants, oldest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none. What does not exist has no grants.
pub async fn list(services: &Services, caller: &Caller, filter: &Filter, paging: &Paging) -> Result<Page<Grant>> {
    require(services, caller, &[authority::VIEW, GIVE]).await?;
    let nothing = || Page {
        items: Vec::new(),
        next: None,
    };
    let reader = services.read(caller);
    let book = policy::current(services, caller).await?;
    let mut wanted = Wanted::default();
    if let Some(id) = &filter.subject {
        let ids = [crate::base::id::ResourceId::new(id.as_str())];
        let Some((_, pk, _)) = reader.resources().pks(&ids).await?.into_iter().next() else {
            return Ok(nothing());
        };
        wanted.subject = Some(pk);
    }
    let policy = book.rulebook.policy();
    if let Some(id) = &filter.role {
        let Some(role) = policy.roles.iter().find(|role| role.id == *id) else {
            return Ok(nothing());
        };
        wanted.role = Some(role.key);
    }
    match filter.scope.as_deref() {
        None => {}
        Some(names::ALL) => wanted.everywhere = true,
        Some(id) => {
            let Some(scope) = policy.scopes.iter().find(|scope| scope.id == id) else {
                return Ok(nothing());
            };
            wanted.scope = Some(scope.key);
        }
    }
    let record = filter.record.as_ref().map(|(kind, id)| names::record("", kind, id));
    let record = record.transpose()?;
    wanted.record = record.as_ref();
    let rows = reader
        .grants()
        .list(wanted, GrantKey(paging.after()?), paging.rows())
        .await?;
    let page = paging.cut(rows, |row| row.grant.key.0);
    let connections = connections(services, caller).await?;
    Ok(page.map(|row| shown(&book, &connections, row)))
}

/// One grant.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Grant> {
    require(services, caller, &[authority::VIEW, GIVE]).await?;
    find_again(services, caller, id).await
}

/// Gives a role.
///
/// # Errors
/// `Forbidden`, also for a role that permits what the caller does not hold; a subject, role or scope that does not
/// exist; the role of the owner.
pub async fn create(services: &Services, caller: &Caller, new: &NewGrant) -> Result<Grant> {
    let held = require(services, caller, &[GIVE]).await?;
    let id = services.ids().next().into_string();
    let giving = Giving::new(&id, new, held)?;
    perform(services, caller, giving).await?;
    find_again(services, caller, &id).await
}

/// Changes when a grant counts.
///
/// # Errors
/// `Forbidden`, `NotFound`; the owner's grant, and the last administrator's, have no end.
pub async fn change(services: &Services, caller: &Caller, id: &str, validity: Validity) -> Result<Grant> {
    let held = require(services, caller, &[GIVE]).await?;
    check_validity(validity)?;
    let moving = Moving {
        id: id.to_owned(),
        held,
        deed: Edit::Validity(validity),
    };
    perform(services, caller, moving).await?;
    find_again(services, caller, id).await
}

/// Takes a grant away.
///
/// # Errors
/// `Forbidden`, `NotFound`; the owner's grant, and the last administrator's.
pub async fn delete(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    let held = require(services, caller, &[GIVE]).await?;
    let moving = Moving {
        id: id.to_owned(),
        held,
        deed: Edit::Delete,
    };
    perform(services, caller, moving).await
}

async fn find_again(services: &Services, caller: &Caller, id: &str) -> Result<Grant> {
    let row = services.read(caller).grants().find(id).await?.ok_or(Error::NotFound)?;
    let book = policy::current(services, caller).await?;
    let connections = connections(services, caller).await?;
    Ok(shown(&book, &connections, row))
}

/// Names of the tenant's connections.
pub(super) async fn connections(services: &Services, caller: &Caller) -> Result<HashMap<ConnectionId, String>> {
    let rows = services.read(caller).connections().list().await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

fn shown(book: &Book, connections: &HashMap<ConnectionId, String>, row: StoredGrant) -> Grant {
    let subject_kind = match row.grant.subject {
        Subject::User(_) => SubjectKind::User,
        Subject::Group(_) => SubjectKind::Group,
    };
    let connection = row.made.connection.and_then(|id| connections.get(&id).cloned());
    Grant {
        subject_kind,
        subject: Named {
            id: row.subject_id.into_string(),
            name: row.subject_name,
        },
        role: names::role(book, row.grant.role),
        place: names::place(book, &row.grant.reach),
        validity: row.grant.validity,
        origin: row.grant.origin.as_str(),
        id: row.grant.id,
        restrict: row.grant.restriction,
        made: Made {
            at: row.made.at,
            by_kind: row.made.actor_kind,
            by: row.made.actor_name,
            connection,
            request_id: row.made.request_id,
        },
    }
}

fn check_validity(validity: Validity) -> Result<()> {
    match (validity.from, validity.to) {
        (Some(from), Some(to)) if to <= from => Err(Error::invalid("/valid_to", "`valid_to` is after `valid_from`")),
        _ => Ok(()),
    }
}

pub(super) fn restriction(given: &BTreeMap<String, Vec<String>>) -> Result<Restriction> {
    let too_many = || {
        Error::invalid(
            "/restrict",
            format!("a restriction has at most {MAX_RESTRICTION} properties with {MAX_RESTRICTION} values each"),
        )
    };
    if given.len() > MAX_RESTRICTION {
        return Err(too_many());
    }
    let mut restriction = BTreeMap::new();
    for (name, values) in given {
        if values.len() > MAX_RESTRICTION {
            return Err(too_many());
        }
        if name.is_empty() || values.is_empty() {
            return Err(Error::invalid(
                "/restrict",
                "a restriction names a property and at least one value",
            ));
        }
        let values: BTreeSet<String> = values.iter().cloned().collect();
        restriction.insert(name.clone(), values);
    }
    Ok(Restriction(restriction))
}

/// What a role permits, in the unit: nothing where it is not there.
pub(super) async fn permissions_of(desk: &mut Desk, role: RoleKey) -> Result<Permissions> {
    if let Some(predefined) = Predefined::from_key(role) {
        return Ok(desk.services.catalogue().held_by(predefined));
    }
    let row = desk.unit.roles().get(role).await?;
    let keys = row.map(|row| row.permissions).unwrap_or_default();
    Ok(desk.services.catalogue().known(keys.iter().map(String::as_str)))
}

/// A new grant on its way.
pub(super) struct Giving {
    id: String,
    new: NewGrant,
    restriction: Restriction,
    held: Held,
}

impl Giving {
    pub(super) fn new(id: &str, new: &NewGrant, held: Held) -> Result<Self> {
        check_validity(new.validity)?;
        let restriction = restriction(&new.restrict)?;
        if let Where::Record { kind, id } = &new.place {
            names::record("/record", kind, id)?;
        }
        Ok(Self {
            id: id.to_owned(),
            new: new.clone(),
            restriction,
            held,
        })
    }
}

impl Change for Giving {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let new = &self.new;
        // The grant of a group moves the policy: two that share it would wait for each other.
        match new.subject_kind {
            SubjectKind::Group => desk.unit.policy().hold().await?,
            SubjectKind::User => desk.unit.policy().share().await?,
        };
        let role = names::find_role(&mut desk.unit, "/role", &new.role).await?;
        if role == Predefined::Owner.key() {
            return Err(invariant::Violation::OwnerIsTransferred.into());
        }
        let permissions = permissions_of(desk, role).await?;
        self.held.covers(&desk.services, permissions)?;
        let reach = match &new.place {
            Where::Scope(id) => names::find_reach(&mut desk.unit, "/scope", id).await?,
            Where::Record { kind, id } => Reach::Record(names::record("/record", kind, id)?),
        };
        let kind = new.subject_kind.kind();
        let (pk, subject_id) = names::find_resource(&mut desk.unit, "/subject/id", kind, &new.subject).await?;
        let subject = match new.subject_kind {
            SubjectKind::User => Subject::User(pk),
            SubjectKind::Group => Subject::Group(pk),
        };
        let row = Row {
            id: &self.id,
            subject,
            role,
            reach: &reach,
            validity: new.validity,
            restriction: &self.restriction,
            origin: Origin::Manual,
        };
        let author = Desk::author(&desk.caller);
        desk.unit.grants().create(row, author.at(desk.now)).await?;
        drop(author);
        if role == Predefined::Admin.key() && reach == Reach::All && self.restriction.is_empty() {
            passing(desk, subject, new.validity).await?;
        }
        let data = json!({
            "grant": self.id,
            "role": new.role,
            "place": place_text(&new.place),
            "valid_from": new.validity.from.map(Timestamp::rfc3339),
            "valid_to": new.validity.to.map(Timestamp::rfc3339),
            "restricted": !self.restriction.is_empty(),
        });
        desk.note("grant.created", Some((pk, subject_id)), &data);
        Ok(())
    }
}

/// Looks out for administrators that a grant makes for a while only: until an end, or by rules that say who is in the
/// group.
async fn passing(desk: &mut Desk, subject: Subject, validity: Validity) -> Result<()> {
    let by_rules = match subject {
        Subject::Group(_) if validity.to.is_none() => {
            let shared = desk.unit.policy().load().await?;
            invariant::by_rules(&policy::read(&desk.services, shared)?.0)
        }
        Subject::User(_) | Subject::Group(_) => false,
    };
    if by_rules || validity.to.is_some() {
        desk.watch_passing().await?;
    }
    Ok(())
}

fn place_text(place: &Where) -> String {
    match place {
        Where::Scope(id) => id.clone(),
        Where::Record { kind, id } => format!("{kind}:{id}"),
    }
}

pub(super) enum Edit {
    Validity(Validity),
    Delete,
}

/// A grant that is changed or taken.
pub(super) struct Moving {
    pub(super) id: String,
    pub(super) held: Held,
    pub(super) deed: Edit,
}

impl Change for Moving {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.grants().find(&self.id).await?;
        let StoredGrant { grant, subject_id, .. } = found.ok_or(Error::NotFound)?;
        if grant.role == Predefined::Owner.key() {
            return Err(invariant::Violation::OwnerStays(Deed::TakeRole).into());
        }
        // Who cannot give it cannot take it, nor make it last longer.
        let permissions = permissions_of(desk, grant.role).await?;
        self.held.covers(&desk.services, permissions)?;
        if invariant::makes_admins(&grant) {
            desk.watch_admins().await?;
        }
        let kind = match self.deed {
            Edit::Validity(validity) => {
                desk.unit.grants().set_validity(grant.key, validity).await?;
                if invariant::makes_admins(&grant) && validity.to.is_some() {
                    desk.watch_passing().await?;
                }
                "grant.updated"
            }
            Edit::Delete => {
                if !desk.unit.grants().delete(grant.key).await? {
                    return Err(Error::NotFound);
                }
                "grant.deleted"
            }
        };
        let (Subject::User(pk) | Subject::Group(pk)) = grant.subject;
        let role = grant.role.0;
        let role = Predefined::from_key(grant.role).map_or_else(|| role.to_string(), |role| role.id().to_owned());
        desk.note(kind, Some((pk, subject_id)), &json!({"grant": self.id, "role": role}));
        Ok(())
    }
}
