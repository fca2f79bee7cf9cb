//! A role is given.

use std::collections::{BTreeMap, BTreeSet};

use super::shown::{Grant, find_again};
use super::subject::SubjectKind;
use crate::access::invariant;
use crate::access::permission::{Permissions, Predefined};
use crate::access::{Origin, Reach, Restriction, Subject, Validity};
use crate::base::id::RoleKey;
use crate::event::image::{GrantImage, Place, RecordImage};
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::{names, policy};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::told;
use crate::store::access::grants::NewGrant as Row;
use crate::store::access::told::ToldGrant;

/// Most properties of a restriction, and most values of one.
const MAX_RESTRICTION: usize = 100;

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

impl NewGrant {
    /// Whether it makes an administrator until an end.
    fn makes_passing_admin(&self) -> bool {
        let on_all = matches!(&self.place, Where::Scope(scope) if scope == names::ALL);
        self.role == Predefined::Admin.id() && on_all && self.restrict.is_empty() && self.validity.to.is_some()
    }
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

pub(super) fn check_validity(validity: Validity) -> Result<()> {
    match (validity.from, validity.to) {
        (Some(from), Some(to)) if to <= from => Err(Error::invalid("/valid_to", "`valid_to` is after `valid_from`")),
        _ => Ok(()),
    }
}

pub(in crate::service::access) fn restriction(given: &BTreeMap<String, Vec<String>>) -> Result<Restriction> {
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
pub(in crate::service::access) async fn permissions_of(desk: &mut Desk, role: RoleKey) -> Result<Permissions> {
    if let Some(predefined) = Predefined::from_key(role) {
        return Ok(desk.services.catalogue().held_by(predefined));
    }
    let row = desk.unit.roles().get(role).await?;
    let keys = row.map(|row| row.permissions).unwrap_or_default();
    Ok(desk.services.catalogue().known(keys.iter().map(String::as_str)))
}

/// A new grant on its way.
pub(in crate::service) struct Giving {
    id: String,
    new: NewGrant,
    restriction: Restriction,
    held: Held,
    origin: Origin,
}

impl Giving {
    pub(in crate::service) fn new(id: &str, new: &NewGrant, held: Held) -> Result<Self> {
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
            origin: Origin::Manual,
        })
    }

    /// The same that comes to be so by another way than that somebody asks for it.
    pub(in crate::service) fn of(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Whether a role may be given there by who holds so much, in a unit that shares the policy.
    ///
    /// # Errors
    /// A role or scope that does not exist; the role of the owner; more than is held.
    pub(in crate::service) async fn admit(
        desk: &mut Desk,
        role: &str,
        place: &Where,
        held: Held,
    ) -> Result<(RoleKey, Reach)> {
        let role = names::find_role(&mut desk.unit, "/role", role).await?;
        if role == Predefined::Owner.key() {
            return Err(invariant::Violation::OwnerIsTransferred.into());
        }
        let permissions = permissions_of(desk, role).await?;
        held.covers(&desk.services, permissions)?;
        let reach = match place {
            Where::Scope(id) => names::find_reach(&mut desk.unit, "/scope", id).await?,
            Where::Record { kind, id } => Reach::Record(names::record("/record", kind, id)?),
        };
        Ok((role, reach))
    }

    /// As the log tells it.
    fn image(&self) -> GrantImage {
        GrantImage {
            grant: self.id.clone(),
            role: self.new.role.clone(),
            place: match &self.new.place {
                Where::Scope(id) => Place::Scope(id.clone()),
                Where::Record { kind, id } => Place::Record(RecordImage {
                    kind: kind.clone(),
                    id: id.clone(),
                }),
            },
            valid_from: self.new.validity.from,
            valid_to: self.new.validity.to,
            restrict: self.restriction.0.clone(),
            origin: self.origin.as_str().to_owned(),
        }
    }
}

impl Change for Giving {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let new = &self.new;
        // The grant of a group moves the policy, and before one for a while administrators are counted with it held: two that
        // share it would wait for each other.
        if new.subject_kind == SubjectKind::Group || new.makes_passing_admin() {
            desk.unit.policy().hold().await?;
        } else {
            desk.unit.policy().share().await?;
        }
        let (role, reach) = Self::admit(desk, &new.role, &new.place, self.held).await?;
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
            origin: self.origin,
        };
        let author = Desk::author(&desk.caller);
        desk.unit.grants().create(row, author.at(desk.now)).await?;
        drop(author);
        if role == Predefined::Admin.key() && reach == Reach::All && self.restriction.is_empty() {
            passing(desk, subject, new.validity).await?;
        }
        let told = ToldGrant {
            subject,
            subject_id,
            image: self.image(),
        };
        told::given(&mut desk.unit, &desk.caller, desk.now, &told);
        Ok(())
    }
}

/// Looks out for administrators that a grant makes for a while only: until an end, or by rules that say who is in the
/// group.
pub(super) async fn passing(desk: &mut Desk, subject: Subject, validity: Validity) -> Result<()> {
    let by_rules = match subject {
        Subject::Group(_) if validity.to.is_none() => {
            let shared = desk.unit.policy().load().await?;
            invariant::by_rules(&policy::read(&desk.services, &desk.caller, shared)?.0)
        }
        Subject::User(_) | Subject::Group(_) => false,
    };
    if by_rules || validity.to.is_some() {
        desk.watch_passing().await?;
    }
    Ok(())
}
