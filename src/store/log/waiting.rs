//! Entries of all tenants that wait for their numbers, each with where the log of its tenant ends.

use serde_json::json;

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::{Hash, Head, Seq};
use crate::store::error::Result;
use crate::store::log::entries::Written;
use crate::store::log::heads::{Claimed, End};
use crate::store::sql::{Db, FromRow, Read as _, Row, Statement};

/// An entry that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Whose it is.
    pub tenant: TenantId,
    /// Public id of the tenant.
    pub tenant_uid: String,
    /// Where the log of the tenant claims to end; none before its first event.
    pub end: Option<Standing>,
    /// The entry.
    pub entry: Written,
}

/// The end of a log as it stands in its row, damaged as that may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it claims.
    pub claimed: Claimed,
    /// The highest number of an entry that it has taken over.
    pub entry: i64,
    /// Position and instant of the newest checkpoint; 0 before the first.
    pub checkpoint: (Seq, Timestamp),
}

impl Standing {
    /// What can be gone on from; none where what stands there is no hash.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        Some(End {
            head: Head {
                seq: self.claimed.seq,
                at: self.claimed.at,
                hash: Hash::parse(&self.claimed.hash)?,
            },
            entry: self.entry,
            checkpoint: self.checkpoint,
        })
    }
}

/// How much is read at once.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Entries.
    pub entries: usize,
    /// Characters of their texts, after which no other entry is begun.
    pub characters: usize,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self> {
        let end = match row.get::<Option<i64>>(2)? {
            None => None,
            Some(seq) => Some(Standing {
                entry: row.get(3)?,
                claimed: Claimed {
                    seq: Seq(seq),
                    at: Timestamp(row.get(4)?),
                    hash: row.get(5)?,
                    signed: row.get::<Option<String>>(8)?.zip(row.get(9)?),
                },
                checkpoint: (Seq(row.get(6)?), Timestamp(row.get(7)?)),
            }),
        };
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            tenant_uid: row.get(1)?,
            end,
            entry: Written {
                id: row.get(10)?,
                at: Timestamp(row.get(11)?),
                txn: row.get(12)?,
                head: row.get(13)?,
                records: row.get(14)?,
            },
        })
    }
}

/// The tenants with entries that wait, but for some (`$n` is the JSON array of arrays of one), found one after the other:
/// however many wait of one, it is one look at an index.
macro_rules! others {
    ($n:literal) => {
        concat!(
            "WITH RECURSIVE every (id) AS (SELECT MIN(e.tenant_id) FROM entry e UNION ALL \
             SELECT (SELECT MIN(n.tenant_id) FROM entry n WHERE n.tenant_id > every.id) FROM every \
             WHERE every.id IS NOT NULL), others (id) AS (SELECT every.id FROM every WHERE every.id IS NOT NULL \
             AND NOT (every.id [among] SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each ",
            $n,
            "] AS j[end]))"
        )
    };
}

/// Reads [`Waiting`] of entries that are chosen by their sizes, before their texts are read: what is chosen is joined first,
/// whatever the planner takes the table of entries for.
macro_rules! chosen {
    ($which:literal) => {
        chosen!("WITH ", "entry e WHERE ", $which)
    };
    ($with:expr, $from:expr, $which:literal) => {
        concat!(
            $with,
            "w AS (SELECT e.tenant_id, e.id, length(e.head) + length(e.records) AS size FROM ",
            $from,
            $which,
            " ORDER BY e.id LIMIT 0 + $1), \
             o AS (SELECT w.tenant_id, w.id, SUM(w.size) OVER (ORDER BY w.id) - w.size AS earlier FROM w) \
             SELECT e.tenant_id, n.uid, h.seq, h.entry, h.at, h.hash, h.checkpoint_seq, h.checkpoint_at, h.key_id, \
             h.signature, e.id, e.at, e.txn, e.head, e.records \
             FROM o CROSS JOIN entry e CROSS JOIN tenant n LEFT JOIN log_head h ON h.tenant_id = e.tenant_id \
             WHERE o.earlier < $2 AND e.tenant_id = o.tenant_id AND e.id = o.id AND n.id = e.tenant_id ORDER BY e.id"
        )
    };
}

fn bound(text: &'static str, most: Most) -> Statement {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Statement::new(text)
        .bind(number(most.entries))
        .bind(number(most.characters))
}

/// The oldest entries that wait, of whatever tenant but these, in the order of their numbers.
///
/// One statement: an entry and the end of its log are of the same moment, so no entry is seen behind an end that has
/// taken it over already.
///
/// # Errors
/// When the database fails.
pub async fn oldest(mut db: &Db, most: Most, but: &[i64]) -> Result<Vec<Waiting>> {
    const OLDEST: &str = chosen!("1 = 1");
    // Of each tenant no more than can be chosen: what waits of those that are left out is not looked at. The end of what is
    // read of a tenant does not hang on its entries, so that it is a range of the index.
    const OTHERS: &str = chosen!(
        concat!(others!("$3"), ", "),
        "others o CROSS JOIN entry e WHERE ",
        "e.tenant_id = o.id AND e.id <= COALESCE((SELECT x.id FROM entry x WHERE x.tenant_id = o.id \
         ORDER BY x.id LIMIT 1 OFFSET 0 + $1), 9223372036854775807)"
    );
    if but.is_empty() {
        return db.rows(bound(OLDEST, most)).await;
    }
    let but = json!(but.iter().map(|tenant| [tenant]).collect::<Vec<_>>()).to_string();
    db.rows(bound(OTHERS, most).bind(but)).await
}

/// The oldest entries of one tenant that wait.
///
/// # Errors
/// When the database fails.
pub async fn oldest_of(mut db: &Db, tenant: TenantId, most: Most) -> Result<Vec<Waiting>> {
    const OLDEST: &str = chosen!("e.tenant_id = $3");
    db.rows(bound(OLDEST, most).bind(tenant)).await
}

/// Whether an entry waits, of whatever tenant but these.
///
/// # Errors
/// When the database fails.
pub async fn any(mut db: &Db, but: &[i64]) -> Result<bool> {
    const ANY: &str = "SELECT e.id FROM entry e ORDER BY e.id LIMIT 1";
    const OTHERS: &str = concat!(others!("$1"), " SELECT o.id FROM others o LIMIT 1");
    if but.is_empty() {
        let row: Option<(i64,)> = db.row(Statement::new(ANY)).await?;
        return Ok(row.is_some());
    }
    let but = json!(but.iter().map(|tenant| [tenant]).collect::<Vec<_>>()).to_string();
    let row: Option<(i64,)> = db.row(Statement::new(OTHERS).bind(but)).await?;
    Ok(row.is_some())
}

/// How many entries wait, of all tenants; counted up to so many.
///
/// # Errors
/// When the database fails.
pub async fn count(mut db: &Db, most: i64) -> Result<i64> {
    const COUNT: &str = "SELECT count(*) FROM (SELECT e.tenant_id FROM entry e LIMIT 0 + $1) w";
    let row: Option<(i64,)> = db.row(Statement::new(COUNT).bind(most)).await?;
    Ok(row.map_or(0, |row| row.0))
}
