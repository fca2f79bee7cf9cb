//! The record of every change, written in the unit that makes the change: the only door to the log.
//!
//! It says who, by which connection and request, what kind of change, and the *names* of what changed: values are
//! personal, and are in the document.

use serde_json::{Value, json};

use super::context::{Authority, Caller};
use super::error::{Error, Result};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::{self, About, Actor, ActorKind, Class, Origin, Record, Subject, SubjectKind, Text, Turn};
use crate::store::{self, By, Cause, Unit};

pub(super) use crate::event::{Kind as What, SubjectKind as Thing};

/// What happened to which resource.
pub(super) struct Entry<'a> {
    /// What.
    pub(super) what: What,
    /// The resource.
    pub(super) subject: (store::Kind, Pk, &'a ResourceId),
    /// Memberships that it changed.
    pub(super) about: Vec<About>,
    /// Details without personal values.
    pub(super) data: Value,
}

/// Adds the entry to the unit.
pub(super) fn record(unit: &mut Unit, caller: &Caller, at: Timestamp, entry: Entry<'_>) {
    let (kind, pk, id) = entry.subject;
    let subject = resource(kind, pk, id);
    add(unit, caller, at, (entry.what, subject, entry.about), &entry.data);
}

/// The same without memberships, of something that may be no resource, such as a role.
pub(super) fn note(unit: &mut Unit, caller: &Caller, at: Timestamp, (what, subject): (What, Subject), data: &Value) {
    add(unit, caller, at, (what, subject, Vec::new()), data);
}

fn add(
    unit: &mut Unit,
    caller: &Caller,
    at: Timestamp,
    (what, subject, about): (What, Subject, Vec<About>),
    data: &Value,
) {
    match of(by(caller.authority()), (what, subject, about), data) {
        Ok(record) => unit.record(at, origin(caller), record),
        // Every value that can be made has a text.
        Err(fault) => tracing::error!(event.kind = what.as_str(), error = %fault, "an event cannot be written"),
    }
}

fn of(by: event::By, (what, subject, about): (What, Subject, Vec<About>), data: &Value) -> Result<Record> {
    let data = Text::try_from(data).map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(Record {
        kind: what,
        class: class(what, &subject),
        subject: Some(subject),
        about,
        cause: event::Cause {
            by,
            reason: None,
            of: None,
        },
        data,
        sealed: None,
    })
}

/// What the log of a new tenant begins with, for a unit of this name.
pub(super) fn founding(txn: String, uid: &ResourceId, (slug, name): (&str, &str)) -> Result<(String, Origin, Record)> {
    let origin = Origin {
        actor: actor(&Authority::Operator("cli")),
        connection: None,
        request_id: None,
    };
    let subject = thing(Thing::Tenant, uid);
    let data = json!({ "slug": slug, "name": name });
    let record = of(event::By::Cli, (What::TenantCreated, subject, Vec::new()), &data)?;
    Ok((txn, origin, record))
}

/// A user or group that something happens to.
pub(super) fn resource(kind: store::Kind, pk: Pk, id: &ResourceId) -> Subject {
    Subject {
        kind: match kind {
            store::Kind::User => SubjectKind::User,
            store::Kind::Group => SubjectKind::Group,
        },
        pk: Some(pk),
        id: id.as_str().to_owned(),
    }
}

/// Something else that something happens to.
pub(super) fn thing(kind: Thing, id: impl AsRef<str>) -> Subject {
    Subject {
        kind,
        pk: None,
        id: id.as_ref().to_owned(),
    }
}

/// Members of a group who joined and who left.
pub(super) fn moves(group: Pk, joined: &[Pk], left: &[Pk]) -> Vec<About> {
    let about = |turn| {
        move |resource: &Pk| About {
            resource: *resource,
            group,
            turn,
        }
    };
    let joined = joined.iter().map(about(Turn::Joined));
    joined.chain(left.iter().map(about(Turn::Left))).collect()
}

/// What a group holds, all its members do.
fn class(what: What, subject: &Subject) -> Class {
    match (what, subject.kind) {
        (What::GrantCreated | What::GrantUpdated | What::GrantDeleted, SubjectKind::Group) => Class::Policy,
        _ => what.class(),
    }
}

/// The request as what makes something so.
pub(super) fn cause(caller: &Caller, at: Timestamp) -> Cause<'_> {
    Cause {
        at,
        connection: caller.connection_id(),
        request_id: Some(caller.request_id()),
    }
}

/// Who makes something so, kept beside it.
pub(super) struct Author<'a> {
    caller: &'a Caller,
    kind: &'static str,
    name: String,
}

impl<'a> Author<'a> {
    pub(super) fn of(caller: &'a Caller) -> Self {
        let Actor { kind, id } = actor(caller.authority());
        Self {
            caller,
            kind: kind.as_str(),
            name: id,
        }
    }

    pub(super) fn at(&self, at: Timestamp) -> By<'_> {
        By {
            actor_kind: self.kind,
            actor_name: &self.name,
            cause: cause(self.caller, at),
        }
    }
}

fn origin(caller: &Caller) -> Origin {
    let connection = match caller.authority() {
        Authority::Connection(connection) => Some((connection.id, connection.name.to_string())),
        _ => None,
    };
    Origin {
        actor: actor(caller.authority()),
        connection,
        request_id: Some(caller.request_id().to_owned()),
    }
}

fn actor(authority: &Authority) -> Actor {
    let (kind, id) = match authority {
        Authority::Connection(connection) => (ActorKind::Connection, connection.name.to_string()),
        Authority::Admin => (ActorKind::Admin, "admin token".to_owned()),
        Authority::User(id) => (ActorKind::User, id.clone()),
        Authority::Operator(name) => (ActorKind::Operator, (*name).to_owned()),
    };
    Actor { kind, id }
}

/// By which way a caller comes.
fn by(authority: &Authority) -> event::By {
    match authority {
        Authority::Connection(_) => event::By::Scim,
        Authority::Admin | Authority::User(_) => event::By::Admin,
        Authority::Operator(_) => event::By::Cli,
    }
}

/// The names of what changed, the version after it, and what the memberships gained and lost.
pub(super) fn changes(
    attributes: &[String],
    version: Option<Version>,
    added: &[ResourceId],
    removed: &[ResourceId],
) -> Value {
    let ids = |ids: &[ResourceId]| ids.iter().map(ResourceId::as_str).map(Value::from).collect::<Vec<_>>();
    let mut data = json!({ "attributes": attributes });
    if let Some(version) = version {
        data["version"] = version.0.into();
    }
    if !added.is_empty() {
        data["members_added"] = ids(added).into();
    }
    if !removed.is_empty() {
        data["members_removed"] = ids(removed).into();
    }
    data
}
