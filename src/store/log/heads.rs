//! Where the log of a tenant ends, and how it grows.

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::{Hash, Head, Placed, Seq};
use crate::store::error::{Error, Result};
use crate::store::sql::{Bind, FromRow, Read, Row, Statement, Tx};

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Its last event.
    pub head: Head,
    /// The highest number of an entry that it has taken over.
    pub entry: i64,
}

impl FromRow for End {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            head: Head {
                seq: Seq(row.get(0)?),
                at: Timestamp(row.get(1)?),
                hash: Hash::parse(&row.get::<String>(2)?).ok_or(Error::Damaged("hash of the log"))?,
            },
            entry: row.get(3)?,
        })
    }
}

/// Events that go to the end of a log together.
#[derive(Debug, Clone)]
pub struct Growth {
    /// Where it ended when they were numbered; none before the first event.
    pub old: Option<End>,
    /// Where it ends with them.
    pub new: End,
    /// The events, each with the number of the entry that it was.
    pub events: Vec<(i64, Placed)>,
    /// The entries that are taken over.
    pub entries: Vec<i64>,
}

/// The end of the log of one tenant.
pub struct Heads<R> {
    tenant: TenantId,
    source: R,
}

impl<R: Read> Heads<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// Where the log ends; none before the first event.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self) -> Result<Option<End>> {
        const FIND: &str = "SELECT h.seq, h.at, h.hash, h.entry FROM log_head h WHERE h.tenant_id = $1";
        self.source.row(Statement::new(FIND).bind(self.tenant)).await
    }
}

impl Heads<&mut Tx> {
    /// Adds events, with the save. That fails with [`Error::Stale`] when the log does not end where it was said to: then
    /// somebody else has numbered the entries. This, and no lease, keeps the chain single.
    pub fn grow(&mut self, growth: Growth) {
        const MOVE: &str = "UPDATE log_head SET seq = $3, at = $4, hash = $5, entry = $6 \
                            WHERE tenant_id = $1 AND seq = $2 RETURNING seq";
        const BEGIN: &str = "INSERT INTO log_head (tenant_id, seq, at, hash, entry) VALUES ($1, $2, $3, $4, $5) \
                             ON CONFLICT (tenant_id) DO NOTHING RETURNING seq";
        const EVENTS: &str = "INSERT INTO event (tenant_id, seq, entry, at, txn, part, class, kind, actor_kind, actor_id, \
                              connection_id, connection, request_id, subject_kind, subject_pk, subject_id, cause, data, \
                              sealed, hash) SELECT $1, [int $2 0], [int $2 1], [int $2 2], [text $2 3], [int $2 4], \
                              [int $2 5], [text $2 6], [text $2 7], [text $2 8], [int $2 9], [text $2 10], [text $2 11], \
                              [text $2 12], [int $2 13], [text $2 14], [text $2 15], [text $2 16], [text $2 17], \
                              [text $2 18] [from $2]";
        const ABOUT: &str = "INSERT INTO event_about (tenant_id, resource_pk, seq, group_pk, what) \
                             SELECT $1, [int $2 0], [int $2 1], [int $2 2], [int $2 3] [from $2]";
        const TAKEN: &str = "DELETE FROM entry WHERE tenant_id = $1 AND id [among] \
                             SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end]";
        let Growth {
            old,
            new,
            events,
            entries,
        } = growth;
        let moved = match old {
            Some(old) => Statement::new(MOVE).bind(self.tenant).bind(old.head.seq.0),
            None => Statement::new(BEGIN).bind(self.tenant),
        };
        let moved = moved
            .bind(new.head.seq.0)
            .bind(new.head.at)
            .bind(new.head.hash.to_string())
            .bind(new.entry);
        // Before all else: whoever is late must not meet the events of who was not.
        self.source.later(moved.expecting_row());
        let about: Vec<Vec<Bind>> = events.iter().flat_map(|(_, placed)| abouts(placed)).collect();
        let rows: Vec<Vec<Bind>> = events.into_iter().map(row).collect();
        self.source.later(Statement::new(EVENTS).bind(self.tenant).bind(rows));
        if !about.is_empty() {
            self.source.later(Statement::new(ABOUT).bind(self.tenant).bind(about));
        }
        let entries = serde_json::json!(entries.iter().map(|id| [id]).collect::<Vec<_>>()).to_string();
        self.source.later(Statement::new(TAKEN).bind(self.tenant).bind(entries));
    }
}

fn abouts(placed: &Placed) -> impl Iterator<Item = Vec<Bind>> {
    let seq = placed.event.seq.0;
    placed.about.iter().map(move |about| {
        vec![
            about.resource.into(),
            seq.into(),
            about.group.into(),
            about.turn.number().into(),
        ]
    })
}

fn row((entry, placed): (i64, Placed)) -> Vec<Bind> {
    let Placed {
        event,
        hash,
        class,
        connection_id,
        subject_pk,
        about: _,
    } = placed;
    vec![
        event.seq.0.into(),
        entry.into(),
        event.at.into(),
        event.txn.into(),
        event.part.into(),
        class.number().into(),
        event.kind.into(),
        event.actor_kind.into(),
        event.actor_id.into(),
        connection_id.into(),
        event.connection.into(),
        event.request_id.into(),
        event.subject_kind.into(),
        subject_pk.into(),
        event.subject_id.into(),
        event.cause.into(),
        event.data.into(),
        event.sealed.into(),
        hash.to_string().into(),
    ]
}
