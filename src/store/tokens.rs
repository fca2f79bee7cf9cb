//! Bearer tokens: only their hashes are kept.

use serde_json::json;

use super::closing::State;
use super::error::{Error, Result};
use super::sql::{Db, FromRow, Read, Row, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId, TenantId};

/// The tokens of one tenant.
pub struct Tokens<R> {
    tenant: TenantId,
    source: R,
}

/// What a token lets its bearer be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// A SCIM client.
    Connection(ConnectionId),
    /// An administrator program.
    Admin,
    /// One user of the tenant.
    User(Pk),
}

impl Bearer {
    const fn kind(self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::Admin => "admin",
            Self::User(_) => "user",
        }
    }

    fn read(kind: &str, connection: Option<i64>, user: Option<i64>) -> Result<Self> {
        match (kind, connection, user) {
            ("connection", Some(connection), _) => Ok(Self::Connection(ConnectionId(connection))),
            ("admin", _, _) => Ok(Self::Admin),
            ("user", _, Some(user)) => Ok(Self::User(Pk(user))),
            _ => Err(Error::Damaged("bearer of a token")),
        }
    }
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Row number.
    pub id: i64,
    /// Id on the wire.
    pub uid: ResourceId,
    /// What its bearer is.
    pub bearer: Bearer,
    /// What it is for, in somebody's words.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was last seen, roughly.
    pub last_used: Option<Timestamp>,
    /// When it was revoked; a time to come while it overlaps with the token that replaces it.
    pub revoked: Option<Timestamp>,
}

impl FromRow for Token {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            uid: ResourceId::new(row.get::<String>(1)?),
            bearer: Bearer::read(&row.get::<String>(2)?, row.get(3)?, row.get(4)?)?,
            label: row.get(5)?,
            created: Timestamp(row.get(6)?),
            expires: row.get::<Option<i64>>(7)?.map(Timestamp),
            last_used: row.get::<Option<i64>>(8)?.map(Timestamp),
            revoked: row.get::<Option<i64>>(9)?.map(Timestamp),
        })
    }
}

/// A new token.
#[derive(Debug, Clone)]
pub struct New {
    /// Id on the wire.
    pub uid: ResourceId,
    /// Hash of the token, as text.
    pub hash: String,
    /// What its bearer is.
    pub bearer: Bearer,
    /// What it is for.
    pub label: String,
    /// When.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Option<Timestamp>,
}

/// Everything that a request's token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The token.
    pub token: Token,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its short name.
    pub tenant_slug: String,
    /// Whether that works.
    pub tenant_state: State,
    /// Of a SCIM client: id on the wire, name and dialect.
    pub connection: Option<(ResourceId, String, String)>,
    /// How often the schemas of the tenant were changed.
    pub schemas: i64,
    /// Whether that works.
    pub connection_state: State,
    /// Of a user: its id, and whether it may act.
    pub user: Option<(ResourceId, bool)>,
}

impl Token {
    /// When it stops working, or stopped: by itself, or because somebody ended it.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        [self.expires, self.revoked].into_iter().flatten().min()
    }
}

impl Credential {
    /// Whether the token works at this time.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.token.ends().is_none_or(|end| now < end)
    }
}

impl FromRow for Credential {
    fn from_row(row: &Row) -> Result<Self> {
        let connection = match (row.get::<Option<String>>(12)?, row.get(13)?, row.get(14)?) {
            (Some(uid), Some(name), Some(dialect)) => Some((ResourceId::new(uid), name, dialect)),
            _ => None,
        };
        let active = row.get::<Option<i64>>(16)? != Some(0);
        let state = |at| {
            let text: Option<String> = row.get(at)?;
            let state = text.map_or(Some(State::Active), |text| State::parse(&text));
            state.ok_or(Error::Damaged("state of what a token belongs to"))
        };
        Ok(Self {
            token: Token::from_row(row)?,
            tenant: TenantId(row.get(10)?),
            tenant_slug: row.get(11)?,
            tenant_state: state(17)?,
            connection,
            schemas: row.get::<Option<i64>>(19)?.unwrap_or(0),
            connection_state: state(18)?,
            user: row.get::<Option<String>>(15)?.map(|id| (ResourceId::new(id), active)),
        })
    }
}

macro_rules! columns {
    () => {
        "t.id, t.uid, t.kind, t.connection_id, t.user_pk, t.label, t.created, t.expires, t.last_used, t.revoked"
    };
}

/// What the token with this hash stands for, in whatever tenant; it may be expired or revoked.
///
/// # Errors
/// When the database fails.
pub async fn find(mut db: &Db, hash: &str) -> Result<Option<Credential>> {
    const FIND: &str = concat!(
        "SELECT ",
        columns!(),
        ", n.id, n.slug, c.uid, c.name, c.dialect, r.id, r.active, n.state, c.state, ",
        "(SELECT p.schemas FROM policy p WHERE p.tenant_id = n.id) ",
        "FROM token t JOIN tenant n ON n.id = t.tenant_id ",
        "LEFT JOIN connection c ON c.tenant_id = t.tenant_id AND c.id = t.connection_id ",
        "LEFT JOIN resource r ON r.tenant_id = t.tenant_id AND r.pk = t.user_pk WHERE t.hash = $1"
    );
    db.row(Statement::new(FIND).bind(hash.to_owned())).await
}

/// Notes when tokens were last seen. Collect uses and call this seldom.
///
/// # Errors
/// When the database fails.
pub async fn note_uses(db: &Db, uses: &[(TenantId, i64, Timestamp)]) -> Result<()> {
    const USED: &str = "UPDATE token SET last_used = (SELECT max(CAST(j.value ->> 2 AS BIGINT)) FROM [each $1] AS j \
                        WHERE CAST(j.value ->> 0 AS BIGINT) = token.tenant_id AND CAST(j.value ->> 1 AS BIGINT) = token.id) \
                        WHERE (tenant_id, id) IN (SELECT CAST(k.value ->> 0 AS BIGINT), CAST(k.value ->> 1 AS BIGINT) \
                        FROM [each $1] AS k)";
    if uses.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = uses.iter().map(|(tenant, token, at)| (tenant.0, token, at.0)).collect();
    let mut tx = Tx::begin(db).await?;
    tx.write(Statement::new(USED).bind(json!(rows).to_string())).await?;
    tx.save().await
}

impl<R: Read> Tokens<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// All tokens, oldest first, revoked ones too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<Vec<Token>> {
        const LIST: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM token t WHERE t.tenant_id = $1 ORDER BY t.id"
        );
        self.source.rows(Statement::new(LIST).bind(self.tenant)).await
    }

    /// At most `limit` tokens after the one with this row number, oldest first, revoked ones too; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(&mut self, after: i64, limit: u32) -> Result<Vec<Token>> {
        const PAGE: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM token t WHERE t.tenant_id = $1 AND t.id > $2 ORDER BY t.id LIMIT 0 + $3"
        );
        let page = Statement::new(PAGE).bind(self.tenant).bind(after);
        self.source.rows(page.bind(i64::from(limit))).await
    }

    /// The token with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, uid: &ResourceId) -> Result<Option<Token>> {
        const FIND: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM token t WHERE t.tenant_id = $1 AND t.uid = $2"
        );
        self.source.row(Statement::new(FIND).bind(self.tenant).bind(uid)).await
    }
}

impl Tokens<&mut Tx> {
    /// Writes a new token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create(&mut self, new: New) -> Result<()> {
        const CREATE: &str = "INSERT INTO token (tenant_id, uid, hash, kind, connection_id, user_pk, label, created, \
                              expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let (connection, user) = match new.bearer {
            Bearer::Connection(connection) => (Some(connection), None),
            Bearer::Admin => (None, None),
            Bearer::User(user) => (None, Some(user)),
        };
        let statement = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(&new.uid)
            .bind(new.hash)
            .bind(new.bearer.kind())
            .bind(connection)
            .bind(user)
            .bind(new.label)
            .bind(new.created)
            .bind(new.expires);
        self.source.write(statement).await
    }

    /// Ends a token at a time, which is now, or later where it overlaps with its successor. An earlier end stays.
    /// Gives whether there is such a token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke(&mut self, uid: &ResourceId, at: Timestamp) -> Result<bool> {
        const REVOKE: &str = "UPDATE token SET revoked = CASE WHEN revoked < $3 THEN revoked ELSE $3 END \
                              WHERE tenant_id = $1 AND uid = $2 RETURNING id";
        let statement = Statement::new(REVOKE).bind(self.tenant).bind(uid).bind(at);
        let rows: Vec<(i64,)> = self.source.write_rows(statement).await?;
        Ok(!rows.is_empty())
    }

    /// Ends every token of a connection that still works. Gives their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_of_connection(&mut self, connection: ConnectionId, at: Timestamp) -> Result<Vec<String>> {
        const REVOKE: &str = "UPDATE token SET revoked = $3 WHERE tenant_id = $1 AND connection_id = $2 \
                              AND (revoked IS NULL OR revoked > $3) AND (expires IS NULL OR expires > $3) RETURNING uid";
        let statement = Statement::new(REVOKE).bind(self.tenant).bind(connection).bind(at);
        let rows: Vec<(String,)> = self.source.write_rows(statement).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// How many tokens a user has or had.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_of(&mut self, user: Pk) -> Result<u64> {
        const COUNT: &str = "SELECT count(*) FROM token t WHERE t.tenant_id = $1 AND t.user_pk = $2";
        let count: Option<(i64,)> = self
            .source
            .row(Statement::new(COUNT).bind(self.tenant).bind(user))
            .await?;
        Ok(count.map_or(0, |row| u64::try_from(row.0).unwrap_or(0)))
    }

    /// Ends every token of a user that still works. Gives their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_of(&mut self, user: Pk, at: Timestamp) -> Result<Vec<String>> {
        const REVOKE: &str = "UPDATE token SET revoked = $3 WHERE tenant_id = $1 AND user_pk = $2 \
                              AND (revoked IS NULL OR revoked > $3) AND (expires IS NULL OR expires > $3) RETURNING uid";
        let statement = Statement::new(REVOKE).bind(self.tenant).bind(user).bind(at);
        let rows: Vec<(String,)> = self.source.write_rows(statement).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
