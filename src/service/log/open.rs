//! What is sealed in events, opened for whoever may read it.

use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

use super::read::Values;
use crate::base::id::ResourceId;
use crate::event::{self, Event};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::store::log::events::Kept;

/// The people of some events, with their keys; none where there is one that does not open.
pub(in crate::service) struct Opener(HashMap<String, Option<Person>>);

impl Opener {
    /// Reads the keys of everybody about whom one of the events holds something sealed. A key that is damaged keeps nobody
    /// from reading all else.
    pub(in crate::service) async fn of(services: &Services, caller: &Caller, events: &[Kept]) -> Result<Self> {
        let sealed = events.iter().filter(|kept| kept.event.sealed.is_some());
        let ids: BTreeSet<ResourceId> = sealed
            .filter_map(|kept| kept.event.subject_id.as_deref().map(ResourceId::new))
            .collect();
        let ids: Vec<ResourceId> = ids.into_iter().collect();
        let mut people = HashMap::with_capacity(ids.len());
        if !ids.is_empty() {
            for (id, seal) in services.read(caller).resources().seals(&ids).await? {
                let person = match Person::of(services, caller, &id, Some(&seal)).await {
                    Ok(Some(person)) => Some(person),
                    Ok(None) => continue,
                    Err(fault) => match sealed_fault(&fault) {
                        // Whoever destroys a wrapping key erases everybody under it.
                        Some(event::Error::UnknownWrap(_)) => continue,
                        Some(_) => {
                            tracing::error!(
                                resource.id = id.as_str(),
                                error = &fault as &dyn std::error::Error,
                                "the key of a person does not open: what the log has sealed of them cannot be read"
                            );
                            None
                        }
                        None => return Err(fault),
                    },
                };
                people.insert(id.into_string(), person);
            }
        }
        Ok(Self(people))
    }

    /// The values of an event. Where the key of the person is gone, or what is sealed is damaged, it says so.
    pub(in crate::service) fn open(&self, event: &Event) -> Values {
        let Some((sealed, kind)) = event.sealed.as_deref().zip(event.kind()) else {
            return Values::default();
        };
        let person = match event.subject_id.as_ref().and_then(|id| self.0.get(id)) {
            None => {
                return Values {
                    erased: true,
                    ..Values::default()
                };
            }
            Some(None) => return unreadable(),
            Some(Some(person)) => person,
        };
        let mut values = match person.open(&event.txn, kind, sealed) {
            Ok(values) => values,
            Err(fault) => {
                tracing::error!(
                    event.seq = event.seq.0,
                    error = &fault as &dyn std::error::Error,
                    "what an event of the log has sealed does not open"
                );
                return unreadable();
            }
        };
        let mut take = |name: &str| values.get_mut(name).map(Value::take);
        Values {
            before: take("before"),
            after: take("after"),
            reason: take("reason").and_then(|reason| reason.as_str().map(str::to_owned)),
            ..Values::default()
        }
    }
}

fn unreadable() -> Values {
    Values {
        unreadable: true,
        ..Values::default()
    }
}

/// What the keys say of a failure, where it is theirs.
pub(in crate::service) fn sealed_fault(fault: &Error) -> Option<&event::Error> {
    match fault {
        Error::Internal(source) => source.downcast_ref(),
        _ => None,
    }
}
