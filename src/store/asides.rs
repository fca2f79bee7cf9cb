//! What clients said of extensions that no schema declares: beside the resources, and no part of them.

use super::error::Result;
use super::sql::{Bind, FromRow, Read, Row, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, TenantId};

/// What is kept aside in one tenant.
pub struct Asides<R> {
    tenant: TenantId,
    source: R,
}

/// What a connection said of an extension of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The name of the extension, as it was sent first.
    pub urn: String,
    /// Its attributes: a JSON object.
    pub attributes: String,
}

impl FromRow for Aside {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            urn: row.get(0)?,
            attributes: row.get(1)?,
        })
    }
}

/// The same with who said it, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsideOf {
    /// What was said.
    pub aside: Aside,
    /// Id of the connection.
    pub connection: String,
    /// Its name.
    pub connection_name: String,
    /// When it said something else last.
    pub changed: Timestamp,
}

impl FromRow for AsideOf {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            aside: Aside::from_row(row)?,
            connection: row.get(2)?,
            connection_name: row.get(3)?,
            changed: Timestamp(row.get(4)?),
        })
    }
}

/// An extension of which a connection has said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its name.
    pub urn: String,
    /// Of how many resources.
    pub resources: u64,
    /// When last.
    pub last: Timestamp,
}

impl FromRow for Counted {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            urn: row.get(0)?,
            resources: u64::try_from(row.get::<i64>(1)?).unwrap_or(0),
            last: Timestamp(row.get(2)?),
        })
    }
}

/// What names of extensions are compared by.
fn key(urn: &str) -> String {
    urn.to_ascii_lowercase()
}

impl<R: Read> Asides<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// What a connection said of a resource, by extension.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, resource: Pk, connection: ConnectionId) -> Result<Vec<Aside>> {
        const OF: &str = "SELECT a.urn, a.doc FROM aside a WHERE a.tenant_id = $1 AND a.resource_pk = $2 \
                          AND a.connection_id = $3 ORDER BY a.urn_key";
        let of = Statement::new(OF).bind(self.tenant).bind(resource);
        self.source.rows(of.bind(connection)).await
    }

    /// At most `limit` things that connections said of a resource.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, resource: Pk, limit: u32) -> Result<Vec<AsideOf>> {
        const LIST: &str = "SELECT a.urn, a.doc, c.uid, c.name, a.changed FROM aside a \
                            JOIN connection c ON c.tenant_id = a.tenant_id AND c.id = a.connection_id \
                            WHERE a.tenant_id = $1 AND a.resource_pk = $2 ORDER BY a.connection_id, a.urn_key LIMIT 0 + $3";
        let list = Statement::new(LIST).bind(self.tenant).bind(resource);
        self.source.rows(list.bind(i64::from(limit))).await
    }

    /// The extensions of which a connection has said something, at most `limit`, those of the most resources first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self, connection: ConnectionId, limit: u32) -> Result<Vec<Counted>> {
        const COUNT: &str = "SELECT a.urn_key, count(*), max(a.changed) FROM aside a WHERE a.tenant_id = $1 \
                             AND a.connection_id = $2 GROUP BY a.urn_key ORDER BY count(*) DESC, a.urn_key LIMIT 0 + $3";
        let count = Statement::new(COUNT).bind(self.tenant).bind(connection);
        self.source.rows(count.bind(i64::from(limit))).await
    }
}

impl Asides<&mut Tx> {
    /// Keeps what a connection says of extensions of a resource; written with the save.
    pub fn set(&mut self, resource: Pk, connection: ConnectionId, said: &[Aside], now: Timestamp) {
        const SET: &str = "INSERT INTO aside (tenant_id, resource_pk, connection_id, changed, urn_key, urn, doc) \
                           SELECT $1, $2, $3, $4, [text $5 0], [text $5 1], [text $5 2] [from $5] WHERE true \
                           ON CONFLICT (tenant_id, resource_pk, connection_id, urn_key) \
                           DO UPDATE SET urn = excluded.urn, doc = excluded.doc, changed = excluded.changed";
        if said.is_empty() {
            return;
        }
        let row = |aside: &Aside| {
            let (urn, doc) = (aside.urn.clone(), aside.attributes.clone());
            vec![Bind::from(key(&urn)), Bind::from(urn), Bind::from(doc)]
        };
        let rows: Vec<_> = said.iter().map(row).collect();
        let set = Statement::new(SET).bind(self.tenant).bind(resource);
        self.source.later(set.bind(connection).bind(now).bind(rows));
    }

    /// Forgets what a connection said of extensions of a resource; written with the save.
    pub fn forget(&mut self, resource: Pk, connection: ConnectionId, urns: &[String]) {
        const FORGET: &str = "DELETE FROM aside WHERE tenant_id = $1 AND resource_pk = $2 AND connection_id = $3 \
                              AND urn_key [among] SELECT j.value ->> 0 FROM [each $4] AS j [end]";
        if urns.is_empty() {
            return;
        }
        let keys: Vec<[String; 1]> = urns.iter().map(|urn| [key(urn)]).collect();
        let forget = Statement::new(FORGET).bind(self.tenant).bind(resource);
        let keys = serde_json::json!(keys).to_string();
        self.source.later(forget.bind(connection).bind(keys));
    }
}
