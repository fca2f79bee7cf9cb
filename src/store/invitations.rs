//! Who was asked to come: an invitation each, found by the hash of its token.

use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// Invitations of one tenant.
pub struct Invitations<R> {
    tenant: TenantId,
    source: R,
}

/// What has become of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has accepted it.
    Waiting,
    /// It was accepted.
    Accepted,
    /// Somebody decided against it.
    Revoked,
}

impl State {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        [Self::Waiting, Self::Accepted, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(Error::Damaged("state of an invitation"))
    }
}

/// An invitation as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// Id on the wire, unless the user has one that waits.
    pub uid: String,
    /// The user.
    pub user: Pk,
    /// Hash of its token.
    pub token_hash: String,
    /// Id on the wire of what they were given with it.
    pub grant: String,
    /// Id on the wire of the role.
    pub role: String,
    /// Id on the wire of the scope.
    pub scope: String,
    /// The address that its mail goes to.
    pub address: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// What kind of caller made it.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: String,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Row number.
    pub number: i64,
    /// Id on the wire.
    pub uid: String,
    /// Row number of the user.
    pub user_pk: Pk,
    /// Id and name of the user, and what holds them; none when they are gone.
    pub user: Option<(ResourceId, String, Option<String>)>,
    /// Id on the wire of what they were given with it.
    pub grant: String,
    /// Id on the wire of the role.
    pub role: String,
    /// Id on the wire of the scope.
    pub scope: String,
    /// The address that was invited, whatever the user has by now.
    pub address: Option<String>,
    /// What has become of it.
    pub state: State,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was accepted or revoked.
    pub settled: Option<Timestamp>,
    /// What kind of caller sent it last.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: String,
}

impl FromRow for Invitation {
    fn from_row(row: &Row) -> Result<Self> {
        let (id, name) = (row.get::<Option<String>>(3)?, row.get::<Option<String>>(4)?);
        let hold: Option<String> = row.get(5)?;
        Ok(Self {
            number: row.get(0)?,
            uid: row.get(1)?,
            user_pk: Pk(row.get(2)?),
            user: id.zip(name).map(|(id, name)| (ResourceId::new(id), name, hold)),
            grant: row.get(6)?,
            role: row.get(7)?,
            scope: row.get(8)?,
            state: State::parse(&row.get::<String>(9)?)?,
            created: Timestamp(row.get(10)?),
            expires: Timestamp(row.get(11)?),
            settled: row.get::<Option<i64>>(12)?.map(Timestamp),
            actor_kind: row.get(13)?,
            actor_id: row.get(14)?,
            address: row.get(15)?,
        })
    }
}

/// Columns of [`Invitation`]: of the invitation `i`, its user `r`, and what holds them.
macro_rules! columns {
    () => {
        "SELECT i.id, i.uid, i.resource_pk, r.id, r.label, s.state, i.grant_uid, i.role, i.scope, i.state, i.created, \
         i.expires, i.settled, i.actor_kind, i.actor_id, i.address FROM invitation i \
         LEFT JOIN resource r ON r.tenant_id = i.tenant_id AND r.pk = i.resource_pk \
         LEFT JOIN user_status s ON s.tenant_id = i.tenant_id AND s.resource_pk = i.resource_pk "
    };
}

impl<R: Read> Invitations<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// At most `limit` invitations after the one of this number, in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: i64, limit: u32) -> Result<Vec<Invitation>> {
        const LIST: &str = concat!(
            columns!(),
            "WHERE i.tenant_id = $1 AND i.id > $2 ORDER BY i.id LIMIT 0 + $3"
        );
        let list = Statement::new(LIST).bind(self.tenant).bind(after);
        self.source.rows(list.bind(i64::from(limit))).await
    }

    /// The invitation of this id on the wire.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, uid: &str) -> Result<Option<Invitation>> {
        const FIND: &str = concat!(columns!(), "WHERE i.tenant_id = $1 AND i.uid = $2");
        self.source
            .row(Statement::new(FIND).bind(self.tenant).bind(uid.to_owned()))
            .await
    }

    /// The invitation of a user that waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, user: Pk) -> Result<Option<Invitation>> {
        const OF: &str = concat!(
            columns!(),
            "WHERE i.tenant_id = $1 AND i.resource_pk = $2 AND i.state = 'waiting'"
        );
        self.source.row(Statement::new(OF).bind(self.tenant).bind(user)).await
    }
}

impl Invitations<&mut Tx> {
    /// Writes an invitation, in the place of the user's one that waits: its token is dead then. Gives the id it has. The
    /// user must be held by [`find_for_update`](super::resources::Resources::find_for_update), or new in this unit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set(&mut self, new: NewInvitation) -> Result<String> {
        const SET: &str = "INSERT INTO invitation (tenant_id, uid, resource_pk, token_hash, grant_uid, role, scope, state, \
                           created, expires, actor_kind, actor_id, address) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9, $10, $11, $12) \
                           ON CONFLICT (tenant_id, resource_pk) WHERE state = 'waiting' DO UPDATE SET \
                           token_hash = excluded.token_hash, grant_uid = excluded.grant_uid, role = excluded.role, \
                           scope = excluded.scope, expires = excluded.expires, actor_kind = excluded.actor_kind, \
                           actor_id = excluded.actor_id, address = excluded.address RETURNING uid";
        let set = Statement::new(SET)
            .bind(self.tenant)
            .bind(new.uid)
            .bind(new.user)
            .bind(new.token_hash)
            .bind(new.grant)
            .bind(new.role)
            .bind(new.scope)
            .bind(new.created)
            .bind(new.expires)
            .bind(new.actor_kind)
            .bind(new.actor_id)
            .bind(new.address);
        let rows: Vec<(String,)> = self.source.write_rows(set).await?;
        let row = rows.into_iter().next();
        row.map(|(uid,)| uid).ok_or(Error::Damaged("new invitation"))
    }

    /// Says what has become of an invitation that waits; with the hash of a token, only while it has that one. Of several
    /// who say so at once, one is told true.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&mut self, uid: &str, token_hash: Option<&str>, state: State, now: Timestamp) -> Result<bool> {
        const SETTLE: &str = "UPDATE invitation SET state = $3, settled = $4 WHERE tenant_id = $1 AND uid = $2 \
                              AND state = 'waiting' AND token_hash = coalesce(CAST($5 AS TEXT), token_hash) RETURNING id";
        let settle = Statement::new(SETTLE)
            .bind(self.tenant)
            .bind(uid.to_owned())
            .bind(state.as_str())
            .bind(now)
            .bind(token_hash.map(str::to_owned));
        let rows: Vec<(i64,)> = self.source.write_rows(settle).await?;
        Ok(!rows.is_empty())
    }
}

/// An invitation that a token is for, of whatever tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Whose it is.
    pub tenant: TenantId,
    /// Short name of the tenant.
    pub slug: String,
    /// Id of the invitation.
    pub uid: String,
    /// Id of the user.
    pub user: ResourceId,
    /// When it ends.
    pub expires: Timestamp,
}

impl FromRow for Known {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            uid: row.get(2)?,
            user: ResourceId::new(row.get::<String>(3)?),
            expires: Timestamp(row.get(4)?),
        })
    }
}

/// The invitation that waits for the token of this hash, of somebody who is there.
///
/// # Errors
/// When the database fails.
pub async fn by_token(mut db: &Db, token_hash: &str) -> Result<Option<Known>> {
    const KNOWN: &str = "SELECT i.tenant_id, n.slug, i.uid, r.id, i.expires FROM invitation i \
                         JOIN tenant n ON n.id = i.tenant_id \
                         JOIN resource r ON r.tenant_id = i.tenant_id AND r.pk = i.resource_pk \
                         WHERE i.token_hash = $1 AND i.state = 'waiting'";
    db.row(Statement::new(KNOWN).bind(token_hash.to_owned())).await
}
