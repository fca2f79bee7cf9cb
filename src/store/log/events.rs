//! Numbered events, read.

use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, TenantId};
use crate::event::{Event, Hash, Seq};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// The events of one tenant.
pub struct Events<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// Which events are wanted; all of them by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Of this kind, such as `user.created`.
    pub kind: Option<String>,
    /// About what has this public id.
    pub subject: Option<String>,
    /// By this connection.
    pub connection: Option<ConnectionId>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

/// An event and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The event.
    pub event: Event,
    /// Its hash.
    pub hash: Hash,
}

fn event(row: &Row) -> Result<Event> {
    Ok(Event {
        seq: Seq(row.get(0)?),
        at: Timestamp(row.get(1)?),
        txn: row.get(2)?,
        part: row.get(3)?,
        kind: row.get(4)?,
        actor_kind: row.get(5)?,
        actor_id: row.get(6)?,
        connection: row.get(7)?,
        request_id: row.get(8)?,
        subject_kind: row.get(9)?,
        subject_id: row.get(10)?,
        cause: row.get(11)?,
        data: row.get(12)?,
        sealed: row.get(13)?,
    })
}

impl FromRow for Kept {
    fn from_row(row: &Row) -> Result<Self> {
        let event = event(row)?;
        let hash = Hash::parse(&row.get::<String>(14)?).ok_or(Error::Damaged("hash of the log"))?;
        Ok(Self { event, hash })
    }
}

/// An event of somebody's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lived {
    /// Whose.
    pub of: Pk,
    /// The event.
    pub kept: Kept,
}

impl FromRow for Lived {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            of: Pk(row.get(15)?),
            kept: Kept::from_row(row)?,
        })
    }
}

/// An event, as far as it says whose access it may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Its position.
    pub seq: i64,
    /// What happened.
    pub kind: String,
    /// To which resource.
    pub resource: Option<Pk>,
    /// Particulars, as JSON text.
    pub data: String,
}

impl FromRow for Move {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            kind: row.get(1)?,
            resource: row.get::<Option<i64>>(2)?.map(Pk),
            data: row.get(3)?,
        })
    }
}

/// An event as its row has it, where the hash beside it may be damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The event.
    pub event: Event,
    /// The hash beside it; none where that is no hash.
    pub hash: Option<Hash>,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            event: event(row)?,
            hash: Hash::parse(&row.get::<String>(14)?),
        })
    }
}

/// Characters of what events say and have sealed, after which no other one is read at once: rows alone bound nothing.
pub(super) const MOST_CHARACTERS: i64 = 4 << 20;

/// What was read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    /// The events, in order.
    pub events: Vec<T>,
    /// Whether there may be more.
    pub more: bool,
}

impl<T> Part<T> {
    /// Those that were read where so many were asked for.
    pub(super) fn of(events: Vec<T>, limit: u32, event: impl Fn(&T) -> &Event) -> Self {
        let size = |one: &T| {
            let event = event(one);
            event.data.len() + event.sealed.as_deref().map_or(0, str::len)
        };
        let size: usize = events.iter().map(size).sum();
        let full = i64::try_from(size).is_ok_and(|size| size >= MOST_CHARACTERS);
        Self {
            more: full || events.len() >= usize::try_from(limit).unwrap_or(usize::MAX),
            events,
        }
    }
}

/// Reads events `e` that are chosen by their sizes before their texts are read: at least one. `$window` is the order of
/// `$which`, said of `w`.
macro_rules! sized {
    ($which:literal, $window:literal, $columns:literal, $most:literal, $order:literal) => {
        concat!(
            "WITH w AS (SELECT e.subject_pk, e.seq, length(e.data) + coalesce(length(e.sealed), 0) AS size FROM event e \
             WHERE e.tenant_id = $1 AND ",
            $which,
            "), o AS (SELECT w.seq, SUM(w.size) OVER (ORDER BY ",
            $window,
            ") - w.size AS earlier FROM w) SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, \
             e.connection, e.request_id, e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash",
            $columns,
            " FROM event e WHERE e.tenant_id = $1 AND e.seq [among] SELECT o.seq FROM o WHERE o.earlier < ",
            $most,
            "[end] ORDER BY ",
            $order
        )
    };
}
pub(super) use sized;

impl<R: Read> Events<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The last position before an instant, and the first that is not: 0, and one more than there are, where there is none.
    ///
    /// Events ascend with their positions, so it is found by halving, in as many steps as the log has binary digits. Of a
    /// log with a gap the answer is further apart.
    pub(super) async fn around(&mut self, at: Timestamp) -> Result<(Seq, Seq)> {
        const AROUND: &str = "WITH RECURSIVE b (lo, hi) AS (SELECT CAST(0 AS BIGINT), coalesce(max(h.seq), 0) + 1 FROM event h \
                              WHERE h.tenant_id = $1 UNION ALL SELECT CASE WHEN m.at < $2 THEN m.seq ELSE b.lo END, \
                              CASE WHEN m.at < $2 THEN b.hi ELSE m.seq END FROM b JOIN event m ON m.tenant_id = $1 \
                              AND m.seq = (b.lo + b.hi) / 2 WHERE b.hi - b.lo > 1) \
                              SELECT coalesce(max(b.lo), 0), coalesce(min(b.hi), 1) FROM b";
        let row: Option<(i64, i64)> = self
            .source
            .row(Statement::new(AROUND).bind(self.tenant).bind(at))
            .await?;
        Ok(row.map_or((Seq(0), Seq(1)), |(lo, hi)| (Seq(lo), Seq(hi))))
    }

    /// At most `limit` events after a position, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: Seq, limit: u32, which: &Which) -> Result<Vec<Kept>> {
        let (after, before) = self.bounds(after, which).await?;
        let mut statement = Statement::new(
            "SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, e.connection, e.request_id, \
             e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash FROM event e \
             WHERE e.tenant_id = $1 AND e.seq > $2",
        )
        .bind(self.tenant)
        .bind(after.0);
        narrow(&mut statement, which, before);
        statement.push(" ORDER BY e.seq LIMIT 0 + ").push_bind(i64::from(limit));
        self.source.rows(statement).await
    }

    /// The same, and no more of them than are read at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn part(&mut self, after: Seq, limit: u32, which: &Which) -> Result<Part<Kept>> {
        const SIZES: &str = "WITH w AS (SELECT e.seq, length(e.data) + coalesce(length(e.sealed), 0) AS size \
                             FROM event e WHERE e.tenant_id = $1 AND e.seq > $2";
        const CHOSEN: &str = "), o AS (SELECT w.seq, SUM(w.size) OVER (ORDER BY w.seq) - w.size AS earlier FROM w) \
                              SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, e.connection, \
                              e.request_id, e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash \
                              FROM event e WHERE e.tenant_id = $1 AND e.seq [among] SELECT o.seq FROM o \
                              WHERE o.earlier < ";
        let (after, before) = self.bounds(after, which).await?;
        let mut statement = Statement::new(SIZES).bind(self.tenant).bind(after.0);
        narrow(&mut statement, which, before);
        statement.push(" ORDER BY e.seq LIMIT 0 + ").push_bind(i64::from(limit));
        statement.push(CHOSEN).push_bind(MOST_CHARACTERS);
        statement.push("[end] ORDER BY e.seq");
        let events = self.source.rows(statement).await?;
        Ok(Part::of(events, limit, |kept: &Kept| &kept.event))
    }

    /// The position to begin after, and the one to end before, as far as instants bound them.
    async fn bounds(&mut self, after: Seq, which: &Which) -> Result<(Seq, Option<Seq>)> {
        let after = match which.from {
            Some(from) => after.max(self.around(from).await?.0),
            None => after,
        };
        let before = match which.to {
            Some(to) => Some(self.around(to).await?.1),
            None => None,
        };
        Ok((after, before))
    }

    /// Events after a position up to and with another, in order, damaged as they may be: at most `limit`, and no more than
    /// are read at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn between(&mut self, after: Seq, to: Seq, limit: u32) -> Result<Vec<Found>> {
        const BETWEEN: &str = sized!(
            "e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT 0 + $4",
            "w.seq",
            "",
            "$5",
            "e.seq"
        );
        let statement = Statement::new(BETWEEN).bind(self.tenant).bind(after.0).bind(to.0);
        let statement = statement.bind(i64::from(limit)).bind(MOST_CHARACTERS);
        self.source.rows(statement).await
    }

    /// The first of the events at these positions, a JSON array of arrays of one: no more than are read at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_at(&mut self, positions: String) -> Result<Vec<Kept>> {
        const AT: &str = sized!(
            "e.seq [among] SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end]",
            "w.seq",
            "",
            "$3",
            "e.seq"
        );
        let statement = Statement::new(AT).bind(self.tenant).bind(positions);
        self.source.rows(statement.bind(MOST_CHARACTERS)).await
    }

    /// The events at these positions, a JSON array of arrays of one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn at(&mut self, positions: String) -> Result<Vec<Kept>> {
        const AT: &str = "SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, e.connection, \
                          e.request_id, e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash FROM event e \
                          WHERE e.tenant_id = $1 AND e.seq [among] \
                          SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end]";
        self.source
            .rows(Statement::new(AT).bind(self.tenant).bind(positions))
            .await
    }

    /// What made and changed the documents of the users and groups that the events at these positions (a JSON array of
    /// arrays of one) are about, up to the last of these: one resource after the other, each in order. At most `limit`
    /// events after this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lives(&mut self, positions: String, after: (Pk, Seq), limit: u32) -> Result<Vec<Lived>> {
        const LIVES: &str = "SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, e.connection, \
                             e.request_id, e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash, e.subject_pk \
                             FROM event e WHERE e.tenant_id = $1 AND (e.subject_pk, e.seq) > ($3, $4) \
                             AND e.kind IN ('user.created', 'user.updated', 'user.restored', \
                             'group.created', 'group.updated', 'group.restored') \
                             AND e.seq <= (SELECT MAX(CAST(k.value ->> 0 AS BIGINT)) FROM [each $2] AS k) \
                             AND e.subject_pk [among] SELECT f.subject_pk FROM event f WHERE f.tenant_id = $1 \
                             AND f.seq [among] SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end][end] \
                             ORDER BY e.subject_pk, e.seq LIMIT 0 + $5";
        let lives = Statement::new(LIVES).bind(self.tenant).bind(positions);
        let lives = lives.bind(after.0).bind(after.1.0).bind(i64::from(limit));
        self.source.rows(lives).await
    }

    /// What happened to users, groups, who holds what, and which records lie where, after a position and of entries after
    /// one: at most `limit` events, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn moves_since(&mut self, after: Seq, entry: i64, limit: usize) -> Result<Vec<Move>> {
        const MOVES: &str = "SELECT e.seq, e.kind, e.subject_pk, e.data FROM event e \
                             WHERE e.tenant_id = $1 AND e.seq > $2 AND e.entry > $3 \
                             AND (e.subject_pk IS NOT NULL OR e.kind IN ('records.added', 'records.removed')) \
                             ORDER BY e.seq LIMIT 0 + $4";
        let moves = Statement::new(MOVES).bind(self.tenant).bind(after.0).bind(entry);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.source.rows(moves.bind(limit)).await
    }
}

/// Leaves only what is wanted.
fn narrow(statement: &mut Statement, which: &Which, before: Option<Seq>) {
    if let Some(kind) = &which.kind {
        statement.push(" AND e.kind = ").push_bind(kind.clone());
    }
    if let Some(subject) = &which.subject {
        statement.push(" AND e.subject_id = ").push_bind(subject.clone());
    }
    if let Some(connection) = which.connection {
        statement.push(" AND e.connection_id = ").push_bind(connection);
    }
    if let Some(from) = which.from {
        statement.push(" AND e.at >= ").push_bind(from);
    }
    if let Some((to, before)) = which.to.zip(before) {
        statement.push(" AND e.at < ").push_bind(to);
        statement.push(" AND e.seq < ").push_bind(before.0);
    }
}
