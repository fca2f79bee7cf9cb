//! Why a user may do something, or why not.

use serde_json::Map;

use super::decide::{Resource, Subject, looks_like_id, may_ask, subject, target};
use super::grants::connections;
use super::policy;
use crate::access::explain::{Explanation, Source, Sources, explain as why};
use crate::access::lifecycle::Status;
use crate::base::id::ResourceId;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::causes::Written;

/// An explanation, and where what it rests on came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What the user is.
    pub status: Status,
    /// A tree of data; its `Display` is the tree as text.
    pub explanation: Explanation,
    /// What the user has there of what was asked: keys in the order of the catalogue.
    pub permissions: Vec<String>,
}

/// Explains one permission, or everything, on a resource; the organisation as a whole where none is given. The user is
/// named by id or `userName`.
///
/// # Errors
/// `Forbidden` for a user that asks about another without seeing users, `NotFound` for the user, a permission or
/// resource that does not exist.
pub async fn explain(
    services: &Services,
    caller: &Caller,
    user: &str,
    permission: Option<&str>,
    on: Option<&Resource>,
) -> Result<Explained> {
    may_ask(services, caller, [user]).await?;
    let (row, book) = with_paths(services, caller, user).await?;
    let permission = permission.map(|key| services.catalogue().get(key)).transpose();
    let permission = permission.map_err(|unknown| Error::invalid("/permission", unknown.to_string()))?;
    let whole = Resource::Tenant(caller.tenant_slug().to_owned());
    let on = on.unwrap_or(&whole);
    let reader = services.read(caller);
    let record = match on {
        Resource::Record { kind, id, .. } => Some(super::names::record("/record", kind, id)?),
        Resource::Tenant(_) | Resource::Scope(_) => None,
    };
    let scopes = match &record {
        Some(record) => reader.records().scopes_of(record).await?,
        None => Vec::new(),
    };
    let target = target(caller, &book, on, record.as_ref(), &scopes)
        .ok_or_else(|| Error::invalid("/scope", "there is no such scope"))?;
    let now = services.clock().now();
    let mut explanation = why(&row.facts, &book.rulebook, now, permission, &target);
    explanation.sources = sources(services, caller, &explanation).await?;
    let person = reader.views().people(&[row.facts.user]).await?.into_iter().next();
    let status = person.map_or(Status::Active, |person| person.status);
    Ok(Explained {
        status: status.as_read(row.facts.active),
        permissions: book.keys(explanation.permissions),
        explanation,
    })
}

/// The facts about a user who may be named by id or by `userName`, with the ways into groups.
async fn with_paths(services: &Services, caller: &Caller, who: &str) -> Result<Subject> {
    if looks_like_id(who) {
        match policy::paths(services, caller, &ResourceId::new(who)).await {
            Err(Error::NotFound) => {}
            found => return found,
        }
    }
    let found = subject(services, caller, who, None).await?;
    let (row, _) = found.ok_or(Error::NotFound)?;
    policy::paths(services, caller, &ResourceId::new(row.facts.id)).await
}

/// A record without properties.
#[must_use]
pub fn record(kind: &str, id: &str) -> Resource {
    Resource::Record {
        kind: kind.to_owned(),
        id: id.to_owned(),
        properties: Map::new(),
    }
}

/// Who wrote what an explanation rests on: two reads beside each other, however much that is.
async fn sources(services: &Services, caller: &Caller, explanation: &Explanation) -> Result<Sources> {
    let reader = services.read(caller);
    let grounds = explanation.grounds();
    if grounds.is_empty() {
        return Ok(Sources::new());
    }
    let (written, connections) = tokio::try_join!(
        async { Ok(reader.causes().of(&grounds).await?) },
        connections(services, caller)
    )?;
    let source = |row: Written| {
        let by = match (row.connection, row.actor) {
            (Some(id), _) => connections.get(&id).map(|name| format!("connection {name}")),
            // A name that says by itself what it is the name of.
            (None, Some((kind, name))) if name.starts_with(&kind) => Some(name),
            (None, Some((kind, name))) => Some(format!("{kind} {name}")),
            (None, None) => None,
        };
        let source = Source {
            at: row.at,
            by,
            request_id: row.request_id,
        };
        (row.ground, source)
    };
    Ok(written.into_iter().map(source).collect())
}
