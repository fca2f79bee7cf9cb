//! Creations that refer to each other in a circle: all of them are made, or none.
//!
//! Each gets its id before anything is made, so a reference can be written before there is what it refers to. Only a member
//! has to be there, so a group gets those that come after it when they have come. All of it is one unit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::job::Job;
use super::ready::{Came, Door, Ready};
use crate::base::id::ResourceId;
use crate::scim::bulk::{Asked, Name, take_members};
use crate::scim::message::PATCH_OP;
use crate::scim::{self, Verb};
use crate::service::error::{Error, Result};
use crate::service::provision;
use crate::store::Together;

/// How often a circle is made anew because other work was in the way.
const MOST_TIMES: usize = 4;

/// Why a circle was not made, and by which of its operations.
struct Broken {
    by: usize,
    error: Error,
}

impl Broken {
    fn at(by: usize) -> impl FnOnce(Error) -> Self {
        move |error| Self { by, error }
    }

    /// The same of a reference that cannot be written: there is no way to make the circle.
    fn unresolved(self) -> Self {
        let error = match self.error {
            Error::Protocol(fault) => {
                let detail = format!("the circle of references cannot be made: {}", fault.detail);
                scim::Error::plain(409, detail).into()
            }
            other => other,
        };
        Self { error, ..self }
    }

    fn may_pass(&self) -> bool {
        matches!(self.error, Error::Busy | Error::Crowded)
    }
}

impl Job {
    /// Makes all of a circle, or none of it: then each is told so.
    pub(super) async fn circle(&mut self, set: &[usize]) {
        let hashes = self.hashes(set).await;
        let mut came = Box::pin(self.made_whole(set, &hashes, &self.door)).await;
        for _ in 1..MOST_TIMES {
            if !came.as_ref().is_err_and(Broken::may_pass) {
                break;
            }
            self.learns().await;
            came = Box::pin(self.made_whole(set, &hashes, &self.door.again())).await;
        }
        match came {
            Ok(came) => {
                for (at, came) in came {
                    self.note(at, Ok(came)).await;
                }
            }
            Err(Broken { by, error }) => {
                let mut error = Some(error);
                for at in set {
                    let told = error.take_if(|_| *at == by).unwrap_or_else(|| beside(by).into());
                    self.note(*at, Err(told)).await;
                }
            }
        }
    }

    /// The hashes of passwords, made before anything is locked: each takes longer than a unit may. All of a set that is
    /// refused as it stands have none.
    async fn hashes(&self, set: &[usize]) -> HashMap<usize, String> {
        let mut hashes = HashMap::new();
        if set.iter().any(|at| self.let_in(*at).is_err()) {
            return hashes;
        }
        let mut at_it = JoinSet::new();
        for at in set.iter().copied() {
            if let (Ok(asked), Some(kind)) = (&self.operations[at].asked, self.kind(at)) {
                let (door, kind, data) = (self.door.clone(), Arc::clone(kind), asked.data.clone());
                at_it.spawn(async move {
                    let hash = provision::hashed(&door.services, &door.dialect, &kind, data).await;
                    hash.ok().flatten().map(|hash| (at, hash))
                });
            }
        }
        while let Some(hashed) = at_it.join_next().await {
            hashes.extend(hashed.ok().flatten());
        }
        hashes
    }

    async fn made_whole(
        &self,
        set: &[usize],
        hashes: &HashMap<usize, String>,
        door: &Door,
    ) -> std::result::Result<Vec<(usize, Came)>, Broken> {
        for at in set {
            self.let_in(*at).map_err(Broken::at(*at))?;
        }
        let together = Together::in_turn();
        let door = door.within(&together);
        let first = set.first().copied().unwrap_or_default();
        let came = match Box::pin(self.parts(set, hashes, &door)).await {
            Ok(came) => came,
            Err(broken) => {
                // What the refusal rests on is on disk before it is told.
                together
                    .dismiss()
                    .await
                    .map_err(Error::from)
                    .map_err(Broken::at(first))?;
                return Err(broken);
            }
        };
        match together.save().await {
            Ok(true) => Ok(came),
            Ok(false) => Err(Broken::at(first)(Error::Busy)),
            Err(fault) => Err(Broken::at(first)(fault.into())),
        }
    }

    /// Each of them in its order, and then the members that were not there yet.
    async fn parts(
        &self,
        set: &[usize],
        hashes: &HashMap<usize, String>,
        door: &Door,
    ) -> std::result::Result<Vec<(usize, Came)>, Broken> {
        let first = set.first().copied().unwrap_or_default();
        let begun = provision::begin_together(&door.services, &door.caller).await;
        begun.map_err(Broken::at(first))?;
        let names = set.iter().filter_map(|at| self.operations[*at].bulk_id.as_deref());
        let ids: HashMap<&str, ResourceId> = names.map(|name| (name, door.services.ids().next())).collect();
        let mut circle = Circle {
            job: self,
            door,
            unmade: ids.keys().copied().collect(),
            ids,
            came: Vec::with_capacity(set.len()),
            waiting: Vec::new(),
        };
        for at in set {
            let hash = hashes.get(at).cloned();
            circle.make(*at, hash).await.map_err(Broken::at(*at))?;
        }
        for (at, members) in std::mem::take(&mut circle.waiting) {
            let joined = circle.join(at, members).await;
            joined.map_err(Broken::at(at)).map_err(Broken::unresolved)?;
        }
        Ok(circle.came)
    }
}

/// A circle as it is made.
struct Circle<'j> {
    job: &'j Job,
    door: &'j Door,
    /// By the names that they have in the request.
    ids: HashMap<&'j str, ResourceId>,
    /// Names of what is not there yet.
    unmade: HashSet<&'j str>,
    came: Vec<(usize, Came)>,
    /// Members that are put into a group when they are there.
    waiting: Vec<(usize, Vec<Value>)>,
}

impl Circle<'_> {
    fn id_of(&self, name: &str) -> Option<ResourceId> {
        self.ids.get(name).cloned().or_else(|| self.job.made_as(name))
    }

    /// Makes one of them, a group without the members that come later.
    async fn make(&mut self, at: usize, hash: Option<String>) -> Result<()> {
        let operation = &self.job.operations[at];
        let mut asked = operation.asked.clone()?;
        let kind = self.job.kind(at);
        let members = kind.map_or_else(Vec::new, |kind| {
            take_members(kind, &mut asked.data, |name| self.unmade.contains(name))
        });
        let name = operation.bulk_id.as_deref().unwrap_or_default();
        let id = self.id_of(name).ok_or(Error::NotFound)?;
        let ready = Ready::new(asked, kind, |name| self.id_of(name))?.under(id.clone(), hash);
        let came = match ready.perform(self.door).await {
            Ok(came) if came.id == id => came,
            // Not found: whoever it is is not on disk yet.
            Ok(_) | Err(Error::NotFound) => {
                let detail = "who is to be made was there before, and comes again: that cannot be done in a circle of references";
                return Err(scim::Error::plain(409, detail).into());
            }
            Err(error) => return Err(error),
        };
        self.unmade.remove(name);
        self.came.push((at, came));
        if !members.is_empty() {
            self.waiting.push((at, members));
        }
        Ok(())
    }

    /// Puts members into a group.
    async fn join(&mut self, at: usize, members: Vec<Value>) -> Result<()> {
        let id = self
            .came
            .iter()
            .find(|(made, _)| *made == at)
            .map(|(_, came)| came.id.clone());
        let asked = Asked {
            verb: Verb::Patch,
            name: id.map(Name::Id),
            data: json!({
                "schemas": [PATCH_OP],
                "Operations": [{ "op": "add", "path": "members", "value": members }],
            }),
            ..self.job.operations[at].asked.clone()?
        };
        let ready = Ready::new(asked, self.job.kind(at), |name| self.id_of(name))?;
        let joined = ready.perform(self.door).await?;
        if let Some((_, came)) = self.came.iter_mut().find(|(made, _)| *made == at) {
            came.version = joined.version;
        }
        Ok(())
    }
}

/// Why an operation was not done that is part of a circle.
fn beside(by: usize) -> scim::Error {
    let detail = format!(
        "the operation is part of a circle of references, and operation {} of the request, which is another part of it, was refused",
        by + 1
    );
    scim::Error::plain(409, detail)
}
