//! What units of work did and the log has not taken over yet.

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::{Entry, Origin, Record};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// What one unit of work does, while it does it.
///
/// INVARIANT: an entry is inserted after everything that its unit locks. So a unit that saw or waited for another one has
/// the higher number, and whoever sees its entry sees the other's.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Collected {
    txn: String,
    /// Whether nothing is to be kept.
    silent: bool,
    told: Vec<(Timestamp, Origin, Record)>,
}

impl Collected {
    /// Gives what is saved as one its name.
    pub(in crate::store) fn name(&mut self, txn: String) {
        self.txn = txn;
    }

    /// The name of what is saved as one.
    pub(in crate::store) fn txn(&self) -> &str {
        &self.txn
    }

    /// Nothing that is added is kept.
    pub(in crate::store) fn silence(&mut self) {
        self.silent = true;
    }

    /// Adds something that happened.
    pub(in crate::store) fn add(&mut self, at: Timestamp, origin: Origin, record: Record) {
        if !self.silent {
            self.told.push((at, origin, record));
        }
    }

    /// Gives everything that was added this instant, unless it has a later one.
    pub(in crate::store) fn stamp(&mut self, now: Timestamp) {
        for (at, ..) in &mut self.told {
            *at = now.max(*at);
        }
    }

    /// How much was added.
    pub(in crate::store) const fn len(&self) -> usize {
        self.told.len()
    }

    /// Has what was added after `then` come before what was added between `first` and `then`.
    pub(in crate::store) fn bring_forward(&mut self, first: usize, then: usize) {
        if let Some(told) = self.told.get_mut(first..)
            && let Some(later) = then.checked_sub(first).filter(|later| *later <= told.len())
        {
            told.rotate_left(later);
        }
    }

    /// What was added, as entries: what is done for somebody else in the same unit is one of its own.
    fn entries(self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for (first, (at, origin, record)) in (0..).zip(self.told) {
            match entries.last_mut().filter(|entry| entry.origin == origin) {
                Some(entry) => entry.records.push(record),
                None => entries.push(Entry {
                    at,
                    txn: self.txn.clone(),
                    origin,
                    first,
                    records: vec![record],
                }),
            }
        }
        entries
    }

    /// The rows, in order.
    pub(in crate::store) fn into_statements(self, tenant: TenantId) -> Result<Vec<Statement>> {
        // No VALUES: PostgreSQL adds a condition to it.
        const INSERT: &str = "INSERT INTO entry (tenant_id, at, txn, head, records) SELECT $1, $2, $3, $4, $5";
        let row = |entry: Entry| {
            let (head, records) = (entry.head_text(), entry.records_text());
            Ok(Statement::new(INSERT)
                .bind(tenant)
                .bind(entry.at)
                .bind(entry.txn)
                .bind(head.map_err(|_| Error::Damaged("entry of the log"))?)
                .bind(records.map_err(|_| Error::Damaged("entry of the log"))?))
        };
        self.entries().into_iter().map(row).collect()
    }
}

/// The entries of one tenant.
pub struct Entries<R> {
    tenant: TenantId,
    source: R,
}

/// An entry that waits, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What was saved as one.
    pub txn: String,
    /// Where it comes from, as JSON text.
    pub head: String,
    /// What happened, as JSON text.
    pub records: String,
}

impl FromRow for Written {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: Timestamp(row.get(1)?),
            txn: row.get(2)?,
            head: row.get(3)?,
            records: row.get(4)?,
        })
    }
}

impl<R: Read> Entries<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The number of the last entry that waits; none when nothing does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last(&mut self) -> Result<Option<i64>> {
        const LAST: &str = "SELECT e.id FROM entry e WHERE e.tenant_id = $1 ORDER BY e.id DESC LIMIT 1";
        let row: Option<(i64,)> = self.source.row(Statement::new(LAST).bind(self.tenant)).await?;
        Ok(row.map(|row| row.0))
    }

    /// Whether one of the entries up to this number still waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn any_up_to(&mut self, id: i64) -> Result<bool> {
        const ANY: &str = "SELECT e.id FROM entry e WHERE e.tenant_id = $1 AND e.id <= $2 ORDER BY e.id LIMIT 1";
        let statement = Statement::new(ANY).bind(self.tenant).bind(id);
        Ok(self.source.row::<(i64,)>(statement).await?.is_some())
    }

    /// Entries after the one with this number, in order: at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(&mut self, id: i64, limit: usize) -> Result<Vec<Written>> {
        const AFTER: &str = "SELECT e.id, e.at, e.txn, e.head, e.records FROM entry e \
                             WHERE e.tenant_id = $1 AND e.id > $2 ORDER BY e.id LIMIT 0 + $3";
        let statement = Statement::new(AFTER).bind(self.tenant).bind(id);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.source.rows(statement.bind(limit)).await
    }
}
