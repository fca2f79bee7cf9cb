//! Everything a user had.

use serde_json::Value;

use super::people::{People, number};
use super::scene::{Incomplete, Scene, moments};
use crate::access::lifecycle::{OffBy, Status};
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::event::past::{PersonPast, Standing};
use crate::service::access::access_of_user::{Access, shown};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::views::Person;

/// Everything a user had at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessThen {
    /// The instant.
    pub at: Timestamp,
    /// The last position of the log that was not after it.
    pub seq: i64,
    /// What they had; the version of the policy is the position of its last change. Nothing is said of what waited.
    pub access: Access,
    /// What is not known.
    pub incomplete: Incomplete,
}

/// What the user of this id had at an instant; as far as the log is told when none is given.
///
/// # Errors
/// `Forbidden`; `Invalid` for an instant that is still to come; `NotFound` for who was not there.
pub async fn access_of_user(
    services: &Services,
    caller: &Caller,
    id: &str,
    at: Option<Timestamp>,
) -> Result<AccessThen> {
    let [moment] = moments(services, caller, [("/as_of", at)]).await?;
    let pk = number(services, caller, id).await?;
    let (person, ties) = People::one(services, caller, (pk, id), moment.seq).await?;
    if person.standing() != Standing::There {
        return Err(Error::NotFound);
    }
    let scene = Scene::at(services, caller, moment, None).await?;
    let facts = scene.facts(&person, &ties);
    Ok(AccessThen {
        at: moment.at,
        seq: moment.seq.0,
        access: shown(&scene.book, &facts, named(&person), moment.at),
        incomplete: scene.incomplete(&person),
    })
}

/// Somebody as lists show them.
pub(super) fn named(person: &PersonPast) -> Person {
    let text = |name: &str| person.document().get(name).and_then(Value::as_str).unwrap_or_default();
    let (display, user_name) = (text("displayName"), text("userName"));
    Person {
        pk: person.pk,
        id: ResourceId::new(person.id.as_str()),
        name: if display.is_empty() { user_name } else { display }.to_owned(),
        user_name: user_name.to_owned(),
        status: status(person),
    }
}

/// What somebody was.
pub(super) fn status(person: &PersonPast) -> Status {
    match person.status() {
        "active" => Status::Active,
        "invited" => Status::Invited,
        "suspended" => Status::Suspended,
        "deactivated" => Status::Off(OffBy::Administrator),
        "deleted" | "unborn" => Status::Deleted,
        _ => Status::Off(OffBy::Source),
    }
}
