//! Who could do something.

use serde_json::Map;

use super::access::named;
use super::people::People;
use super::scene::{Incomplete, Moment, Scene, moments, told};
use crate::access::permission::Permission;
use crate::access::{self, Target};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ScopeKey};
use crate::event::Seq;
use crate::event::past::{PersonPast, Standing, Ties};
use crate::service::access::names::{self, ALL, Named};
use crate::service::access::page::{Page, Paging, cursor_of};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};

/// People whose history is read at once.
const AT_ONCE: u32 = 200;
/// Most people who are looked at for a page.
const MOST_LOOKED_AT: u32 = 10_000;
/// Events of their lives, after which nobody else is looked at for a page: some seconds of work.
const MOST_TOLD: usize = 200_000;
/// Gaps in the lives of people that a page names; those of the policy are named as a whole.
const MOST_GAPS: usize = 1_000;

/// Where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the organisation as a whole.
    Organisation,
    /// On the scope of this id; `all` is the organisation.
    Scope(String),
    /// On a record, of which no property is known.
    Record {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
    },
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Key of a permission.
    pub permission: String,
    /// Where.
    pub place: Place,
    /// When; as far as the log is told when none is given, and on further pages at the moment of the first.
    pub at: Option<Timestamp>,
}

/// Somebody who could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Able {
    /// Id and name, as they were.
    pub user: Named,
    /// What they signed in with.
    pub user_name: String,
}

/// A page of those who could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// They, in the order in which they were made. A page may have fewer than were asked for, or none, and go on.
    pub page: Page<Able>,
    /// The last position of the log that was not after the instant.
    pub seq: i64,
    /// What is not known.
    pub incomplete: Incomplete,
}

/// Who could do something somewhere at an instant.
///
/// # Errors
/// `Forbidden`; `Invalid` for an instant that is still to come, a permission that there is not, a scope that there was not.
pub async fn who_could(services: &Services, caller: &Caller, asked: &Asked, paging: &Paging) -> Result<Found> {
    let (moment, after) = begun(services, caller, asked.at, paging).await?;
    let permission = permission(services, &asked.permission)?;
    let record = match &asked.place {
        Place::Record { kind, id } => Some(names::record("/record", kind, id)?),
        Place::Organisation | Place::Scope(_) => None,
    };
    let scene = Scene::at(services, caller, moment, record.clone()).await?;
    let scopes: Vec<ScopeKey> = scene.stage.policy.located().collect();
    let properties = Map::new();
    let target = match (&asked.place, &record) {
        (Place::Scope(id), _) if id != ALL => {
            let unknown = || Error::invalid("/scope", format!("there was no scope `{id}`"));
            Target::Scope(scene.stage.policy.scope_of(id).ok_or_else(unknown)?)
        }
        (_, Some(record)) => Target::Record {
            record,
            scopes: &scopes,
            properties: &properties,
        },
        _ => Target::Organisation,
    };
    let sweep = Sweep {
        services,
        caller,
        scene: &scene,
        permission,
        target,
    };
    sweep.page(after, paging.items() as usize).await
}

/// The moment of a page and who comes before it. All pages are of the moment of the first.
async fn begun(services: &Services, caller: &Caller, at: Option<Timestamp>, paging: &Paging) -> Result<(Moment, Pk)> {
    let Some([after, then, seq]) = paging.after_numbers()? else {
        let [moment] = moments(services, caller, [("/as_of", at)]).await?;
        return Ok((moment, Pk(0)));
    };
    let then = Timestamp(then);
    if at.is_some_and(|at| at != then) {
        return Err(Error::invalid(
            "/after",
            "`after` is the `next` of a page of another instant",
        ));
    }
    let [moment] = moments(services, caller, [("/as_of", Some(then))]).await?;
    let seq = moment.seq.min(Seq(seq));
    Ok((Moment { seq, ..moment }, Pk(after)))
}

fn permission(services: &Services, key: &str) -> Result<Permission> {
    if key.is_empty() {
        return Err(Error::invalid("/permission", "the key of a permission belongs here"));
    }
    let found = services.catalogue().get(key);
    found.map_err(|unknown| {
        let refusal = Refusal::new(unknown.to_string()).at("/permission");
        Error::Invalid(refusal.suggesting(unknown.nearest))
    })
}

struct Sweep<'a> {
    services: &'a Services,
    caller: &'a Caller,
    scene: &'a Scene,
    permission: Permission,
    target: Target<'a>,
}

impl Sweep<'_> {
    /// Looks at people, some at a time, until the page is full or enough were looked at.
    async fn page(&self, mut after: Pk, most: usize) -> Result<Found> {
        let reader = self.services.read(self.caller);
        let Moment { at, seq, behind } = self.scene.moment;
        let (mut items, mut looked_at, mut told_by) = (Vec::new(), 0, 0);
        let mut incomplete = Incomplete {
            gaps: told(self.scene.stage.policy.gaps()),
            reports: self.scene.stage.policy.managers_see_reports(),
            erased: false,
            behind,
        };
        let next = loop {
            let users = reader.events().people(after, seq, AT_ONCE).await?;
            let left = MOST_TOLD.saturating_sub(told_by);
            let (people, events) = People::first(self.services, self.caller, &users, (seq, left)).await?;
            let People { persons, ties } = people;
            told_by += events;
            for person in &persons {
                after = person.pk;
                looked_at += 1;
                if person.standing() != Standing::There {
                    continue;
                }
                incomplete.erased |= person.is_erased();
                let left = MOST_GAPS.saturating_sub(incomplete.gaps.len());
                incomplete.gaps.extend(told(person.gaps()).into_iter().take(left));
                items.extend(self.able(person, &ties));
                if items.len() >= most {
                    break;
                }
            }
            let full = items.len() >= most || looked_at >= MOST_LOOKED_AT || told_by >= MOST_TOLD;
            let rest = !reader.events().people(after, seq, 1).await?.is_empty();
            if !rest {
                break None;
            }
            if full {
                break Some(cursor_of([after.0, at.0, seq.0]));
            }
        };
        Ok(Found {
            page: Page { items, next },
            seq: seq.0,
            incomplete,
        })
    }
    /// Somebody, if they could.
    fn able(&self, person: &PersonPast, ties: &Ties) -> Option<Able> {
        let facts = self.scene.facts(person, ties);
        let (rulebook, at) = (&self.scene.book.rulebook, self.scene.moment.at);
        let decision = access::decide(&facts, rulebook, at, self.permission, &self.target);
        decision.allowed.then(|| {
            let person = named(person);
            Able {
                user: Named {
                    id: person.id.into_string(),
                    name: person.name,
                },
                user_name: person.user_name,
            }
        })
    }
}
