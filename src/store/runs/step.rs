//! The part of one enforcer in a run, and how a run ends when all parts are done.

use serde_json::json;

use super::list::{Brief, Runs};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::store::error::Result;
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// A step as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Row number of the run.
    pub run: i64,
    /// Name of the enforcer.
    pub name: String,
    /// `requested`, `acknowledged`, `confirmed`, or `removed` with its enforcer.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub due: Option<Timestamp>,
    /// When it was to be asked first.
    pub requested: Timestamp,
    /// When the enforcer said that it would.
    pub acknowledged: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed: Option<Timestamp>,
    /// Why the last attempt came to nothing.
    pub trouble: Option<String>,
    /// How it was confirmed, as JSON text.
    pub proof: Option<String>,
    /// When its enforcer was removed.
    pub removed: Option<Timestamp>,
    /// When it is late; with its run where there is nothing.
    pub deadline: Option<Timestamp>,
}

impl FromRow for Step {
    fn from_row(row: &Row) -> Result<Self> {
        let instant = |at| Ok::<_, crate::store::Error>(row.get::<Option<i64>>(at)?.map(Timestamp));
        Ok(Self {
            run: row.get(0)?,
            name: row.get(1)?,
            state: row.get(2)?,
            attempts: row.get(3)?,
            due: instant(4)?,
            requested: Timestamp(row.get(5)?),
            acknowledged: instant(6)?,
            confirmed: instant(7)?,
            trouble: row.get(8)?,
            proof: row.get(9)?,
            removed: instant(10)?,
            deadline: instant(11)?,
        })
    }
}

/// A run that nobody else changes while the unit lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose account ended: row number and public id.
    pub user: (Pk, String),
    /// `open`, `late`, `confirmed` or `withdrawn`.
    pub state: String,
    /// Until when everything has to be confirmed.
    pub deadline: Timestamp,
}

impl FromRow for Held {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            user: (Pk(row.get(0)?), row.get(1)?),
            state: row.get(2)?,
            deadline: Timestamp(row.get(3)?),
        })
    }
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The enforcer will; it is asked for what is left at this instant.
    Acknowledged {
        /// When.
        ask: Timestamp,
    },
    /// Nothing is left.
    Confirmed {
        /// How that is known, as JSON text.
        proof: String,
    },
    /// Nothing came of it, and it is tried again.
    Again {
        /// When.
        at: Timestamp,
        /// Why, in words of ours.
        trouble: String,
    },
}

impl<R: Read> Runs<R> {
    /// The steps of these runs, by run and name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn steps(&mut self, runs: &[i64]) -> Result<Vec<Step>> {
        const STEPS: &str = "SELECT s.run_id, s.name, s.state, s.attempts, s.due, s.requested, s.acknowledged, s.confirmed, \
                             s.trouble, s.proof, s.removed, s.deadline FROM run_step s WHERE s.tenant_id = $1 AND s.run_id [among] \
                             SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end] ORDER BY s.run_id, s.name";
        let runs = json!(runs.iter().map(|run| [run]).collect::<Vec<_>>()).to_string();
        self.source
            .rows(Statement::new(STEPS).bind(self.tenant).bind(runs))
            .await
    }
}

impl Runs<&mut Tx> {
    /// Holds a run until the end of the unit: of two steps that are confirmed at once, the second sees the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold(&mut self, run: i64) -> Result<Option<Held>> {
        const HOLD: &str = "SELECT r.user_pk, r.user_id, r.state, r.deadline FROM run r \
                            WHERE r.tenant_id = $1 AND r.id = $2 [lock r]";
        self.source.row(Statement::new(HOLD).bind(self.tenant).bind(run)).await
    }

    /// Writes what the attempt after so many others came to; false when somebody else has written that, or nothing is due
    /// for the step any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(
        &mut self,
        (run, name, attempts): (i64, &str, i64),
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<bool> {
        const SETTLE: &str = "UPDATE run_step SET attempts = attempts + 1, state = COALESCE($5, state), due = $6, \
                              acknowledged = COALESCE(acknowledged, $7), confirmed = $8, trouble = $9, proof = $10 \
                              WHERE tenant_id = $1 AND run_id = $2 AND name = $3 AND attempts = $4 \
                              AND due IS NOT NULL \
                              AND state IN ('requested', 'acknowledged') RETURNING attempts";
        let statement = Statement::new(SETTLE)
            .bind(self.tenant)
            .bind(run)
            .bind(name.to_owned())
            .bind(attempts);
        let none = || None::<i64>;
        let statement = match outcome {
            Outcome::Acknowledged { ask } => statement
                .bind("acknowledged")
                .bind(*ask)
                .bind(now)
                .bind(none())
                .bind(None::<String>)
                .bind(None::<String>),
            Outcome::Confirmed { proof } => statement
                .bind("confirmed")
                .bind(none())
                .bind(now)
                .bind(now)
                .bind(None::<String>)
                .bind(proof.clone()),
            Outcome::Again { at, trouble } => statement
                .bind(None::<String>)
                .bind(*at)
                .bind(none())
                .bind(none())
                .bind(trouble.clone())
                .bind(None::<String>),
        };
        let settled: Vec<(i64,)> = self.source.write_rows(statement).await?;
        Ok(!settled.is_empty())
    }

    /// Closes a run in which no step waits any more; says whether that is so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(&mut self, run: i64, now: Timestamp) -> Result<bool> {
        const CLOSE: &str = "UPDATE run SET state = 'confirmed', closed = $3 WHERE tenant_id = $1 AND id = $2 \
                             AND state IN ('open', 'late') AND NOT EXISTS (SELECT 1 FROM run_step s \
                             WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.state IN ('requested', 'acknowledged')) RETURNING id";
        let close = Statement::new(CLOSE).bind(self.tenant).bind(run).bind(now);
        let closed: Vec<(i64,)> = self.source.write_rows(close).await?;
        Ok(!closed.is_empty())
    }

    /// Holds the runs under way that wait for an enforcer, as [`hold`](Self::hold) does. Gives them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_waiting(&mut self, enforcer: i64) -> Result<Vec<Brief>> {
        const HOLD: &str = "SELECT r.id, r.uid, r.user_id FROM run r WHERE r.tenant_id = $1 AND r.state IN ('open', 'late') \
                            AND r.id [among] SELECT s.run_id FROM run_step s WHERE s.tenant_id = $1 \
                            AND s.enforcer_id = $2 AND s.state IN ('requested', 'acknowledged')[end] \
                            ORDER BY r.id [lock r]";
        let hold = Statement::new(HOLD).bind(self.tenant).bind(enforcer);
        self.source.rows(hold).await
    }

    /// Removes an enforcer from these runs, where it has not confirmed anything. Gives run and name of each step.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&mut self, enforcer: i64, runs: &[Brief], now: Timestamp) -> Result<Vec<(i64, String)>> {
        const REMOVE: &str = "UPDATE run_step SET state = 'removed', due = NULL, trouble = NULL, removed = $3 \
                              WHERE tenant_id = $1 AND enforcer_id = $2 AND state IN ('requested', 'acknowledged') \
                              AND run_id [among] SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $4] AS j[end] \
                              RETURNING run_id, name";
        let remove = Statement::new(REMOVE).bind(self.tenant).bind(enforcer);
        let remove = remove.bind(now).bind(numbers(runs));
        self.source.write_rows(remove).await
    }

    /// Closes those of these runs in which no step waits any more. Gives them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_all(&mut self, runs: &[Brief], now: Timestamp) -> Result<Vec<Brief>> {
        const CLOSE: &str = "UPDATE run SET state = 'confirmed', closed = $2 WHERE tenant_id = $1 \
                             AND state IN ('open', 'late') AND NOT EXISTS (SELECT 1 FROM run_step s \
                             WHERE s.tenant_id = run.tenant_id AND s.run_id = run.id \
                             AND s.state IN ('requested', 'acknowledged')) AND id [among] \
                             SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $3] AS j[end] RETURNING id, uid, user_id";
        let close = Statement::new(CLOSE).bind(self.tenant).bind(now).bind(numbers(runs));
        self.source.write_rows(close).await
    }
}

/// Row numbers of runs, as a statement takes them.
fn numbers(runs: &[Brief]) -> String {
    json!(runs.iter().map(|run| [run.id]).collect::<Vec<_>>()).to_string()
}
