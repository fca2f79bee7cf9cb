//! What the log says up to a position, by what it is about.

use std::time::Duration;

use super::events::{Events, Kept, MOST_CHARACTERS, Part, sized};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::event::past::Tie;
use crate::event::{Seq, Turn};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// An event and the row number of the user or group that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The event.
    pub kept: Kept,
    /// Of which user or group.
    pub pk: Option<Pk>,
}

impl FromRow for Witness {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            kept: Kept::from_row(row)?,
            pk: row.get::<Option<i64>>(15)?.map(Pk),
        })
    }
}

struct Word(Tie);

impl FromRow for Word {
    fn from_row(row: &Row) -> Result<Self> {
        let word: i64 = row.get(0)?;
        let turn = Turn::from_number(word % 4).ok_or(Error::Damaged("membership of the log"))?;
        Ok(Self(Tie {
            seq: Seq(word / 4),
            resource: Pk(row.get(1)?),
            group: Pk(row.get(2)?),
            turn,
        }))
    }
}

/// A user that the log knows.
struct Known(Pk, ResourceId);

impl FromRow for Known {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(Pk(row.get(0)?), ResourceId::new(row.get::<String>(1)?)))
    }
}

/// Columns of [`Witness`], of the event `e`.
macro_rules! witness {
    ($rest:literal) => {
        concat!(
            "SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, e.connection, e.request_id, ",
            "e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash, e.subject_pk ",
            $rest
        )
    };
}

/// Row numbers as a JSON array of arrays of one.
fn rows(pks: &[Pk]) -> String {
    serde_json::json!(pks.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string()
}

impl<R: Read> Events<R> {
    /// Where the log ends, by its events: the last position and its instant; 0 before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&mut self) -> Result<(Seq, Timestamp)> {
        const END: &str = "SELECT e.seq, e.at FROM event e WHERE e.tenant_id = $1 ORDER BY e.seq DESC LIMIT 1";
        let row: Option<(i64, i64)> = self.source.row(Statement::new(END).bind(self.tenant)).await?;
        Ok(row.map_or((Seq(0), Timestamp(0)), |(seq, at)| (Seq(seq), Timestamp(at))))
    }

    /// The position of an instant: that of the last event which was not after it; 0 before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn position(&mut self, at: Timestamp) -> Result<Seq> {
        const WITHIN: &str = "SELECT e.seq FROM event e WHERE e.tenant_id = $1 AND e.at <= $2 AND e.seq >= $3 \
                              AND e.seq < $4 ORDER BY e.seq DESC LIMIT 1";
        let (before, after) = self.around(at.plus(Duration::from_micros(1))).await?;
        if after.0 - before.0 <= 1 {
            return Ok(before);
        }
        // The log has a gap there, or ends before its head.
        let within = Statement::new(WITHIN).bind(self.tenant).bind(at);
        let row: Option<(i64,)> = self.source.row(within.bind(before.0).bind(after.0)).await?;
        Ok(row.map_or(Seq(0), |row| Seq(row.0)))
    }

    /// What changed the policy after a position, up to and with another, in order: at most `limit` events.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_policy(&mut self, after: Seq, to: Seq, limit: u32) -> Result<Vec<Witness>> {
        const POLICY: &str = witness!(
            "FROM event e WHERE e.tenant_id = $1 AND e.class = 1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT 0 + $4"
        );
        let policy = Statement::new(POLICY).bind(self.tenant).bind(after.0).bind(to.0);
        self.source.rows(policy.bind(i64::from(limit))).await
    }

    /// What happened to users whose row numbers lie in a range, up to and with a position: one user after the other, each in
    /// order. It goes on after an event of one of them: at most `limit` events, and no more than are read at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_people(&mut self, after: (Pk, Seq), last: Pk, to: Seq, limit: u32) -> Result<Part<Witness>> {
        // Numbers of groups lie between those of people, and one event of a group may name a thousand members.
        const PEOPLE: &str = sized!(
            "e.subject_pk IS NOT NULL AND (e.subject_pk, e.seq) > ($2, $3) AND e.subject_pk <= $4 AND e.seq <= $5 \
             AND e.subject_kind <> 'group' ORDER BY e.subject_pk, e.seq LIMIT 0 + $6",
            "w.subject_pk, w.seq",
            ", e.subject_pk",
            "$7",
            "0 + e.subject_pk, e.seq"
        );
        let people = Statement::new(PEOPLE).bind(self.tenant).bind(after.0).bind(after.1.0);
        let people = people.bind(last).bind(to.0).bind(i64::from(limit));
        let events = self.source.rows(people.bind(MOST_CHARACTERS)).await?;
        Ok(Part::of(events, limit, |witness: &Witness| &witness.kept.event))
    }

    /// The last word about each membership of these users and groups, as far as it was told up to and with a position.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ties(&mut self, resources: &[Pk], to: Seq) -> Result<Vec<Tie>> {
        // Of a position and a turn, which is less than four, one number: the highest says both of the last word.
        const TIES: &str = "SELECT max(a.seq * 4 + a.what), a.resource_pk, a.group_pk FROM [each $2] AS j \
                            CROSS JOIN event_about a WHERE a.tenant_id = $1 \
                            AND a.resource_pk = CAST(j.value ->> 0 AS BIGINT) AND a.seq <= $3 \
                            GROUP BY a.resource_pk, a.group_pk";
        let ties = Statement::new(TIES).bind(self.tenant).bind(rows(resources));
        let words: Vec<Word> = self.source.rows(ties.bind(to.0)).await?;
        Ok(words.into_iter().map(|word| word.0).collect())
    }

    /// Users that the log knows at a position, by row number, after one: at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people(&mut self, after: Pk, to: Seq, limit: u32) -> Result<Vec<(Pk, ResourceId)>> {
        const PEOPLE: &str = "SELECT DISTINCT e.subject_pk, e.subject_id FROM event e WHERE e.tenant_id = $1 \
                              AND e.subject_pk > $2 AND e.subject_pk IS NOT NULL AND e.seq <= $3 \
                              AND e.kind = 'user.created' ORDER BY e.subject_pk LIMIT 0 + $4";
        let people = Statement::new(PEOPLE).bind(self.tenant).bind(after).bind(to.0);
        let known: Vec<Known> = self.source.rows(people.bind(i64::from(limit))).await?;
        Ok(known.into_iter().map(|known| (known.0, known.1)).collect())
    }

    /// Positions of what happened to a user after one, their memberships among it, in order: at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn positions_of(&mut self, user: Pk, after: Seq, limit: u32) -> Result<Vec<Seq>> {
        const POSITIONS: &str = "SELECT x.seq FROM (SELECT e.seq FROM event e WHERE e.tenant_id = $1 AND e.subject_pk = $2 \
                                 AND e.seq > $3 UNION SELECT a.seq FROM event_about a WHERE a.tenant_id = $1 \
                                 AND a.resource_pk = $2 AND a.seq > $3) x ORDER BY x.seq LIMIT 0 + $4";
        let positions = Statement::new(POSITIONS).bind(self.tenant).bind(user).bind(after.0);
        let rows: Vec<(i64,)> = self.source.rows(positions.bind(i64::from(limit))).await?;
        Ok(rows.into_iter().map(|row| Seq(row.0)).collect())
    }
}
