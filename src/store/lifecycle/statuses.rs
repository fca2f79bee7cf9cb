//! What holds people: a row for everybody who is out for another reason than that provisioning says so.

use crate::access::lifecycle::Hold;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// Holds of one tenant.
pub struct Statuses<R> {
    tenant: TenantId,
    source: R,
}

/// What holds somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHold {
    /// What it is.
    pub hold: Hold,
    /// What provisioning last said of the account.
    pub source_active: bool,
    /// Since when.
    pub since: Timestamp,
    /// Until when it was planned for, if it was.
    pub until: Option<Timestamp>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What kind of caller that was.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: String,
}

impl FromRow for StoredHold {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            hold: Hold::parse(&row.get::<String>(0)?).ok_or(Error::Damaged("status of a user"))?,
            source_active: row.get::<i64>(1)? != 0,
            since: Timestamp(row.get(2)?),
            until: row.get::<Option<i64>>(3)?.map(Timestamp),
            reason: row.get(4)?,
            actor_kind: row.get(5)?,
            actor_id: row.get(6)?,
        })
    }
}

impl<R: Read> Statuses<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// What holds a user; `None` when nothing does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, user: Pk) -> Result<Option<StoredHold>> {
        const FIND: &str = "SELECT s.state, s.source_active, s.since, s.until, s.reason, s.actor_kind, s.actor_id \
                            FROM user_status s WHERE s.tenant_id = $1 AND s.resource_pk = $2";
        self.source.row(Statement::new(FIND).bind(self.tenant).bind(user)).await
    }
}

impl Statuses<&mut Tx> {
    /// Holds a user, in whatever way they are held already; written with the next statement of the unit or its save.
    /// INVARIANT: the same unit sees to it that the account is not active.
    pub fn set(&mut self, user: Pk, held: StoredHold) {
        const SET: &str = "INSERT INTO user_status (tenant_id, resource_pk, state, source_active, since, until, reason, \
                           actor_kind, actor_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                           ON CONFLICT (tenant_id, resource_pk) DO UPDATE SET state = excluded.state, \
                           source_active = excluded.source_active, since = excluded.since, until = excluded.until, \
                           reason = excluded.reason, actor_kind = excluded.actor_kind, actor_id = excluded.actor_id";
        let set = Statement::new(SET)
            .bind(self.tenant)
            .bind(user)
            .bind(held.hold.as_str())
            .bind(i64::from(held.source_active))
            .bind(held.since)
            .bind(held.until)
            .bind(held.reason)
            .bind(held.actor_kind)
            .bind(held.actor_id);
        self.source.later(set);
    }

    /// Holds a user no longer; written with the next statement of the unit or its save.
    pub fn lift(&mut self, user: Pk) {
        const LIFT: &str = "DELETE FROM user_status WHERE tenant_id = $1 AND resource_pk = $2";
        self.source.later(Statement::new(LIFT).bind(self.tenant).bind(user));
    }

    /// Keeps what provisioning says of a user who is held so since then. Written with the next statement of the unit or
    /// its save, which is [`Error::Stale`] when they are not any more.
    pub fn remember(&mut self, user: Pk, held: &StoredHold, source_active: bool) {
        const REMEMBER: &str = "UPDATE user_status SET source_active = $5 WHERE tenant_id = $1 AND resource_pk = $2 \
                                AND state = $3 AND since = $4 RETURNING resource_pk";
        let remember = Statement::new(REMEMBER)
            .bind(self.tenant)
            .bind(user)
            .bind(held.hold.as_str())
            .bind(held.since)
            .bind(i64::from(source_active));
        self.source.later(remember.expecting_row());
    }
}
