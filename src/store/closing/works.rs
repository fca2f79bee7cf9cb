//! The works: what is done to the users, and how far it is.

use super::state::State;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, TenantId};
use crate::store::error::{Error, Result};
use crate::store::runs::due::listed;
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};
use crate::store::tenants::Tenant;

/// Closings of one tenant.
pub struct Closings<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// What is done to users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Nothing.
    Keep,
    /// They are suspended until they return.
    Suspend,
    /// Their accounts end.
    Deactivate,
    /// They are deleted.
    Delete,
    /// Whom earlier works have suspended come in again.
    Return,
}

impl Verb {
    /// The word that is stored, and said.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Suspend => "suspend",
            Self::Deactivate => "deactivate",
            Self::Delete => "delete",
            Self::Return => "return",
        }
    }

    /// Reads what is stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Keep, Self::Suspend, Self::Deactivate, Self::Delete, Self::Return]
            .into_iter()
            .find(|verb| verb.as_str() == text)
    }
}

/// What becomes of a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    Running,
    /// All is done.
    Done,
    /// Something else was decided meanwhile, and the rest is not done.
    Stopped,
}

impl Progress {
    /// The word that is stored, and said.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Done, Self::Stopped]
            .into_iter()
            .find(|progress| progress.as_str() == text)
    }
}

/// A work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Orders them.
    pub number: i64,
    /// Id on the wire.
    pub id: String,
    /// Whose users they are; those of the whole tenant where there is none.
    pub connection: Option<ConnectionId>,
    /// What is done to them.
    pub verb: Verb,
    /// Why, in the words of whoever asked for it.
    pub reason: Option<String>,
    /// What has become of it.
    pub progress: Progress,
    /// Users up to this row number are done with.
    pub after: Pk,
    /// How many users were changed.
    pub turned: u64,
    /// How many could not be: the owner, the last administrators, break-glass accounts.
    pub stayed: u64,
    /// How many could not be changed because of a fault of ours, such as a damaged key.
    pub failed: u64,
    /// When it began.
    pub created: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

impl FromRow for Closing {
    fn from_row(row: &Row) -> Result<Self> {
        let count = |at| Ok::<_, Error>(u64::try_from(row.get::<i64>(at)?).unwrap_or(0));
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            connection: row.get::<Option<i64>>(2)?.map(ConnectionId),
            verb: Verb::parse(&row.get::<String>(3)?).ok_or(Error::Damaged("verb of a closing"))?,
            reason: row.get(4)?,
            progress: Progress::parse(&row.get::<String>(5)?).ok_or(Error::Damaged("state of a closing"))?,
            after: Pk(row.get(6)?),
            turned: count(7)?,
            stayed: count(8)?,
            created: Timestamp(row.get(9)?),
            finished: row.get::<Option<i64>>(10)?.map(Timestamp),
            failed: count(11)?,
        })
    }
}

/// How far some users more have brought it.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The last of them.
    pub after: Pk,
    /// How many of them were changed.
    pub turned: u64,
    /// How many had to stay.
    pub stayed: u64,
    /// How many could not be changed.
    pub failed: u64,
}

/// One that goes on, in any tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug of the tenant.
    pub slug: String,
    /// Which one.
    pub number: i64,
    /// Id on the wire.
    pub id: String,
}

impl FromRow for Running {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            id: row.get(2)?,
            number: row.get(3)?,
        })
    }
}

/// A new work.
#[derive(Debug, Clone)]
pub struct NewClosing<'a> {
    /// Id on the wire.
    pub id: &'a str,
    /// Whose users.
    pub connection: Option<ConnectionId>,
    /// What is done to them.
    pub verb: Verb,
    /// Why.
    pub reason: Option<&'a str>,
    /// When.
    pub now: Timestamp,
}

/// Columns of [`Closing`].
macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.uid, c.connection_id, c.verb, c.reason, c.state, c.after_pk, c.turned, c.stayed, ",
            "c.created, c.finished, c.failed FROM closing c WHERE c.tenant_id = $1 ",
            $rest
        )
    };
}

impl<R: Read> Closings<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The one with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<Closing>> {
        const FIND: &str = columns!("AND c.uid = $2");
        let find = Statement::new(FIND).bind(self.tenant).bind(id.to_owned());
        self.source.row(find).await
    }

    /// The last one of a connection, or of the whole tenant where none is named.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last(&mut self, connection: Option<ConnectionId>) -> Result<Option<Closing>> {
        const LAST: &str =
            columns!("AND coalesce(c.connection_id, 0) = coalesce(CAST($2 AS BIGINT), 0) ORDER BY c.id DESC LIMIT 1");
        let last = Statement::new(LAST).bind(self.tenant).bind(connection);
        self.source.row(last).await
    }
}

impl Closings<&mut Tx> {
    /// Begins one, and stops what goes on of the same connection or tenant. Nothing is left to do where users are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(&mut self, new: NewClosing<'_>) -> Result<()> {
        const STOP: &str = "UPDATE closing SET state = 'stopped', finished = $3 WHERE tenant_id = $1 \
                            AND coalesce(connection_id, 0) = coalesce(CAST($2 AS BIGINT), 0) AND state = 'running'";
        const BEGIN: &str = "INSERT INTO closing (tenant_id, uid, connection_id, verb, reason, state, after_pk, turned, \
                             stayed, created, finished) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7, $8)";
        let stop = Statement::new(STOP).bind(self.tenant).bind(new.connection);
        self.source.write(stop.bind(new.now)).await?;
        let (progress, finished) = match new.verb {
            Verb::Keep => (Progress::Done, Some(new.now)),
            _ => (Progress::Running, None),
        };
        let begin = Statement::new(BEGIN)
            .bind(self.tenant)
            .bind(new.id.to_owned())
            .bind(new.connection)
            .bind(new.verb.as_str())
            .bind(new.reason.map(str::to_owned))
            .bind(progress.as_str())
            .bind(new.now)
            .bind(finished);
        self.source.write(begin).await
    }

    /// Keeps how far one is, with the save. That fails with [`Error::Stale`] when it is not where it was said to be: it was
    /// stopped, or somebody else has gone on with it.
    pub fn advance(&mut self, closing: &Closing, step: Step) {
        const ADVANCE: &str = "UPDATE closing SET after_pk = $4, turned = turned + $5, stayed = stayed + $6, \
                               failed = failed + $7 WHERE tenant_id = $1 AND id = $2 AND state = 'running' AND after_pk = $3 RETURNING id";
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let advance = Statement::new(ADVANCE)
            .bind(self.tenant)
            .bind(closing.number)
            .bind(closing.after)
            .bind(step.after)
            .bind(count(step.turned))
            .bind(count(step.stayed))
            .bind(count(step.failed));
        self.source.later(advance.expecting_row());
    }

    /// Ends one; false when it was stopped, or somebody else has ended it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&mut self, closing: &Closing, now: Timestamp) -> Result<bool> {
        const END: &str = "UPDATE closing SET state = 'done', finished = $3 \
                           WHERE tenant_id = $1 AND id = $2 AND state = 'running' RETURNING id";
        let end = Statement::new(END).bind(self.tenant).bind(closing.number).bind(now);
        let rows: Vec<(i64,)> = self.source.write_rows(end).await?;
        Ok(!rows.is_empty())
    }
}

impl<R: Read> Closings<R> {
    /// The tenant itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tenant(&mut self) -> Result<Option<Tenant>> {
        const TENANT: &str = "SELECT id, uid, slug, name, created, state, since FROM tenant WHERE id = $1";
        self.source.row(Statement::new(TENANT).bind(self.tenant)).await
    }
}

impl Closings<&mut Tx> {
    /// Makes the tenant something else; written with the save. Whoever does it holds the policy and moves its version:
    /// decisions look at that.
    pub fn turn_tenant(&mut self, to: State, since: Option<Timestamp>) {
        const TURN: &str = "UPDATE tenant SET state = $2, since = $3 WHERE id = $1";
        let turn = Statement::new(TURN).bind(self.tenant).bind(to.as_str()).bind(since);
        self.source.later(turn);
    }
}

/// At most `limit` that go on and began before an instant, of all tenants but these by their numbers, oldest first. One that
/// seems to begin after the other instant was begun by a clock that was ahead, and is among them.
///
/// # Errors
/// When the database fails.
pub async fn running(
    mut db: &Db,
    (before, ahead): (Timestamp, Timestamp),
    but: &[i64],
    limit: u32,
) -> Result<Vec<Running>> {
    const RUNNING: &str = "SELECT c.tenant_id, t.slug, c.uid, c.id FROM closing c CROSS JOIN tenant t \
                           WHERE c.state = 'running' AND (c.created <= $1 OR c.created > $2) AND t.id = c.tenant_id \
                           AND NOT (c.id [among] SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $3] AS j[end]) \
                           ORDER BY c.id LIMIT 0 + $4";
    let running = Statement::new(RUNNING).bind(before).bind(ahead);
    db.rows(running.bind(listed(but)).bind(i64::from(limit))).await
}
