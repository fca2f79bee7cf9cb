//! A request as it is kept: what it says is sealed, as it speaks of people.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Owner;
use crate::scim::dialect::{Client, Dialect, Setting};
use crate::scim::json;
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::service::provision::IfMatch;

/// What kind of secret it is.
pub(in crate::service) const DEFERRED: &str = "deferred";

/// What is sealed of a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Id of the request it came by.
    pub(super) request_id: String,
    client: String,
    /// Versions that may be changed; any where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    if_match: Option<Vec<i64>>,
    /// Versions that may not be changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    if_none_match: Vec<i64>,
    /// As the client sent it.
    #[serde(default, with = "json::whole")]
    pub(super) body: Value,
}

impl Kept {
    pub(super) fn new(request_id: &str, dialect: Dialect, if_match: &IfMatch, body: Value) -> Self {
        let (if_match, if_none_match) = if_match.lists();
        Self {
            request_id: request_id.to_owned(),
            client: dialect.client().name().to_owned(),
            if_match,
            if_none_match,
            body,
        }
    }

    /// The condition that it came with.
    pub(super) fn if_match(&self) -> IfMatch {
        IfMatch::of_lists(self.if_match.as_deref(), &self.if_none_match)
    }

    /// The dialect that it came in.
    pub(super) fn dialect(&self, setting: Setting) -> Dialect {
        let client = Client::ALL.iter().find(|client| client.name() == self.client);
        Dialect::remembered(setting, client.copied().unwrap_or(Client::Generic))
    }

    /// The text of it.
    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    /// Opens what is stored.
    pub(super) fn open(services: &Services, of: Of<'_>, sealed: &str) -> Result<Self> {
        let text = services.sealer().unwrap(&of.owner(), sealed)?;
        serde_json::from_slice(text.expose()).map_err(|fault| Error::Internal(Box::new(fault)))
    }
}

/// Whose it is: public id of the tenant, and id of the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) tenant: &'a str,
    pub(super) request: &'a str,
}

impl<'a> Of<'a> {
    const fn owner(self) -> Owner<'a> {
        Owner {
            what: DEFERRED,
            tenant: self.tenant,
            id: self.request,
        }
    }

    /// A text as the database may hold it.
    pub(super) fn seal(self, services: &Services, text: &str) -> Result<String> {
        services.sealer().wrap(&self.owner(), text.as_bytes())
    }

    /// Why it was refused, of what is stored; nothing where that does not open any more.
    pub(super) fn reason(self, services: &Services, sealed: &str) -> Option<String> {
        let text = services.sealer().unwrap(&self.owner(), sealed).ok()?;
        String::from_utf8(text.expose().clone()).ok()
    }
}
