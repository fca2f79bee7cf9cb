//! The record of every change, written in the unit that makes the change: the only door to the log.
//!
//! It says who, by which connection and request, what kind of change, and the *names* of what changed in clear. Values of
//! a person, and what somebody wrote about them, are sealed under the person's key.

use serde_json::{Map, Value, json};

use super::context::{Authority, CLOSING, Caller, UNDO};
use super::error::{Error, Result};
use super::keys::Person;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::set::{ADDED, MORE, REMOVED, VIA_CREATE};
use crate::event::{self, About, Actor, ActorKind, Changes, Class, Origin, Record, Subject, SubjectKind, Text, Turn};
use crate::store::lifecycle::statuses::RULE;
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
    /// What changed in its document: of a user it is sealed, of everything else it is in clear.
    pub(super) changes: Option<Changes>,
    /// What somebody wrote about it; it is sealed.
    pub(super) reason: Option<&'a str>,
    /// Whose key seals these two. Without one they are left out.
    pub(super) person: Option<&'a Person>,
}

/// Members that one event names. Of more there are several events, of which the first says everything else.
const MOST_MEMBERS: usize = 1_000;

/// Adds the entry to the unit.
pub(super) fn record(unit: &mut Unit, caller: &Caller, at: Timestamp, entry: Entry<'_>) {
    let Entry {
        what,
        subject: (kind, pk, id),
        about,
        mut data,
        changes,
        reason,
        person,
    } = entry;
    let changes = match changes.map(|changes| changes.value()) {
        Some(Value::Object(changes)) => changes,
        _ => Map::new(),
    };
    let mut secret = Map::new();
    match (kind, &mut data) {
        (store::Kind::Group, Value::Object(data)) => data.extend(changes),
        (store::Kind::Own(own), Value::Object(data)) => {
            data.insert("type".to_owned(), store::Kind::Own(own).name().into());
            data.extend(changes);
        }
        _ => secret.extend(changes),
    }
    secret.extend(reason.map(|reason| ("reason".to_owned(), reason.into())));
    let person = person.filter(|_| !secret.is_empty());
    let sealed = person.map(|person| person.seal(unit.txn(), what, &Value::Object(secret)));
    let mut sealed = sealed.transpose().unwrap_or_else(|fault| unwritten(what, &fault));
    for (what, about, data) in in_parts(what, about, data) {
        let subject = resource(kind, pk, id);
        add(unit, caller, at, (what, subject, about), (&data, sealed.take()));
    }
}

/// The same without memberships, of something that may be no resource, such as a role.
pub(super) fn note(unit: &mut Unit, caller: &Caller, at: Timestamp, (what, subject): (What, Subject), data: &Value) {
    add(unit, caller, at, (what, subject, Vec::new()), (data, None));
}

fn add(
    unit: &mut Unit,
    caller: &Caller,
    at: Timestamp,
    told: (What, Subject, Vec<About>),
    (data, sealed): (&Value, Option<String>),
) {
    let what = told.0;
    match of(cause_of(caller), told, (data, sealed)) {
        Ok(record) => unit.record(at, origin(caller), record),
        Err(fault) => unwritten(what, &fault),
    }
}

/// Every value that can be made has a text, and can be sealed: this is for a library that is broken.
fn unwritten<T: Default>(what: What, fault: &Error) -> T {
    tracing::error!(event.kind = what.as_str(), error = %fault, "an event cannot be written as it should be");
    T::default()
}

/// The event as one, or as several where it names too many members.
fn in_parts(what: What, about: Vec<About>, mut data: Value) -> Vec<(What, Vec<About>, Value)> {
    if about.len() <= MOST_MEMBERS {
        return vec![(what, about, data)];
    }
    let mut take = |name: &str| match data.as_object_mut().and_then(|data| data.shift_remove(name)) {
        Some(Value::Array(ids)) => ids,
        _ => Vec::new(),
    };
    // In the order of `about`: first who joined, then who left.
    let joined = take(ADDED).into_iter().map(|id| (ADDED, id));
    let moves: Vec<(&str, Value)> = joined
        .chain(take(REMOVED).into_iter().map(|id| (REMOVED, id)))
        .collect();
    let version = data["version"].clone();
    let via = match what {
        What::GroupCreated => VIA_CREATE.into(),
        _ => data["via"].clone(),
    };
    let chunks = about.chunks(MOST_MEMBERS).zip(moves.chunks(MOST_MEMBERS));
    let mut parts: Vec<(What, Vec<About>, Value)> = Vec::new();
    for (about, moves) in chunks {
        let first = parts.is_empty();
        let mut data = if first {
            data.clone()
        } else {
            let mut more = json!({ "attributes": [], "version": version, MORE: true });
            if !via.is_null() {
                more["via"] = via.clone();
            }
            more
        };
        for name in [ADDED, REMOVED] {
            let ids: Vec<&Value> = moves.iter().filter(|(of, _)| *of == name).map(|(_, id)| id).collect();
            if !ids.is_empty() {
                data[name] = json!(ids);
            }
        }
        let what = if first { what } else { What::GroupUpdated };
        parts.push((what, about.to_vec(), data));
    }
    parts
}

fn of(
    cause: event::Cause,
    (what, subject, about): (What, Subject, Vec<About>),
    (data, sealed): (&Value, Option<String>),
) -> Result<Record> {
    let class = class(what, &subject, data);
    let data = Text::try_from(data).map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(Record {
        kind: what.into(),
        class,
        subject: Some(subject),
        about,
        cause,
        data,
        sealed,
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
    let record = of(
        caused(event::By::Cli),
        (What::TenantCreated, subject, Vec::new()),
        (&data, None),
    )?;
    Ok((txn, origin, record))
}

/// A resource that something happens to.
pub(super) fn resource(kind: store::Kind, pk: Pk, id: &ResourceId) -> Subject {
    Subject {
        kind: match kind {
            store::Kind::User => SubjectKind::User,
            store::Kind::Group => SubjectKind::Group,
            store::Kind::Own(_) => SubjectKind::Resource,
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

/// What a group holds, all its members do; and the policy knows groups by their names.
fn class(what: What, subject: &Subject, data: &Value) -> Class {
    match (what, subject.kind) {
        (What::GrantCreated | What::GrantUpdated | What::GrantDeleted, SubjectKind::Group)
        | (What::GroupCreated | What::GroupDeleted | What::GroupRestored, _) => Class::Policy,
        (What::GroupUpdated, _) if data["attributes"] != json!([]) => Class::Policy,
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
        if let Some(rule) = caller.rule() {
            return Self {
                caller,
                kind: RULE,
                name: rule.to_owned(),
            };
        }
        let Actor { kind, id } = actor(caller.authority());
        Self {
            caller,
            kind: kind.as_str(),
            name: id,
        }
    }

    /// What kind of caller, and which one.
    pub(super) fn who(&self) -> (&str, &str) {
        (self.kind, &self.name)
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
        Authority::System(name) => (ActorKind::System, (*name).to_owned()),
    };
    Actor { kind, id }
}

/// Why what a caller does happens.
fn cause_of(caller: &Caller) -> event::Cause {
    if let Some(rule) = caller.rule() {
        return event::Cause {
            of: Some(event::Of::Thing(rule.to_owned())),
            ..caused(event::By::Rule)
        };
    }
    let mut cause = caused(by(caller.authority()));
    if cause.by == event::By::Undo || matches!(caller.authority(), Authority::System(CLOSING)) {
        cause.of = Some(event::Of::Thing(caller.request_id().to_owned()));
    }
    cause
}

const fn caused(by: event::By) -> event::Cause {
    event::Cause {
        by,
        reason: None,
        of: None,
    }
}

/// By which way a caller comes.
fn by(authority: &Authority) -> event::By {
    match authority {
        Authority::Connection(_) => event::By::Scim,
        Authority::Admin | Authority::User(_) => event::By::Admin,
        Authority::Operator(_) => event::By::Cli,
        Authority::System("schedule") => event::By::Schedule,
        Authority::System(UNDO) => event::By::Undo,
        Authority::System(_) => event::By::System,
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
        data[ADDED] = ids(added).into();
    }
    if !removed.is_empty() {
        data[REMOVED] = ids(removed).into();
    }
    data
}

/// Says in clear that somebody is made who may not come in: it is to be known when nothing that was sealed is.
pub(super) fn kept_out(data: &mut Value, active: Option<bool>) {
    if active == Some(false) {
        data["active"] = false.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(resource: i64, turn: Turn) -> About {
        About {
            resource: Pk(resource),
            group: Pk(0),
            turn,
        }
    }

    #[test]
    fn very_many_members_are_told_by_several_events() {
        let ids = |from: i64, to: i64| (from..to).map(|n| ResourceId::new(n.to_string())).collect::<Vec<_>>();
        let data = changes(
            &["displayName".to_owned()],
            Some(Version(3)),
            &ids(0, 1_500),
            &ids(1_500, 2_300),
        );
        let joined = (0..1_500).map(|n| about(n, Turn::Joined));
        let about: Vec<About> = joined.chain((1_500..2_300).map(|n| about(n, Turn::Left))).collect();
        let parts = in_parts(What::GroupCreated, about.clone(), data);
        let kinds: Vec<_> = parts.iter().map(|(what, about, _)| (*what, about.len())).collect();
        let updated = What::GroupUpdated;
        assert_eq!(kinds, [(What::GroupCreated, 1_000), (updated, 1_000), (updated, 300)]);
        assert_eq!(parts.iter().flat_map(|part| part.1.clone()).collect::<Vec<_>>(), about);
        assert_eq!(parts[0].2["attributes"], json!(["displayName"]));
        let rest: Vec<_> = parts.iter().map(|part| (&part.2["more"], &part.2["via"])).collect();
        let of_the_first = (&json!(true), &json!("create"));
        assert_eq!(rest, [(&Value::Null, &Value::Null), of_the_first, of_the_first]);
        for (_, about, data) in &parts {
            assert_eq!(data["version"], 3);
            let told = [ADDED, REMOVED].map(|name| data[name].as_array().cloned().unwrap_or_default());
            let expected = about.iter().map(|about| json!(about.resource.0.to_string()));
            assert_eq!(told.concat(), expected.collect::<Vec<_>>());
        }
    }
}
