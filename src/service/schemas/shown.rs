//! The definitions of a tenant as they are shown, and what is in the way of a change of them.

use serde_json::Value;

use super::definitions::Definitions;
use super::edit::{json_of, json_of_schema};
use crate::scim::schema::ResourceType;
use crate::service::access::authority::{SETTINGS, VIEW, require};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// What a change comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Whether it changes anything.
    pub changes: bool,
    /// What is stored and would be invalid, by attribute; the first 20.
    pub in_the_way: Vec<InTheWay>,
    /// Rules and settings that read what would not be there any more, in words.
    pub conditions: Vec<String>,
}

/// Resources that would be invalid, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTheWay {
    /// Name of their type.
    pub resource_type: String,
    /// Path of the attribute, or URN of the extension.
    pub path: String,
    /// Why.
    pub reason: String,
    /// How many there are.
    pub count: u64,
    /// Id and display name of the first of them, oldest first.
    pub first: Vec<(String, String)>,
}

impl Preview {
    /// Why it cannot be made, in a sentence; nothing where it can.
    #[must_use]
    pub fn first(&self) -> Option<String> {
        let more = "; a preview tells all of it";
        if let Some(InTheWay {
            path,
            reason,
            count,
            resource_type,
            first,
        }) = self.in_the_way.first()
        {
            let such_as = first
                .first()
                .map(|(id, _)| format!(", such as {id}"))
                .unwrap_or_default();
            return Some(format!(
                "`{path}`: {reason}; this is in the way of {count} stored resources of the type `{resource_type}`{such_as}{more}"
            ));
        }
        self.conditions.first().map(|said| format!("{said}{more}"))
    }
}

impl Definitions {
    async fn of(services: &Services, caller: &Caller) -> Result<Self> {
        require(services, caller, &[SETTINGS, VIEW]).await?;
        Self::stored(&services.read(caller).schemas().load().await?)
    }
}

/// The schemas that the organisation has defined, by their URNs, as SCIM's JSON.
///
/// # Errors
/// `Forbidden`.
pub async fn schemas(services: &Services, caller: &Caller) -> Result<Vec<Value>> {
    let own = Definitions::of(services, caller).await?;
    Ok(own.schemas.iter().map(json_of_schema).collect())
}

/// One of them.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn schema(services: &Services, caller: &Caller, urn: &str) -> Result<Value> {
    let own = Definitions::of(services, caller).await?;
    own.schema(urn).map(json_of_schema).ok_or(Error::NotFound)
}

/// What resource types have of the organisation, by their names, as SCIM's JSON.
///
/// # Errors
/// `Forbidden`.
pub async fn resource_types(services: &Services, caller: &Caller) -> Result<Vec<Value>> {
    let own = Definitions::of(services, caller).await?;
    Ok(own.types.iter().map(json_of).collect())
}

/// The type that a definition of the organisation is of, where the operator's files leave no room for it.
pub(super) async fn unserved(services: &Services, caller: &Caller, name: &str) -> Result<Option<ResourceType>> {
    let own = Definitions::of(services, caller).await?;
    Ok(own.unserved(services.vocabularies().base(), name))
}

/// One of them.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn resource_type(services: &Services, caller: &Caller, name: &str) -> Result<Value> {
    let own = Definitions::of(services, caller).await?;
    own.ty(name).map(json_of).ok_or(Error::NotFound)
}
