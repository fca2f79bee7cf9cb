//! Territories, programs and record groups.

use super::hanging::{self, Holding, Removal, Target};
use super::policy::bump;
use super::written::ScopeColumns;
use crate::access::{Scope, ScopeKind};
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{ScopeKey, TenantId};
use crate::store::cause::By;
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Script, Statement, Tx};

/// Scopes of one tenant.
pub struct Scopes<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// A scope, and when it was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredScope {
    /// The scope.
    pub scope: Scope,
    /// When it was created.
    pub created: Timestamp,
}

/// What a scope says of itself.
#[derive(Debug, Clone, Copy)]
pub struct ScopeContent<'a> {
    /// At most 256 characters; other scopes may have the same.
    pub name: &'a str,
    /// The scope above it, which must exist and not be below it.
    pub parent: Option<ScopeKey>,
    /// When a program begins.
    pub starts: Option<Timestamp>,
    /// When it is over.
    pub ends: Option<Timestamp>,
}

impl FromRow for StoredScope {
    fn from_row(row: &Row) -> Result<Self> {
        let columns = ScopeColumns(
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
        );
        Ok(Self {
            scope: columns.scope()?,
            created: Timestamp(row.get(7)?),
        })
    }
}

impl<R: Read> Scopes<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The scope with this id on the wire.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<StoredScope>> {
        const FIND: &str = "SELECT id, uid, kind, name, parent_id, starts, ends, created FROM scope \
                            WHERE tenant_id = $1 AND uid = $2";
        self.source
            .row(Statement::new(FIND).bind(self.tenant).bind(id.to_owned()))
            .await
    }

    /// The scope with this number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&mut self, key: ScopeKey) -> Result<Option<StoredScope>> {
        const GET: &str = "SELECT id, uid, kind, name, parent_id, starts, ends, created FROM scope \
                           WHERE tenant_id = $1 AND id = $2";
        self.source.row(Statement::new(GET).bind(self.tenant).bind(key)).await
    }

    /// The scopes with this name, in any letter case, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn named(&mut self, name: &str) -> Result<Vec<StoredScope>> {
        const NAMED: &str = "SELECT id, uid, kind, name, parent_id, starts, ends, created FROM scope \
                             WHERE tenant_id = $1 AND name_fold = $2 ORDER BY id";
        self.source
            .rows(Statement::new(NAMED).bind(self.tenant).bind(fold(name)))
            .await
    }

    /// At most `limit` scopes after the one with this number, oldest first; `ScopeKey(0)` begins. With a kind, only
    /// those of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, kind: Option<ScopeKind>, after: ScopeKey, limit: u32) -> Result<Vec<StoredScope>> {
        const LIST: &str = "SELECT id, uid, kind, name, parent_id, starts, ends, created FROM scope \
                            WHERE tenant_id = $1 AND id > $2 AND ($4 = '' OR kind = $4) ORDER BY id LIMIT 0 + $3";
        let list = Statement::new(LIST).bind(self.tenant).bind(after);
        let list = list.bind(i64::from(limit)).bind(kind.map_or("", ScopeKind::as_str));
        self.source.rows(list).await
    }

    /// Whether one scope is below another, or the same: where a parent would close a circle.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_below(&mut self, scope: ScopeKey, other: ScopeKey) -> Result<bool> {
        const ABOVE: &str = "WITH RECURSIVE up (id) AS (SELECT CAST($2 AS BIGINT) UNION SELECT s.parent_id FROM up \
                             CROSS JOIN scope s WHERE s.tenant_id = $1 AND s.id = up.id AND s.parent_id IS NOT NULL) \
                             SELECT up.id FROM up WHERE up.id = $3";
        let above = Statement::new(ABOVE).bind(self.tenant).bind(scope).bind(other);
        let row: Option<(i64,)> = self.source.row(above).await?;
        Ok(row.is_some())
    }
}

impl Scopes<&mut Tx> {
    /// Writes a new scope.
    ///
    /// # Errors
    /// [`Error::Taken`] when another scope has the id; the unit is lost then.
    pub async fn create(
        &mut self,
        id: &str,
        kind: ScopeKind,
        content: ScopeContent<'_>,
        now: Timestamp,
    ) -> Result<ScopeKey> {
        const CREATE: &str = "INSERT INTO scope (tenant_id, uid, kind, name, name_fold, parent_id, starts, ends, created) \
                              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id";
        let create = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(id.to_owned())
            .bind(kind.as_str())
            .bind(content.name.to_owned())
            .bind(fold(content.name))
            .bind(content.parent)
            .bind(content.starts)
            .bind(content.ends)
            .bind(now);
        let script = Script::new(create).after(bump(self.tenant));
        let row: Option<(i64,)> = self.source.write_rows(script).await?.into_iter().next();
        row.map(|row| ScopeKey(row.0)).ok_or(Error::Damaged("new scope"))
    }

    /// Writes what a scope says of itself now; false when there is no such scope. Whether the parent would close a
    /// circle is for [`Self::is_below`] to say, in the same unit and after [`Policies::hold`](super::policy::Policies::hold).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update(&mut self, key: ScopeKey, content: ScopeContent<'_>) -> Result<bool> {
        const UPDATE: &str = "UPDATE scope SET name = $3, name_fold = $4, parent_id = $5, starts = $6, ends = $7 \
                              WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let update = Statement::new(UPDATE)
            .bind(self.tenant)
            .bind(key)
            .bind(content.name.to_owned())
            .bind(fold(content.name))
            .bind(content.parent)
            .bind(content.starts)
            .bind(content.ends);
        let script = Script::new(update).after(bump(self.tenant));
        let rows: Vec<(i64,)> = self.source.write_rows(script).await?;
        Ok(!rows.is_empty())
    }

    /// Deletes a scope that nothing hangs on; with [`Holding::Detach`] its grants are deleted, rules lose the outcomes
    /// that name it, and scopes below it move up to its parent. Its records leave it in either case.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, key: ScopeKey, holding: Holding, by: By<'_>) -> Result<Removal> {
        const RECORDS: &str = "DELETE FROM record_scope WHERE tenant_id = $1 AND scope_id = $2";
        const GRANTS: &str = "DELETE FROM access_grant WHERE tenant_id = $1 AND scope_id = $2";
        const BELOW: &str = "UPDATE scope SET parent_id = $3 WHERE tenant_id = $1 AND parent_id = $2";
        const DELETE: &str = "DELETE FROM scope WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let Some(stored) = self.get(key).await? else {
            return Ok(Removal::Absent);
        };
        self.source.later(bump(self.tenant));
        let hanging = hanging::on(self.source, self.tenant, Target::Scope(key), holding).await?;
        if holding == Holding::Refuse && !hanging.is_empty() {
            return Ok(Removal::Held(hanging));
        }
        if !hanging.rules.is_empty() {
            hanging::detach(self.source, self.tenant, Target::Scope(key), by).await?;
        }
        let of = |text| Statement::new(text).bind(self.tenant).bind(key);
        let script = Script::new(of(DELETE))
            .before(of(RECORDS))
            .before(of(GRANTS))
            .before(of(BELOW).bind(stored.scope.parent));
        let gone: Vec<(i64,)> = self.source.write_rows(script).await?;
        Ok(if gone.is_empty() {
            Removal::Absent
        } else {
            Removal::Gone(hanging)
        })
    }
}
