//! Which scopes a record of the product belongs to. A record is known here by nothing else.

use serde_json::json;

use crate::access::RecordRef;
use crate::base::id::{Pk, ScopeKey, TenantId};
use crate::store::error::Result;
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// Records in the scopes of one tenant.
pub struct Records<R> {
    tenant: TenantId,
    source: R,
}

struct One(RecordRef);

impl FromRow for One {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(RecordRef {
            kind: row.get(0)?,
            id: row.get(1)?,
        }))
    }
}

impl<R: Read> Records<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The scopes of a record, by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn scopes_of(&mut self, record: &RecordRef) -> Result<Vec<ScopeKey>> {
        const SCOPES: &str = "SELECT scope_id FROM record_scope WHERE tenant_id = $1 AND record_kind = $2 \
                              AND record_id = $3 ORDER BY scope_id";
        let scopes = Statement::new(SCOPES).bind(self.tenant);
        let rows: Vec<(i64,)> = self
            .source
            .rows(scopes.bind(record.kind.clone()).bind(record.id.clone()))
            .await?;
        Ok(rows.into_iter().map(|row| ScopeKey(row.0)).collect())
    }

    /// The scopes of several records, in no order; records in none are left out. One statement: a page at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn scopes_of_each(&mut self, records: &[RecordRef]) -> Result<Vec<(RecordRef, ScopeKey)>> {
        const EACH: &str = "SELECT s.record_kind, s.record_id, s.scope_id FROM [each $2] AS j CROSS JOIN record_scope s \
                            WHERE s.tenant_id = $1 AND s.record_kind = j.value ->> 0 AND s.record_id = j.value ->> 1";
        let names: Vec<_> = records.iter().map(|record| (&record.kind, &record.id)).collect();
        let each = Statement::new(EACH).bind(self.tenant).bind(json!(names).to_string());
        let rows: Vec<(String, String, i64)> = self.source.rows(each).await?;
        let row = |(kind, id, scope)| (RecordRef { kind, id }, ScopeKey(scope));
        Ok(rows.into_iter().map(row).collect())
    }

    /// Users with a grant of their own on one of these records, each once, in no order; at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held_by(&mut self, records: &[RecordRef], limit: usize) -> Result<Vec<Pk>> {
        const HELD: &str = "SELECT DISTINCT g.subject_pk FROM [each $2] AS j CROSS JOIN access_grant g \
                            WHERE g.tenant_id = $1 AND g.record_kind = j.value ->> 0 AND g.record_id = j.value ->> 1 \
                            AND g.subject_kind = 1 LIMIT 0 + $3";
        let names: Vec<_> = records.iter().map(|record| (&record.kind, &record.id)).collect();
        let held = Statement::new(HELD).bind(self.tenant).bind(json!(names).to_string());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<(i64,)> = self.source.rows(held.bind(limit)).await?;
        Ok(rows.into_iter().map(|(pk,)| Pk(pk)).collect())
    }

    /// At most `limit` records of a scope, by kind and id, after this one; without one from the beginning.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_scope(&mut self, scope: ScopeKey, after: Option<&RecordRef>, limit: u32) -> Result<Vec<RecordRef>> {
        const LIST: &str = "SELECT record_kind, record_id FROM record_scope WHERE tenant_id = $1 AND scope_id = $2 \
                            AND (record_kind, record_id) > ($3, $4) ORDER BY record_kind, record_id LIMIT 0 + $5";
        // Neither part is ever empty.
        let (kind, id) = after.map_or((String::new(), String::new()), |after| {
            (after.kind.clone(), after.id.clone())
        });
        let list = Statement::new(LIST).bind(self.tenant).bind(scope);
        let rows: Vec<One> = self
            .source
            .rows(list.bind(kind).bind(id).bind(i64::from(limit)))
            .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// At most `limit` records of a kind that belong to one of these scopes, by id, after this id; each once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_kind(&mut self, kind: &str, scopes: &[ScopeKey], after: &str, limit: u32) -> Result<Vec<String>> {
        const LIST: &str = "SELECT DISTINCT r.record_id FROM [each $3] AS j CROSS JOIN record_scope r \
                            WHERE r.tenant_id = $1 AND r.scope_id = CAST(j.value ->> 0 AS BIGINT) \
                            AND r.record_kind = $2 AND r.record_id > $4 ORDER BY r.record_id LIMIT 0 + $5";
        let list = Statement::new(LIST).bind(self.tenant).bind(kind.to_owned());
        let list = list
            .bind(super::written::numbers(scopes.iter().map(|scope| scope.0)))
            .bind(after.to_owned())
            .bind(i64::from(limit));
        let rows: Vec<(String,)> = self.source.rows(list).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}

impl Records<&mut Tx> {
    /// Puts records into scopes that exist; gives those that were not there before. Kind and id have at most 256
    /// characters each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put(&mut self, records: &[(ScopeKey, RecordRef)]) -> Result<Vec<RecordRef>> {
        const PUT: &str = "INSERT INTO record_scope (tenant_id, record_kind, record_id, scope_id) \
                           SELECT $1, j.value ->> 1, j.value ->> 2, CAST(j.value ->> 0 AS BIGINT) \
                           FROM [each $2] AS j WHERE 1 = 1 \
                           ON CONFLICT (tenant_id, record_kind, record_id, scope_id) DO NOTHING RETURNING record_kind, record_id";
        self.moved(Statement::new(PUT).bind(self.tenant).bind(rows(records)))
            .await
    }

    /// Takes records out of scopes; gives those that were there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&mut self, records: &[(ScopeKey, RecordRef)]) -> Result<Vec<RecordRef>> {
        const REMOVE: &str = "DELETE FROM record_scope WHERE tenant_id = $1 AND (record_kind, record_id, scope_id) IN (\
                              SELECT j.value ->> 1, j.value ->> 2, CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j) \
                              RETURNING record_kind, record_id";
        self.moved(Statement::new(REMOVE).bind(self.tenant).bind(rows(records)))
            .await
    }

    async fn moved(&mut self, statement: Statement) -> Result<Vec<RecordRef>> {
        let rows: Vec<One> = self.source.write_rows(statement).await?;
        let mut records: Vec<RecordRef> = rows.into_iter().map(|row| row.0).collect();
        records.sort_unstable();
        Ok(records)
    }
}

fn rows(records: &[(ScopeKey, RecordRef)]) -> String {
    json!(
        records
            .iter()
            .map(|(scope, record)| (scope.0, &record.kind, &record.id))
            .collect::<Vec<_>>()
    )
    .to_string()
}
