//! Entries of all tenants that wait for their numbers, each with where the log of its tenant ends.

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::{Hash, Head, Seq};
use crate::store::error::{Error, Result};
use crate::store::log::entries::Written;
use crate::store::log::heads::End;
use crate::store::sql::{Db, FromRow, Read as _, Row, Statement};

/// An entry that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Whose it is.
    pub tenant: TenantId,
    /// Public id of the tenant.
    pub tenant_uid: String,
    /// Where the log of the tenant ends; none before its first event.
    pub end: Option<End>,
    /// The entry.
    pub entry: Written,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self> {
        let end = match row.get::<Option<i64>>(2)? {
            None => None,
            Some(seq) => Some(End {
                head: Head {
                    seq: Seq(seq),
                    at: Timestamp(row.get(4)?),
                    hash: Hash::parse(&row.get::<String>(5)?).ok_or(Error::Damaged("hash of the log"))?,
                },
                entry: row.get(3)?,
                checkpoint: (Seq(row.get(6)?), Timestamp(row.get(7)?)),
            }),
        };
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            tenant_uid: row.get(1)?,
            end,
            entry: Written {
                id: row.get(8)?,
                at: Timestamp(row.get(9)?),
                txn: row.get(10)?,
                head: row.get(11)?,
                records: row.get(12)?,
            },
        })
    }
}

/// The oldest entries that wait, of whatever tenant, in the order of their numbers.
///
/// One statement: an entry and the end of its log are of the same moment, so no entry is seen behind an end that has
/// taken it over already.
///
/// # Errors
/// When the database fails.
pub async fn oldest(mut db: &Db, limit: usize) -> Result<Vec<Waiting>> {
    const OLDEST: &str = "SELECT e.tenant_id, n.uid, h.seq, h.entry, h.at, h.hash, h.checkpoint_seq, \
                          h.checkpoint_at, e.id, e.at, e.txn, e.head, e.records \
                          FROM entry e JOIN tenant n ON n.id = e.tenant_id \
                          LEFT JOIN log_head h ON h.tenant_id = e.tenant_id ORDER BY e.id LIMIT 0 + $1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.rows(Statement::new(OLDEST).bind(limit)).await
}

/// How many entries wait, of all tenants.
///
/// # Errors
/// When the database fails.
pub async fn count(mut db: &Db) -> Result<i64> {
    const COUNT: &str = "SELECT count(*) FROM entry";
    let row: Option<(i64,)> = db.row(Statement::new(COUNT)).await?;
    Ok(row.map_or(0, |row| row.0))
}

/// The oldest entries of one tenant that wait.
///
/// # Errors
/// When the database fails.
pub async fn oldest_of(mut db: &Db, tenant: TenantId, limit: usize) -> Result<Vec<Waiting>> {
    const OLDEST: &str = "SELECT e.tenant_id, n.uid, h.seq, h.entry, h.at, h.hash, h.checkpoint_seq, \
                          h.checkpoint_at, e.id, e.at, e.txn, e.head, e.records \
                          FROM entry e JOIN tenant n ON n.id = e.tenant_id \
                          LEFT JOIN log_head h ON h.tenant_id = e.tenant_id \
                          WHERE e.tenant_id = $1 ORDER BY e.id LIMIT 0 + $2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.rows(Statement::new(OLDEST).bind(tenant).bind(limit)).await
}
