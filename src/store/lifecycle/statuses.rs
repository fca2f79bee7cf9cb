//! What holds people: a row for everybody who is out for another reason than that provisioning says so.

use serde_json::json;
use std::collections::HashMap;

use crate::access::lifecycle::Hold;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// Holds of one tenant.
pub struct Statuses<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// What kind of actor a rule is, where it is one that holds somebody.
pub const RULE: &str = "rule";

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
    /// The closing of a connection or tenant that it goes with, by its number.
    pub closing: Option<i64>,
}

impl StoredHold {
    /// The name of the rule, where it is one that holds them.
    #[must_use]
    pub fn by_rule(&self) -> Option<&str> {
        (self.actor_kind == RULE).then_some(self.actor_id.as_str())
    }
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
            closing: row.get(7)?,
        })
    }
}

/// A user and what holds them.
struct Holding(Pk, StoredHold);

impl FromRow for Holding {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(Pk(row.get(8)?), StoredHold::from_row(row)?))
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
        const FIND: &str = "SELECT s.state, s.source_active, s.since, s.until, s.reason, s.actor_kind, s.actor_id, \
                            s.closing_id FROM user_status s WHERE s.tenant_id = $1 AND s.resource_pk = $2";
        self.source.row(Statement::new(FIND).bind(self.tenant).bind(user)).await
    }

    /// What holds these users; those whom nothing holds are not among them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, users: &[Pk]) -> Result<HashMap<Pk, StoredHold>> {
        const OF: &str = "SELECT s.state, s.source_active, s.since, s.until, s.reason, s.actor_kind, s.actor_id, \
                          s.closing_id, s.resource_pk FROM [each $2] AS j CROSS JOIN user_status s \
                          WHERE s.tenant_id = $1 AND s.resource_pk = CAST(j.value ->> 0 AS BIGINT)";
        let users = json!(users.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string();
        let rows: Vec<Holding> = self
            .source
            .rows(Statement::new(OF).bind(self.tenant).bind(users))
            .await?;
        Ok(rows.into_iter().map(|Holding(user, held)| (user, held)).collect())
    }

    /// How many users each rule holds, by its name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_rules(&mut self) -> Result<HashMap<String, u64>> {
        const BY_RULES: &str = "SELECT s.actor_id, count(*) FROM user_status s JOIN resource r ON r.tenant_id = $1 \
                                AND r.pk = s.resource_pk WHERE s.tenant_id = $1 AND s.actor_kind = 'rule' \
                                GROUP BY s.actor_id";
        let rows: Vec<(String, i64)> = self.source.rows(Statement::new(BY_RULES).bind(self.tenant)).await?;
        let counted = |(name, count)| (name, u64::try_from(count).unwrap_or(0));
        Ok(rows.into_iter().map(counted).collect())
    }

    /// At most `limit` users whom rules hold, after the one with this row number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held_by_rules(&mut self, after: Pk, limit: u32) -> Result<Vec<Pk>> {
        const HELD: &str = "SELECT s.resource_pk FROM user_status s WHERE s.tenant_id = $1 AND s.resource_pk > $2 \
                            AND s.actor_kind = 'rule' AND EXISTS (SELECT 1 FROM resource r WHERE r.tenant_id = $1 \
                            AND r.pk = s.resource_pk) ORDER BY s.resource_pk LIMIT 0 + $3";
        let held = Statement::new(HELD).bind(self.tenant).bind(after);
        let rows: Vec<(i64,)> = self.source.rows(held.bind(i64::from(limit))).await?;
        Ok(rows.into_iter().map(|(pk,)| Pk(pk)).collect())
    }
}

impl Statuses<&mut Tx> {
    /// Holds a user, in whatever way they are held already; written with the next statement of the unit or its save.
    /// INVARIANT: the same unit sees to it that the account is not active.
    pub fn set(&mut self, user: Pk, held: StoredHold) {
        const SET: &str = "INSERT INTO user_status (tenant_id, resource_pk, state, source_active, since, until, reason, \
                           actor_kind, actor_id, closing_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                           ON CONFLICT (tenant_id, resource_pk) DO UPDATE SET state = excluded.state, \
                           source_active = excluded.source_active, since = excluded.since, until = excluded.until, \
                           reason = excluded.reason, actor_kind = excluded.actor_kind, actor_id = excluded.actor_id, \
                           closing_id = excluded.closing_id";
        let set = Statement::new(SET)
            .bind(self.tenant)
            .bind(user)
            .bind(held.hold.as_str())
            .bind(i64::from(held.source_active))
            .bind(held.since)
            .bind(held.until)
            .bind(held.reason)
            .bind(held.actor_kind)
            .bind(held.actor_id)
            .bind(held.closing);
        self.source.later(set);
    }

    /// Moves the end of a leave that somebody is on; without an end, nothing but an administrator ends it. Nothing happens
    /// to whoever is on none. Written with the next statement of the unit or its save.
    pub fn move_end(&mut self, user: Pk, until: Option<Timestamp>) {
        const MOVE: &str = "UPDATE user_status SET until = $3 WHERE tenant_id = $1 AND resource_pk = $2 \
                            AND state = 'suspended' AND until IS NOT NULL";
        let moved = Statement::new(MOVE).bind(self.tenant).bind(user).bind(until);
        self.source.later(moved);
    }

    /// Says what of a leave and a suspension as a whole keeps out who is suspended: until when the leave lasts, and which
    /// closing. Written with the next statement of the unit or its save.
    pub fn hold_by(&mut self, user: Pk, until: Option<Timestamp>, closing: Option<i64>) {
        const HOLD: &str = "UPDATE user_status SET until = $3, closing_id = $4 WHERE tenant_id = $1 AND resource_pk = $2 \
                            AND state = 'suspended'";
        let hold = Statement::new(HOLD).bind(self.tenant).bind(user);
        self.source.later(hold.bind(until).bind(closing));
    }

    /// Holds a user no longer; written with the next statement of the unit or its save.
    pub fn lift(&mut self, user: Pk) {
        const LIFT: &str = "DELETE FROM user_status WHERE tenant_id = $1 AND resource_pk = $2";
        self.source.later(Statement::new(LIFT).bind(self.tenant).bind(user));
    }

    /// Keeps what provisioning says of a user who is held so since then. Written with the next statement of the unit or
    /// its save, which is [`Error::Stale`] when they are not any more.
    pub fn remember(&mut self, user: Pk, held: &StoredHold, source_active: bool) {
        // Of who was deleted meanwhile the status is kept as it was.
        const REMEMBER: &str = "UPDATE user_status SET source_active = $5 WHERE tenant_id = $1 AND resource_pk = $2 \
                                AND state = $3 AND since = $4 AND EXISTS (SELECT 1 FROM resource r \
                                WHERE r.tenant_id = user_status.tenant_id AND r.pk = user_status.resource_pk) \
                                RETURNING resource_pk";
        let remember = Statement::new(REMEMBER)
            .bind(self.tenant)
            .bind(user)
            .bind(held.hold.as_str())
            .bind(held.since)
            .bind(i64::from(source_active));
        self.source.later(remember.expecting_row());
    }
}
