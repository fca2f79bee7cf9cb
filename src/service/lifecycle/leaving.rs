//! What an attribute says of when somebody leaves: planned in the unit that writes it.

use serde_json::{Map, Value, json};

use super::schedule::{Action, Source, tell};
use crate::access::lifecycle::Leaving;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::base::zone::{OfDay, Zone};
use crate::scim::Document;
use crate::scim::path::AttrPath;
use crate::scim::schema::{ResourceType, Target, Type};
use crate::service::access::policy::Book;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, Author, What};
use crate::store::lifecycle::schedules::NewSchedule;
use crate::store::{self, Kind, Unit};

/// Most attributes that can say when somebody leaves: each is read with every user that is written.
const MOST: usize = 10;

/// What is to be decided, with each path as the schema spells it.
///
/// # Errors
/// Too many; a path that is no single text of a user; a zone that is none.
pub(in crate::service) fn checked(caller: &Caller, given: Vec<Leaving>) -> Result<Vec<Leaving>> {
    let kind = caller.user_type()?;
    if given.len() > MOST {
        let reason = format!("at most {MOST} attributes can say when somebody leaves");
        return Err(Error::invalid("/leaving", reason));
    }
    let check = |(at, leaving): (usize, Leaving)| {
        let wrong =
            |member: &str, reason: String| Error::Invalid(Refusal::new(reason).at(format!("/leaving/{at}/{member}")));
        let Some(path) = single_text(kind, &leaving.path) else {
            let reason = format!("`{}` is no attribute of a user that has one text", leaving.path);
            return Err(wrong("path", reason));
        };
        if Zone::named(&leaving.zone).is_none() {
            let reason = format!("there is no time zone `{}`", leaving.zone);
            return Err(wrong("zone", reason));
        }
        Ok(Leaving { path, ..leaving })
    };
    given.into_iter().enumerate().map(check).collect()
}

/// A path as the schema spells it, where it names what can hold one date.
fn single_text(kind: &ResourceType, path: &str) -> Option<String> {
    let path = AttrPath::parse(path).ok()?;
    let Some(Target::Attribute(place)) = kind.resolve(&path) else {
        return None;
    };
    let single = !place.top().multi_valued && !place.leaf().multi_valued;
    let text = matches!(place.leaf().kind, Type::String | Type::DateTime);
    (single && text).then(|| place.path().to_owned())
}

/// As it stands in the log.
pub(in crate::service) fn said(leaving: &Leaving) -> Value {
    let at = match leaving.at {
        OfDay::Start => "start-of-day",
        OfDay::End => "end-of-day",
    };
    json!({ "path": leaving.path, "zone": leaving.zone, "at": at })
}

/// What a document says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// When they leave.
    due: Option<Timestamp>,
    /// Paths of what cannot be read.
    unreadable: Vec<String>,
}

impl Said {
    fn by(paths: &[Leaving], kind: &ResourceType, document: &Document) -> Self {
        let mut said = Self::default();
        for leaving in paths {
            let Some(text) = text_at(kind, document, &leaving.path) else {
                continue;
            };
            let read = Zone::named(&leaving.zone).and_then(|zone| zone.instant(text, leaving.at));
            match (read, said.due) {
                (None, _) => said.unreadable.push(leaving.path.clone()),
                (Some(due), Some(before)) => said.due = Some(before.min(due)),
                (Some(due), None) => said.due = Some(due),
            }
        }
        said
    }
}

fn text_at<'d>(kind: &ResourceType, document: &'d Document, path: &str) -> Option<&'d str> {
    let path = AttrPath::parse(path).ok()?;
    let Some(Target::Attribute(place)) = kind.resolve(&path) else {
        return None;
    };
    let members = document.as_map();
    let top = match place.extension() {
        Some(urn) => members.get(urn)?.get(&place.top().name)?,
        None => members.get(&place.top().name)?,
    };
    match place.sub() {
        Some(sub) => top.get(&sub.name)?.as_str(),
        None => top.as_str(),
    }
}

/// Takes out of a profile what says when somebody leaves, as for somebody who does not leave with them.
pub(super) fn taken_out(paths: &[Leaving], kind: &ResourceType, profile: &mut Map<String, Value>) {
    for leaving in paths {
        let Ok(path) = AttrPath::parse(&leaving.path) else {
            continue;
        };
        let Some(Target::Attribute(place)) = kind.resolve(&path) else {
            continue;
        };
        let members = match place.extension() {
            Some(urn) => profile.get_mut(urn).and_then(Value::as_object_mut),
            None => Some(&mut *profile),
        };
        let (top, sub) = (&place.top().name, place.sub());
        match (members, sub) {
            (Some(members), None) => drop(members.remove(top)),
            (Some(members), Some(sub)) => {
                let top = members.get_mut(top).and_then(Value::as_object_mut);
                top.map(|top| top.remove(&sub.name));
            }
            (None, _) => {}
        }
    }
}

/// What becomes of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Becomes {
    Set(Timestamp),
    Gone,
    /// What cannot be read decides nothing.
    Kept,
}

/// What a new document says that the one before did not.
#[derive(Debug)]
pub(in crate::service) struct Change {
    becomes: Becomes,
    unreadable: Vec<String>,
}

impl Change {
    /// `None` where nothing is said anew.
    pub(in crate::service) fn between(
        book: &Book,
        kind: &ResourceType,
        before: Option<&Document>,
        after: &Document,
    ) -> Option<Self> {
        let paths = &book.rulebook.policy().settings.leaving;
        if paths.is_empty() {
            return None;
        }
        let before = before.map_or_else(Said::default, |before| Said::by(paths, kind, before));
        let after = Said::by(paths, kind, after);
        if before == after {
            return None;
        }
        let becomes = match after.due {
            Some(due) if before.due == Some(due) => Becomes::Kept,
            Some(due) => Becomes::Set(due),
            None if after.unreadable.is_empty() => Becomes::Gone,
            None => Becomes::Kept,
        };
        let unreadable = after.unreadable;
        Some(Self { becomes, unreadable })
    }

    /// Paths of what is said and cannot be read.
    pub(in crate::service) fn unreadable(&self) -> &[String] {
        &self.unreadable
    }

    /// Makes, moves or cancels the plan, after the user is written.
    pub(in crate::service) async fn keep(
        &self,
        services: &Services,
        caller: &Caller,
        unit: &mut Unit,
        (user, id): (Pk, &ResourceId),
        now: Timestamp,
    ) -> store::Result<()> {
        let subject = || ledger::resource(Kind::User, user, id);
        for path in &self.unreadable {
            let told = (What::ScheduleUnreadable, subject());
            ledger::note(unit, caller, now, told, &json!({ "path": path }));
        }
        match self.becomes {
            Becomes::Kept => {}
            Becomes::Gone => {
                for plan in unit.schedules().cancel(user, Source::Attribute, now).await? {
                    tell(unit, caller, now, What::ScheduleCancelled, &plan);
                }
            }
            Becomes::Set(due) => {
                let author = Author::of(caller);
                let (actor_kind, actor_id) = author.who();
                let new = NewSchedule {
                    uid: services.ids().next().into_string(),
                    user,
                    action: Action::Deactivate,
                    source: Source::Attribute,
                    due,
                    reason: None,
                    actor_kind: actor_kind.to_owned(),
                    actor_id: actor_id.to_owned(),
                    created: now,
                };
                let uid = unit.schedules().set(new).await?;
                let data = json!({ "schedule": uid, "action": Action::Deactivate.as_str(), "due": due.rfc3339() });
                ledger::note(unit, caller, now, (What::ScheduleSet, subject()), &data);
            }
        }
        Ok(())
    }
}
