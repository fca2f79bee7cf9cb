//! Whose users they are.

use super::works::Closings;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId};
use crate::store::error::Result;
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// Users `r` of the connection `$2`: whom it made, or calls something.
macro_rules! of_connection {
    () => {
        "r.tenant_id = $1 AND r.kind = 1 AND (r.connection_id = $2 OR EXISTS (SELECT 1 FROM external_id e \
         WHERE e.tenant_id = $1 AND e.resource_pk = r.pk AND e.connection_id = $2))"
    };
}

/// Whether another connection that works has made the user `r`, or calls them something.
macro_rules! shared {
    () => {
        "EXISTS (SELECT 1 FROM connection o WHERE o.tenant_id = $1 AND o.id <> $2 AND o.state = 'active' \
         AND (o.id = r.connection_id OR EXISTS (SELECT 1 FROM external_id f WHERE f.tenant_id = $1 \
         AND f.resource_pk = r.pk AND f.connection_id = o.id)))"
    };
}

/// How many users there are of a connection or tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them, but for those who are shared.
    pub users: u64,
    /// Those of them who may come in.
    pub active: u64,
    /// Whom another connection that works has as well: they stay as they are.
    pub shared: u64,
    /// Tokens of the connection, or of everybody in the tenant, that have not ended.
    pub tokens: u64,
}

impl FromRow for Counts {
    fn from_row(row: &Row) -> Result<Self> {
        let count = |at| row.get::<i64>(at).map(|count| u64::try_from(count).unwrap_or(0));
        Ok(Self {
            users: count(0)?,
            active: count(1)?,
            shared: count(2)?,
            tokens: count(3)?,
        })
    }
}

/// Whether nothing but a suspension as a whole, a leave, a rule, or nothing at all, keeps the user `r` out; everybody where the
/// bind before it is 0.
macro_rules! concerned {
    ($all:literal) => {
        concat!(
            "(",
            $all,
            " = 0 OR coalesce(r.active, 1) = 1 OR EXISTS (SELECT 1 FROM user_status s WHERE s.tenant_id = $1 ",
            "AND s.resource_pk = r.pk AND (s.closing_id IS NOT NULL OR s.actor_kind = 'rule' ",
            "OR s.state = 'suspended' AND s.until IS NOT NULL)))"
        )
    };
}

/// A user whom a suspension as a whole keeps out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOut {
    /// Row number.
    pub pk: Pk,
    /// Id on the wire.
    pub id: ResourceId,
    /// The suspension, by its number.
    pub closing: i64,
}

impl FromRow for KeptOut {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            pk: Pk(row.get(0)?),
            id: ResourceId::new(row.get::<String>(1)?),
            closing: row.get(2)?,
        })
    }
}

/// Whom a work is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Those who may come in, or could but for a suspension as a whole or a leave: that ends by itself.
    Concerned,
    /// All.
    All,
}

impl<R: Read> Closings<R> {
    /// How many users a connection has, or the whole tenant where none is named.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self, connection: Option<ConnectionId>, now: Timestamp) -> Result<Counts> {
        const OF_CONNECTION: &str = concat!(
            "SELECT CAST(coalesce(sum(1 - u.shared), 0) AS BIGINT), ",
            "CAST(coalesce(sum((1 - u.shared) * u.active), 0) AS BIGINT), CAST(coalesce(sum(u.shared), 0) AS BIGINT), ",
            "(SELECT count(*) FROM token t WHERE t.tenant_id = $1 AND t.connection_id = $2 ",
            "AND (t.revoked IS NULL OR t.revoked > $3) AND (t.expires IS NULL OR t.expires > $3)) FROM (",
            "SELECT coalesce(r.active, 1) AS active, CASE WHEN ",
            shared!(),
            " THEN 1 ELSE 0 END AS shared FROM resource r WHERE ",
            of_connection!(),
            ") u"
        );
        const OF_TENANT: &str = "SELECT count(*), CAST(coalesce(sum(coalesce(r.active, 1)), 0) AS BIGINT), \
                                 CAST(0 AS BIGINT), (SELECT count(*) FROM token t WHERE t.tenant_id = $1 \
                                 AND (t.revoked IS NULL OR t.revoked > $2) AND (t.expires IS NULL OR t.expires > $2)) \
                                 FROM resource r WHERE r.tenant_id = $1 AND r.kind = 1";
        let count = match connection {
            Some(connection) => Statement::new(OF_CONNECTION).bind(self.tenant).bind(connection),
            None => Statement::new(OF_TENANT).bind(self.tenant),
        };
        let row: Option<Counts> = self.source.row(count.bind(now)).await?;
        Ok(row.unwrap_or_default())
    }

    /// At most `limit` users of a connection, but for those who are shared, or of the whole tenant where none is named:
    /// after one with this row number, in the order of these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(
        &mut self,
        connection: Option<ConnectionId>,
        whom: Whom,
        after: Pk,
        limit: u32,
    ) -> Result<Vec<(Pk, ResourceId)>> {
        const OF_CONNECTION: &str = concat!(
            "SELECT r.pk, r.id FROM resource r WHERE ",
            of_connection!(),
            " AND NOT ",
            shared!(),
            " AND r.pk > $3 AND ",
            concerned!("$4"),
            " ORDER BY r.pk LIMIT 0 + $5"
        );
        const OF_TENANT: &str = concat!(
            "SELECT r.pk, r.id FROM resource r WHERE r.tenant_id = $1 AND r.kind = 1 AND r.pk > $2 AND ",
            concerned!("$3"),
            " ORDER BY r.pk LIMIT 0 + $4"
        );
        let users = match connection {
            Some(connection) => Statement::new(OF_CONNECTION).bind(self.tenant).bind(connection),
            None => Statement::new(OF_TENANT).bind(self.tenant),
        };
        let concerned: i64 = match whom {
            Whom::Concerned => 1,
            Whom::All => 0,
        };
        let users = users.bind(after).bind(concerned).bind(i64::from(limit));
        let rows: Vec<(i64, String)> = self.source.rows(users).await?;
        Ok(rows.into_iter().map(|(pk, id)| (Pk(pk), ResourceId::new(id))).collect())
    }

    /// At most `limit` users whom nothing holds but the suspension of a connection, or of the whole tenant where none is
    /// named: after one with this row number, in the order of these. Where the connection works, whom it has and the
    /// suspension of another one holds is among them: they are shared. Where it is deleted, only who is shared.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held(&mut self, connection: Option<ConnectionId>, after: Pk, limit: u32) -> Result<Vec<KeptOut>> {
        const HELD: &str = concat!(
            "SELECT r.pk, r.id, c.id FROM closing c CROSS JOIN user_status s CROSS JOIN resource r ",
            "WHERE c.tenant_id = $1 AND c.verb = 'suspend' AND s.tenant_id = $1 AND s.closing_id = c.id ",
            "AND s.state = 'suspended' AND s.resource_pk > $3 AND r.tenant_id = $1 AND r.pk = s.resource_pk AND r.active = 0 ",
            "AND (coalesce(c.connection_id, 0) = coalesce(CAST($2 AS BIGINT), 0) AND (NOT EXISTS (SELECT 1 FROM connection o ",
            "WHERE o.tenant_id = $1 AND o.id = $2 AND o.state = 'deleted') OR ",
            shared!(),
            ") OR c.connection_id IS NOT NULL ",
            "AND EXISTS (SELECT 1 FROM connection o WHERE o.tenant_id = $1 AND o.id = $2 AND o.state = 'active') AND ",
            of_connection!(),
            ") ORDER BY s.resource_pk LIMIT 0 + $4"
        );
        let held = Statement::new(HELD).bind(self.tenant).bind(connection).bind(after);
        self.source.rows(held.bind(i64::from(limit))).await
    }

    /// Whether the suspension of a connection holds anybody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holds(&mut self, connection: ConnectionId) -> Result<bool> {
        const HOLDS: &str = "SELECT s.resource_pk FROM closing c CROSS JOIN user_status s CROSS JOIN resource r \
                             WHERE c.tenant_id = $1 AND c.connection_id = $2 AND c.verb = 'suspend' AND s.tenant_id = $1 \
                             AND s.closing_id = c.id AND r.tenant_id = $1 AND r.pk = s.resource_pk LIMIT 1";
        let holds = Statement::new(HOLDS).bind(self.tenant).bind(connection);
        let row: Option<(i64,)> = self.source.row(holds).await?;
        Ok(row.is_some())
    }
}

impl Closings<&mut Tx> {
    /// Lets what the suspension held end for those who were deleted meanwhile: who is restored comes back as what they were before
    /// it, and who is created anew is not held. A leave of theirs lasts as long as it was planned. Written with the save.
    pub fn end_for_deleted(&mut self, connection: Option<ConnectionId>, now: Timestamp) {
        const END: &str = "UPDATE user_status SET closing_id = NULL, until = CASE WHEN until > $3 THEN until ELSE $3 END \
                           WHERE tenant_id = $1 AND closing_id IN (SELECT c.id \
                           FROM closing c WHERE c.tenant_id = $1 AND c.verb = 'suspend' \
                           AND coalesce(c.connection_id, 0) = coalesce(CAST($2 AS BIGINT), 0)) AND NOT EXISTS (\
                           SELECT 1 FROM resource r WHERE r.tenant_id = $1 AND r.pk = user_status.resource_pk)";
        let end = Statement::new(END).bind(self.tenant).bind(connection).bind(now);
        self.source.later(end);
    }
}
