//! Invitations as they are shown.

use crate::access::lifecycle::Hold;
use crate::base::clock::Timestamp;
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::names::Named;
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::invitations::{Invitation as Row, State as Stored};

/// What has become of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can be accepted.
    Waiting,
    /// It was.
    Accepted,
    /// Somebody decided against it.
    Revoked,
    /// Nobody has accepted it in time.
    Expired,
    /// The user does not wait any more: somebody else let them in, keeps them out, or deleted them.
    Overtaken,
}

impl State {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Overtaken => "overtaken",
        }
    }

    fn of(row: &Row, now: Timestamp) -> Self {
        let waits = |hold: &Option<String>| hold.as_deref() == Some(Hold::Invited.as_str());
        match (row.state, &row.user) {
            (Stored::Accepted, _) => Self::Accepted,
            (Stored::Revoked, _) => Self::Revoked,
            (Stored::Waiting, Some((_, _, hold))) if waits(hold) => {
                if row.expires <= now {
                    Self::Expired
                } else {
                    Self::Waiting
                }
            }
            (Stored::Waiting, _) => Self::Overtaken,
        }
    }
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: String,
    /// Who is asked to come; none when they are gone.
    pub user: Option<Named>,
    /// Id of the role they get.
    pub role: String,
    /// Id of the scope where it counts.
    pub scope: String,
    /// What has become of it.
    pub state: State,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was accepted or revoked.
    pub settled: Option<Timestamp>,
    /// What kind of caller made it.
    pub by_kind: String,
    /// Which one.
    pub by: String,
}

impl Invitation {
    fn of(row: Row, now: Timestamp) -> Self {
        Self {
            state: State::of(&row, now),
            id: row.uid,
            user: row.user.map(|(id, name, _)| Named {
                id: id.into_string(),
                name,
            }),
            role: row.role,
            scope: row.scope,
            created: row.created,
            expires: row.expires,
            settled: row.settled,
            by_kind: row.actor_kind,
            by: row.actor_id,
        }
    }
}

/// A page of invitations, in the order in which they were made.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Invitation>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let now = services.clock().now();
    let reader = services.read(caller);
    let rows = reader.invitations().list(paging.after()?, paging.rows()).await?;
    Ok(paging.cut(rows, |row| row.number).map(|row| Invitation::of(row, now)))
}

/// The invitation of this id, for who may see it.
pub(super) async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Invitation> {
    let found = services.read(caller).invitations().find(id).await?;
    let now = services.clock().now();
    found.map(|row| Invitation::of(row, now)).ok_or(Error::NotFound)
}
