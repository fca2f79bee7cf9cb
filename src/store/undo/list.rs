//! Works that take something back, as they are kept.

use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, TenantId};
use crate::event::Seq;
use crate::store::error::Result;
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// Undos of one tenant.
pub struct Undos<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// What is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct What {
    /// The connection whose changes they are, or were.
    pub connection: ConnectionId,
    /// What this undo made, rather than what the connection did.
    pub of: Option<String>,
    /// Not what was done before.
    pub from: Timestamp,
    /// Only what was done before.
    pub to: Timestamp,
    /// Only what stands after this position of the log: of an undo, where it began.
    pub after: Seq,
    /// Only what stands up to here: of an undo, where it ended. None for no end.
    pub until: Option<Seq>,
    /// Whether what others have changed since is put back, too.
    pub overwrite: bool,
}

/// A work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// Orders them.
    pub number: i64,
    /// Id on the wire.
    pub id: String,
    /// Name of the connection.
    pub connection: String,
    /// What is taken back.
    pub what: What,
    /// Whether it goes on.
    pub running: bool,
    /// What it came to so far, as JSON text.
    pub result: String,
    /// When it began.
    pub created: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Where the log was when it ended.
    pub end: Option<Seq>,
}

impl FromRow for Undo {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            connection: row.get(2)?,
            what: What {
                connection: ConnectionId(row.get(3)?),
                of: row.get(4)?,
                from: Timestamp(row.get(5)?),
                to: Timestamp(row.get(6)?),
                after: Seq(row.get(7)?),
                until: row.get::<Option<i64>>(13)?.map(Seq),
                overwrite: row.get::<i64>(8)? == 1,
            },
            running: row.get::<String>(9)? == "running",
            result: row.get(10)?,
            created: Timestamp(row.get(11)?),
            finished: row.get::<Option<i64>>(12)?.map(Timestamp),
            end: row.get::<Option<i64>>(14)?.map(Seq),
        })
    }
}

/// One that goes on, in any tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Orders them.
    pub number: i64,
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug of the tenant.
    pub slug: String,
    /// Id on the wire.
    pub id: String,
    /// The connection.
    pub connection: ConnectionId,
}

impl FromRow for Running {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            id: row.get(2)?,
            connection: ConnectionId(row.get(3)?),
            number: row.get(4)?,
        })
    }
}

/// Columns of [`Undo`].
macro_rules! columns {
    () => {
        "SELECT u.id, u.uid, c.name, u.connection_id, u.of_uid, u.from_at, u.to_at, u.after_seq, u.overwrite, u.state, \
         u.result, u.created, u.finished, (SELECT o.end_seq FROM undo o WHERE o.tenant_id = u.tenant_id AND o.uid = u.of_uid), \
         u.end_seq FROM undo u JOIN connection c ON c.tenant_id = u.tenant_id AND c.id = u.connection_id "
    };
}

impl<R: Read> Undos<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The one with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<Undo>> {
        const FIND: &str = concat!(columns!(), "WHERE u.tenant_id = $1 AND u.uid = $2");
        let find = Statement::new(FIND).bind(self.tenant).bind(id.to_owned());
        self.source.row(find).await
    }

    /// At most `limit` after the one with this number, oldest first; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: i64, limit: u32) -> Result<Vec<Undo>> {
        const LIST: &str = concat!(
            columns!(),
            "WHERE u.tenant_id = $1 AND u.id > $2 ORDER BY u.id LIMIT 0 + $3"
        );
        let list = Statement::new(LIST).bind(self.tenant).bind(after);
        self.source.rows(list.bind(i64::from(limit))).await
    }
}

impl Undos<&mut Tx> {
    /// Begins one; written with the save.
    pub fn begin(&mut self, id: &str, what: &What, result: &str, now: Timestamp) {
        const BEGIN: &str = "INSERT INTO undo (tenant_id, uid, connection_id, of_uid, from_at, to_at, after_seq, overwrite, \
                             state, result, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'running', $9, $10)";
        let begin = Statement::new(BEGIN)
            .bind(self.tenant)
            .bind(id.to_owned())
            .bind(what.connection)
            .bind(what.of.clone())
            .bind(what.from)
            .bind(what.to)
            .bind(what.after.0)
            .bind(i64::from(what.overwrite))
            .bind(result.to_owned())
            .bind(now);
        self.source.later(begin);
    }

    /// Keeps how far one is that goes on; written with the save.
    pub fn is_at(&mut self, id: &str, result: &str) {
        const AT: &str = "UPDATE undo SET result = $3 WHERE tenant_id = $1 AND uid = $2 AND state = 'running'";
        let at = Statement::new(AT).bind(self.tenant).bind(id.to_owned());
        self.source.later(at.bind(result.to_owned()));
    }

    /// Ends one, where the log was at a position; false when somebody else has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&mut self, id: &str, result: &str, (now, at): (Timestamp, Seq)) -> Result<bool> {
        const END: &str = "UPDATE undo SET state = 'done', result = $3, finished = $4, end_seq = $5 \
                           WHERE tenant_id = $1 AND uid = $2 AND state = 'running' RETURNING id";
        let end = Statement::new(END).bind(self.tenant).bind(id.to_owned());
        let end = end.bind(result.to_owned()).bind(now).bind(at.0);
        let rows: Vec<(i64,)> = self.source.write_rows(end).await?;
        Ok(!rows.is_empty())
    }
}

/// At most `limit` after the one with this number that go on, of all tenants, oldest first; 0 begins.
///
/// # Errors
/// When the database fails.
pub async fn running(mut db: &Db, after: i64, limit: u32) -> Result<Vec<Running>> {
    const RUNNING: &str = "SELECT u.tenant_id, t.slug, u.uid, u.connection_id, u.id FROM undo u CROSS JOIN tenant t \
                           WHERE u.state = 'running' AND u.id > $1 AND t.id = u.tenant_id ORDER BY u.id LIMIT 0 + $2";
    db.rows(Statement::new(RUNNING).bind(after).bind(i64::from(limit)))
        .await
}
