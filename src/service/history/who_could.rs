//! Who could do something.

use serde_json::Map;

use super::access::named;
use super::people::People;
use super::scene::{Incomplete, Scene, admit, position, told};
use crate::access::permission::Permission;
use crate::access::{self, Target};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ScopeKey};
use crate::event::past::Standing;
use crate::service::access::names::{self, ALL, Named};
use crate::service::access::page::{Page, Paging, cursor};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};

/// People whose history is read at once.
const AT_ONCE: u32 = 200;
/// Most people who are looked at for a page.
const MOST_LOOKED_AT: u32 = 10_000;

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
    /// When.
    pub at: Timestamp,
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
    admit(services, caller, &[("/as_of", asked.at)]).await?;
    let permission = permission(services, &asked.permission)?;
    let record = match &asked.place {
        Place::Record { kind, id } => Some(names::record("/record", kind, id)?),
        Place::Organisation | Place::Scope(_) => None,
    };
    let seq = position(services, caller, asked.at).await?;
    let scene = Scene::at(services, caller, (asked.at, seq), record.clone()).await?;
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
    sweep.page(paging).await
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
    async fn page(&self, paging: &Paging) -> Result<Found> {
        let reader = self.services.read(self.caller);
        let (mut items, mut looked_at) = (Vec::new(), 0);
        let mut incomplete = Incomplete {
            gaps: told(self.scene.stage.policy.gaps()),
            reports: self.scene.stage.policy.managers_see_reports(),
            erased: false,
        };
        let mut after = Pk(paging.after()?);
        let next = loop {
            let users = reader.events().people(after, self.scene.seq, AT_ONCE).await?;
            let People { persons, ties } = People::at(self.services, self.caller, &users, self.scene.seq).await?;
            for person in &persons {
                after = person.pk;
                looked_at += 1;
                if person.standing() != Standing::There {
                    continue;
                }
                incomplete.erased |= person.is_erased();
                let facts = self.scene.facts(person, &ties);
                let rulebook = &self.scene.book.rulebook;
                let decision = access::decide(&facts, rulebook, self.scene.at, self.permission, &self.target);
                if decision.allowed {
                    let person = named(person);
                    items.push(Able {
                        user: Named {
                            id: person.id.into_string(),
                            name: person.name,
                        },
                        user_name: person.user_name,
                    });
                }
                if items.len() >= paging.items() as usize {
                    break;
                }
            }
            let full = items.len() >= paging.items() as usize || looked_at >= MOST_LOOKED_AT;
            let rest = !reader.events().people(after, self.scene.seq, 1).await?.is_empty();
            if !rest {
                break None;
            }
            if full {
                break Some(cursor(after.0));
            }
        };
        Ok(Found {
            page: Page { items, next },
            seq: self.scene.seq.0,
            incomplete,
        })
    }
}
