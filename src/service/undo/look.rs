//! What is read for a plan: what the log says of some users and groups, and what is there of them.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

use super::walk::{Past, Told, Was, Whose};
use crate::base::id::{Pk, ResourceId};
use crate::event::{self, Cause, Changes, Kind as Happened, Seq};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::keys::Person;
use crate::store::Kind;
use crate::store::undo::list::What;
use crate::store::undo::now::There;
use crate::store::undo::past::{self, By, Touched};

/// Events that are read together: some may name a thousand members.
const TOGETHER: u32 = 500;

/// Memberships that are looked up together.
const ASKED: usize = 10_000;

/// Who asks, and what for.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) services: &'a Services,
    pub(super) caller: &'a Caller,
    pub(super) what: &'a What,
    /// The undo that works it out, if it has begun.
    pub(super) own: Option<&'a str>,
}

/// A user or group, and what happened to it.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) pk: Pk,
    pub(super) kind: Kind,
    pub(super) id: ResourceId,
    pub(super) past: Past,
    /// Why some of it cannot be known, if it cannot.
    pub(super) unknown: Option<&'static str>,
    /// Whether others have given it something since it was made: rights, a place in a group, a decision about its account.
    pub(super) given: bool,
}

/// Some users and groups: what they were, and what they are.
pub(super) struct Look {
    pub(super) subjects: Vec<Subject>,
    pub(super) there: HashMap<Pk, There>,
    /// Who is there of those who are to be in a group or not, and whether they are in it.
    pub(super) inside: HashMap<(Pk, ResourceId), bool>,
}

impl Look {
    /// Reads all that a plan for these needs.
    ///
    /// # Errors
    /// A database that does not answer.
    pub(super) async fn at(asking: Asking<'_>, touched: &[Touched]) -> Result<Self> {
        let mut subjects = subjects(asking, touched).await?;
        mark_given(asking, touched, &mut subjects).await?;
        let Asking {
            services, caller, what, ..
        } = asking;
        let reader = services.read(caller);
        let pks: Vec<Pk> = subjects.iter().map(|subject| subject.pk).collect();
        // Versions before members: who moves in between is seen by the version.
        let there = reader.undos().there(&pks, what.connection).await?;
        let asked: Vec<(Pk, ResourceId)> = subjects
            .iter()
            .flat_map(|group| {
                let members = group.past.members.keys();
                members.map(|id| (group.pk, ResourceId::new(id.as_str())))
            })
            .collect();
        let mut inside = HashMap::with_capacity(asked.len());
        for asked in asked.chunks(ASKED) {
            let found = reader.undos().memberships(asked).await?;
            inside.extend(found.into_iter().map(|one| ((one.group, one.member), one.inside)));
        }
        Ok(Self {
            subjects,
            there: there.into_iter().map(|there| (there.pk, there)).collect(),
            inside,
        })
    }
}

/// What happened to each of them. The events are read in parts, so that a group with a long history is no long list.
async fn subjects(asking: Asking<'_>, touched: &[Touched]) -> Result<Vec<Subject>> {
    let reader = asking.services.read(asking.caller);
    let weights = reader.undos().weights(touched).await?;
    let mut subjects = BTreeMap::new();
    let (mut together, mut weight) = (Vec::new(), 0);
    for (one, more) in touched.iter().zip(weights) {
        if more > i64::from(TOGETHER) {
            tell_one(asking, *one, &mut subjects).await?;
            continue;
        }
        if weight + more > i64::from(TOGETHER) {
            let told = reader.undos().since(&together).await?;
            tell(asking, told, &mut subjects).await?;
            together.clear();
            weight = 0;
        }
        together.push(*one);
        weight += more;
    }
    if !together.is_empty() {
        let told = reader.undos().since(&together).await?;
        tell(asking, told, &mut subjects).await?;
    }
    Ok(subjects.into_values().collect())
}

/// The same of one with a long history.
async fn tell_one(asking: Asking<'_>, mut from: Touched, subjects: &mut BTreeMap<Pk, Subject>) -> Result<()> {
    let reader = asking.services.read(asking.caller);
    loop {
        let told = reader.undos().some_since(from, TOGETHER).await?;
        let Some(last) = told.last() else { return Ok(()) };
        from.first = Seq(last.seq.0 + 1);
        tell(asking, told, subjects).await?;
    }
}

/// Takes events in, in order.
async fn tell(asking: Asking<'_>, told: Vec<past::Told>, subjects: &mut BTreeMap<Pk, Subject>) -> Result<()> {
    let people = people(asking, &told).await?;
    for event in told {
        let subject = subjects.entry(event.pk).or_insert_with(|| Subject {
            pk: event.pk,
            kind: event.kind,
            id: event.id.clone(),
            past: Past::default(),
            unknown: None,
            given: false,
        });
        let values = match values(&people, &event) {
            Ok(values) => values,
            Err(why) => {
                subject.unknown = Some(why);
                Value::default()
            }
        };
        if let Some(told) = read(asking, &event, &values) {
            subject.past.tell(&told);
        }
    }
    Ok(())
}

/// Looks up what others have given those that were made.
async fn mark_given(asking: Asking<'_>, touched: &[Touched], subjects: &mut [Subject]) -> Result<()> {
    let is_made = |subject: &Subject| matches!(subject.past.there, Some(Was { before: false, .. }));
    let made: HashSet<Pk> = subjects
        .iter()
        .filter(|subject| is_made(subject))
        .map(|subject| subject.pk)
        .collect();
    if made.is_empty() {
        return Ok(());
    }
    let reader = asking.services.read(asking.caller);
    let of: Vec<Touched> = touched.iter().copied().filter(|one| made.contains(&one.pk)).collect();
    let given = reader.undos().given(&of).await?;
    let others = given
        .into_iter()
        .filter(|given| whose(asking, &given.by, None) == Whose::Others);
    let mut marked: HashSet<Pk> = others.map(|given| given.pk).collect();
    let groups = subjects
        .iter()
        .filter(|subject| subject.kind == Kind::Group && made.contains(&subject.pk));
    let groups: Vec<Pk> = groups.map(|group| group.pk).collect();
    // Only administrators make rules.
    marked.extend(reader.undos().filled(&groups).await?);
    for subject in subjects {
        subject.given = marked.contains(&subject.pk);
    }
    Ok(())
}

/// A key that was destroyed.
const ERASED: &str = "the person was purged, so nobody knows what they were";

/// A key or a value that is damaged.
const UNREADABLE: &str = "what the log says of it cannot be read";

/// The people of some events, with their keys; none where a key does not open.
async fn people(asking: Asking<'_>, told: &[past::Told]) -> Result<HashMap<String, Option<Person>>> {
    let Asking { services, caller, .. } = asking;
    let sealed = told.iter().filter(|event| event.sealed.is_some());
    let ids: HashSet<&ResourceId> = sealed.map(|event| &event.id).collect();
    let ids: Vec<ResourceId> = ids.into_iter().cloned().collect();
    let mut people = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(people);
    }
    for (id, seal) in services.read(caller).resources().seals(&ids).await? {
        // Whose key is damaged must not keep everybody else from what they had.
        let person = Person::of(services, caller, &id, Some(&seal)).await.unwrap_or_default();
        people.insert(id.into_string(), person);
    }
    Ok(people)
}

/// What an event changed: of a user it is sealed. Or why nobody knows.
fn values(people: &HashMap<String, Option<Person>>, event: &past::Told) -> std::result::Result<Value, &'static str> {
    let kind = Happened::parse(&event.what);
    if event.kind == Kind::Group || kind == Some(Happened::UserSourceNoted) {
        return serde_json::from_str(&event.data).map_err(|_| UNREADABLE);
    }
    let (Some(sealed), Some(kind)) = (&event.sealed, kind) else {
        return Ok(Value::default());
    };
    match people.get(event.id.as_str()) {
        Some(Some(person)) => person.open(&event.txn, kind, sealed).map_err(|_| UNREADABLE),
        Some(None) => Err(UNREADABLE),
        None => Err(ERASED),
    }
}

fn whose(asking: Asking<'_>, by: &By, kind: Option<Happened>) -> Whose {
    let what = asking.what;
    let ours = match &what.of {
        Some(undo) => by.undo.as_ref() == Some(undo),
        None => by.connection == Some(what.connection) && (what.from..what.to).contains(&by.at),
    };
    match (by.undo.as_deref(), ours) {
        (Some(undo), _) if asking.own == Some(undo) => Whose::Own,
        (_, true) => Whose::Ours,
        // That everybody was shut out, or let in again, is nobody's word about one of them; that they were deleted is.
        (_, false) if by.closing && kind != Some(Happened::UserDeleted) => Whose::Own,
        (_, false) => Whose::Others,
    }
}

/// An event as it counts here; none for a kind of another release.
fn read(asking: Asking<'_>, event: &past::Told, values: &Value) -> Option<Told> {
    let kind = Happened::parse(&event.what)?;
    // What follows from a rule of status follows again from what is put back.
    if is_ruled(event) {
        return None;
    }
    // What is there from the beginning, and what goes with the whole, is no change of it.
    let changes = match kind {
        Happened::UserUpdated
        | Happened::GroupUpdated
        | Happened::UserDeleted
        | Happened::UserRestored
        | Happened::GroupRestored => Changes::read(&sides(values)).ok()?,
        _ => Changes::default(),
    };
    let ids = |name: &str| -> Vec<String> {
        let listed = values.get(name).and_then(Value::as_array).into_iter().flatten();
        listed.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let says = |name: &str| values.get(name).and_then(Value::as_bool);
    let moves = kind == Happened::GroupUpdated;
    let connection = event.by.connection;
    Some(Told {
        seq: event.seq,
        whose: whose(asking, &event.by, Some(kind)),
        kind,
        changes,
        names: connection.is_none_or(|connection| connection == asking.what.connection),
        provisioned: connection.is_some() || event.by.undo.is_some(),
        noted: says("from")
            .zip(says("to"))
            .filter(|_| kind == Happened::UserSourceNoted),
        lost_grants: kind == Happened::UserRestored && roles_lost(&event.data),
        joined: if moves { ids("members_added") } else { Vec::new() },
        left: if moves { ids("members_removed") } else { Vec::new() },
    })
}

/// Whether a rule of status changed somebody by holding for them, or no more.
fn is_ruled(event: &past::Told) -> bool {
    let cause: Option<Cause> = serde_json::from_str(&event.cause).ok();
    cause.is_some_and(|cause| cause.by == event::By::Rule)
}

/// Whether somebody who came again had grants that did not come back.
fn roles_lost(data: &str) -> bool {
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    data["roles_lost"].as_u64().is_some_and(|lost| lost > 0)
}

/// Both sides of a change, each an object.
fn sides(values: &Value) -> Value {
    let side = |name: &str| values.get(name).filter(|side| side.is_object()).cloned();
    let sides: Map<String, Value> = ["before", "after"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), side(name)?)))
        .collect();
    Value::Object(sides)
}
