//! A new user who has what another one has.

use serde_json::Value;

use super::profile;
use super::told::{self, body};
use crate::access::Subject;
use crate::base::id::{Pk, ResourceId};
use crate::scim::Document;
use crate::scim::project::View;
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::grants::Copies;
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger;
use crate::service::lifecycle::leaving;
use crate::service::lifecycle::newcomer::{Newcomer, Profile};
use crate::service::provision::{Shown, read};
use crate::store::Kind;
use crate::store::document::Stored;
use crate::store::resources::Groups;

/// A new user, as far as they are not like the one they are made after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewUser {
    /// What they sign in with.
    pub user_name: String,
    /// `displayName`, in the place of the other one's.
    pub display_name: Option<String>,
    /// `name`, in the place of the other one's.
    pub name: Option<Value>,
    /// `emails`; none where nobody gives any.
    pub emails: Option<Value>,
    /// Whether the account is active; so where nobody says otherwise.
    pub active: Option<bool>,
}

/// Makes a user after another one: with the profile, but for what is that person's own; in the same groups, with the same
/// grants, but for ownership and what has ended. Nothing is planned for them, and nothing holds them.
///
/// # Errors
/// `Forbidden`, also for what gives more than the caller holds; `NotFound`; a name that is taken or that is none.
pub async fn user(services: &Services, caller: &Caller, source: &str, new: &NewUser) -> Result<Shown> {
    let held = require(services, caller, &[GIVE]).await?;
    let newcomer = Newcomer::new(services, caller).await?;
    let id = newcomer.id.clone();
    let cloning = Cloning {
        source: ResourceId::new(source),
        newcomer,
        new: new.clone(),
        held,
    };
    perform(services, caller, cloning).await?;
    read(services, caller, caller.user_type()?, &id, &View::default()).await
}

struct Cloning {
    source: ResourceId,
    newcomer: Newcomer,
    new: NewUser,
    held: Held,
}

impl Change for Cloning {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        // The policy before resources, as every unit locks them. Held, and not shared: a grant of the other one that makes an
        // administrator for a while has administrators counted, and two that share it would wait for each other.
        let version = desk.unit.policy().hold().await?;
        let book = policy::locked_at(&desk.services, &desk.caller, version).await?;
        let mut resources = desk.unit.resources();
        let source = resources.find(Kind::User, &self.source, None, Groups::LeftOut).await?;
        let source = source.ok_or(Error::NotFound)?;
        let profile = self.profile(desk, &book, &source)?;
        told::is_free(desk, Kind::User, &profile.content).await?;
        let mut groups: Vec<Pk> = desk.unit.members().groups_of(source.pk).await?;
        groups.retain(|group| !book.rulebook.is_smart(*group));
        let grants = Copies::of(desk, source.pk).await?;
        let (pk, by_profile) = self.newcomer.enter(desk, &profile, ("clone", Some(&source.id))).await?;
        // Whoever chooses a profile gives what rules give to it, and whoever fills a group what it gives.
        let by_groups = told::reached(desk, &book, &groups).await?;
        self.held
            .covers(&desk.services, grants.permits(&book) | by_groups | by_profile)?;
        let id = &self.newcomer.id;
        let cause = ledger::cause(&desk.caller, desk.now);
        let entered = desk.unit.members().enter((pk, Kind::User), &groups, cause).await?;
        told::entered(desk, (pk, id), &entered);
        grants.give(desk, Subject::User(pk)).await
    }
}

impl Cloning {
    fn profile(&self, desk: &Desk, book: &Book, source: &Stored) -> Result<Profile> {
        let damaged = |fault| Error::Internal(Box::new(fault));
        let document = Document::from_stored(&source.document).map_err(damaged)?;
        let given = vec![
            ("userName", Some(self.new.user_name.clone().into())),
            ("displayName", self.new.display_name.clone().map(Value::from)),
            ("name", self.new.name.clone()),
            ("emails", self.new.emails.clone()),
            ("active", Some(self.new.active.unwrap_or(true).into())),
        ];
        let kind = desk.caller.user_type()?;
        let mut profile = profile::of(kind, &document);
        leaving::taken_out(&book.rulebook.policy().settings.leaving, kind, &mut profile);
        Profile::of(&desk.caller, &body(profile, given))
    }
}
