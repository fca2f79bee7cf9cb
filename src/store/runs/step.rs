//! The part of one enforcer in a run, and how a run ends when all parts are done.

use serde_json::json;

use super::list::Runs;
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
    /// `requested`, `acknowledged` or `confirmed`.
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
                             s.trouble, s.proof FROM run_step s WHERE s.tenant_id = $1 AND s.run_id [among] \
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

    /// Writes what the attempt after so many others came to; false when somebody else has written that.
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
                              AND state <> 'confirmed' RETURNING attempts";
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

    /// Closes a run all of whose steps are confirmed; says whether they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(&mut self, run: i64, now: Timestamp) -> Result<bool> {
        const CLOSE: &str = "UPDATE run SET state = 'confirmed', closed = $3 WHERE tenant_id = $1 AND id = $2 \
                             AND state IN ('open', 'late') AND NOT EXISTS (SELECT 1 FROM run_step s \
                             WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.state <> 'confirmed') RETURNING id";
        let close = Statement::new(CLOSE).bind(self.tenant).bind(run).bind(now);
        let closed: Vec<(i64,)> = self.source.write_rows(close).await?;
        Ok(!closed.is_empty())
    }
}
