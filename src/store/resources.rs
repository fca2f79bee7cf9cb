//! Users and groups: one row each, with the rows that filters search.

mod claims;
mod delete;
mod insert;
mod walk;

use serde_json::json;

use super::access::policy::bump_if_renamed;
use super::document::{Content, Stored, external_id_column, groups_columns, no_groups, split, stored_columns, twin};
use super::error::Result;
use super::filter::{Leaves, Rows};
use super::kind::Kind;
use super::sql::{Bind, Engine, FromRow, Read, Row, Script, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::fold::{exact, fold};
use crate::base::id::{ConnectionId, Pk, ResourceId, TenantId, Version};

pub use delete::Deleted;

/// Row numbers in a block of the tally, as a shift.
pub(super) const BLOCK_SHIFT: i64 = 10;

/// Rows of the tally that writers on PostgreSQL spread over, so that they do not wait for each other's commit.
const SLOTS: u64 = 8;

/// Users and groups of one tenant.
pub struct Resources<R> {
    tenant: TenantId,
    source: R,
}

/// Whether a read brings the groups of a user along, and the version of the policy, which may know of more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Groups {
    /// It does; of a group, the version alone.
    Listed,
    /// They are left out.
    LeftOut,
}

/// A new resource.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// User or group.
    pub kind: Kind,
    /// Its id.
    pub id: &'a ResourceId,
    /// Who creates it.
    pub connection: Option<ConnectionId>,
    /// What the connection calls it.
    pub external_id: Option<&'a str>,
    /// The key of a new person, sealed; none of a group.
    pub seal: Option<&'a str>,
    /// Everything else.
    pub content: &'a Content,
    /// When.
    pub now: Timestamp,
}

/// What happens to the `externalId` of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum External<'a> {
    /// It stays as it is.
    Keep,
    /// It is set or changed.
    Set(ConnectionId, &'a str),
    /// It is taken away.
    Clear(ConnectionId),
}

macro_rules! find {
    ($connection:literal, $groups:expr) => {
        concat!(
            "SELECT ",
            stored_columns!(),
            ", ",
            external_id_column!(),
            $connection,
            "), ",
            $groups,
            ", CASE WHEN EXISTS (SELECT 1 FROM pending p WHERE p.tenant_id = r.tenant_id AND p.resource_pk = r.pk ",
            "AND p.kind = 'held-change' AND p.state = 'waiting') THEN CAST(1 AS BIGINT) ELSE 0 END"
        )
    };
}

/// A resource that was looked for by itself.
struct Found(Stored);

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self> {
        let mut stored = Stored::read(row, 0)?;
        stored.held_back = row.get::<i64>(14)? != 0;
        Ok(Self(stored))
    }
}

/// Resources by a key of tenant, kind, text and connection.
macro_rules! by {
    ($column:literal, $groups:expr) => {
        concat!(
            find!("$4", $groups),
            " FROM resource r WHERE r.tenant_id = $1 AND r.kind = $2 AND ",
            $column,
            " = $3"
        )
    };
}

impl<R: Read> Resources<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The resource with this id, with what `connection` calls it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &mut self,
        kind: Kind,
        id: &ResourceId,
        connection: Option<ConnectionId>,
        groups: Groups,
    ) -> Result<Option<Stored>> {
        const BY_ID: &str = by!("r.id", no_groups!());
        const BY_ID_WITH_GROUPS: &str = by!("r.id", groups_columns!());
        let text = if groups == Groups::Listed {
            BY_ID_WITH_GROUPS
        } else {
            BY_ID
        };
        let statement = Statement::new(text).bind_all(key(self.tenant, kind, id.as_str(), connection));
        let found: Vec<Found> = self.source.look_up(statement).await?;
        Ok(found.into_iter().next().map(|Found(stored)| stored))
    }

    /// The resources with this name, which must not be longer than what is indexed; hardly ever more than one.
    pub(super) async fn find_by_name(
        &mut self,
        kind: Kind,
        name_key: &str,
        connection: Option<ConnectionId>,
        groups: Groups,
    ) -> Result<Vec<Stored>> {
        const BY_NAME: &str = by!("r.name_key", no_groups!());
        const BY_NAME_WITH_GROUPS: &str = by!("r.name_key", groups_columns!());
        let text = if groups == Groups::Listed {
            BY_NAME_WITH_GROUPS
        } else {
            BY_NAME
        };
        let statement = Statement::new(text).bind_all(key(self.tenant, kind, name_key, connection));
        let found: Vec<Found> = self.source.look_up(statement).await?;
        let mut found: Vec<Stored> = found.into_iter().map(|Found(stored)| stored).collect();
        found.sort_unstable_by_key(|stored| stored.pk);
        Ok(found)
    }

    /// Row numbers of several resources, in no order; ids that name nothing are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pks(&mut self, ids: &[ResourceId]) -> Result<Vec<(ResourceId, Pk, Kind)>> {
        const PKS: &str = "SELECT r.id, r.pk, r.kind FROM [each $2] AS j \
                           JOIN resource r ON r.tenant_id = $1 AND r.id = j.value ->> 0";
        let statement = Statement::new(PKS).bind(self.tenant).bind(super::filter::as_rows(ids));
        let rows: Vec<(String, i64, i64)> = self.source.rows(statement).await?;
        let known = |(id, pk, kind)| Some((ResourceId::new(id), Pk(pk), Kind::from_code(kind)?));
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// The sealed keys of people, by their ids, also of those who are deleted and can be restored; who is gone has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seals(&mut self, ids: &[ResourceId]) -> Result<Vec<(ResourceId, String)>> {
        const SEALS: &str = "SELECT j.value ->> 0, coalesce(r.seal, t.seal) FROM [each $2] AS j \
                             LEFT JOIN resource r ON r.tenant_id = $1 AND r.id = j.value ->> 0 \
                             LEFT JOIN tombstone t ON t.tenant_id = $1 AND t.id = j.value ->> 0 \
                             WHERE coalesce(r.seal, t.seal) IS NOT NULL";
        let statement = Statement::new(SEALS)
            .bind(self.tenant)
            .bind(super::filter::as_rows(ids));
        let rows: Vec<(String, String)> = self.source.rows(statement).await?;
        Ok(rows.into_iter().map(|(id, seal)| (ResourceId::new(id), seal)).collect())
    }

    /// Users with their documents, without what connections call them and without their groups; in no order, row numbers
    /// of others are left out. One statement: a page at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(&mut self, users: &[Pk]) -> Result<Vec<Stored>> {
        const USERS: &str = concat!(
            "SELECT ",
            stored_columns!(),
            ", NULL, ",
            no_groups!(),
            " FROM [each $2] AS j CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.kind = 1 ",
            "AND r.pk = CAST(j.value ->> 0 AS BIGINT)"
        );
        let users = json!(users.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string();
        self.source
            .rows(Statement::new(USERS).bind(self.tenant).bind(users))
            .await
    }

    /// The connection that created the resource which holds a unique name: for the answer to who wanted it, too.
    /// `None` when nobody holds it any more; `Some(None)` when no connection created it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn who_holds(&mut self, kind: Kind, name_key: &str) -> Result<Option<Option<ConnectionId>>> {
        const HOLDER: &str = "SELECT r.connection_id FROM resource r WHERE r.tenant_id = $1 AND r.kind = $2 \
                              AND r.name_key = $3 AND r.twin = $4";
        let (key, rest) = split(name_key);
        let statement = Statement::new(HOLDER)
            .bind(self.tenant)
            .bind(kind.code())
            .bind(key.to_owned())
            .bind(twin(super::document::Uniqueness::Enforced, rest, Pk(0)));
        let row: Option<(Option<i64>,)> = self.source.row(statement).await?;
        Ok(row.map(|(connection,)| connection.map(ConnectionId)))
    }

    /// The id of the resource that holds a unique name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holder(&mut self, kind: Kind, name_key: &str) -> Result<Option<ResourceId>> {
        const HOLDER: &str = "SELECT r.id FROM resource r WHERE r.tenant_id = $1 AND r.kind = $2 AND r.name_key = $3 \
                              AND r.twin = $4";
        let (key, rest) = split(name_key);
        let statement = Statement::new(HOLDER)
            .bind(self.tenant)
            .bind(kind.code())
            .bind(key.to_owned())
            .bind(twin(super::document::Uniqueness::Enforced, rest, Pk(0)));
        let row: Option<(String,)> = self.source.row(statement).await?;
        Ok(row.map(|(id,)| ResourceId::new(id)))
    }

    /// How many there are of a kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self, kind: Kind) -> Result<u64> {
        const COUNT: &str = "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM tally WHERE tenant_id = $1 AND kind = $2";
        let row: Option<(i64,)> = self
            .source
            .row(Statement::new(COUNT).bind(self.tenant).bind(kind.code()))
            .await?;
        Ok(row.map_or(0, |(n,)| u64::try_from(n).unwrap_or(0)))
    }
}

fn key(tenant: TenantId, kind: Kind, text: &str, connection: Option<ConnectionId>) -> Vec<Bind> {
    vec![
        tenant.into(),
        kind.code().into(),
        text.to_owned().into(),
        connection.into(),
    ]
}

/// The columns that a document decides: `name_key`, `name_rest`, `twin`, `label`, `label_fold`, `active`.
fn columns(pk: Pk, content: &Content) -> [Bind; 6] {
    let (key, rest) = split(&content.name_key);
    [
        key.to_owned().into(),
        rest.to_owned().into(),
        twin(content.unique, rest, pk).into(),
        content.label.clone().into(),
        fold(&content.label).into(),
        content.active.map(i64::from).into(),
    ]
}

impl Resources<&mut Tx> {
    /// The same as [`Self::find`], and nobody else changes the resource until the unit ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_for_update(
        &mut self,
        kind: Kind,
        id: &ResourceId,
        connection: Option<ConnectionId>,
        groups: Groups,
    ) -> Result<Option<Stored>> {
        const LOCKED: &str = concat!(
            find!("$4", no_groups!()),
            " FROM resource r WHERE r.tenant_id = $1 AND r.kind = $2 AND r.id = $3 [lock r]"
        );
        const LOCKED_WITH_GROUPS: &str = concat!(
            find!("$4", groups_columns!()),
            " FROM resource r WHERE r.tenant_id = $1 AND r.kind = $2 AND r.id = $3 [lock r]"
        );
        let text = if groups == Groups::Listed {
            LOCKED_WITH_GROUPS
        } else {
            LOCKED
        };
        let key = key(self.tenant, kind, id.as_str(), connection);
        let found: Option<Found> = self.source.row(Statement::new(text).bind_all(key)).await?;
        Ok(found.map(|Found(stored)| stored))
    }

    /// The same as [`Self::users`], by row number, and nobody else changes them until the unit ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users_for_update(&mut self, users: &[Pk]) -> Result<Vec<Stored>> {
        const LOCKED: &str = concat!(
            "SELECT ",
            stored_columns!(),
            ", NULL, ",
            no_groups!(),
            " FROM resource r WHERE r.tenant_id = $1 AND r.kind = 1 ",
            "AND r.pk [among] SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end] ORDER BY r.pk [lock r]"
        );
        let users = json!(users.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string();
        self.source
            .rows(Statement::new(LOCKED).bind(self.tenant).bind(users))
            .await
    }

    /// Writes the new content of a resource that is at version `expected`, with the next statement of the unit or its
    /// save. That gives the error: [`Error::Stale`](crate::store::Error::Stale) when it is not at that version,
    /// [`Error::Taken`](crate::store::Error::Taken) when another resource has the name; the unit is lost then. Gives the
    /// next version.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update(
        &mut self,
        pk: Pk,
        expected: Version,
        old: &Leaves,
        content: &Content,
        external: External<'_>,
        now: Timestamp,
    ) -> Result<Version> {
        const UPDATE: &str = "UPDATE resource SET name_key = $4, name_rest = $5, twin = $6, label = $7, label_fold = $8, \
                              active = $9, modified = $10, doc = $11, version = version + 1 \
                              WHERE tenant_id = $1 AND pk = $2 AND version = $3 RETURNING version";
        const REMOVE: &str = "DELETE FROM attribute WHERE tenant_id = $1 AND (path_id, fold, resource_pk, elem) IN (\
                              SELECT [int $3 0], [text $3 1], CAST($2 AS BIGINT), [int $3 2] [from $3])";
        let rows = Rows::between(self.source, old, &content.leaves).await?;
        let statement = Statement::new(UPDATE)
            .bind(self.tenant)
            .bind(pk)
            .bind(expected)
            .bind_all(columns(pk, content))
            .bind(now)
            .bind(content.document.clone())
            .expecting_row();
        // Groups have no `active`. What the policy knows of a group is its name.
        let renamed = content
            .active
            .is_none()
            .then(|| bump_if_renamed(self.tenant, pk, &content.label));
        let script = renamed
            .into_iter()
            .fold(Script::new(statement), Script::before)
            .after_some(
                rows.removed
                    .map(|rows| Statement::new(REMOVE).bind(self.tenant).bind(pk).bind(rows)),
            )
            .after_some(rows.written.map(|rows| self.add_leaves(pk, rows)))
            .after_some(rows.free.map(|rows| self.give_up(pk, rows)))
            .after_some(rows.taken.map(|rows| self.take(pk, rows)))
            .after_some(self.external(pk, external));
        self.source.later(script);
        Ok(Version(expected.0 + 1))
    }

    /// Writes only what a connection calls a resource. The version moves. Errors come with the next statement of the
    /// unit or its save, as of [`Self::update`].
    pub fn rename(&mut self, pk: Pk, expected: Version, external: External<'_>, now: Timestamp) -> Version {
        const MOVE: &str = "UPDATE resource SET version = version + 1, modified = $4 \
                            WHERE tenant_id = $1 AND pk = $2 AND version = $3 RETURNING version";
        let moved = Statement::new(MOVE).bind(self.tenant).bind(pk).bind(expected).bind(now);
        let script = Script::new(moved.expecting_row()).after_some(self.external(pk, external));
        self.source.later(script);
        Version(expected.0 + 1)
    }

    /// Moves version and time of a resource whose row is otherwise unchanged, such as a group with new members. It must
    /// be held by [`Self::find_for_update`], which gave the version; the row is written with the save.
    pub fn touch(&mut self, pk: Pk, version: Version, now: Timestamp) -> Version {
        const TOUCH: &str = "UPDATE resource SET version = version + 1, modified = $3 WHERE tenant_id = $1 AND pk = $2 \
                             RETURNING version";
        let touched = Statement::new(TOUCH).bind(self.tenant).bind(pk).bind(now);
        self.source.later(touched.expecting_row());
        Version(version.0 + 1)
    }

    fn add_leaves(&self, pk: Pk, rows: Vec<Vec<Bind>>) -> Statement {
        const ADD: &str = "INSERT INTO attribute (tenant_id, path_id, fold, resource_pk, elem, rest) \
                           SELECT $1, [int $3 0], [text $3 1], $2, [int $3 2], [text $3 3] [from $3] WHERE 1 = 1 \
                           ON CONFLICT (tenant_id, path_id, fold, resource_pk, elem) DO UPDATE SET rest = excluded.rest";
        Statement::new(ADD).bind(self.tenant).bind(pk).bind(rows)
    }

    /// No two resources have the same: the index says so.
    fn take(&self, pk: Pk, values: Vec<Vec<Bind>>) -> Statement {
        const TAKE: &str = "INSERT INTO unique_value (tenant_id, path_id, fold, resource_pk) \
                            SELECT $1, [int $3 0], [text $3 1], $2 [from $3]";
        Statement::new(TAKE).bind(self.tenant).bind(pk).bind(values)
    }

    fn give_up(&self, pk: Pk, values: Vec<Vec<Bind>>) -> Statement {
        const FREE: &str = "DELETE FROM unique_value WHERE tenant_id = $1 AND resource_pk = $2 AND (path_id, fold) IN (\
                            SELECT [int $3 0], [text $3 1] [from $3])";
        Statement::new(FREE).bind(self.tenant).bind(pk).bind(values)
    }

    fn external(&self, pk: Pk, external: External<'_>) -> Option<Statement> {
        const CLEAR: &str = "DELETE FROM external_id WHERE tenant_id = $1 AND resource_pk = $2 AND connection_id = $3";
        match external {
            External::Keep => None,
            External::Set(connection, value) => Some(self.set_external_id(pk, connection, value)),
            External::Clear(connection) => Some(Statement::new(CLEAR).bind(self.tenant).bind(pk).bind(connection)),
        }
    }

    fn set_external_id(&self, pk: Pk, connection: ConnectionId, value: &str) -> Statement {
        const SET: &str = "INSERT INTO external_id (tenant_id, connection_id, resource_pk, value, rest, sent) \
                           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, resource_pk, connection_id) \
                           DO UPDATE SET value = excluded.value, rest = excluded.rest, sent = excluded.sent";
        let compared = exact(value);
        let (key, rest) = split(&compared);
        Statement::new(SET)
            .bind(self.tenant)
            .bind(connection)
            .bind(pk)
            .bind(key.to_owned())
            .bind(rest.to_owned())
            .bind((compared != value).then(|| value.to_owned()))
    }

    fn tally(&self, kind: Kind, pk: Pk, by: i64) -> Statement {
        const TALLY: &str = "INSERT INTO tally (tenant_id, kind, block, slot, n) VALUES ($1, $2, $3, $4, $5) \
                             ON CONFLICT (tenant_id, kind, block, slot) DO UPDATE SET n = tally.n + excluded.n";
        let slot = match self.source.engine() {
            Engine::Sqlite => 0,
            Engine::Postgres => i64::try_from(self.source.lane(SLOTS)).unwrap_or(0),
        };
        Statement::new(TALLY)
            .bind(self.tenant)
            .bind(kind.code())
            .bind(pk.0 >> BLOCK_SHIFT)
            .bind(slot)
            .bind(by)
    }
}
