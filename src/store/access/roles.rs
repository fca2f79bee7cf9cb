//! Custom roles. The predefined ones are not stored: they are the same everywhere.

use serde_json::json;

use super::hanging::{self, Hanging, Holding, Removal, Target};
use super::policy::bump;
use super::written;
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{RoleKey, TenantId};
use crate::store::cause::By;
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Script, Statement, Tx};

/// Custom roles of one tenant.
pub struct Roles<R> {
    tenant: TenantId,
    source: R,
}

/// A custom role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRole {
    /// 100 or above.
    pub key: RoleKey,
    /// Id on the wire.
    pub id: String,
    /// For people.
    pub name: String,
    /// Keys of permissions, in the order they were written.
    pub permissions: Vec<String>,
    /// The role it is a copy of; that one may be gone.
    pub origin: Option<RoleKey>,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

/// A new role.
#[derive(Debug, Clone, Copy)]
pub struct NewRole<'a> {
    /// Id on the wire.
    pub id: &'a str,
    /// At most 256 characters; unique in the tenant in any letter case.
    pub name: &'a str,
    /// Keys of permissions.
    pub permissions: &'a [&'a str],
    /// The role it is a copy of.
    pub origin: Option<RoleKey>,
}

impl FromRow for StoredRole {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            key: RoleKey(row.get(0)?),
            id: row.get(1)?,
            name: row.get(2)?,
            permissions: written::permissions(&row.get::<String>(3)?)?,
            origin: row.get::<Option<i64>>(4)?.map(RoleKey),
            created: Timestamp(row.get(5)?),
            modified: Timestamp(row.get(6)?),
        })
    }
}

impl<R: Read> Roles<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The role with this id on the wire.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<StoredRole>> {
        const FIND: &str = "SELECT id, uid, name, permissions, origin_id, created, modified FROM role \
                            WHERE tenant_id = $1 AND uid = $2";
        self.source
            .row(Statement::new(FIND).bind(self.tenant).bind(id.to_owned()))
            .await
    }

    /// The role with this number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&mut self, key: RoleKey) -> Result<Option<StoredRole>> {
        const GET: &str = "SELECT id, uid, name, permissions, origin_id, created, modified FROM role \
                           WHERE tenant_id = $1 AND id = $2";
        self.source.row(Statement::new(GET).bind(self.tenant).bind(key)).await
    }

    /// At most `limit` roles after the one with this number, oldest first; `RoleKey(0)` begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: RoleKey, limit: u32) -> Result<Vec<StoredRole>> {
        const LIST: &str = "SELECT id, uid, name, permissions, origin_id, created, modified FROM role \
                            WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 0 + $3";
        let list = Statement::new(LIST).bind(self.tenant).bind(after);
        self.source.rows(list.bind(i64::from(limit))).await
    }
}

impl Roles<&mut Tx> {
    /// Writes a new role.
    ///
    /// # Errors
    /// [`Error::Taken`] when another role has the name or the id; the unit is lost then.
    pub async fn create(&mut self, new: NewRole<'_>, now: Timestamp) -> Result<RoleKey> {
        const CREATE: &str = "INSERT INTO role (tenant_id, uid, name, name_fold, permissions, origin_id, created, modified) \
                              VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id";
        let create = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(new.id.to_owned())
            .bind(new.name.to_owned())
            .bind(fold(new.name))
            .bind(json!(new.permissions).to_string())
            .bind(new.origin)
            .bind(now);
        let script = Script::new(create).after(bump(self.tenant));
        let row: Option<(i64,)> = self.source.write_rows(script).await?.into_iter().next();
        row.map(|row| RoleKey(row.0)).ok_or(Error::Damaged("new role"))
    }

    /// Gives a role another name and other permissions; false when there is no such role.
    ///
    /// # Errors
    /// [`Error::Taken`] when another role has the name; the unit is lost then.
    pub async fn update(&mut self, key: RoleKey, name: &str, permissions: &[&str], now: Timestamp) -> Result<bool> {
        const UPDATE: &str = "UPDATE role SET name = $3, name_fold = $4, permissions = $5, modified = $6 \
                              WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let update = Statement::new(UPDATE)
            .bind(self.tenant)
            .bind(key)
            .bind(name.to_owned())
            .bind(fold(name))
            .bind(json!(permissions).to_string())
            .bind(now);
        let script = Script::new(update).after(bump(self.tenant));
        let rows: Vec<(i64,)> = self.source.write_rows(script).await?;
        Ok(!rows.is_empty())
    }

    /// Deletes a role that nothing hangs on; with [`Holding::Detach`] its grants are deleted and rules lose the outcomes
    /// that name it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, key: RoleKey, holding: Holding, by: By<'_>) -> Result<Removal> {
        const GRANTS: &str = "DELETE FROM access_grant WHERE tenant_id = $1 AND role_id = $2";
        const DELETE: &str = "DELETE FROM role WHERE tenant_id = $1 AND id = $2 RETURNING id";
        if self.get(key).await?.is_none() {
            return Ok(Removal::Absent);
        }
        self.source.later(bump(self.tenant));
        let hanging = hanging::on(self.source, self.tenant, Target::Role(key), holding).await?;
        if holding == Holding::Refuse && !hanging.is_empty() {
            return Ok(Removal::Held(hanging));
        }
        if !hanging.rules.is_empty() {
            hanging::detach(self.source, self.tenant, Target::Role(key), by).await?;
        }
        let of = |text| Statement::new(text).bind(self.tenant).bind(key);
        let gone: Vec<(i64,)> = self
            .source
            .write_rows(Script::new(of(DELETE)).before(of(GRANTS)))
            .await?;
        Ok(if gone.is_empty() {
            Removal::Absent
        } else {
            Removal::Gone(hanging)
        })
    }
}

/// What a deletion took along, for those who only want to know whether it went.
impl Removal {
    /// What hung on it, whether it is gone now or still holds.
    #[must_use]
    pub fn hanging(&self) -> Option<&Hanging> {
        match self {
            Self::Gone(hanging) | Self::Held(hanging) => Some(hanging),
            Self::Absent => None,
        }
    }
}
