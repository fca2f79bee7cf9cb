//! What was deleted, and can be restored.

use crate::base::clock::Timestamp;
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::store::Kind;
use crate::store::lifecycle::tombstones::Tombstone as Row;

/// Whether a user or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A user.
    User,
    /// A group.
    Group,
}

impl What {
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::User => Kind::User,
            Self::Group => Kind::Group,
        }
    }

    /// `user` or `group`, as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }

    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::User => Self::User,
            Kind::Group | Kind::Own(_) => Self::Group,
        }
    }
}

/// Something that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Its id.
    pub id: String,
    /// User or group.
    pub what: What,
    /// Its name.
    pub name: String,
    /// What a user signed in with.
    pub user_name: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// `kept`; `superseded` when somebody else was given what it had; `purging` while what was purged may be on disk.
    pub state: &'static str,
}

/// A page of what was deleted, in the order in which it was created.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(
    services: &Services,
    caller: &Caller,
    what: Option<What>,
    paging: &Paging,
) -> Result<Page<Tombstone>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let reader = services.read(caller);
    let kind = what.map(What::kind);
    let rows = reader.tombstones().list(kind, paging.after()?, paging.rows()).await?;
    let page = paging.cut(rows, |row| row.pk.0);
    Ok(page.map(Tombstone::from))
}

impl From<Row> for Tombstone {
    fn from(row: Row) -> Self {
        Self {
            user_name: user_name(&row),
            id: row.id.into_string(),
            what: What::of(row.kind),
            name: row.label,
            created: row.created,
            deleted: row.deleted,
            state: row.state.as_str(),
        }
    }
}

fn user_name(row: &Row) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(&row.document).ok()?;
    document["userName"].as_str().map(str::to_owned)
}
