//! The event row of every change, written in the unit that makes the change.
//!
//! It says who, by which connection and request, what kind of change, and the *names* of what changed: values are
//! personal, and are in the document.

use serde_json::{Value, json};

use super::context::{Authority, Caller};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::store::events::Record;
use crate::store::{By, Cause, Unit};

/// What happened to which resource.
pub(super) struct Entry<'a> {
    /// E.g. `user.created`.
    pub(super) kind: &'static str,
    /// The resource.
    pub(super) subject: (Pk, &'a ResourceId),
    /// Details without personal values.
    pub(super) data: Value,
}

/// Adds the entry to the unit.
pub(super) fn record(unit: &mut Unit, caller: &Caller, at: Timestamp, entry: &Entry<'_>) {
    let (pk, id) = entry.subject;
    note(unit, caller, at, (entry.kind, Some((pk, id.clone()))), &entry.data);
}

/// The same of something that may be no resource, such as a role.
pub(super) fn note(
    unit: &mut Unit,
    caller: &Caller,
    at: Timestamp,
    (kind, resource): (&'static str, Option<(Pk, ResourceId)>),
    data: &Value,
) {
    let (actor_kind, actor_name) = actor(caller.authority());
    unit.events().record(Record {
        at,
        actor_kind,
        actor_name,
        connection: caller.connection_id(),
        request_id: Some(caller.request_id().to_owned()),
        kind,
        resource,
        data: data.to_string(),
    });
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
        let (kind, name) = actor(caller.authority());
        Self { caller, kind, name }
    }

    pub(super) fn at(&self, at: Timestamp) -> By<'_> {
        By {
            actor_kind: self.kind,
            actor_name: &self.name,
            cause: cause(self.caller, at),
        }
    }
}

fn actor(authority: &Authority) -> (&'static str, String) {
    match authority {
        Authority::Connection(connection) => ("connection", connection.name.to_string()),
        Authority::Admin => ("admin", "admin token".to_owned()),
        Authority::User(id) => ("user", id.clone()),
        Authority::Operator(name) => ("operator", (*name).to_owned()),
    }
}

/// The names of what changed, and what the memberships gained and lost.
pub(super) fn changes(attributes: &[String], added: &[ResourceId], removed: &[ResourceId]) -> Value {
    let ids = |ids: &[ResourceId]| ids.iter().map(ResourceId::as_str).map(Value::from).collect::<Vec<_>>();
    let mut data = json!({ "attributes": attributes });
    if !added.is_empty() {
        data["members_added"] = ids(added).into();
    }
    if !removed.is_empty() {
        data["members_removed"] = ids(removed).into();
    }
    data
}
