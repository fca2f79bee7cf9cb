//! A new group that has what another one has.

use super::profile;
use super::told::{self, body};
use crate::access::{PolicyGroup, Subject};
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::Changes;
use crate::scim::Document;
use crate::scim::project::View;
use crate::scim::validate;
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::grants::Copies;
use crate::service::access::policy;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, What};
use crate::service::lifecycle::turn::plain;
use crate::service::provision::{Shown, draft, read};
use crate::store::document::{Content, Stored};
use crate::store::error::Unique;
use crate::store::resources::{Groups, New as Row};
use crate::store::{self, Kind};

/// A new group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewGroup {
    /// Its name.
    pub display_name: String,
    /// Whether it gets the members of the other one, too.
    pub members: bool,
}

/// Makes a group after another one: in the same groups, with the same grants, and with the same members where that is
/// asked for. Rules that fill the other one do not fill this one.
///
/// # Errors
/// `Forbidden`, also for what gives more than the caller holds; `NotFound`; a name that is taken or that is none; members of
/// a group that rules fill.
pub async fn group(services: &Services, caller: &Caller, source: &str, new: &NewGroup) -> Result<Shown> {
    let held = require(services, caller, &[GIVE]).await?;
    let id = services.ids().next();
    let cloning = Cloning {
        source: ResourceId::new(source),
        id: id.clone(),
        new: new.clone(),
        held,
    };
    perform(services, caller, cloning).await?;
    let kind = caller.type_at("Groups").ok_or(Error::NotFound)?;
    // Of a group that has a million members, not even the ids are for an answer.
    let view = View::parse(None, Some("members"), &[kind])?;
    read(services, caller, kind, &id, &view).await
}

struct Cloning {
    source: ResourceId,
    id: ResourceId,
    new: NewGroup,
    held: Held,
}

impl Change for Cloning {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.caller.holds_to_schemas(&mut desk.unit);
        // What a group holds and where it is nested counts for others: the policy moves, and is locked before resources.
        let version = desk.unit.policy().hold().await?;
        let book = policy::locked_at(&desk.services, &desk.caller, version).await?;
        desk.unit.policy().bump();
        let mut resources = desk.unit.resources();
        let source = resources.find(Kind::Group, &self.source, None, Groups::LeftOut).await?;
        let source = source.ok_or(Error::NotFound)?;
        if self.new.members && book.rulebook.is_smart(source.pk) {
            let reason = "rules say who is in this group: its members cannot be taken over by hand";
            return Err(Error::Conflict(Refusal::new(reason).at("/members")));
        }
        let (document, content) = self.content(desk, &source)?;
        told::is_free(desk, Kind::Group, &content).await?;
        let mut parents = desk.unit.members().groups_of(source.pk).await?;
        parents.retain(|group| !book.rulebook.is_smart(*group));
        let grants = Copies::of(desk, source.pk).await?;
        self.held.covers(&desk.services, grants.permits(&book))?;
        let pk = self.insert(desk, &content).await?;
        let copy = PolicyGroup {
            pk,
            id: self.id.as_str().to_owned(),
            display: self.new.display_name.clone(),
            parents: parents.clone(),
        };
        let given = told::reached_by(desk, &book, copy).await?;
        self.held.covers(&desk.services, given)?;
        let cause = ledger::cause(&desk.caller, desk.now);
        let entered = desk.unit.members().enter((pk, Kind::Group), &parents, cause).await?;
        let members = if self.new.members {
            desk.unit.members().take_over(pk, source.pk, cause).await?
        } else {
            Vec::new()
        };
        desk.unit.members().reach(pk, &members).await?;
        self.tell(desk, pk, &source.id, &document, &members);
        told::entered(desk, (pk, &self.id), &entered);
        grants.give(desk, Subject::Group(pk)).await
    }
}

impl Cloning {
    /// Says in the log that it was made, and after what.
    fn tell(&self, desk: &mut Desk, pk: Pk, source: &ResourceId, document: &Document, members: &[(Pk, ResourceId)]) {
        let names = draft::differences(&Document::default(), document);
        let (pks, ids): (Vec<Pk>, Vec<ResourceId>) = members.iter().cloned().unzip();
        let mut data = ledger::changes(&names, Some(Version(1)), &ids, &[]);
        data["via"] = "clone".into();
        data["source"] = source.as_str().into();
        let entry = ledger::Entry {
            what: What::GroupCreated,
            subject: (Kind::Group, pk, &self.id),
            about: ledger::moves(pk, &pks, &[]),
            data,
            changes: Some(Changes::of(Document::default().as_map(), document.as_map())),
            reason: None,
            person: None,
        };
        ledger::record(&mut desk.unit, &desk.caller, desk.now, entry);
    }

    fn content(&self, desk: &Desk, source: &Stored) -> Result<(Document, Content)> {
        let kind = desk.caller.type_at("Groups").ok_or(Error::NotFound)?;
        let damaged = |fault| Error::Internal(Box::new(fault));
        let document = Document::from_stored(&source.document).map_err(damaged)?;
        let given = vec![("displayName", Some(self.new.display_name.clone().into()))];
        let document = validate::create(kind, &body(profile::of(kind, &document), given))?.document;
        let content = draft::content(kind, plain(), &document);
        Ok((document, content))
    }

    async fn insert(&self, desk: &mut Desk, content: &Content) -> Result<Pk> {
        let row = Row {
            kind: Kind::Group,
            id: &self.id,
            connection: None,
            external_id: None,
            seal: None,
            content,
            now: desk.now,
        };
        match desk.unit.resources().insert(row).await {
            // Somebody took the name since it was looked for: it is told the next time.
            Err(store::Error::Taken(Unique::Name)) => Err(Error::Busy),
            other => Ok(other?),
        }
    }
}
