//! Receivers of one tenant.

use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, TenantId};
use crate::event::Seq;
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// Whether a receiver is sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Everything.
    Active,
    /// One delivery at a time, until one gets through.
    Failing,
    /// Nothing, until somebody says so.
    Paused,
}

impl State {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Failing => "failing",
            Self::Paused => "paused",
        }
    }

    fn read(text: &str) -> Result<Self> {
        match text {
            "active" => Ok(Self::Active),
            "failing" => Ok(Self::Failing),
            "paused" => Ok(Self::Paused),
            _ => Err(Error::Damaged("state of a receiver")),
        }
    }
}

/// How it went with a receiver so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether it is sent anything.
    pub state: State,
    /// Why it is paused: a word.
    pub reason: Option<String>,
    /// Attempts that failed since the last one that did not; of a failing receiver, those since it fails.
    pub failures: i64,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
    /// When a failing one is tried again.
    pub next_try: Option<Timestamp>,
    /// When something last got through.
    pub last_success: Option<Timestamp>,
}

/// Somebody who is told of what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Row number.
    pub id: i64,
    /// Id on the wire.
    pub uid: ResourceId,
    /// Name for people, unique in the tenant.
    pub name: String,
    /// Where it listens.
    pub url: String,
    /// Its secrets, sealed.
    pub sealed: String,
    /// Which events it is sent, as JSON text.
    pub settings: String,
    /// How it goes.
    pub health: Health,
    /// Everything up to here was sent, or has a row of its own.
    pub cursor: Seq,
    /// Counts what was settled.
    pub round: i64,
    /// When it was made.
    pub created: Timestamp,
}

/// Columns of [`Receiver`], of the table `r`.
macro_rules! columns {
    () => {
        "r.id, r.uid, r.name, r.url, r.sealed, r.settings, r.state, r.reason, r.failures, r.failing_since, r.next_try, \
         r.last_success, r.cursor_seq, r.round, r.created "
    };
}

impl FromRow for Receiver {
    fn from_row(row: &Row) -> Result<Self> {
        let time = |at| Ok::<_, Error>(row.get::<Option<i64>>(at)?.map(Timestamp));
        Ok(Self {
            id: row.get(0)?,
            uid: ResourceId::new(row.get::<String>(1)?),
            name: row.get(2)?,
            url: row.get(3)?,
            sealed: row.get(4)?,
            settings: row.get(5)?,
            health: Health {
                state: State::read(&row.get::<String>(6)?)?,
                reason: row.get(7)?,
                failures: row.get(8)?,
                failing_since: time(9)?,
                next_try: time(10)?,
                last_success: time(11)?,
            },
            cursor: Seq(row.get(12)?),
            round: row.get(13)?,
            created: Timestamp(row.get(14)?),
        })
    }
}

/// A receiver to be.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// Id on the wire.
    pub uid: &'a ResourceId,
    /// Name for people.
    pub name: &'a str,
    /// Where it listens.
    pub url: &'a str,
    /// Its secrets, sealed.
    pub sealed: &'a str,
    /// Which events it is sent, as JSON text.
    pub settings: &'a str,
    /// When.
    pub created: Timestamp,
}

/// What a round of deliveries came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Row number of the receiver.
    pub receiver: i64,
    /// Its count of rounds when this one began.
    pub round: i64,
    /// Everything up to here was sent, or has a row.
    pub cursor: Seq,
    /// How it goes now.
    pub health: Health,
    /// Until when this node goes on with it.
    pub until: Timestamp,
}

/// The receivers of one tenant.
pub struct Receivers<R> {
    tenant: TenantId,
    source: R,
}

impl<R: Read> Receivers<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The receiver with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, uid: &ResourceId) -> Result<Option<Receiver>> {
        const FIND: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM receiver r WHERE r.tenant_id = $1 AND r.uid = $2"
        );
        self.source.row(Statement::new(FIND).bind(self.tenant).bind(uid)).await
    }

    /// The receiver with this row number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_id(&mut self, id: i64) -> Result<Option<Receiver>> {
        const FIND: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM receiver r WHERE r.tenant_id = $1 AND r.id = $2"
        );
        self.source.row(Statement::new(FIND).bind(self.tenant).bind(id)).await
    }

    /// At most `limit` receivers after the one with this number, oldest first; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: i64, limit: u32) -> Result<Vec<Receiver>> {
        const LIST: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM receiver r WHERE r.tenant_id = $1 AND r.id > $2 ORDER BY r.id LIMIT 0 + $3"
        );
        let list = Statement::new(LIST).bind(self.tenant).bind(after);
        self.source.rows(list.bind(i64::from(limit))).await
    }

    /// How many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self) -> Result<i64> {
        const COUNT: &str = "SELECT COUNT(*) FROM receiver r WHERE r.tenant_id = $1";
        let row: Option<(i64,)> = self.source.row(Statement::new(COUNT).bind(self.tenant)).await?;
        Ok(row.map_or(0, |row| row.0))
    }
}

impl Receivers<&mut Tx> {
    /// Writes a new webhook, which is told of what happens from now on: of what has no number yet, and comes after.
    ///
    /// # Errors
    /// [`Error::Taken`] when the tenant has one of this name; the unit is lost then.
    pub async fn create(&mut self, new: New<'_>) -> Result<Receiver> {
        const CREATE: &str = "INSERT INTO receiver (tenant_id, uid, kind, name, url, sealed, settings, state, cursor_seq, \
                              round, failures, created, until) SELECT $1, $2, 'webhook', $3, $4, $5, $6, 'active', \
                              COALESCE((SELECT h.seq FROM log_head h WHERE h.tenant_id = $1), 0), 0, 0, $7, 0 \
                              RETURNING id, uid, name, url, sealed, settings, state, reason, failures, failing_since, \
                              next_try, last_success, cursor_seq, round, created";
        let create = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(new.uid)
            .bind(new.name.to_owned())
            .bind(new.url.to_owned())
            .bind(new.sealed.to_owned())
            .bind(new.settings.to_owned())
            .bind(new.created);
        let rows = self.source.write_rows(create).await?;
        rows.into_iter().next().ok_or(Error::Damaged("new receiver"))
    }

    /// Changes what a receiver is: its name, where it listens, its secrets, its settings. Fails with [`Error::Stale`]
    /// when its secrets or settings are not those it was read with, or it is gone.
    ///
    /// # Errors
    /// [`Error::Taken`] when the tenant has another one of this name; the unit is lost then.
    pub async fn change(&mut self, before: &Receiver, after: &Receiver) -> Result<()> {
        const CHANGE: &str = "UPDATE receiver SET name = $3, url = $4, sealed = $5, settings = $6 WHERE tenant_id = $1 \
                              AND id = $2 AND name = $7 AND url = $8 AND sealed = $9 AND settings = $10 RETURNING id";
        let change = Statement::new(CHANGE)
            .bind(self.tenant)
            .bind(before.id)
            .bind(after.name.clone())
            .bind(after.url.clone())
            .bind(after.sealed.clone())
            .bind(after.settings.clone())
            .bind(before.name.clone())
            .bind(before.url.clone())
            .bind(before.sealed.clone())
            .bind(before.settings.clone());
        let rows: Vec<(i64,)> = self.source.write_rows(change).await?;
        if rows.is_empty() { Err(Error::Stale) } else { Ok(()) }
    }

    /// Pauses a receiver for a reason; says whether it was not paused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause(&mut self, id: i64, reason: &'static str) -> Result<bool> {
        const PAUSE: &str = "UPDATE receiver SET state = 'paused', reason = $3 \
                             WHERE tenant_id = $1 AND id = $2 AND state <> 'paused' RETURNING id";
        let pause = Statement::new(PAUSE).bind(self.tenant).bind(id).bind(reason);
        let rows: Vec<(i64,)> = self.source.write_rows(pause).await?;
        Ok(!rows.is_empty())
    }

    /// Has a receiver be sent everything again, what waits at once; says whether it was not active.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(&mut self, id: i64, now: Timestamp) -> Result<bool> {
        const RESUME: &str = "UPDATE receiver SET state = 'active', reason = NULL, failures = 0, failing_since = NULL, \
                              next_try = NULL WHERE tenant_id = $1 AND id = $2 AND state <> 'active' RETURNING id";
        const DUE: &str =
            "UPDATE delivery SET due = $3 WHERE tenant_id = $1 AND receiver_id = $2 AND state = 'waiting'";
        let resume = Statement::new(RESUME).bind(self.tenant).bind(id);
        let rows: Vec<(i64,)> = self.source.write_rows(resume).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        self.source
            .later(Statement::new(DUE).bind(self.tenant).bind(id).bind(now));
        Ok(true)
    }

    /// Has a receiver be sent everything from a position on again. Fails with [`Error::Stale`] when it was not sent so
    /// far yet. A round that is under way is thrown away.
    ///
    /// # Errors
    /// As said, and when the database fails; the unit is lost then.
    pub async fn rewind(&mut self, id: i64, from: Seq) -> Result<()> {
        const REWIND: &str = "UPDATE receiver SET round = round + 1, cursor_seq = $3 - 1 \
                              WHERE tenant_id = $1 AND id = $2 AND cursor_seq >= $3 RETURNING id";
        let rewind = Statement::new(REWIND).bind(self.tenant).bind(id).bind(from.0);
        let rows: Vec<(i64,)> = self.source.write_rows(rewind).await?;
        if rows.is_empty() { Err(Error::Stale) } else { Ok(()) }
    }

    /// Removes a receiver and what waits for it; says whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, id: i64) -> Result<bool> {
        const DELETE: &str = "DELETE FROM receiver WHERE tenant_id = $1 AND id = $2 RETURNING id";
        const WAITING: &str = "DELETE FROM delivery WHERE tenant_id = $1 AND receiver_id = $2";
        let delete = Statement::new(DELETE).bind(self.tenant).bind(id);
        let rows: Vec<(i64,)> = self.source.write_rows(delete).await?;
        self.source.later(Statement::new(WAITING).bind(self.tenant).bind(id));
        Ok(!rows.is_empty())
    }

    /// Writes what a round came to, before everything else of the unit. Gives [`Error::Stale`] when another round was
    /// settled since this one began, or the receiver is gone. A pause that somebody asked for meanwhile stays.
    ///
    /// # Errors
    /// As said, and when the database fails; the unit is lost then.
    pub async fn settle(&mut self, settled: Settled) -> Result<()> {
        const SETTLE: &str = "UPDATE receiver SET round = round + 1, cursor_seq = $4, \
                              reason = CASE WHEN state = 'paused' THEN reason ELSE $6 END, \
                              state = CASE WHEN state = 'paused' THEN state ELSE $5 END, \
                              failures = $7, failing_since = $8, next_try = $9, last_success = $10, until = $11 \
                              WHERE tenant_id = $1 AND id = $2 AND round = $3 RETURNING id";
        let Settled {
            receiver,
            round,
            cursor,
            health,
            until,
        } = settled;
        let settle = Statement::new(SETTLE)
            .bind(self.tenant)
            .bind(receiver)
            .bind(round)
            .bind(cursor.0)
            .bind(health.state.as_str())
            .bind(health.reason)
            .bind(health.failures)
            .bind(health.failing_since)
            .bind(health.next_try)
            .bind(health.last_success)
            .bind(until);
        let rows: Vec<(i64,)> = self.source.write_rows(settle).await?;
        if rows.is_empty() { Err(Error::Stale) } else { Ok(()) }
    }
}
