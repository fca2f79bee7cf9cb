//! What is still to be done, worked out from the log and from what is there.

use serde_json::{Map, Value, json};

use super::lease::Lease;
use super::look::{Asking, Look, Subject};
use super::result::Conflict;
use super::walk::{ACTIVE, EXTERNAL_ID, Was, is_active};
use crate::base::id::{ResourceId, Version};
use crate::event::Changes;
use crate::service::error::{Error, Result};
use crate::service::provision::{Back, Called};
use crate::store::Kind;
use crate::store::undo::now::There;
use crate::store::undo::past::Touched;

/// Users and groups that are looked at together.
const CHUNK: usize = 100;

/// Most users and groups that one undo is about.
const MOST: u32 = 50_000;

/// Something that is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) id: ResourceId,
    /// The version that it was worked out for.
    pub(super) version: Version,
    pub(super) verb: Verb,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verb {
    /// It was made: it goes. What was made last goes first, groups before members.
    Remove { order: i64 },
    /// It was deleted: it comes back. What was deleted last comes back first, so that others find it.
    Restore { order: i64 },
    /// Something of it is put back. What was changed last goes back first, as a name that moved on has become free by then.
    PutBack {
        order: i64,
        back: Back,
        /// What the connection calls it now.
        called: Option<String>,
    },
}

impl Step {
    /// The same that puts back something else.
    pub(super) fn with(&self, back: Back) -> Self {
        let (order, called) = match &self.verb {
            Verb::PutBack { order, called, .. } => (*order, called.clone()),
            Verb::Remove { order } | Verb::Restore { order } => (*order, None),
        };
        Self {
            kind: self.kind,
            id: self.id.clone(),
            version: self.version,
            verb: Verb::PutBack { order, back, called },
        }
    }

    fn order(&self) -> (i64, bool, i64) {
        match &self.verb {
            Verb::Remove { order } => (0, self.kind == Kind::User, -order),
            Verb::Restore { order } => (1, false, -order),
            Verb::PutBack { order, .. } => (2, false, -order),
        }
    }
}

/// All that is to be done, and what is left as it is.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) conflicts: Vec<Conflict>,
}

/// The users and groups that it is about.
///
/// # Errors
/// `Invalid` for more than one undo can be about; a database that does not answer.
pub(super) async fn touched(asking: Asking<'_>) -> Result<Vec<Touched>> {
    let reader = asking.services.read(asking.caller);
    let touched = reader.undos().touched(asking.what, MOST + 1).await?;
    if touched.len() > MOST as usize {
        return Err(Error::invalid(
            "/from",
            format!("more than {MOST} users and groups were changed in this time: take a shorter one"),
        ));
    }
    Ok(touched)
}

/// Works it out, with the lease of whoever carries it out.
///
/// # Errors
/// As [`touched`]; `Busy` when somebody else has the lease by now.
pub(super) async fn plan(asking: Asking<'_>, mut lease: Option<&mut Lease>) -> Result<Plan> {
    let mut plan = Plan::default();
    for touched in touched(asking).await?.chunks(CHUNK) {
        if let Some(lease) = &mut lease {
            lease.hold(asking.services).await?;
        }
        let look = Look::at(asking, touched).await?;
        let deciding = Deciding {
            look: &look,
            overwrite: asking.what.overwrite,
        };
        for subject in &look.subjects {
            deciding.about(subject, &mut plan);
        }
    }
    plan.steps.sort_by_key(Step::order);
    Ok(plan)
}

/// Decides what is put back, and what is left.
struct Deciding<'a> {
    look: &'a Look,
    overwrite: bool,
}

/// Somebody else had the last word.
const OTHERS: &str = "others have changed it since";

impl Deciding<'_> {
    fn about(&self, subject: &Subject, plan: &mut Plan) {
        let conflict = |why: &str| subject.conflict("", why);
        let past = &subject.past;
        let order = past.last.0;
        let Some(now) = self.look.there.get(&subject.pk) else {
            match &past.there {
                Some(Was { before: false, .. }) => {}
                Some(Was { before: true, .. }) => plan
                    .conflicts
                    .push(conflict("nothing is left that it could be restored from")),
                None => plan.conflicts.extend(subject.gone()),
            }
            return;
        };
        let step = |verb| Step {
            kind: subject.kind,
            id: subject.id.clone(),
            version: now.version,
            verb,
        };
        let keeps_others = |by_others: bool| by_others && !self.overwrite;
        let there = past.there.as_ref().map(|was| (was.before, was.by_others));
        match (there, now.deleted.is_none()) {
            (Some((false, by_others)), true) => {
                if keeps_others(by_others || past.changed_by_others || subject.given) {
                    let why = "it was made, and others have changed it since";
                    plan.conflicts.push(conflict(why));
                } else {
                    plan.steps.push(step(Verb::Remove { order }));
                }
            }
            (Some((false, _)), false) => {}
            (Some((true, by_others)), false) => {
                if keeps_others(by_others) {
                    plan.conflicts.push(conflict("others have deleted it since"));
                } else {
                    plan.steps.push(step(Verb::Restore { order }));
                }
            }
            (None, false) => plan.conflicts.extend(subject.gone()),
            (_, true) => {
                let back = self.back(subject, now, &mut plan.conflicts);
                if back != Back::default() {
                    let called = now.external.clone();
                    plan.steps.push(step(Verb::PutBack { order, back, called }));
                }
            }
        }
    }

    /// What is to be put back of something that is there.
    fn back(&self, subject: &Subject, now: &There, conflicts: &mut Vec<Conflict>) -> Back {
        let mut back = Back::default();
        if let Some(why) = subject.unknown {
            conflicts.push(subject.conflict("", why));
            return back;
        }
        if subject.past.lost_grants {
            let why = "they had grants before they were deleted and created anew, which did not come back";
            conflicts.push(subject.conflict("grants", why));
        }
        if subject.past.lost_name {
            let why = "the log does not say what the connection called them before it created them anew";
            conflicts.push(subject.conflict(EXTERNAL_ID, why));
        }
        let document: Map<String, Value> = serde_json::from_str(&now.document).unwrap_or_default();
        let (mut before, mut after) = (Map::new(), Map::new());
        // Whoever is active is held by nothing.
        let held = now.held.filter(|_| !is_active(document.get(ACTIVE)));
        for (path, was) in &subject.past.attributes {
            let current = if path == EXTERNAL_ID {
                now.external.as_deref().map(Value::from)
            } else {
                Changes::value_at(&document, path).cloned()
            };
            if current == was.before || path == ACTIVE && !subject.tells_by_attribute(held) {
                continue;
            }
            // What the log does not tell is somebody else's as well.
            if (was.by_others || current != was.after) && !self.overwrite {
                conflicts.push(subject.conflict(path, OTHERS));
            } else if path == EXTERNAL_ID {
                back.called = Called::Again(was.before.as_ref().and_then(Value::as_str).map(str::to_owned));
            } else {
                before.extend(was.before.clone().map(|value| (path.clone(), value)));
                after.extend(current.map(|value| (path.clone(), value)));
            }
        }
        match self.account(subject, (held, is_active(document.get(ACTIVE))), conflicts) {
            Some(says) if held.is_some() => back.says = Some(says),
            // Nothing but provisioning speaks of them by now.
            Some(says) => {
                before.insert(ACTIVE.to_owned(), says.into());
                after.extend(document.get(ACTIVE).map(|value| (ACTIVE.to_owned(), value.clone())));
            }
            None => {}
        }
        // Both are objects, so it can be read.
        back.changes = Changes::read(&json!({ "before": before, "after": after })).unwrap_or_default();
        self.members(subject, &mut back, conflicts);
        back
    }

    /// What provisioning is to take the account of a user for again, where that is more than an attribute.
    fn account(
        &self,
        subject: &Subject,
        (held, active): (Option<bool>, bool),
        conflicts: &mut Vec<Conflict>,
    ) -> Option<bool> {
        let said = subject.past.said.as_ref()?;
        let attribute = subject.past.attributes.get(ACTIVE);
        if held.is_some() && attribute.is_some_and(|was| is_active(was.before.as_ref())) {
            conflicts.push(subject.conflict(
                ACTIVE,
                "an administrator or a rule keeps them out by now, or they are on leave",
            ));
        }
        let says = held.unwrap_or(active);
        if says == said.before || subject.tells_by_attribute(held) {
            return None;
        }
        if (said.by_others || says != said.after) && !self.overwrite {
            conflicts.push(subject.conflict(ACTIVE, OTHERS));
            return None;
        }
        Some(said.before)
    }

    fn members(&self, group: &Subject, back: &mut Back, conflicts: &mut Vec<Conflict>) {
        for (id, was) in &group.past.members {
            let member = ResourceId::new(id.as_str());
            let inside = self.look.inside.get(&(group.pk, member.clone())).copied();
            if inside.unwrap_or(false) == was.before {
                continue;
            }
            let what = format!("members.{id}");
            if inside.is_none() {
                conflicts.push(group.conflict(&what, "there is no such user or group any more"));
            } else if was.by_others && !self.overwrite {
                conflicts.push(group.conflict(&what, OTHERS));
            } else if was.before {
                back.join.push(member);
            } else {
                back.leave.push(member);
            }
        }
    }
}

impl Subject {
    pub(super) fn conflict(&self, what: &str, why: &str) -> Conflict {
        Conflict {
            kind: word(self.kind).to_owned(),
            id: self.id.as_str().to_owned(),
            what: what.to_owned(),
            why: why.to_owned(),
        }
    }

    /// Whether what provisioning took an account for stands in its attribute: it does not while something else keeps the
    /// user out, nor where that was so before.
    fn tells_by_attribute(&self, held: Option<bool>) -> bool {
        let before = self
            .past
            .attributes
            .get(ACTIVE)
            .map(|was| is_active(was.before.as_ref()));
        let said = self.past.said.as_ref().map(|said| said.before);
        held.is_none() && before.is_some() && said.is_none_or(|said| before == Some(said))
    }

    /// Something was changed of it, and it is not there any more.
    fn gone(&self) -> Option<Conflict> {
        let past = &self.past;
        let changed = !past.attributes.is_empty() || !past.members.is_empty() || past.said.is_some();
        changed.then(|| self.conflict("", "others have deleted it since"))
    }
}

/// `user` or `group`.
pub(super) const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Group => "group",
        Kind::Own(_) => "resource",
    }
}
