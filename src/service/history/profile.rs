//! What was known of a user.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::access::status;
use super::people::{People, number};
use super::scene::{Incomplete, Moment, Scene, moments, told};
use crate::access::lifecycle::Status;
use crate::base::clock::Timestamp;
use crate::event::past::{PersonPast, Standing};
use crate::service::access::names::Named;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// A user at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Their id.
    pub user: String,
    /// The instant.
    pub at: Timestamp,
    /// The last position of the log that was not after it.
    pub seq: i64,
    /// What they were.
    pub status: Status,
    /// Version of the resource.
    pub version: i64,
    /// When they were made.
    pub created: Timestamp,
    /// Attributes, as SCIM has them.
    pub attributes: Map<String, Value>,
    /// What connections called them, by the names of the connections.
    pub external_ids: BTreeMap<String, Value>,
    /// The groups that they were a member of themselves, by id. Whom rules put into a group is told by their access.
    pub groups: Vec<Named>,
    /// What is not known.
    pub incomplete: Incomplete,
}

/// What was known of the user of this id at an instant; as far as the log is told when none is given.
///
/// # Errors
/// `Forbidden`; `Invalid` for an instant that is still to come; `NotFound` for who was not there.
pub async fn profile(services: &Services, caller: &Caller, id: &str, at: Option<Timestamp>) -> Result<Profile> {
    let [moment] = moments(services, caller, [("/as_of", at)]).await?;
    let pk = number(services, caller, id).await?;
    let (person, ties) = People::one(services, caller, (pk, id), moment.seq).await?;
    if person.standing() != Standing::There {
        return Err(Error::NotFound);
    }
    let scene = Scene::at(services, caller, moment, None).await?;
    let facts = scene.stage.facts(&person, &ties);
    let groups = facts.groups.into_iter().filter(|group| group.direct);
    let mut groups: Vec<Named> = groups
        .map(|group| Named {
            id: group.id,
            name: group.display,
        })
        .collect();
    groups.sort_unstable();
    Ok(Profile {
        at: moment.at,
        seq: moment.seq.0,
        status: status(&person),
        version: person.meta().2,
        created: person.meta().0,
        attributes: person.document().clone(),
        external_ids: person.called().clone(),
        groups,
        incomplete: incomplete(&person, moment),
        user: person.id,
    })
}

/// What is not known of somebody, their access apart.
fn incomplete(person: &PersonPast, moment: Moment) -> Incomplete {
    Incomplete {
        gaps: told(person.gaps()),
        erased: person.is_erased(),
        reports: false,
        behind: moment.behind,
    }
}
