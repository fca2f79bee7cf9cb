//! What the log says of the users and groups that something happened to.

use serde_json::json;

use super::list::{Undos, What};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId};
use crate::event::Seq;
use crate::store::error::{Error, Result};
use crate::store::kind::Kind;
use crate::store::sql::{FromRow, Read, Row, Statement};

/// A user or group that something happened to, and where it did first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// Row number.
    pub pk: Pk,
    /// Position of the first event.
    pub first: Seq,
}

/// Whose an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// When.
    pub at: Timestamp,
    /// By which connection.
    pub connection: Option<ConnectionId>,
    /// By which undo. What a client calls its request says nothing of that.
    pub undo: Option<String>,
    /// Whether it went with what was suspended, resumed or deleted as a whole.
    pub closing: bool,
}

/// An event about one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Row number of what it is about.
    pub pk: Pk,
    /// User or group.
    pub kind: Kind,
    /// Its id.
    pub id: ResourceId,
    /// Position.
    pub seq: Seq,
    /// Whose it is.
    pub by: By,
    /// What was saved as one.
    pub txn: String,
    /// What happened.
    pub what: String,
    /// Particulars, as JSON text.
    pub data: String,
    /// Values of a person, sealed.
    pub sealed: Option<String>,
    /// Why, as JSON text.
    pub cause: String,
}

impl FromRow for Told {
    fn from_row(row: &Row) -> Result<Self> {
        let kind = match row.get::<String>(1)?.as_str() {
            "user" => Kind::User,
            "group" => Kind::Group,
            _ => return Err(Error::Damaged("subject of an event")),
        };
        Ok(Self {
            pk: Pk(row.get(0)?),
            kind,
            id: ResourceId::new(row.get::<String>(2)?),
            seq: Seq(row.get(3)?),
            by: By {
                at: Timestamp(row.get(4)?),
                connection: row.get::<Option<i64>>(5)?.map(ConnectionId),
                undo: row.get(6)?,
                closing: row.get::<i64>(12)? != 0,
            },
            txn: row.get(7)?,
            what: row.get(8)?,
            data: row.get(9)?,
            sealed: row.get(10)?,
            cause: row.get(11)?,
        })
    }
}

/// Something that somebody gave one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Row number of who was given it.
    pub pk: Pk,
    /// Whose event it is.
    pub by: By,
}

impl FromRow for Given {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            pk: Pk(row.get(0)?),
            by: By {
                at: Timestamp(row.get(1)?),
                connection: row.get::<Option<i64>>(2)?.map(ConnectionId),
                undo: row.get(3)?,
                closing: row.get::<i64>(4)? != 0,
            },
        })
    }
}

/// How many users and groups an undo has brought back, removed, and changed otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// Brought back.
    pub restored: i64,
    /// Removed.
    pub removed: i64,
    /// Changed.
    pub changed: i64,
}

/// What moves users, groups and members: every other kind follows from one of these, or leaves them as they are.
macro_rules! moving {
    () => {
        "e.kind IN ('user.created', 'user.updated', 'user.deleted', 'user.restored', 'user.source_noted', \
         'group.created', 'group.updated', 'group.deleted', 'group.restored')"
    };
}

/// By which undo an event is.
macro_rules! undo {
    () => {
        "CASE WHEN e.actor_kind = 'system' AND e.actor_id = 'undo' THEN e.request_id END"
    };
}

/// Whether an event went with what was suspended, resumed or deleted as a whole.
macro_rules! closing {
    () => {
        "CAST(CASE WHEN e.actor_kind = 'system' AND e.actor_id = 'closing' THEN 1 ELSE 0 END AS BIGINT)"
    };
}

/// Columns of [`Told`].
macro_rules! told {
    () => {
        concat!(
            "e.subject_pk, e.subject_kind, e.subject_id, e.seq, e.at, e.connection_id, ",
            undo!(),
            ", e.txn, e.kind, e.data, e.sealed, e.cause, ",
            closing!(),
            " FROM "
        )
    };
}

/// What an undo did: `$1` the tenant, `$2` the position after which it began, `$3` its id.
macro_rules! of_undo {
    () => {
        concat!(
            "FROM event e WHERE e.tenant_id = $1 AND e.seq > $2 AND e.request_id = $3 AND e.actor_kind = 'system' \
             AND e.actor_id = 'undo' AND ",
            moving!()
        )
    };
}

impl<R: Read> Undos<R> {
    /// At most `limit` users and groups that something happened to which is to be taken back, by their row numbers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touched(&mut self, what: &What, limit: u32) -> Result<Vec<Touched>> {
        // The log is long, and its instants ascend: it begins at the signed place before, and ends at the one after.
        const BY_CONNECTION: &str = concat!(
            "SELECT e.subject_pk, min(e.seq) FROM event e WHERE e.tenant_id = $1 AND e.connection_id = $2 AND e.seq > ",
            "coalesce((SELECT max(c.seq) FROM checkpoint c WHERE c.tenant_id = $1 AND c.at < $3), 0) AND e.seq <= ",
            "coalesce((SELECT min(c.seq) FROM checkpoint c WHERE c.tenant_id = $1 AND c.at >= $4), 9223372036854775807) ",
            "AND e.at >= $3 AND e.at < $4 AND e.subject_pk IS NOT NULL AND ",
            moving!(),
            " GROUP BY e.subject_pk ORDER BY e.subject_pk LIMIT 0 + $5"
        );
        const BY_UNDO: &str = concat!(
            "SELECT e.subject_pk, min(e.seq) ",
            of_undo!(),
            " AND e.seq <= $4 AND e.subject_pk IS NOT NULL GROUP BY e.subject_pk ORDER BY e.subject_pk LIMIT 0 + $5"
        );
        let statement = match &what.of {
            None => Statement::new(BY_CONNECTION)
                .bind(self.tenant)
                .bind(what.connection)
                .bind(what.from)
                .bind(what.to),
            Some(undo) => Statement::new(BY_UNDO)
                .bind(self.tenant)
                .bind(what.after.0)
                .bind(undo.clone())
                .bind(what.until.map_or(i64::MAX, |until| until.0)),
        };
        let rows: Vec<(i64, i64)> = self.source.rows(statement.bind(i64::from(limit))).await?;
        let touched = |(pk, first)| Touched {
            pk: Pk(pk),
            first: Seq(first),
        };
        Ok(rows.into_iter().map(touched).collect())
    }

    /// How many events there are about each of these since then, in the same order; more than those that move something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weights(&mut self, touched: &[Touched]) -> Result<Vec<i64>> {
        const WEIGHTS: &str = "SELECT CAST(j.value ->> 0 AS BIGINT) AS pk, (SELECT count(*) FROM event e \
                               WHERE e.tenant_id = $1 AND e.subject_pk = CAST(j.value ->> 0 AS BIGINT) \
                               AND e.seq >= CAST(j.value ->> 1 AS BIGINT)) FROM [each $2] AS j ORDER BY pk";
        let weights = Statement::new(WEIGHTS).bind(self.tenant).bind(listed(touched));
        let rows: Vec<(i64, i64)> = self.source.rows(weights).await?;
        Ok(rows.into_iter().map(|(_, weight)| weight).collect())
    }

    /// What happened to these since then, each in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn since(&mut self, touched: &[Touched]) -> Result<Vec<Told>> {
        const SINCE: &str = concat!(
            "SELECT ",
            told!(),
            "[each $2] AS j CROSS JOIN event e WHERE e.tenant_id = $1 ",
            "AND e.subject_pk = CAST(j.value ->> 0 AS BIGINT) AND e.seq >= CAST(j.value ->> 1 AS BIGINT) AND ",
            moving!(),
            " ORDER BY e.subject_pk, e.seq"
        );
        let since = Statement::new(SINCE).bind(self.tenant).bind(listed(touched));
        self.source.rows(since).await
    }

    /// At most `limit` things that happened to one of them since then, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn some_since(&mut self, touched: Touched, limit: u32) -> Result<Vec<Told>> {
        const SOME: &str = concat!(
            "SELECT ",
            told!(),
            "event e WHERE e.tenant_id = $1 AND e.subject_pk = $2 AND e.seq >= $3 AND ",
            moving!(),
            " ORDER BY e.seq LIMIT 0 + $4"
        );
        let some = Statement::new(SOME).bind(self.tenant).bind(touched.pk);
        self.source
            .rows(some.bind(touched.first.0).bind(i64::from(limit)))
            .await
    }

    /// What these were given since then beside what moves them: grants, decisions about their account, a place in a group.
    /// What a rule of status makes of somebody is no decision about them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn given(&mut self, touched: &[Touched]) -> Result<Vec<Given>> {
        const GIVEN: &str = concat!(
            "SELECT e.subject_pk, e.at, e.connection_id, ",
            undo!(),
            ", ",
            closing!(),
            " FROM [each $2] AS j CROSS JOIN event e WHERE e.tenant_id = $1 ",
            "AND e.subject_pk = CAST(j.value ->> 0 AS BIGINT) AND e.seq >= CAST(j.value ->> 1 AS BIGINT) AND e.kind IN ",
            "('grant.created', 'grant.updated', 'user.activated', 'user.suspended', 'user.deactivated') ",
            "AND e.cause NOT LIKE '{\"by\":\"rule\"%' UNION ALL ",
            "SELECT a.resource_pk, e.at, e.connection_id, ",
            undo!(),
            ", ",
            closing!(),
            " FROM [each $2] AS k CROSS JOIN event_about a CROSS JOIN event e WHERE a.tenant_id = $1 ",
            "AND a.resource_pk = CAST(k.value ->> 0 AS BIGINT) AND a.seq >= CAST(k.value ->> 1 AS BIGINT) AND a.what = 1 ",
            "AND e.tenant_id = $1 AND e.seq = a.seq"
        );
        let given = Statement::new(GIVEN).bind(self.tenant).bind(listed(touched));
        self.source.rows(given).await
    }

    /// What an undo that began after a position has come to. A group that lost or got a member with somebody who was
    /// removed or came back was not changed by itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn made(&mut self, undo: &str, after: Seq) -> Result<Made> {
        const MADE: &str = concat!(
            "SELECT CAST(m.what AS BIGINT), count(DISTINCT m.pk) FROM ",
            "(SELECT n.what, n.pk, min(n.what) OVER (PARTITION BY n.txn) AS chief ",
            "FROM (SELECT e.txn, e.subject_pk AS pk, CASE e.kind WHEN 'user.restored' THEN 1 WHEN 'group.restored' THEN 1 ",
            "WHEN 'user.deleted' THEN 2 WHEN 'group.deleted' THEN 2 ELSE 3 END AS what ",
            of_undo!(),
            ") AS n) AS m WHERE m.what = m.chief GROUP BY m.what"
        );
        let made = Statement::new(MADE).bind(self.tenant).bind(after.0);
        let rows: Vec<(i64, i64)> = self.source.rows(made.bind(undo.to_owned())).await?;
        let of = |what| {
            rows.iter()
                .find(|(kind, _)| *kind == what)
                .map_or(0, |(_, count)| *count)
        };
        Ok(Made {
            restored: of(1),
            removed: of(2),
            changed: of(3),
        })
    }
}

fn listed(touched: &[Touched]) -> String {
    let rows: Vec<[i64; 2]> = touched.iter().map(|one| [one.pk.0, one.first.0]).collect();
    json!(rows).to_string()
}
