//! A bulk request on its way.

use std::collections::HashMap;
use std::sync::Arc;

use super::ready::{Came, Door, Ready};
use crate::base::id::ResourceId;
use crate::scim::bulk::{Name, Need, Operation, Request, Step, need, plan};
use crate::scim::dialect::Dialect;
use crate::scim::schema::ResourceType;
use crate::scim::{self, Verb};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Fused, Result};

/// Most operations of one request: `bulk.maxOperations` of the service provider configuration.
pub const MOST_OPERATIONS: usize = 1_000;

/// What came of one operation.
#[derive(Debug)]
pub struct Outcome {
    /// Its place in the request, from 0.
    pub operation: usize,
    /// Its method as the client wrote it.
    pub method: String,
    /// What the client calls it.
    pub bulk_id: Option<String>,
    /// What it did, where that can be read.
    pub verb: Option<Verb>,
    /// Of what type it is, and its id, where that is known.
    pub place: Option<(Arc<ResourceType>, ResourceId)>,
    /// Of what changes or deletes: the path that the client wrote.
    pub path: Option<String>,
    /// What came of it.
    pub result: Result<Came>,
}

/// Does a bulk request to its end, also when nobody waits for that any more: the results of what was done, in the order of
/// the request. `place` is kept until then.
///
/// # Errors
/// When a task of it fails; what is wrong with an operation is told in its place.
pub async fn run(
    services: &Services,
    caller: &Caller,
    dialect: Dialect,
    request: Request,
    place: impl Send + 'static,
) -> Result<Vec<Outcome>> {
    let door = Door {
        services: services.clone(),
        caller: caller.clone(),
        dialect,
    };
    let running = tokio::spawn(async move {
        let outcomes = Box::pin(Job::new(door, request).run()).await;
        drop(place);
        outcomes
    });
    let mut outcomes = running.await.map_err(|fault| Error::Internal(Box::new(fault)))?;
    outcomes.sort_by_key(|outcome| outcome.operation);
    Ok(outcomes)
}

/// The type at the endpoint of each operation.
fn kinds(door: &Door, operations: &[Operation]) -> Vec<Option<Arc<ResourceType>>> {
    let kind = |operation: &Operation| {
        let asked = operation.asked.as_ref().ok()?;
        door.caller.type_at(&asked.endpoint).cloned()
    };
    operations.iter().map(kind).collect()
}

pub(super) struct Job {
    pub(super) door: Door,
    pub(super) operations: Vec<Operation>,
    /// Type at the endpoint of each.
    kinds: Vec<Option<Arc<ResourceType>>>,
    /// Operations that cannot be done whatever is there.
    refused: HashMap<usize, scim::Error>,
    steps: Vec<Step>,
    /// Ids of what was made, by the names it has in the request.
    made: HashMap<String, ResourceId>,
    outcomes: Vec<Outcome>,
    errors: usize,
    /// With so many it ends.
    most_errors: usize,
    /// Why nothing more is let in.
    shut: Option<String>,
    /// Whether the schemas are others by now than those that the request was let in with.
    learned: bool,
}

impl Job {
    fn new(door: Door, request: Request) -> Self {
        let mut operations = request.operations;
        let kinds = kinds(&door, &operations);
        let needs: Vec<Need> = operations
            .iter_mut()
            .zip(&kinds)
            .map(|(operation, kind)| need(operation, kind.as_deref()))
            .collect();
        let plan = plan(&needs);
        Self {
            outcomes: Vec::with_capacity(operations.len()),
            door,
            operations,
            kinds,
            refused: plan.refused,
            steps: plan.steps,
            made: HashMap::new(),
            errors: 0,
            most_errors: request.fail_on_errors.unwrap_or(usize::MAX),
            shut: None,
            learned: false,
        }
    }

    async fn run(mut self) -> Vec<Outcome> {
        for step in std::mem::take(&mut self.steps) {
            if self.room() == 0 {
                break;
            }
            match step {
                Step::One(at) => self.one(at).await,
                Step::Beside(many) => self.beside(&many).await,
                Step::Circle(set) => Box::pin(self.circle(&set)).await,
            }
        }
        self.outcomes
    }

    /// How many more may fail before nothing more is done.
    pub(super) fn room(&self) -> usize {
        self.most_errors.saturating_sub(self.errors)
    }

    pub(super) async fn one(&mut self, at: usize) {
        let result = self.perform(at, &self.door).await;
        let result = self.anew(at, result).await;
        self.note(at, result).await;
    }

    async fn perform(&self, at: usize, door: &Door) -> Result<Came> {
        match self.ready(at) {
            Ok(ready) => ready.perform(door).await,
            Err(refused) => Err(refused),
        }
    }

    /// What comes of it once more, where the schemas were changed since the request was let in.
    pub(super) async fn anew(&mut self, at: usize, result: Result<Came>) -> Result<Came> {
        if matches!(result, Err(Error::Busy)) && self.learns().await {
            return Box::pin(self.perform(at, &self.door.again())).await;
        }
        result
    }

    /// Goes by the schemas of now; whether they are others than those that the request was let in with.
    pub(super) async fn learns(&mut self) -> bool {
        let Door { services, caller, .. } = &self.door;
        let known = caller.vocabulary().version();
        if let Ok(words) = services.vocabulary(caller.tenant()).await
            && words.version() != known
        {
            self.door.caller = caller.knowing(words);
            self.kinds = kinds(&self.door, &self.operations);
            self.learned = true;
        }
        self.learned
    }

    /// The operation with ids in the place of names.
    pub(super) fn ready(&self, at: usize) -> Result<Ready> {
        self.let_in(at)?;
        let asked = self.operations[at].asked.clone()?;
        Ready::new(asked, self.kind(at), |name| self.made.get(name).cloned())
    }

    /// Why an operation is not even tried.
    pub(super) fn let_in(&self, at: usize) -> Result<()> {
        match (&self.shut, self.refused.get(&at)) {
            (Some(reason), _) => Err(Error::Forbidden(reason.clone())),
            (None, Some(refused)) => Err(refused.clone().into()),
            (None, None) => Ok(()),
        }
    }

    pub(super) fn kind(&self, at: usize) -> Option<&Arc<ResourceType>> {
        self.kinds[at].as_ref()
    }

    /// The id of what was made under this name.
    pub(super) fn made_as(&self, name: &str) -> Option<ResourceId> {
        self.made.get(name).cloned()
    }

    pub(super) fn is_noted(&self, at: usize) -> bool {
        self.outcomes.iter().any(|outcome| outcome.operation == at)
    }

    /// Keeps what came of an operation.
    pub(super) async fn note(&mut self, at: usize, result: Result<Came>) {
        match &result {
            Ok(came) => {
                if let Some(name) = &self.operations[at].bulk_id {
                    self.made.insert(name.clone(), came.id.clone());
                }
            }
            Err(Error::Fused(Fused::Held(_))) => {}
            Err(error) => {
                self.errors += 1;
                if let (Error::Forbidden(reason), None) = (error, &self.shut)
                    && self.is_shut().await
                {
                    self.shut = Some(reason.clone());
                }
            }
        }
        let place = self.place(at, &result);
        let operation = &mut self.operations[at];
        self.outcomes.push(Outcome {
            operation: at,
            method: std::mem::take(&mut operation.method),
            bulk_id: operation.bulk_id.clone(),
            path: operation.path.take(),
            verb: operation.asked.as_ref().ok().map(|asked| asked.verb),
            place,
            result,
        });
    }

    /// Whether the connection that asks does not work any more: then nothing that is left can be done.
    async fn is_shut(&self) -> bool {
        let Door { services, caller, .. } = &self.door;
        let Some(connection) = caller.connection_id() else {
            return false;
        };
        matches!(services.read(caller).connections().works(connection).await, Ok(false))
    }

    fn place(&self, at: usize, result: &Result<Came>) -> Option<(Arc<ResourceType>, ResourceId)> {
        let kind = self.kinds[at].clone()?;
        let named = || match self.operations[at].asked.as_ref().ok()?.name.as_ref()? {
            Name::Id(id) => Some(id.clone()),
            Name::Made(name) => self.made_as(name),
        };
        let id = result.as_ref().ok().map(|came| came.id.clone()).or_else(named)?;
        Some((kind, id))
    }
}
