//! The clients of a tenant: who provisions, and in which dialect.

use super::closing::State;
use super::error::{Error, Result};
use super::sql::{FromRow, Read, Row, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, ResourceId, TenantId};

/// The connections of one tenant.
pub struct Connections<R> {
    tenant: TenantId,
    source: R,
}

/// One client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Row number.
    pub id: ConnectionId,
    /// Id on the wire.
    pub uid: ResourceId,
    /// Name for people, unique in the tenant.
    pub name: String,
    /// Which habits are tolerated, as text.
    pub dialect: String,
    /// When it was created.
    pub created: Timestamp,
    /// Whether it works.
    pub state: State,
    /// Since when, where somebody has changed that.
    pub since: Option<Timestamp>,
}

impl FromRow for Connection {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: ConnectionId(row.get(0)?),
            uid: ResourceId::new(row.get::<String>(1)?),
            name: row.get(2)?,
            dialect: row.get(3)?,
            created: Timestamp(row.get(4)?),
            state: State::parse(&row.get::<String>(5)?).ok_or(Error::Damaged("state of a connection"))?,
            since: row.get::<Option<i64>>(6)?.map(Timestamp),
        })
    }
}

/// The connection `$2`, where it and its tenant work.
macro_rules! works {
    ($more:literal, $lock:literal) => {
        concat!(
            "SELECT c.id FROM connection c CROSS JOIN tenant t WHERE c.tenant_id = $1 AND c.id = $2 AND c.state = 'active' ",
            "AND t.id = $1 AND t.state = 'active'",
            $more,
            $lock
        )
    };
}

/// Expects that a connection and its tenant work, and that the schemas were changed so often and no more; whoever suspends or
/// deletes the connection waits until the unit ends.
pub(super) fn works(tenant: TenantId, connection: ConnectionId, schemas: i64) -> Statement {
    const WORKS: &str = works!(
        " AND EXISTS (SELECT 1 FROM policy p WHERE p.tenant_id = $1 AND p.schemas = $3)",
        " [share c] [share t]"
    );
    let works = Statement::new(WORKS).bind(tenant).bind(connection);
    works.bind(schemas).expecting_row()
}

impl<R: Read> Connections<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// Whether a connection and the tenant work.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn works(&mut self, connection: ConnectionId) -> Result<bool> {
        const WORKS: &str = works!("", "");
        let works = Statement::new(WORKS).bind(self.tenant).bind(connection);
        let row: Option<(i64,)> = self.source.row(works).await?;
        Ok(row.is_some())
    }

    /// The connection with this name, which may be deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, name: &str) -> Result<Option<Connection>> {
        const FIND: &str =
            "SELECT id, uid, name, dialect, created, state, since FROM connection WHERE tenant_id = $1 AND name = $2";
        self.source
            .row(Statement::new(FIND).bind(self.tenant).bind(name.to_owned()))
            .await
    }

    /// The connection with this row number, which may be deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_id(&mut self, id: ConnectionId) -> Result<Option<Connection>> {
        const FIND: &str =
            "SELECT id, uid, name, dialect, created, state, since FROM connection WHERE tenant_id = $1 AND id = $2";
        self.source.row(Statement::new(FIND).bind(self.tenant).bind(id)).await
    }

    /// All connections, oldest first, deleted ones too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<Vec<Connection>> {
        const LIST: &str =
            "SELECT id, uid, name, dialect, created, state, since FROM connection WHERE tenant_id = $1 ORDER BY id";
        self.source.rows(Statement::new(LIST).bind(self.tenant)).await
    }
}

impl Connections<&mut Tx> {
    /// Writes a new connection.
    ///
    /// # Errors
    /// [`Error::Taken`] when the tenant has one of this name; the unit is lost then.
    pub async fn create(&mut self, uid: &ResourceId, name: &str, dialect: &str, now: Timestamp) -> Result<Connection> {
        const CREATE: &str = "INSERT INTO connection (tenant_id, uid, name, dialect, created) \
                              VALUES ($1, $2, $3, $4, $5) RETURNING id, uid, name, dialect, created, state, since";
        let statement = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(uid)
            .bind(name.to_owned())
            .bind(dialect.to_owned())
            .bind(now);
        self.source
            .write_rows(statement)
            .await?
            .into_iter()
            .next()
            .ok_or(Error::Damaged("new connection"))
    }

    /// The connection with this id, which may be deleted; nobody else changes it until the unit ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold(&mut self, uid: &ResourceId) -> Result<Option<Connection>> {
        const HOLD: &str = "SELECT c.id, c.uid, c.name, c.dialect, c.created, c.state, c.since FROM connection c \
                            WHERE c.tenant_id = $1 AND c.uid = $2 [lock c]";
        self.source.row(Statement::new(HOLD).bind(self.tenant).bind(uid)).await
    }

    /// Makes a connection something else; written with the save.
    pub fn turn(&mut self, id: ConnectionId, to: State, since: Option<Timestamp>) {
        const TURN: &str = "UPDATE connection SET state = $3, since = $4 WHERE tenant_id = $1 AND id = $2";
        let turn = Statement::new(TURN).bind(self.tenant).bind(id);
        self.source.later(turn.bind(to.as_str()).bind(since));
    }

    /// Changes which habits are tolerated.
    ///
    /// # Errors
    /// [`Error::Stale`] when there is no such connection; the unit is lost then.
    pub async fn set_dialect(&mut self, id: ConnectionId, dialect: &str) -> Result<()> {
        const SET: &str = "UPDATE connection SET dialect = $3 WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let statement = Statement::new(SET).bind(self.tenant).bind(id).bind(dialect.to_owned());
        let rows: Vec<(i64,)> = self.source.write_rows(statement).await?;
        if rows.is_empty() { Err(Error::Stale) } else { Ok(()) }
    }
}
