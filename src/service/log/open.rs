//! What is sealed in events, opened for whoever may read it.

use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

use super::read::Values;
use crate::base::id::ResourceId;
use crate::event::Event;
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::keys::Person;
use crate::store::log::events::Kept;

/// The people of some events, with their keys.
pub(super) struct Opener(HashMap<String, Person>);

impl Opener {
    /// Reads the keys of everybody about whom one of the events holds something sealed.
    pub(super) async fn of(services: &Services, caller: &Caller, events: &[Kept]) -> Result<Self> {
        let sealed = events.iter().filter(|kept| kept.event.sealed.is_some());
        let ids: BTreeSet<ResourceId> = sealed
            .filter_map(|kept| kept.event.subject_id.as_deref().map(ResourceId::new))
            .collect();
        let ids: Vec<ResourceId> = ids.into_iter().collect();
        let mut people = HashMap::with_capacity(ids.len());
        if !ids.is_empty() {
            for (id, seal) in services.read(caller).resources().seals(&ids).await? {
                if let Some(person) = Person::of(services, caller, &id, Some(&seal)).await? {
                    people.insert(id.into_string(), person);
                }
            }
        }
        Ok(Self(people))
    }

    /// The values of an event. Where the key of the person is gone, it says so.
    pub(super) fn open(&self, event: &Event) -> Result<Values> {
        let Some((sealed, kind)) = event.sealed.as_deref().zip(event.kind()) else {
            return Ok(Values::default());
        };
        let person = event.subject_id.as_ref().and_then(|id| self.0.get(id));
        let Some(person) = person else {
            return Ok(Values {
                erased: true,
                ..Values::default()
            });
        };
        let mut values = person.open(&event.txn, kind, sealed)?;
        let mut take = |name: &str| values.get_mut(name).map(Value::take);
        Ok(Values {
            before: take("before"),
            after: take("after"),
            reason: take("reason").and_then(|reason| reason.as_str().map(str::to_owned)),
            erased: false,
        })
    }
}
