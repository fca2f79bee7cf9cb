//! A user who does not come by provisioning: the row, what the document says about rules, and what the log says.

use serde_json::Value;

use super::turn::plain;
use crate::access::Permissions;
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::Changes;
use crate::scim::{Document, validate};
use crate::service::access::desk::Desk;
use crate::service::context::{Caller, Services};
use crate::service::derive::{self, Known};
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, What};
use crate::service::provision::draft;
use crate::store::document::Content;
use crate::store::error::Unique;
use crate::store::resources::New as Row;
use crate::store::{self, Kind};

/// Somebody who is about to be made.
pub(in crate::service) struct Newcomer {
    /// Their id.
    pub(in crate::service) id: ResourceId,
    person: Person,
    /// Their key as it is stored.
    seal: String,
}

/// What they begin with.
pub(in crate::service) struct Profile {
    document: Document,
    pub(in crate::service) content: Content,
}

impl Profile {
    /// Of a body as provisioning would send it.
    ///
    /// # Errors
    /// What breaks the schema.
    pub(in crate::service) fn of(services: &Services, body: &Value) -> Result<Self> {
        let kind = services.user_type()?;
        let document = validate::create(kind, body)?.document;
        let content = draft::content(kind, plain(), &document);
        Ok(Self { document, content })
    }
}

impl Newcomer {
    /// Somebody with an id and a key.
    pub(in crate::service) async fn new(services: &Services, caller: &Caller) -> Result<Self> {
        let id = services.ids().next();
        let (person, seal) = Person::new(services, caller, &id).await?;
        Ok(Self { id, person, seal })
    }

    /// Makes them in the unit of the desk, which shares the policy. `via` says by which way, and after what. Gives what
    /// rules permit them for the sake of their document alone.
    ///
    /// # Errors
    /// `Busy` when somebody took the name since it was looked for.
    pub(in crate::service) async fn enter(
        &self,
        desk: &mut Desk,
        profile: &Profile,
        via: (&str, Option<&ResourceId>),
    ) -> Result<(Pk, Permissions)> {
        let Profile { document, content } = profile;
        let meta = derive::Meta {
            id: &self.id,
            version: 1,
            created: desk.now,
            modified: desk.now,
        };
        let derived = derive::of(&desk.services, &desk.caller, document, &meta).await?;
        let row = Row {
            kind: Kind::User,
            id: &self.id,
            connection: None,
            external_id: None,
            seal: Some(&self.seal),
            content,
            now: desk.now,
        };
        let pk = match desk.unit.resources().insert(row).await {
            Err(store::Error::Taken(Unique::Name)) => return Err(Error::Busy),
            other => other?,
        };
        derived.write(&desk.caller, &mut desk.unit, (pk, Known::New), desk.now);
        let names = draft::differences(&Document::default(), document);
        let mut data = ledger::changes(&names, Some(Version(1)), &[], &[]);
        ledger::kept_out(&mut data, content.active);
        data["via"] = via.0.into();
        if let Some(source) = via.1 {
            data["source"] = source.as_str().into();
        }
        let entry = ledger::Entry {
            what: What::UserCreated,
            subject: (Kind::User, pk, &self.id),
            about: Vec::new(),
            data,
            changes: Some(Changes::of(Document::default().as_map(), document.as_map())),
            reason: None,
            person: Some(&self.person),
        };
        ledger::record(&mut desk.unit, &desk.caller, desk.now, entry);
        Ok((pk, derived.permits((pk, &self.id), desk.now)))
    }
}
