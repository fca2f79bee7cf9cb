//! Deliveries that did not get through, yet or for good.

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::Seq;
use crate::store::delivery::work::FURTHEST;
use crate::store::error::{Error, Result};
use crate::store::sql::{Bind, FromRow, Read, Row, Statement, Tx};

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is tried when it is due.
    Waiting,
    /// An earlier one about the same subject waits.
    Behind,
    /// It is not tried any more.
    Dead,
    /// Who fetches has it, and misses an earlier one.
    Acked,
}

impl State {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Behind => "behind",
            Self::Dead => "dead",
            Self::Acked => "acked",
        }
    }

    fn read(text: &str) -> Result<Self> {
        match text {
            "waiting" => Ok(Self::Waiting),
            "behind" => Ok(Self::Behind),
            "dead" => Ok(Self::Dead),
            "acked" => Ok(Self::Acked),
            _ => Err(Error::Damaged("state of a delivery")),
        }
    }
}

/// A delivery that did not get through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Position of the event.
    pub seq: Seq,
    /// What it is about, or empty.
    pub subject: String,
    /// What becomes of it.
    pub state: State,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub due: Timestamp,
    /// What the receiver answered last, if it did.
    pub status: Option<i64>,
    /// What went wrong: a word of ours.
    pub error: Option<String>,
    /// When it was first tried, or found others in front of it.
    pub since: Timestamp,
}

impl FromRow for Delivery {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: Seq(row.get(0)?),
            subject: row.get(1)?,
            state: State::read(&row.get::<String>(2)?)?,
            attempts: row.get(3)?,
            due: Timestamp(row.get(4)?),
            status: row.get(5)?,
            error: row.get(6)?,
            since: Timestamp(row.get(7)?),
        })
    }
}

/// How many deliveries of a receiver are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be tried when they are due.
    pub waiting: i64,
    /// Behind one of these.
    pub behind: i64,
    /// Given up.
    pub dead: i64,
}

/// Columns of [`Delivery`], of the table `d`.
macro_rules! columns {
    () => {
        "SELECT d.seq, d.subject, d.state, d.attempts, d.due, d.status, d.error, d.since FROM delivery d "
    };
}

/// The deliveries of one tenant.
pub struct Deliveries<R> {
    tenant: TenantId,
    source: R,
}

impl<R: Read> Deliveries<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// At most `limit` deliveries that are due, the longest due first. What a clock that was ahead has put off is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(&mut self, receiver: i64, now: Timestamp, limit: usize) -> Result<Vec<Delivery>> {
        const DUE: &str = concat!(
            columns!(),
            "WHERE d.tenant_id = $1 AND d.receiver_id = $2 AND d.state = 'waiting' AND (d.due <= $3 OR d.due > $5) \
             ORDER BY d.due, d.seq LIMIT 0 + $4"
        );
        let due = Statement::new(DUE).bind(self.tenant).bind(receiver).bind(now);
        self.source
            .rows(
                due.bind(i64::try_from(limit).unwrap_or(i64::MAX))
                    .bind(now.plus(FURTHEST)),
            )
            .await
    }

    /// Which of these subjects, a JSON array of arrays of one, have something that waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blocked(&mut self, receiver: i64, subjects: String) -> Result<Vec<String>> {
        const BLOCKED: &str = "SELECT DISTINCT d.subject FROM delivery d WHERE d.tenant_id = $1 AND d.receiver_id = $2 \
                               AND d.state <> 'dead' AND d.subject [among] SELECT j.value ->> 0 FROM [each $3] AS j[end]";
        let blocked = Statement::new(BLOCKED).bind(self.tenant).bind(receiver).bind(subjects);
        let rows: Vec<(String,)> = self.source.rows(blocked).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// At most `limit` deliveries after a position, in order; of one state where it is given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, receiver: i64, state: Option<State>, after: Seq, limit: u32) -> Result<Vec<Delivery>> {
        let mut list = Statement::new(concat!(
            columns!(),
            "WHERE d.tenant_id = $1 AND d.receiver_id = $2 AND d.seq > $3"
        ))
        .bind(self.tenant)
        .bind(receiver)
        .bind(after.0);
        if let Some(state) = state {
            list.push(" AND d.state = ").push_bind(state.as_str());
        }
        list.push(" AND d.state <> 'acked' ORDER BY d.seq LIMIT 0 + ")
            .push_bind(i64::from(limit));
        self.source.rows(list).await
    }

    /// Of a receiver that fetches: what it told about behind this position, and what it is to be given again, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&mut self, receiver: i64, cursor: Seq) -> Result<Vec<Delivery>> {
        // Whoever tells of more than this behind what it misses is given some of it again.
        const OPEN: &str = concat!(
            columns!(),
            "WHERE d.tenant_id = $1 AND d.receiver_id = $2 AND (d.seq > $3 OR d.state IN ('waiting', 'behind')) \
             ORDER BY d.seq LIMIT 5000"
        );
        let open = Statement::new(OPEN).bind(self.tenant).bind(receiver);
        self.source.rows(open.bind(cursor.0)).await
    }

    /// How many there are of each state, by receiver.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&mut self) -> Result<Vec<(i64, Counts)>> {
        const COUNTS: &str = "SELECT d.receiver_id, d.state, COUNT(*) FROM delivery d WHERE d.tenant_id = $1 \
                              GROUP BY d.receiver_id, d.state ORDER BY d.receiver_id";
        let rows: Vec<(i64, String, i64)> = self.source.rows(Statement::new(COUNTS).bind(self.tenant)).await?;
        let mut counts: Vec<(i64, Counts)> = Vec::new();
        for (receiver, state, count) in rows {
            if counts.last().is_none_or(|last| last.0 != receiver) {
                counts.push((receiver, Counts::default()));
            }
            let Some((_, last)) = counts.last_mut() else { continue };
            match State::read(&state)? {
                State::Waiting => last.waiting = count,
                State::Behind => last.behind = count,
                State::Dead => last.dead = count,
                State::Acked => {}
            }
        }
        Ok(counts)
    }
}

impl Deliveries<&mut Tx> {
    /// Writes deliveries that are in trouble, new or known; with the next statement or the save.
    pub fn keep(&mut self, receiver: i64, deliveries: &[Delivery]) {
        const KEEP: &str = "INSERT INTO delivery (tenant_id, receiver_id, seq, subject, state, attempts, due, status, \
                            error, since) SELECT $1, $2, [int $3 0], [text $3 1], [text $3 2], [int $3 3], [int $3 4], \
                            [int $3 5], [text $3 6], [int $3 7] [from $3] WHERE 1 = 1 \
                            ON CONFLICT (tenant_id, receiver_id, seq) DO UPDATE SET state = excluded.state, \
                            attempts = excluded.attempts, due = excluded.due, status = excluded.status, \
                            error = excluded.error";
        if deliveries.is_empty() {
            return;
        }
        let row = |one: &Delivery| -> Vec<Bind> {
            vec![
                one.seq.0.into(),
                one.subject.clone().into(),
                one.state.as_str().into(),
                one.attempts.into(),
                one.due.into(),
                one.status.into(),
                one.error.clone().into(),
                one.since.into(),
            ]
        };
        let rows: Vec<Vec<Bind>> = deliveries.iter().map(row).collect();
        self.source
            .later(Statement::new(KEEP).bind(self.tenant).bind(receiver).bind(rows));
    }

    /// Removes deliveries that got through: a JSON array of arrays of one position; with the next statement or the save.
    pub fn done(&mut self, receiver: i64, positions: String) {
        const DONE: &str = "DELETE FROM delivery WHERE tenant_id = $1 AND receiver_id = $2 \
                            AND seq [among] SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $3] AS j[end]";
        self.source
            .later(Statement::new(DONE).bind(self.tenant).bind(receiver).bind(positions));
    }

    /// Where nothing about one of these subjects waits any more, the first that is behind does, and is due: a JSON array
    /// of arrays of one subject; with the next statement or the save. (`behind` sorts before `waiting`.)
    pub fn promote(&mut self, receiver: i64, subjects: String, now: Timestamp) {
        const PROMOTE: &str = "UPDATE delivery SET state = 'waiting', due = $4 WHERE tenant_id = $1 AND receiver_id = $2 \
                               AND seq [among] SELECT MIN(d.seq) FROM delivery d \
                               WHERE d.tenant_id = $1 AND d.receiver_id = $2 AND d.state <> 'dead' \
                               AND d.subject [among] SELECT j.value ->> 0 FROM [each $3] AS j[end] \
                               GROUP BY d.subject HAVING MAX(d.state) = 'behind'[end]";
        let promote = Statement::new(PROMOTE).bind(self.tenant).bind(receiver).bind(subjects);
        self.source.later(promote.bind(now));
    }

    /// Spreads what waits over a minute from now, so that a receiver that is back is not overrun; with the next statement
    /// or the save.
    pub fn spread(&mut self, receiver: i64, now: Timestamp) {
        const SPREAD: &str = "UPDATE delivery SET due = $3 + (seq % 60) * 1000000 \
                              WHERE tenant_id = $1 AND receiver_id = $2 AND state = 'waiting'";
        self.source
            .later(Statement::new(SPREAD).bind(self.tenant).bind(receiver).bind(now));
    }

    /// Has what was given up be tried again, in order. Gives how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revive(&mut self, receiver: i64, now: Timestamp) -> Result<Vec<String>> {
        const REVIVE: &str = "UPDATE delivery SET state = 'behind', attempts = 0, due = $3 \
                              WHERE tenant_id = $1 AND receiver_id = $2 AND state = 'dead' RETURNING subject";
        let revive = Statement::new(REVIVE).bind(self.tenant).bind(receiver).bind(now);
        let rows: Vec<(String,)> = self.source.write_rows(revive).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
