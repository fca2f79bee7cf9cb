//! Receivers of one tenant.

use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, TenantId};
use crate::event::Seq;
use crate::store::error::{Error, Result};
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// What kind of receiver it is, and so how it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Events as JSON are posted to it.
    Webhook,
    /// Security event tokens are posted to it.
    Push,
    /// It fetches security event tokens.
    Poll,
}

impl Kind {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Push => "push",
            Self::Poll => "poll",
        }
    }

    fn read(text: &str) -> Result<Self> {
        match text {
            "webhook" => Ok(Self::Webhook),
            "push" => Ok(Self::Push),
            "poll" => Ok(Self::Poll),
            _ => Err(Error::Damaged("kind of a receiver")),
        }
    }

    /// What it is managed as.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Webhook => Family::Webhooks,
            Self::Push | Self::Poll => Family::Streams,
        }
    }
}

/// Receivers that are managed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Webhooks.
    Webhooks,
    /// Streams of security event tokens.
    Streams,
}

impl Family {
    const fn kinds(self) -> [&'static str; 2] {
        match self {
            Self::Webhooks => [Kind::Webhook.as_str(), Kind::Webhook.as_str()],
            Self::Streams => [Kind::Push.as_str(), Kind::Poll.as_str()],
        }
    }
}

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
    /// How it is told.
    pub kind: Kind,
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
         r.last_success, r.cursor_seq, r.round, r.created, r.kind "
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
            kind: Kind::read(&row.get::<String>(15)?)?,
        })
    }
}

/// A receiver to be.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// Id on the wire.
    pub uid: &'a ResourceId,
    /// How it is told.
    pub kind: Kind,
    /// Name for people.
    pub name: &'a str,
    /// Where it listens.
    pub url: &'a str,
    /// Its secrets, sealed.
    pub sealed: &'a str,
    /// Which events it is sent, as JSON text.
    pub settings: &'a str,
    /// Hash of the token that it fetches with.
    pub token_hash: Option<&'a str>,
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

/// A receiver by the token that it fetches with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armed {
    /// Whose it is.
    pub tenant: TenantId,
    /// Short name of the tenant.
    pub tenant_slug: String,
    /// Its id.
    pub uid: ResourceId,
}

impl FromRow for Armed {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            tenant_slug: row.get(1)?,
            uid: ResourceId::new(row.get::<String>(2)?),
        })
    }
}

/// Who fetches with the token of this hash, in whatever tenant.
///
/// # Errors
/// When the database fails.
pub async fn by_token(mut db: &Db, token_hash: &str) -> Result<Option<Armed>> {
    const BY_TOKEN: &str = "SELECT r.tenant_id, n.slug, r.uid FROM receiver r JOIN tenant n ON n.id = r.tenant_id \
                            WHERE r.token_hash = $1";
    db.row(Statement::new(BY_TOKEN).bind(token_hash.to_owned())).await
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

    /// The receiver of this family with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, family: Family, uid: &ResourceId) -> Result<Option<Receiver>> {
        const FIND: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM receiver r WHERE r.tenant_id = $1 AND r.uid = $2"
        );
        let find = Statement::new(FIND).bind(self.tenant).bind(uid);
        let found: Option<Receiver> = self.source.row(find).await?;
        Ok(found.filter(|receiver| receiver.kind.family() == family))
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

    /// The stream with this id that fetches with the token of this hash; none once it has another one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fetching(&mut self, uid: &ResourceId, token_hash: &str) -> Result<Option<Receiver>> {
        const FETCHING: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM receiver r WHERE r.tenant_id = $1 AND r.uid = $2 AND r.token_hash = $3"
        );
        let find = Statement::new(FETCHING).bind(self.tenant).bind(uid);
        self.source.row(find.bind(token_hash.to_owned())).await
    }

    /// At most `limit` receivers of a family after the one with this number, oldest first; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, family: Family, after: i64, limit: u32) -> Result<Vec<Receiver>> {
        const LIST: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM receiver r WHERE r.tenant_id = $1 AND r.id > $2 AND r.kind IN ($4, $5) ORDER BY r.id LIMIT 0 + $3"
        );
        let [one, other] = family.kinds();
        let list = Statement::new(LIST)
            .bind(self.tenant)
            .bind(after)
            .bind(i64::from(limit));
        self.source.rows(list.bind(one).bind(other)).await
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
    /// Writes a new receiver, which is told of what happens from now on: of what has no number yet, and comes after.
    ///
    /// # Errors
    /// [`Error::Taken`] when the tenant has one of this name; the unit is lost then.
    pub async fn create(&mut self, new: New<'_>) -> Result<Receiver> {
        const CREATE: &str = "INSERT INTO receiver (tenant_id, uid, kind, name, url, sealed, settings, state, cursor_seq, \
                              round, failures, created, until, token_hash) SELECT $1, $2, $8, $3, $4, $5, $6, 'active', \
                              COALESCE((SELECT h.seq FROM log_head h WHERE h.tenant_id = $1), 0), 0, 0, $7, 0, $9 \
                              RETURNING id, uid, name, url, sealed, settings, state, reason, failures, failing_since, \
                              next_try, last_success, cursor_seq, round, created, kind";
        let create = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(new.uid)
            .bind(new.name.to_owned())
            .bind(new.url.to_owned())
            .bind(new.sealed.to_owned())
            .bind(new.settings.to_owned())
            .bind(new.created)
            .bind(new.kind.as_str())
            .bind(new.token_hash.map(str::to_owned));
        let rows = self.source.write_rows(create).await?;
        rows.into_iter().next().ok_or(Error::Damaged("new receiver"))
    }

    /// Keeps a receiver from whoever else would write to it until the unit ends, and gives where it is: everything up to
    /// there was sent, or has a row. A round that is under way is thrown away. None when it is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold(&mut self, id: i64) -> Result<Option<Seq>> {
        const HOLD: &str =
            "UPDATE receiver SET round = round + 1 WHERE tenant_id = $1 AND id = $2 RETURNING cursor_seq";
        let hold = Statement::new(HOLD).bind(self.tenant).bind(id);
        let rows: Vec<(i64,)> = self.source.write_rows(hold).await?;
        Ok(rows.first().map(|row| Seq(row.0)))
    }

    /// Changes what a receiver that is held is: its name, where it listens, its secrets, its settings, how far it is. Fails
    /// with [`Error::Stale`] when one of the first four is not what it was read with, or it is gone.
    ///
    /// # Errors
    /// [`Error::Taken`] when the tenant has another one of this name; the unit is lost then.
    pub async fn change(&mut self, before: &Receiver, after: &Receiver) -> Result<()> {
        const CHANGE: &str = "UPDATE receiver SET name = $3, url = $4, sealed = $5, settings = $6, cursor_seq = $11 \
                              WHERE tenant_id = $1 AND id = $2 AND name = $7 AND url = $8 AND sealed = $9 \
                              AND settings = $10 RETURNING id";
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
            .bind(before.settings.clone())
            .bind(after.cursor.0);
        let rows: Vec<(i64,)> = self.source.write_rows(change).await?;
        if rows.is_empty() { Err(Error::Stale) } else { Ok(()) }
    }

    /// Gives a receiver that fetches another token in the place of the one that it has.
    pub fn arm(&mut self, id: i64, token_hash: String) {
        const ARM: &str = "UPDATE receiver SET token_hash = $3 WHERE tenant_id = $1 AND id = $2";
        self.source
            .later(Statement::new(ARM).bind(self.tenant).bind(id).bind(token_hash));
    }

    /// Pauses a receiver for a reason; says whether it was not paused. A round that is under way is thrown away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause(&mut self, id: i64, reason: &'static str) -> Result<bool> {
        const PAUSE: &str = "UPDATE receiver SET state = 'paused', reason = $3, round = round + 1 \
                             WHERE tenant_id = $1 AND id = $2 AND state <> 'paused' RETURNING id";
        let pause = Statement::new(PAUSE).bind(self.tenant).bind(id).bind(reason);
        let rows: Vec<(i64,)> = self.source.write_rows(pause).await?;
        Ok(!rows.is_empty())
    }

    /// Has a receiver be sent everything again, what waits at once; says whether it was not active. A round that is under
    /// way is thrown away: what it says of the receiver was so before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(&mut self, id: i64, now: Timestamp) -> Result<bool> {
        const RESUME: &str = "UPDATE receiver SET state = 'active', reason = NULL, failures = 0, failing_since = NULL, \
                              next_try = NULL, round = round + 1 WHERE tenant_id = $1 AND id = $2 AND state <> 'active' RETURNING id";
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

    /// Has a receiver be sent everything from a position on again, also what was given up, or was fetched already. Fails
    /// with [`Error::Stale`] when
    /// it was not sent so far yet. A round that is under way is thrown away.
    ///
    /// # Errors
    /// As said, and when the database fails; the unit is lost then.
    pub async fn rewind(&mut self, id: i64, from: Seq) -> Result<()> {
        const REWIND: &str = "UPDATE receiver SET round = round + 1, cursor_seq = $3 - 1 \
                              WHERE tenant_id = $1 AND id = $2 AND cursor_seq >= $3 RETURNING id";
        const DEAD: &str = "DELETE FROM delivery WHERE tenant_id = $1 AND receiver_id = $2 AND seq >= $3 \
             AND state IN ('dead', 'acked')";
        let of = |text| Statement::new(text).bind(self.tenant).bind(id).bind(from.0);
        let rows: Vec<(i64,)> = self.source.write_rows(of(REWIND)).await?;
        if rows.is_empty() {
            return Err(Error::Stale);
        }
        self.source.later(of(DEAD));
        Ok(())
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
    /// settled since this one began, somebody paused or resumed the receiver, or it is gone.
    ///
    /// # Errors
    /// As said, and when the database fails; the unit is lost then.
    pub async fn settle(&mut self, settled: Settled) -> Result<()> {
        const SETTLE: &str = "UPDATE receiver SET round = round + 1, cursor_seq = $4, reason = $6, state = $5, \
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
