//! A change of any kind, by its method: for requests that were taken apart before.

use serde_json::Value;
use std::sync::Arc;

use super::create::create_as;
use super::delete::delete;
use super::patch::patch;
use super::precondition::IfMatch;
use super::replace::replace;
use super::shown::Shown;
use super::write::Wanted;
use crate::base::id::ResourceId;
use crate::scim::Verb;
use crate::scim::dialect::Dialect;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// A change that is asked for.
pub(in crate::service) struct Request<'a> {
    /// Its method.
    pub(in crate::service) verb: Verb,
    /// Type of the resource.
    pub(in crate::service) kind: &'a Arc<ResourceType>,
    /// Which one; of what is made, the id that it gets: one of its own where there is none.
    pub(in crate::service) id: Option<&'a ResourceId>,
    /// Of what is made: the hash of the password, where that was made before.
    pub(in crate::service) hash: Option<String>,
    /// Versions that may be changed.
    pub(in crate::service) if_match: &'a IfMatch,
    /// Client habits in force.
    pub(in crate::service) dialect: &'a Dialect,
    /// What the answer shows.
    pub(in crate::service) view: &'a View,
}

/// Makes it as any request does; gives what was made or changed.
///
/// # Errors
/// Those of the use case.
pub(in crate::service) async fn perform(
    services: &Services,
    caller: &Caller,
    request: Request<'_>,
    body: Value,
) -> Result<Option<Shown>> {
    let Request {
        verb,
        kind,
        id,
        hash,
        if_match,
        dialect,
        view,
    } = request;
    let id = match (verb, id) {
        (Verb::Post, given) => {
            let id = given.cloned().unwrap_or_else(|| services.ids().next());
            let made = create_as(services, caller, (id, hash), (dialect, kind, view), body).await?;
            return Ok(Some(made));
        }
        (_, None) => return Err(Error::NotFound),
        (_, Some(id)) => id,
    };
    let wanted = Wanted {
        dialect,
        kind,
        id,
        if_match,
        view,
    };
    match verb {
        Verb::Post | Verb::Delete => {
            delete(services, caller, kind, id, if_match).await?;
            Ok(None)
        }
        Verb::Put => replace(services, caller, wanted, body).await.map(Some),
        Verb::Patch => patch(services, caller, wanted, body).await.map(Some),
    }
}
