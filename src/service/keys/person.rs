//! A person with their key: seals what the log says of them, and opens it.

use serde_json::Value;
use std::sync::Arc;

use super::sealer::internal;
use crate::base::id::ResourceId;
use crate::event::seal::Place;
use crate::event::{Kind, PersonKey};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// A person with their key.
#[derive(Debug, Clone)]
pub struct Person {
    tenant: Arc<str>,
    id: ResourceId,
    key: PersonKey,
}

impl Person {
    /// A new person, and their key as it is stored.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn new(services: &Services, caller: &Caller, id: &ResourceId) -> Result<(Self, String)> {
        let tenant = services.tenant_uid(caller).await?;
        let (key, seal) = services.sealer().person(&tenant, id.as_str())?;
        let id = id.clone();
        Ok((Self { tenant, id, key }, seal))
    }

    /// The person of this id; none where there is no key.
    ///
    /// # Errors
    /// A database that does not answer, a key that does not open.
    pub async fn of(services: &Services, caller: &Caller, id: &ResourceId, seal: Option<&str>) -> Result<Option<Self>> {
        let Some(seal) = seal else { return Ok(None) };
        let tenant = services.tenant_uid(caller).await?;
        let key = services.sealer().person_of(&tenant, id.as_str(), seal)?;
        let id = id.clone();
        Ok(Some(Self { tenant, id, key }))
    }

    /// Seals values for an event about this person.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn seal(&self, txn: &str, kind: Kind, values: &Value) -> Result<String> {
        let text = values.to_string();
        let sealed = self.key.seal(&self.place(txn, kind), rand::random(), text.as_bytes());
        sealed.map_err(internal)
    }

    /// The values that were sealed for an event about this person.
    ///
    /// # Errors
    /// Changed bytes, or values that were sealed for another event.
    pub fn open(&self, txn: &str, kind: Kind, sealed: &str) -> Result<Value> {
        let text = self.key.open(&self.place(txn, kind), sealed).map_err(internal)?;
        serde_json::from_slice(&text).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    fn place<'a>(&'a self, txn: &'a str, kind: Kind) -> Place<'a> {
        Place {
            tenant: &self.tenant,
            txn,
            kind,
            subject: self.id.as_str(),
        }
    }
}
