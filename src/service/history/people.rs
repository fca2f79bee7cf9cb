//! People as the log knows them.

use serde_json::json;

use crate::base::id::{Pk, ResourceId};
use crate::event::Seq;
use crate::event::past::{PersonPast, Sides, Ties, Told};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::log::open::Opener;
use crate::service::log::read::Values;
use crate::store::Kind;
use crate::store::log::events::Kept;
use crate::store::log::past::Witness;

/// Some people at a position, and the groups they were in.
pub(super) struct People {
    pub(super) persons: Vec<PersonPast>,
    pub(super) ties: Ties,
}

/// The row number of a user who is there, or was deleted and not forgotten.
///
/// # Errors
/// `NotFound`.
pub(super) async fn number(services: &Services, caller: &Caller, id: &str) -> Result<Pk> {
    let reader = services.read(caller);
    let id = ResourceId::new(id);
    let found = reader.resources().pks(std::slice::from_ref(&id)).await?;
    if let Some((_, pk, _)) = found.into_iter().find(|(_, _, kind)| *kind == Kind::User) {
        return Ok(pk);
    }
    let tomb = reader.tombstones().find(Kind::User, &id).await?;
    tomb.map(|tomb| tomb.pk).ok_or(Error::NotFound)
}

/// Events of people that are read in one statement.
const AT_ONCE: u32 = 1_000;

impl People {
    /// The first of those people, who are named in the order of their row numbers, and how many events they were told by:
    /// whoever comes after `most` of them is left out, but for the very first. Some events at a time, and a statement for
    /// the keys of these.
    pub(super) async fn first(
        services: &Services,
        caller: &Caller,
        users: &[(Pk, ResourceId)],
        (seq, most): (Seq, usize),
    ) -> Result<(Self, usize)> {
        let begin = |(pk, id): &(Pk, ResourceId)| PersonPast::begin(*pk, id.as_str());
        let mut persons: Vec<PersonPast> = users.iter().map(begin).collect();
        let (mut after, mut events) = ((Pk(0), Seq(0)), 0);
        if let Some((first, _)) = users.first() {
            after.0 = *first;
        }
        let (first, last) = (after.0, users.last().map_or(after.0, |(pk, _)| *pk));
        let reader = services.read(caller);
        loop {
            let part = reader.events().of_people(after, last, seq, AT_ONCE).await?;
            events += part.events.len();
            tell(services, caller, &mut persons, &mut after, part.events).await?;
            if !part.more {
                break;
            }
            if events >= most && after.0 > first {
                // There may be more of this one.
                persons.truncate(persons.partition_point(|person| person.pk < after.0));
                break;
            }
        }
        let pks: Vec<Pk> = persons.iter().map(|person| person.pk).collect();
        let ties = Ties::told(reader.events().ties(&pks, seq).await?);
        Ok((Self { persons, ties }, events))
    }

    /// The same of one.
    pub(super) async fn one(
        services: &Services,
        caller: &Caller,
        (pk, id): (Pk, &str),
        seq: Seq,
    ) -> Result<(PersonPast, Ties)> {
        let users = [(pk, ResourceId::new(id))];
        let (Self { persons, ties }, _) = Self::first(services, caller, &users, (seq, usize::MAX)).await?;
        let person = persons.into_iter().next().ok_or(Error::NotFound)?;
        Ok((person, ties))
    }
}

/// Tells people by events about them, in the order of people, and says after which.
async fn tell(
    services: &Services,
    caller: &Caller,
    persons: &mut [PersonPast],
    after: &mut (Pk, Seq),
    events: Vec<Witness>,
) -> Result<()> {
    let (kept, of): (Vec<Kept>, Vec<Option<Pk>>) = events.into_iter().map(|Witness { kept, pk }| (kept, pk)).unzip();
    let opener = Opener::of(services, caller, &kept).await?;
    for (kept, pk) in kept.iter().zip(of) {
        let Some(pk) = pk else { continue };
        *after = (pk, kept.event.seq);
        if let Ok(at) = persons.binary_search_by_key(&pk, |person| person.pk)
            && let Some(person) = persons.get_mut(at)
        {
            person.tell(&Told::of(&kept.event, Some(pk), sides(opener.open(&kept.event))));
        }
    }
    Ok(())
}

/// What was sealed, for the fold.
fn sides(values: Values) -> Sides {
    let Values {
        before,
        after,
        erased,
        unreadable,
        ..
    } = values;
    match (before, after) {
        _ if erased => Sides::Erased,
        _ if unreadable => Sides::Damaged,
        (None, None) => Sides::None,
        (before, after) => {
            let mut sides = json!({});
            for (name, side) in [("before", before), ("after", after)] {
                if let Some(side) = side {
                    sides[name] = side;
                }
            }
            Sides::Open(sides)
        }
    }
}
