//! Requests that carry an idempotency key: which are being done, which are, and what they were answered.
//!
//! A row is claimed in a unit of its own before the request is done. The units that do it write into the row that
//! their change is on disk, and fail when the claim is no longer theirs: so no request takes effect twice, whoever
//! crashes when.

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::store::error::{Error, Result};
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// Keyed requests of one tenant.
pub struct Replays<R> {
    tenant: TenantId,
    source: R,
}

/// Whose attempt at which request it is. Each text has at most 256 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Keys are told apart by who sends them.
    pub caller: String,
    /// The key.
    pub key: String,
    /// Id of the attempt.
    pub attempt: String,
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It is being done, or whoever did it crashed before its change.
    Claimed,
    /// Its change is on disk, and its answer is not.
    Effective,
    /// It is done. Without an answer, that one was not to be kept.
    Done(Option<Answer>),
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Where what it made is.
    pub location: Option<String>,
    /// Body, as text.
    pub body: String,
}

/// A request that is known by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Hash of the request: another request with the same key is a mistake of the client.
    pub request_hash: String,
    /// How far it is.
    pub progress: Progress,
    /// When it was claimed.
    pub created: Timestamp,
}

/// How [`Progress`] is written.
const CLAIMED: i64 = 0;
const EFFECTIVE: i64 = 1;
const DONE: i64 = 2;

impl FromRow for Replay {
    fn from_row(row: &Row) -> Result<Self> {
        let damaged = || Error::Damaged("keyed request");
        let progress = match row.get(1)? {
            CLAIMED => Progress::Claimed,
            EFFECTIVE => Progress::Effective,
            DONE => Progress::Done(match row.get::<Option<i64>>(2)? {
                None => None,
                Some(status) => Some(Answer {
                    status: u16::try_from(status).map_err(|_| damaged())?,
                    location: row.get(3)?,
                    body: row.get::<Option<String>>(4)?.unwrap_or_default(),
                }),
            }),
            _ => return Err(damaged()),
        };
        Ok(Self {
            request_hash: row.get(0)?,
            progress,
            created: Timestamp(row.get(5)?),
        })
    }
}

/// Removes at most `most` requests of any tenant that were claimed before this; gives how many there were.
///
/// # Errors
/// When the database fails.
pub async fn prune(db: &Db, before: Timestamp, most: u32) -> Result<usize> {
    const PRUNE: &str = "DELETE FROM idempotency WHERE (tenant_id, caller, key) IN (SELECT i.tenant_id, i.caller, i.key \
                         FROM idempotency i WHERE i.created < $1 ORDER BY i.created LIMIT 0 + $2) RETURNING state";
    let mut tx = Tx::begin(db).await?;
    let prune = Statement::new(PRUNE).bind(before).bind(i64::from(most));
    let rows: Vec<(i64,)> = tx.write_rows(prune).await?;
    tx.save().await?;
    Ok(rows.len())
}

impl<R: Read> Replays<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The request that a caller sent with a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, caller: &str, key: &str) -> Result<Option<Replay>> {
        const FIND: &str = "SELECT request_hash, state, status, location, body, created FROM idempotency \
                            WHERE tenant_id = $1 AND caller = $2 AND key = $3";
        let find = Statement::new(FIND).bind(self.tenant).bind(caller.to_owned());
        self.source.row(find.bind(key.to_owned())).await
    }

    fn of(&self, text: &'static str, claim: &Claim) -> Statement {
        Statement::new(text)
            .bind(self.tenant)
            .bind(claim.caller.clone())
            .bind(claim.key.clone())
            .bind(claim.attempt.clone())
    }
}

impl Replays<&mut Tx> {
    /// Claims a key for a request; false when it belongs to another one. A claim from before `abandoned` that has
    /// changed nothing is taken over by the same request, whatever is from before `expired` by any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(
        &mut self,
        claim: &Claim,
        request_hash: &str,
        now: Timestamp,
        (abandoned, expired): (Timestamp, Timestamp),
    ) -> Result<bool> {
        const CLAIM: &str = "INSERT INTO idempotency (tenant_id, caller, key, attempt, request_hash, state, created) \
                             VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (tenant_id, caller, key) DO UPDATE \
                             SET attempt = excluded.attempt, request_hash = excluded.request_hash, state = 0, \
                             status = NULL, location = NULL, body = NULL, created = excluded.created \
                             WHERE idempotency.created < $8 OR (idempotency.state = 0 AND idempotency.created < $7 \
                             AND idempotency.request_hash = excluded.request_hash) RETURNING state";
        let statement = self
            .of(CLAIM, claim)
            .bind(request_hash.to_owned())
            .bind(now)
            .bind(abandoned)
            .bind(expired);
        let rows: Vec<(i64,)> = self.source.write_rows(statement).await?;
        Ok(!rows.is_empty())
    }

    /// Writes with this unit that the change of the request is on disk. The unit fails with [`Error::Stale`] when the
    /// claim has been taken over meanwhile.
    pub fn take_effect(&mut self, claim: &Claim) {
        const EFFECT: &str = "UPDATE idempotency SET state = 1 WHERE tenant_id = $1 AND caller = $2 AND key = $3 \
                              AND attempt = $4 AND state < 2 RETURNING state";
        let effect = self.of(EFFECT, claim);
        self.source.later(effect.expecting_row());
    }

    /// Notes that the request is done, with what it was answered where that is to be kept; written with the save.
    pub fn done(&mut self, claim: &Claim, answer: Option<&Answer>) {
        const ANSWER: &str = "UPDATE idempotency SET state = 2, status = $5, location = $6, body = $7 \
                              WHERE tenant_id = $1 AND caller = $2 AND key = $3 AND attempt = $4";
        let statement = self
            .of(ANSWER, claim)
            .bind(answer.map(|answer| i64::from(answer.status)))
            .bind(answer.and_then(|answer| answer.location.clone()))
            .bind(answer.map(|answer| answer.body.clone()));
        self.source.later(statement);
    }

    /// Gives the key back, unless the request has changed something; written with the save.
    pub fn release(&mut self, claim: &Claim) {
        const RELEASE: &str = "DELETE FROM idempotency WHERE tenant_id = $1 AND caller = $2 AND key = $3 \
                               AND attempt = $4 AND state = 0";
        let release = self.of(RELEASE, claim);
        self.source.later(release);
    }
}
