//! A request whose client does not wait, while it is done: the unit that makes its change also ends its waiting and tells
//! what came of it.

use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, Version};
use crate::event::set::Answer;
use crate::scim::Verb;
use crate::service::context::Caller;
use crate::service::ledger::{self, Thing, What};
use crate::store::Unit;
use crate::store::deferred::Came;

/// What a caller does for somebody who does not wait.
#[derive(Debug, Clone)]
pub(in crate::service) struct Errand {
    id: Arc<str>,
    verb: Verb,
    endpoint: Arc<str>,
}

impl Errand {
    pub(super) fn new(id: &str, verb: Verb, endpoint: &str) -> Self {
        Self {
            id: Arc::from(id),
            verb,
            endpoint: Arc::from(endpoint),
        }
    }

    /// The name in the log of everything that is saved for it.
    pub(in crate::service) fn name(&self) -> String {
        self.id.to_string()
    }

    /// What is told when it is done.
    pub(super) fn success(&self, resource: Option<&str>, version: Option<i64>) -> Answer {
        Answer {
            method: self.verb.as_str().to_owned(),
            endpoint: self.endpoint.to_string(),
            status: self.verb.status(),
            resource: resource.map(str::to_owned),
            version,
            scim_type: None,
        }
    }
}

/// What is written of an answer.
pub(super) fn came<'a>(answer: &'a Answer, sealed: Option<&'a str>, at: Timestamp) -> Came<'a> {
    Came {
        status: answer.status,
        resource: answer.resource.as_deref(),
        version: answer.version,
        scim_type: answer.scim_type.as_deref(),
        sealed,
        at,
    }
}

/// Of a change that is made for somebody who does not wait: says so, and ends the waiting with the same unit, which fails
/// where somebody else has ended it.
pub(in crate::service) fn done(
    unit: &mut Unit,
    caller: &Caller,
    now: Timestamp,
    (resource, version): (&ResourceId, Option<Version>),
) {
    let Some(errand) = caller.errand() else { return };
    let answer = errand.success(Some(resource.as_str()), version.map(|version| version.0));
    unit.deferred().settle_with(&errand.id, &came(&answer, None, now));
    let request = ledger::thing(Thing::Request, &*errand.id);
    ledger::note(unit, caller, now, (What::RequestAnswered, request), &answer.data());
}
