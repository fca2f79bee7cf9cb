//! Accounts as an administrator names them: by `userName`.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::base::fold;
use crate::base::id::{Pk, ResourceId, TenantId};
use crate::store::document::{Uniqueness, split, twin};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// Accounts of one tenant.
pub struct Accounts<R> {
    tenant: TenantId,
    source: R,
}

/// A user with the name it signs in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Row number.
    pub pk: Pk,
    /// Id on the wire.
    pub id: ResourceId,
    /// `userName`, as it was written.
    pub user_name: String,
    /// Whether it is active.
    pub active: bool,
}

impl FromRow for Account {
    fn from_row(row: &Row) -> Result<Self> {
        let document: Value =
            serde_json::from_str(&row.get::<String>(2)?).map_err(|_| Error::Damaged("document of a user"))?;
        let user_name = document["userName"].as_str().unwrap_or_default();
        Ok(Self {
            pk: Pk(row.get(0)?),
            id: ResourceId::new(row.get::<String>(1)?),
            user_name: user_name.to_owned(),
            active: row.get::<i64>(3)? != 0,
        })
    }
}

impl<R: Read> Accounts<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The users with these ids, by row number; ids that are no user's are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, ids: &BTreeSet<String>) -> Result<Vec<Account>> {
        const OF: &str = "SELECT r.pk, r.id, r.doc, coalesce(r.active, 1) FROM [each $2] AS j CROSS JOIN resource r \
                          WHERE r.tenant_id = $1 AND r.kind = 1 AND r.id = j.value ->> 0 ORDER BY r.pk";
        let rows: Vec<_> = ids.iter().map(|id| (id,)).collect();
        let of = Statement::new(OF).bind(self.tenant).bind(json!(rows).to_string());
        self.source.rows(of).await
    }

    /// The users of these names, by row number; letter case makes no difference, and who is not there is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn named(&mut self, names: &[String]) -> Result<Vec<Account>> {
        const NAMED: &str = "SELECT r.pk, r.id, r.doc, coalesce(r.active, 1) FROM [each $2] AS j CROSS JOIN resource r \
                             WHERE r.tenant_id = $1 AND r.kind = 1 AND r.name_key = j.value ->> 0 \
                             AND r.twin = CAST(j.value ->> 1 AS BIGINT) ORDER BY r.pk";
        let key = |name: &String| {
            let key = fold::user_name_key(name);
            let (start, rest) = split(&key);
            (start.to_owned(), twin(Uniqueness::Enforced, rest, Pk(0)))
        };
        let keys: Vec<_> = names.iter().map(key).collect();
        let statement = Statement::new(NAMED).bind(self.tenant).bind(json!(keys).to_string());
        self.source.rows(statement).await
    }
}
