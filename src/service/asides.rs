//! What is kept aside of resources, as administrators see it.

use serde_json::value::RawValue;

use super::access::authority::{GIVE, INTEGRATIONS, require};
use super::context::{Caller, Services};
use super::error::{Error, Result};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, ResourceId};
use crate::scim::schema::ResourceType;
use crate::store::Reader;
use crate::store::asides::{AsideOf, Counted};

/// Most things that are shown of one resource: those of many connections.
const MOST_OF_RESOURCE: u32 = 500;

/// Most extensions that are shown of a connection: those of the most resources.
const MOST_OF_CONNECTION: u32 = 100;

/// What a connection said of an extension of a resource.
#[derive(Debug)]
pub struct Kept {
    /// The name of the extension.
    pub urn: String,
    /// Id and name of the connection.
    pub connection: (String, String),
    /// Its attributes, a JSON object.
    pub attributes: Box<RawValue>,
    /// When something else was said last.
    pub changed: Timestamp,
    /// Whether a schema declares it by now: the next request of the connection brings it into the resource.
    pub declared: bool,
}

/// An extension of which a connection has said something.
#[derive(Debug)]
pub struct Undeclared {
    /// Its name, in small letters.
    pub urn: String,
    /// Of how many resources.
    pub resources: u64,
    /// When something else was said last.
    pub last: Timestamp,
}

impl From<Counted> for Undeclared {
    fn from(counted: Counted) -> Self {
        Self {
            urn: counted.urn,
            resources: counted.resources,
            last: counted.last,
        }
    }
}

/// What is kept aside of the resource of this id, which is found at this endpoint.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn of_resource(services: &Services, caller: &Caller, endpoint: &str, id: &str) -> Result<Vec<Kept>> {
    require(services, caller, &[INTEGRATIONS, GIVE]).await?;
    let kind = caller.type_at(endpoint).ok_or(Error::NotFound)?;
    of(services, caller, kind, id).await
}

/// The same of a resource of the type of this name.
///
/// # Errors
/// As [`of_resource`].
pub async fn of_type(services: &Services, caller: &Caller, name: &str, id: &str) -> Result<Vec<Kept>> {
    require(services, caller, &[INTEGRATIONS, GIVE]).await?;
    let kind = caller.types().iter().find(|ty| ty.name() == name);
    of(services, caller, kind.ok_or(Error::NotFound)?, id).await
}

async fn of(services: &Services, caller: &Caller, kind: &ResourceType, id: &str) -> Result<Vec<Kept>> {
    let reader = services.read(caller);
    let id = ResourceId::new(id);
    let found = reader.resources().pks(std::slice::from_ref(&id)).await?;
    let found = found.into_iter().find(|(_, _, known)| known.name() == kind.name());
    let (_, pk, _) = found.ok_or(Error::NotFound)?;
    let rows = reader.asides().list(pk, MOST_OF_RESOURCE).await?;
    rows.into_iter().map(|row| kept(kind, row)).collect()
}

fn kept(kind: &ResourceType, row: AsideOf) -> Result<Kept> {
    let attributes = RawValue::from_string(row.aside.attributes).map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(Kept {
        declared: kind.extension(&row.aside.urn).is_some(),
        urn: row.aside.urn,
        connection: (row.connection, row.connection_name),
        attributes,
        changed: row.changed,
    })
}

/// The extensions that no schema declares of which a connection has said something, those of the most resources first.
pub(super) async fn of_connection(reader: &Reader, connection: ConnectionId) -> Result<Vec<Undeclared>> {
    let counted = reader.asides().count(connection, MOST_OF_CONNECTION).await?;
    Ok(counted.into_iter().map(Undeclared::from).collect())
}
