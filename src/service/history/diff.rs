//! What became of a user between two instants.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use super::access::{named, status};
use super::people::{People, number};
use super::scene::{Incomplete, Scene, moments};
use crate::access::lifecycle::Status;
use crate::base::clock::Timestamp;
use crate::event::past::{PersonPast, Standing, Ties};
use crate::event::{Change, Changes};
use crate::service::access::access_of_user::{Access, Assignment, shown};
use crate::service::access::names::{Named, Place};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// One of the two instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The instant.
    pub at: Timestamp,
    /// The last position of the log that was not after it.
    pub seq: i64,
    /// What they were; nothing where they were not there yet.
    pub status: Option<Status>,
}

/// What is different.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Id of the user.
    pub user: String,
    /// Before.
    pub from: Side,
    /// After.
    pub to: Side,
    /// Attributes that are others: values before, by path.
    pub before: Map<String, Value>,
    /// The same after.
    pub after: Map<String, Value>,
    /// Groups, direct or not, that they are in and were not.
    pub joined: Vec<Named>,
    /// Groups that they were in and are not.
    pub left: Vec<Named>,
    /// Roles and memberships that they have and had not.
    pub gained: Vec<Assignment>,
    /// Roles and memberships that they had and have not.
    pub lost: Vec<Assignment>,
    /// What is not known.
    pub incomplete: Incomplete,
}

/// A user at one of the two instants.
struct View {
    side: Side,
    document: Map<String, Value>,
    groups: BTreeSet<Named>,
    access: Option<Access>,
    incomplete: Incomplete,
}

/// What became of the user of this id from one instant to another: from the beginning to the end of the log where none
/// is given.
///
/// # Errors
/// `Forbidden`; `Invalid` for an instant that is still to come, and for a second one before the first; `NotFound` for who
/// was at neither.
pub async fn difference(
    services: &Services,
    caller: &Caller,
    id: &str,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
) -> Result<Difference> {
    let from = from.unwrap_or(Timestamp(0));
    let [before, after] = moments(services, caller, [("/from", Some(from)), ("/to", to)]).await?;
    if after.at < before.at {
        return Err(Error::invalid("/to", "the second instant is not before the first"));
    }
    let pk = number(services, caller, id).await?;
    let (was, ties_before) = People::one(services, caller, (pk, id), before.seq).await?;
    let (is, ties_after) = People::one(services, caller, (pk, id), after.seq).await?;
    if is.standing() == Standing::Unborn {
        return Err(Error::NotFound);
    }
    let scene = Scene::at(services, caller, before, None).await?;
    let was = view(&scene, &was, &ties_before);
    let scene = Scene::at(services, caller, after, None).await?;
    Ok(compared(id, was, view(&scene, &is, &ties_after)))
}

fn view(scene: &Scene, person: &PersonPast, ties: &Ties) -> View {
    let facts = scene.facts(person, ties);
    let there = person.standing() == Standing::There;
    let groups = facts.groups.iter().map(|group| Named {
        id: group.id.clone(),
        name: group.display.clone(),
    });
    View {
        side: Side {
            at: scene.moment.at,
            seq: scene.moment.seq.0,
            status: (person.standing() != Standing::Unborn).then(|| status(person)),
        },
        document: if there { person.document().clone() } else { Map::new() },
        groups: groups.filter(|_| there).collect(),
        access: there.then(|| shown(&scene.book, &facts, named(person), scene.moment.at)),
        incomplete: scene.incomplete(person),
    }
}

fn compared(id: &str, was: View, is: View) -> Difference {
    let changes = Changes::of(&was.document, &is.document);
    let side = |of: fn(&Change) -> Option<&Value>| {
        let there = changes
            .iter()
            .filter_map(|change| Some((change.path.clone(), of(change)?.clone())));
        there.collect::<Map<String, Value>>()
    };
    let (had, has) = (assignments(was.access), assignments(is.access));
    let only = |of: &BTreeMap<String, Assignment>, other: &BTreeMap<String, Assignment>| {
        let others = of.iter().filter(|(key, _)| !other.contains_key(*key));
        others.map(|(_, assignment)| assignment.clone()).collect()
    };
    // A group is the same by its id, whatever it is called.
    let apart = |of: &BTreeSet<Named>, other: &BTreeSet<Named>| {
        let known: BTreeSet<&String> = other.iter().map(|group| &group.id).collect();
        of.iter().filter(|group| !known.contains(&group.id)).cloned().collect()
    };
    Difference {
        user: id.to_owned(),
        before: side(|change| change.before.as_ref()),
        after: side(|change| change.after.as_ref()),
        joined: apart(&is.groups, &was.groups),
        left: apart(&was.groups, &is.groups),
        gained: only(&has, &had),
        lost: only(&had, &has),
        from: was.side,
        to: is.side,
        incomplete: is.incomplete.and(was.incomplete),
    }
}

/// Assignments by what they are: report, role, place, restriction, and what they permit.
fn assignments(access: Option<Access>) -> BTreeMap<String, Assignment> {
    let all = access.map(|access| access.assignments).unwrap_or_default();
    let key = |one: &Assignment| {
        let role = one.role.as_ref().map(|role| &role.id);
        let place = match &one.place {
            Place::Record { kind, id } => format!("record {kind}:{id}"),
            other => format!("scope {}", other.scope().unwrap_or_default()),
        };
        format!(
            "{:?} {place} {:?} {:?} {:?}",
            one.report, role, one.restrict, one.permissions
        )
    };
    all.into_iter().map(|one| (key(&one), one)).collect()
}
