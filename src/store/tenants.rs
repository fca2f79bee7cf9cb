//! Customer organisations. Here a tenant is what is asked for, so these are functions of the whole database.

use super::closing::State;
use super::error::{Error, Result};
use super::log::entries::Collected;
use super::sql::{Db, FromRow, Read, Row, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, TenantId};
use crate::event::{Origin, Record};

/// One customer organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Row number.
    pub id: TenantId,
    /// Id on the wire.
    pub uid: ResourceId,
    /// Short name in URLs.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// Whether it works.
    pub state: State,
    /// Since when, where somebody has changed that.
    pub since: Option<Timestamp>,
}

impl FromRow for Tenant {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: TenantId(row.get(0)?),
            uid: ResourceId::new(row.get::<String>(1)?),
            slug: row.get(2)?,
            name: row.get(3)?,
            created: Timestamp(row.get(4)?),
            state: State::parse(&row.get::<String>(5)?).ok_or(Error::Damaged("state of a tenant"))?,
            since: row.get::<Option<i64>>(6)?.map(Timestamp),
        })
    }
}

/// Writes a new tenant, and resolves when it is on disk. Its log does not say so: see [`create_logged`].
///
/// # Errors
/// [`Error::Taken`] when another tenant has the slug.
pub async fn create(db: &Db, uid: &ResourceId, slug: &str, name: &str, now: Timestamp) -> Result<Tenant> {
    write(db, (uid, slug, name), now, Collected::default()).await
}

/// The same, as the first that its log says.
///
/// # Errors
/// [`Error::Taken`] when another tenant has the slug.
pub async fn create_logged(
    db: &Db,
    (uid, slug, name): (&ResourceId, &str, &str),
    now: Timestamp,
    (txn, origin, record): (String, Origin, Record),
) -> Result<Tenant> {
    let mut collected = Collected::default();
    collected.name(txn);
    collected.add(now, origin, record);
    write(db, (uid, slug, name), now, collected).await
}

async fn write(
    db: &Db,
    (uid, slug, name): (&ResourceId, &str, &str),
    now: Timestamp,
    collected: Collected,
) -> Result<Tenant> {
    const CREATE: &str = "INSERT INTO tenant (uid, slug, name, created) VALUES ($1, $2, $3, $4) \
                          RETURNING id, uid, slug, name, created, state, since";
    // Those who rely on the policy lock its row, so there is one from the beginning.
    const POLICY: &str = "INSERT INTO policy (tenant_id, version) VALUES ($1, 0)";
    let mut tx = Tx::begin(db).await?;
    let statement = Statement::new(CREATE)
        .bind(uid)
        .bind(slug.to_owned())
        .bind(name.to_owned())
        .bind(now);
    let tenant: Tenant = tx
        .write_rows(statement)
        .await?
        .into_iter()
        .next()
        .ok_or(Error::Damaged("new tenant"))?;
    tx.later(Statement::new(POLICY).bind(tenant.id));
    tx.last(collected.into_statements(tenant.id)?);
    tx.save().await?;
    Ok(tenant)
}

/// The tenant with this slug.
///
/// # Errors
/// When the database fails.
pub async fn find(mut db: &Db, slug: &str) -> Result<Option<Tenant>> {
    const FIND: &str = "SELECT id, uid, slug, name, created, state, since FROM tenant WHERE slug = $1";
    db.row(Statement::new(FIND).bind(slug.to_owned())).await
}

/// The public id of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn uid(mut db: &Db, tenant: TenantId) -> Result<Option<String>> {
    const UID: &str = "SELECT uid FROM tenant WHERE id = $1";
    let row: Option<(String,)> = db.row(Statement::new(UID).bind(tenant)).await?;
    Ok(row.map(|row| row.0))
}

/// All tenants, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(mut db: &Db) -> Result<Vec<Tenant>> {
    db.rows(Statement::new(
        "SELECT id, uid, slug, name, created, state, since FROM tenant ORDER BY id",
    ))
    .await
}
