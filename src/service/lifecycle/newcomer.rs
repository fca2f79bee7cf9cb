//! A user who does not come by provisioning: the row, what the document says about rules, and what the log says.

use serde_json::Value;

use super::status::{self, Turned};
use super::status_rules;
use super::turn::plain;
use crate::access::lifecycle::Status;
use crate::access::{Permissions, StatusRule};
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::Changes;
use crate::scim::{Document, validate};
use crate::service::access::desk::Desk;
use crate::service::access::policy;
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
#[derive(Clone)]
pub(in crate::service) struct Profile {
    document: Document,
    pub(in crate::service) content: Content,
}

impl Profile {
    /// Of a body as provisioning would send it.
    ///
    /// # Errors
    /// What breaks the schema.
    pub(in crate::service) fn of(caller: &Caller, body: &Value) -> Result<Self> {
        let kind = caller.user_type()?;
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
        desk.caller.holds_to_schemas(&mut desk.unit);
        let (profile, rule) = self.kept_out(desk, profile).await?;
        let Profile { document, content } = &profile;
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
            changes: Some(Changes::of(
                Document::default().as_map(),
                &document.told(desk.caller.user_type()?),
            )),
            reason: None,
            person: Some(&self.person),
        };
        ledger::record(&mut desk.unit, &desk.caller, desk.now, entry);
        if let Some(rule) = rule {
            self.hold(desk, pk, &rule);
        }
        Ok((pk, derived.permits((pk, &self.id), desk.now)))
    }

    /// The same as a rule has it, where one keeps them out.
    async fn kept_out(&self, desk: &Desk, profile: &Profile) -> Result<(Profile, Option<StatusRule>)> {
        let book = policy::latest(&desk.services, &desk.caller).await?;
        let is_active = profile.document.as_map().get("active") != Some(&Value::Bool(false));
        let rule = is_active.then(|| status_rules::wanted(&book, &self.id, &profile.document));
        let mut profile = profile.clone();
        let Some(rule) = rule.flatten().cloned() else {
            return Ok((profile, None));
        };
        profile.document = profile.document.with_active(false);
        profile.content = draft::content(desk.caller.user_type()?, plain(), &profile.document);
        Ok((profile, Some(rule)))
    }

    /// Has a rule hold them from the first, and says so.
    fn hold(&self, desk: &mut Desk, pk: Pk, rule: &StatusRule) {
        desk.unit.statuses().set(pk, status_rules::hold(rule, desk.now));
        let turned = Turned {
            from: Status::Active,
            to: rule.keeps.status(),
            until: None,
        };
        let caller = desk.caller.by_rule(&rule.name);
        let change = (turned, Version(1));
        let said = (None, Some(&self.person));
        status::tell(&mut desk.unit, &caller, desk.now, (pk, &self.id), change, said);
    }
}
