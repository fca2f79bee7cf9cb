//! The steps of one undo, until nothing more can be done.

use serde_json::json;
use std::collections::{BTreeMap, HashMap};

use super::lease::Lease;
use super::look::Asking;
use super::names::{self, name_of};
use super::parts::{needs_version, parts};
use super::plan::{Plan, Step, Verb, plan, word};
use super::result::{Conflict, Outcome};
use crate::base::id::Version;
use crate::event::{Changes, Seq};
use crate::scim::dialect::Dialect;
use crate::scim::project::View;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::lifecycle::restore::{How, restore};
use crate::service::lifecycle::tombstones::What as Kind;
use crate::service::log::settled;
use crate::service::provision::{self, Back, IfMatch, Wanted};
use crate::store;
use crate::store::undo::list::Undo;

/// Steps between two times that it is kept how far an undo is.
const KEPT_EVERY: usize = 50;

/// How often one user or group is changed at most: somebody may be at the same all the time.
const MOST_TIMES: u32 = 8;

/// A user or group.
type Key = (&'static str, String);

/// One undo on its way.
pub(super) struct Work<'a> {
    services: &'a Services,
    caller: Caller,
    /// The habits of the connection.
    dialect: Dialect,
    lease: &'a mut Lease,
    undo: Undo,
    /// What it came to before, and what it came to since.
    outcome: Outcome,
    /// The last step that was done, and how many were.
    done: HashMap<Key, (Step, u32)>,
    /// Why the last try of a part came to nothing, by what it is about.
    refused: HashMap<Key, BTreeMap<String, &'static str>>,
    /// Versions after steps of this round.
    versions: HashMap<Key, Version>,
    /// The names of those who stepped aside.
    aside: HashMap<Key, Step>,
    steps: usize,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        services: &'a Services,
        (caller, dialect): (Caller, Dialect),
        lease: &'a mut Lease,
        undo: Undo,
    ) -> Self {
        Self {
            services,
            caller,
            dialect,
            lease,
            undo,
            outcome: Outcome::default(),
            done: HashMap::new(),
            refused: HashMap::new(),
            versions: HashMap::new(),
            aside: HashMap::new(),
            steps: 0,
        }
    }

    /// Works out and does, until nothing is left or nothing more can be done; gives what is left.
    ///
    /// # Errors
    /// `Busy` when somebody else goes on with it, or the log is behind; `Invalid` for what cannot be worked out; a database
    /// that does not answer.
    pub(super) async fn rounds(&mut self) -> Result<Vec<Conflict>> {
        let mut apart = false;
        let mut left = self.plan().await?;
        self.outcome = self.came_to().await?.0;
        loop {
            let (again, settled): (Vec<Step>, Vec<Step>) =
                left.steps.drain(..).partition(|step| !self.is_settled(step));
            let mut done = 0;
            self.versions.clear();
            for turn in names::in_order(&again) {
                done += usize::from(self.turn(&turn, apart).await?);
            }
            if again.is_empty() || done == 0 && apart {
                left.steps = again;
                left.steps.extend(settled);
                break;
            }
            // What is refused as a whole is tried in its parts, when nothing else makes room for it.
            apart |= done == 0;
            left = self.plan().await?;
        }
        if self.step_back(&left).await? {
            left = self.plan().await?;
        }
        Ok(self.conflicts(left))
    }

    async fn plan(&mut self) -> Result<Plan> {
        // What others do meanwhile counts as well, so nothing is done while the log does not tell it.
        if !settled(self.services, &self.caller).await? {
            return Err(Error::Busy);
        }
        let asking = Asking {
            services: self.services,
            caller: &self.caller,
            what: &self.undo.what,
            own: Some(&self.undo.id),
        };
        plan(asking, Some(self.lease)).await
    }

    /// What it has come to so far, whoever was at it, and where the log is.
    ///
    /// # Errors
    /// `Busy` when the log is behind; a database that does not answer.
    pub(super) async fn came_to(&self) -> Result<(Outcome, Seq)> {
        if !settled(self.services, &self.caller).await? {
            return Err(Error::Busy);
        }
        let reader = self.services.read(&self.caller);
        let at = reader.heads().find().await?.map_or(Seq(0), |end| end.head.seq);
        let made = reader.undos().made(&self.undo.id, self.undo.what.after).await?;
        let counted = |count: i64| u64::try_from(count).unwrap_or_default();
        let outcome = Outcome {
            restored: counted(made.restored),
            removed: counted(made.removed),
            changed: counted(made.changed),
            ..Outcome::default()
        };
        Ok((outcome, at))
    }

    /// Whether a step was done and is to be done again all the same: somebody else is at it, or nothing came of it.
    fn is_settled(&self, step: &Step) -> bool {
        self.done
            .get(&key(step))
            .is_some_and(|(last, times)| last == step || *times >= MOST_TIMES)
    }

    /// Does one step in its turn; whether it came to something.
    async fn turn(&mut self, turn: &names::Turn<'_>, apart: bool) -> Result<bool> {
        let step: &Step = &turn.step;
        let key = key(step);
        let done = match &step.verb {
            Verb::PutBack { back, .. } if apart => {
                let mut any = false;
                for (what, part) in parts(step.kind, back) {
                    any |= self.make(&step.with(part), what).await?;
                }
                any
            }
            _ => self.make(step, String::new()).await?,
        };
        match (turn.aside, done) {
            (None, true) => {
                self.aside.remove(&key);
                let times = self.done.get(&key).map_or(0, |(_, times)| *times);
                self.done.insert(key, (step.clone(), times + 1));
            }
            (Some(_), true) => drop(self.aside.insert(key, step.clone())),
            _ => {}
        }
        Ok(done)
    }

    /// Makes one step or a part of one; whether it came to something.
    async fn make(&mut self, step: &Step, what: String) -> Result<bool> {
        self.lease.hold(self.services).await?;
        let key = key(step);
        let version = self.versions.get(&key).copied().unwrap_or(step.version);
        let made = make(self.services, &self.caller, &self.dialect, (step, version)).await;
        self.steps += 1;
        let done = match made {
            Ok(version) => {
                self.versions.extend(version.map(|version| (key.clone(), version)));
                if let Some(refused) = self.refused.get_mut(&key) {
                    refused.remove(&what);
                }
                self.count(&step.verb);
                true
            }
            Err(error) => {
                if matches!(error, Error::Internal(_)) {
                    self.failed(&error);
                    // Where the database does not answer, all of it is tried again later.
                    self.keep().await?;
                }
                self.refused.entry(key).or_default().insert(what, why(&error));
                false
            }
        };
        if self.steps.is_multiple_of(KEPT_EVERY) {
            self.keep().await?;
        }
        Ok(done)
    }

    fn failed(&self, error: &Error) {
        let error = error as &dyn std::error::Error;
        tracing::error!(error, undo = self.undo.id, "a step of an undo failed; the others go on");
    }

    /// How far it seems to be; at the end the log is asked.
    const fn count(&mut self, verb: &Verb) {
        match verb {
            Verb::Remove { .. } => self.outcome.removed += 1,
            Verb::Restore { .. } => self.outcome.restored += 1,
            Verb::PutBack { .. } => self.outcome.changed += 1,
        }
    }

    /// Keeps how far it is.
    async fn keep(&self) -> Result<()> {
        let keeping = Keeping {
            id: self.undo.id.clone(),
            result: json!(self.outcome).to_string(),
        };
        perform(self.services, &self.caller, keeping).await
    }

    /// Gives those who stepped aside in vain the name that they had, if nobody has it by now; whether there was one.
    async fn step_back(&mut self, left: &Plan) -> Result<bool> {
        let waiting: Vec<(Key, Version)> = left.steps.iter().map(|step| (key(step), step.version)).collect();
        let mut any = false;
        for (key, version) in waiting {
            let Some(mut step) = self.aside.remove(&key) else {
                continue;
            };
            let name = name_of(step.kind);
            let Verb::PutBack { back, .. } = &step.verb else {
                continue;
            };
            let Some(had) = back.changes.iter().find(|change| change.path == name) else {
                continue;
            };
            let again = json!({ "before": { name: had.after }, "after": { name: step.id.as_str() } });
            step = step.with(Back {
                changes: Changes::read(&again).unwrap_or_default(),
                ..Back::default()
            });
            step.version = version;
            any |= self.make(&step, name.to_owned()).await?;
        }
        Ok(any)
    }

    /// What is left, and why.
    fn conflicts(&self, left: Plan) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for step in left.steps {
            let key = key(&step);
            let refused = self.refused.get(&key);
            let whats = match &step.verb {
                Verb::PutBack { back, .. } => parts(step.kind, back).into_iter().map(|(what, _)| what).collect(),
                Verb::Remove { .. } | Verb::Restore { .. } => vec![String::new()],
            };
            conflicts.extend(whats.into_iter().map(|what| {
                Conflict {
                    kind: key.0.to_owned(),
                    id: key.1.clone(),
                    why: refused
                        .and_then(|refused| refused.get(&what))
                        .unwrap_or(&UNMOVED)
                        .to_string(),
                    what,
                }
            }));
        }
        conflicts.extend(left.conflicts);
        conflicts
    }
}

/// What was done has not changed it.
const UNMOVED: &str = "it stayed as it is";

fn key(step: &Step) -> Key {
    (word(step.kind), step.id.as_str().to_owned())
}

async fn make(
    services: &Services,
    caller: &Caller,
    dialect: &Dialect,
    (step, version): (&Step, Version),
) -> Result<Option<Version>> {
    let (endpoint, what) = match step.kind {
        store::Kind::User => ("Users", Kind::User),
        store::Kind::Group => ("Groups", Kind::Group),
        // Only what happened to users and groups is taken back.
        store::Kind::Own(_) => return Err(Error::NotFound),
    };
    let kind = caller.type_at(endpoint).ok_or(Error::NotFound)?;
    let unmoved = IfMatch::Versions(vec![version.0]);
    match &step.verb {
        Verb::Remove { .. } => provision::end(services, caller, kind, &step.id, &unmoved)
            .await
            .map(|()| None),
        Verb::Restore { .. } => {
            restore(services, caller, what, step.id.as_str(), &How::default()).await?;
            Ok(None)
        }
        Verb::PutBack { back, .. } => {
            let if_match = if needs_version(back) { unmoved } else { IfMatch::Absent };
            let wanted = Wanted {
                dialect,
                kind,
                id: &step.id,
                if_match: &if_match,
                view: &View::default(),
            };
            provision::put_back(services, caller, &wanted, back.clone())
                .await
                .map(Some)
        }
    }
}

/// Why a step came to nothing: without a word about anybody.
const fn why(error: &Error) -> &'static str {
    match error {
        Error::NotFound => "it is not there any more",
        Error::Conflict(_) => "somebody else has its name by now, or was given what it had",
        Error::Violated(_) => "it goes against what must hold of administrators, or of groups that rules fill",
        Error::Stale => "others have changed it since",
        Error::Busy => "others were changing it each time it was tried",
        Error::Crowded => "the server had too much to do",
        Error::Internal(_) => "it failed, and the log of the server says why",
        _ => "it would be refused, whoever asked for it",
    }
}

/// How far it is.
struct Keeping {
    id: String,
    result: String,
}

impl Change for Keeping {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.undos().is_at(&self.id, &self.result);
        Ok(())
    }
}
