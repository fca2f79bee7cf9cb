//! People as the log knows them.

use serde_json::json;
use std::collections::HashMap;

use crate::base::id::{Pk, ResourceId};
use crate::event::Seq;
use crate::event::past::{PersonPast, Sides, Ties, Told};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::log::open::Opener;
use crate::service::log::read::Values;
use crate::store::Kind;
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

impl People {
    /// Those people, in the order in which they are named: two statements, and one for their keys.
    pub(super) async fn at(services: &Services, caller: &Caller, users: &[(Pk, ResourceId)], seq: Seq) -> Result<Self> {
        let pks: Vec<Pk> = users.iter().map(|(pk, _)| *pk).collect();
        let reader = services.read(caller);
        let witnesses = reader.events().of_subjects(&pks, seq).await?;
        let ties = Ties::told(reader.events().ties(&pks, seq).await?);
        let (kept, of): (Vec<_>, Vec<_>) = witnesses.into_iter().map(|Witness { kept, pk }| (kept, pk)).unzip();
        let opener = Opener::of(services, caller, &kept).await?;
        let begin = |(pk, id): &(Pk, ResourceId)| PersonPast::begin(*pk, id.as_str());
        let mut persons: Vec<PersonPast> = users.iter().map(begin).collect();
        let at: HashMap<Pk, usize> = pks.iter().enumerate().map(|(at, pk)| (*pk, at)).collect();
        for (kept, pk) in kept.iter().zip(of) {
            let person = pk.and_then(|pk| at.get(&pk)).and_then(|at| persons.get_mut(*at));
            if let Some(person) = person {
                person.tell(&Told::of(&kept.event, pk, sides(opener.open(&kept.event))));
            }
        }
        Ok(Self { persons, ties })
    }

    /// The same of one.
    pub(super) async fn one(
        services: &Services,
        caller: &Caller,
        (pk, id): (Pk, &str),
        seq: Seq,
    ) -> Result<(PersonPast, Ties)> {
        let Self { persons, ties } = Self::at(services, caller, &[(pk, ResourceId::new(id))], seq).await?;
        let person = persons.into_iter().next().ok_or(Error::NotFound)?;
        Ok((person, ties))
    }
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
