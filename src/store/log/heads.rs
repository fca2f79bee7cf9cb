//! Where the log of a tenant ends, and how it grows.

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::{Checkpoint, Hash, Head, Placed, Seq};
use crate::store::error::{Error, Result};
use crate::store::log::checkpoints;
use crate::store::sql::{Bind, FromRow, Read, Row, Statement, Tx};

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Its last event.
    pub head: Head,
    /// The highest number of an entry that it has taken over.
    pub entry: i64,
    /// Position and instant of the newest checkpoint; 0 before the first.
    pub checkpoint: (Seq, Timestamp),
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
            checkpoint: (Seq(row.get(4)?), Timestamp(row.get(5)?)),
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
    /// The new end, signed.
    pub signed: Checkpoint,
    /// Whether that is to be kept as a checkpoint.
    pub keeps: bool,
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
        const FIND: &str = "SELECT h.seq, h.at, h.hash, h.entry, h.checkpoint_seq, h.checkpoint_at FROM log_head h \
                            WHERE h.tenant_id = $1";
        self.source.row(Statement::new(FIND).bind(self.tenant)).await
    }
}

/// The end of a log as it stands in its row: if that was damaged, it says what no key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The position.
    pub seq: Seq,
    /// Instant of the event there.
    pub at: Timestamp,
    /// Hash of the event there.
    pub hash: String,
    /// Id of the key that signed, and the signature; none of an end that nobody has signed.
    pub signed: Option<(String, String)>,
}

/// What a log claims to be, all read at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The end that is written down; none before the first event.
    pub head: Option<Claimed>,
    /// Position of the newest checkpoint; 0 before the first.
    pub checkpoint: Seq,
    /// The highest position of an event; 0 before the first.
    pub event: Seq,
}

impl FromRow for Claims {
    fn from_row(row: &Row) -> Result<Self> {
        let head = match row.get::<Option<i64>>(2)? {
            None => None,
            Some(seq) => Some(Claimed {
                seq: Seq(seq),
                at: Timestamp(row.get(3)?),
                hash: row.get(4)?,
                signed: row.get::<Option<String>>(5)?.zip(row.get(6)?),
            }),
        };
        Ok(Self {
            checkpoint: Seq(row.get(0)?),
            event: Seq(row.get(1)?),
            head,
        })
    }
}

impl<R: Read> Heads<R> {
    /// What the log claims to be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claims(&mut self) -> Result<Claims> {
        const CLAIMS: &str = "SELECT coalesce((SELECT max(c.seq) FROM checkpoint c WHERE c.tenant_id = $1), 0), \
                              coalesce((SELECT max(e.seq) FROM event e WHERE e.tenant_id = $1), 0), \
                              h.seq, h.at, h.hash, h.key_id, h.signature \
                              FROM tenant n LEFT JOIN log_head h ON h.tenant_id = n.id WHERE n.id = $1";
        let row = self.source.row(Statement::new(CLAIMS).bind(self.tenant)).await?;
        Ok(row.unwrap_or_default())
    }
}

impl Heads<&mut Tx> {
    /// Adds events, with the save. That fails with [`Error::Stale`] when the log does not end where it was said to: then
    /// somebody else has numbered the entries. This, and no lease, keeps the chain single.
    pub fn grow(&mut self, growth: Growth) {
        const MOVE: &str = "UPDATE log_head SET seq = $3, at = $4, hash = $5, entry = $6, key_id = $7, signature = $8, \
                            checkpoint_seq = $9, checkpoint_at = $10 WHERE tenant_id = $1 AND seq = $2 RETURNING seq";
        const BEGIN: &str = "INSERT INTO log_head (tenant_id, seq, at, hash, entry, key_id, signature, checkpoint_seq, \
                             checkpoint_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id) DO NOTHING RETURNING seq";
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
            signed,
            keeps,
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
            .bind(new.entry)
            .bind(signed.key.clone())
            .bind(signed.signature.clone())
            .bind(new.checkpoint.0.0)
            .bind(new.checkpoint.1);
        // Before all else: whoever is late must not meet the events of who was not.
        self.source.later(moved.expecting_row());
        let about: Vec<Vec<Bind>> = events.iter().flat_map(|(_, placed)| abouts(placed)).collect();
        let rows: Vec<Vec<Bind>> = events.into_iter().map(row).collect();
        self.source.later(Statement::new(EVENTS).bind(self.tenant).bind(rows));
        if !about.is_empty() {
            self.source.later(Statement::new(ABOUT).bind(self.tenant).bind(about));
        }
        if keeps {
            self.source.later(checkpoints::keep(self.tenant, signed));
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
