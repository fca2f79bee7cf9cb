//! Somebody new who may be somebody who was deleted: administrators see it, and decide.

use serde_json::json;

use super::restore::{self, Restored};
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::names::Named;
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::store::Kind;
use crate::store::lifecycle::rehires::{Offer as Row, State};
use crate::store::resources::Groups;

/// What has become of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// Nobody has decided.
    Waiting,
    /// They are the same person.
    Accepted,
    /// They are not.
    Dismissed,
    /// There is nothing to decide any more: who is new is gone, or nothing is left of who was deleted.
    Overtaken,
}

impl Became {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Dismissed => "dismissed",
            Self::Overtaken => "overtaken",
        }
    }

    const fn of(row: &Row) -> Self {
        match row.state {
            State::Accepted => Self::Accepted,
            State::Dismissed => Self::Dismissed,
            State::Waiting if row.user.is_some() && row.former.is_some() => Self::Waiting,
            State::Waiting => Self::Overtaken,
        }
    }
}

/// Somebody new, and whom they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: String,
    /// Who is new; none when they are gone.
    pub user: Option<Named>,
    /// Who was deleted; none when nothing is left of them to be given.
    pub former: Option<Named>,
    /// By what they may be the same: `external_id` or `employee_number`.
    pub matched: &'static str,
    /// When it was made.
    pub created: Timestamp,
    /// What has become of it.
    pub state: Became,
    /// When that was decided.
    pub settled: Option<Timestamp>,
}

impl From<Row> for Offer {
    fn from(row: Row) -> Self {
        let state = Became::of(&row);
        let named = |(id, name): (ResourceId, String)| Named {
            id: id.into_string(),
            name,
        };
        Self {
            id: row.uid,
            user: row.user.map(named),
            former: row.former.map(named),
            matched: row.matched.as_str(),
            created: row.created,
            state,
            settled: row.settled,
        }
    }
}

/// What was decided about the offers that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decided {
    /// Nothing.
    #[default]
    Not,
    /// That they are the same person.
    Same,
    /// That they are not.
    Other,
}

/// A page of offers, in the order in which they were made.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, decided: Decided, paging: &Paging) -> Result<Page<Offer>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let state = match decided {
        Decided::Not => State::Waiting,
        Decided::Same => State::Accepted,
        Decided::Other => State::Dismissed,
    };
    let reader = services.read(caller);
    let rows = reader.rehires().list(state, paging.after()?, paging.rows()).await?;
    Ok(paging.cut(rows, |row| row.number).map(Offer::from))
}

/// Says that they are the same person: who is new keeps the id that provisioning was told, and is given the memberships and
/// grants of who was deleted.
///
/// # Errors
/// `Forbidden`, also for grants and memberships that give what the caller does not hold; `NotFound`; an offer that does not
/// wait any more.
pub async fn accept(services: &Services, caller: &Caller, id: &str) -> Result<Restored> {
    require(services, caller, &[GIVE]).await?;
    let offer = services.read(caller).rehires().find(id).await?.ok_or(Error::NotFound)?;
    let waits = offer.state == State::Waiting;
    match (offer.user, offer.former) {
        (Some((user, _)), Some((former, _))) if waits => restore::accept(services, caller, (&former, &user), id).await,
        _ => Err(over()),
    }
}

/// Says that they are not.
///
/// # Errors
/// `Forbidden`, `NotFound`, an offer that does not wait any more.
pub async fn dismiss(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    perform(services, caller, Dismissing { id: id.to_owned() }).await
}

pub(super) fn over() -> Error {
    Error::conflict("nothing is to be decided here any more")
}

struct Dismissing {
    id: String,
}

impl Change for Dismissing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let offer = desk.unit.rehires().find(&self.id).await?.ok_or(Error::NotFound)?;
        let Some(((user, _), (former, _))) = offer.user.zip(offer.former) else {
            return Err(over());
        };
        let mut resources = desk.unit.resources();
        let stored = resources.find(Kind::User, &user, None, Groups::LeftOut).await?;
        let stored = stored.ok_or_else(over)?;
        if !desk.unit.rehires().settle(&self.id, State::Dismissed, desk.now).await? {
            return Err(over());
        }
        let data = json!({ "rehire": self.id, "former": former.as_str() });
        desk.note(
            What::RehireDismissed,
            ledger::resource(Kind::User, stored.pk, &user),
            &data,
        );
        Ok(())
    }
}
