//! Schemas and resource types of a tenant, and which stored resources stand in the way of a change of them.

use super::error::{Error, Result};
use super::filter::intern;
use super::kind::Kind;
use super::sql::{Read, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{Pk, ResourceId, TenantId};
use crate::scim::schema::{Among, Demand, Holds};

/// The schemas of one tenant.
pub struct Schemas<R> {
    tenant: TenantId,
    source: R,
}

/// What a tenant has defined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// How often that was changed.
    pub version: i64,
    /// JSON of each schema.
    pub schemas: Vec<String>,
    /// JSON of what each resource type has of the tenant.
    pub types: Vec<String>,
}

/// A stored resource that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTheWay {
    /// Row number.
    pub pk: Pk,
    /// Id on the wire.
    pub id: ResourceId,
    /// Its display name.
    pub label: String,
}

/// What is defined is one thing or the other; their statements differ by the name of the table.
macro_rules! of_table {
    ($what:expr, $before:literal, $schema:literal, $type:literal, $after:literal) => {
        match $what {
            Defined::Schema => concat!($before, $schema, $after),
            Defined::Type => concat!($before, $type, $after),
        }
    };
}

/// What is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defined {
    /// A schema, by its URN in small letters.
    Schema,
    /// What a resource type has of the tenant, by the name of the type.
    Type,
}

/// Expects that the schemas were changed so often and no more.
pub(super) fn are_at(tenant: TenantId, schemas: i64) -> Statement {
    const ARE_AT: &str = "SELECT p.schemas FROM policy p WHERE p.tenant_id = $1 AND p.schemas = $2";
    Statement::new(ARE_AT).bind(tenant).bind(schemas).expecting_row()
}

impl<R: Read> Schemas<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// How often the schemas were changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn version(&mut self) -> Result<i64> {
        const VERSION: &str = "SELECT p.schemas FROM policy p WHERE p.tenant_id = $1";
        let row: Option<(i64,)> = self.source.row(Statement::new(VERSION).bind(self.tenant)).await?;
        Ok(row.map_or(0, |row| row.0))
    }

    /// Everything that the tenant has defined, in one statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(&mut self) -> Result<Own> {
        const LOAD: &str = "SELECT coalesce((SELECT p.schemas FROM policy p WHERE p.tenant_id = $1), 0), \
                            (SELECT CAST([collect]([array](s.definition) ORDER BY s.urn) AS TEXT) FROM own_schema s \
                            WHERE s.tenant_id = $1), \
                            (SELECT CAST([collect]([array](y.definition) ORDER BY y.name) AS TEXT) FROM own_type y \
                            WHERE y.tenant_id = $1)";
        let row: Option<(i64, Option<String>, Option<String>)> =
            self.source.row(Statement::new(LOAD).bind(self.tenant)).await?;
        let (version, schemas, types) = row.ok_or(Error::Damaged("schemas"))?;
        Ok(Own {
            version,
            schemas: texts(schemas.as_deref())?,
            types: texts(types.as_deref())?,
        })
    }

    /// How many resources of a kind keep a demand from holding, and the first of them, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn in_the_way(&mut self, kind: Kind, demand: &Demand, limit: u32) -> Result<(u64, Vec<InTheWay>)> {
        let mut statement = Statement::new("SELECT r.pk, r.id, r.label, count(*) OVER () FROM resource r WHERE ");
        let (tenant, code) = (statement.keep(self.tenant), statement.keep(kind.code()));
        let mut asking = Asking {
            statement: &mut statement,
            tenant,
            kind: code,
        };
        asking.number("r.tenant_id = ", tenant);
        asking.number(" AND r.kind = ", code);
        asking.text(" AND ");
        asking.against(demand);
        statement.push(" ORDER BY r.pk LIMIT 0 + ").push_bind(i64::from(limit));
        let rows: Vec<(i64, String, String, i64)> = self.source.rows(statement).await?;
        let count = rows.first().map_or(0, |row| u64::try_from(row.3).unwrap_or(0));
        let rows = rows.into_iter().map(|(pk, id, label, _)| InTheWay {
            pk: Pk(pk),
            id: ResourceId::new(id),
            label,
        });
        Ok((count, rows.collect()))
    }
}

fn texts(text: Option<&str>) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = match text {
        Some(text) => serde_json::from_str(text).map_err(|_| Error::Damaged("schemas"))?,
        None => Vec::new(),
    };
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// A question about resources, on its way.
struct Asking<'a> {
    statement: &'a mut Statement,
    tenant: usize,
    kind: usize,
}

impl Asking<'_> {
    fn text(&mut self, text: &'static str) {
        self.statement.push(text);
    }

    fn number(&mut self, text: &'static str, bind: usize) {
        self.statement.push(text).push_number(bind);
    }

    fn bind(&mut self, text: &'static str, value: String) {
        self.statement.push(text).push_bind(value);
    }

    /// Rows of the attribute table at a path, as a table of this name up to its condition.
    fn at(&mut self, text: &'static str, path: &str) {
        self.number(text, self.tenant);
        self.bind(
            " AND path_id = (SELECT p.id FROM attribute_path p WHERE p.name = ",
            path.to_owned(),
        );
        self.text(")");
    }

    fn with(&mut self, path: &str) {
        self.at("r.pk IN (SELECT resource_pk FROM attribute WHERE tenant_id = ", path);
        self.text(")");
    }

    fn among(&mut self, among: &Among) {
        match among {
            Among::All => self.text("1 = 1"),
            Among::With(path) => self.with(path),
            Among::Extended(urn) => {
                self.at(
                    "r.pk IN (SELECT resource_pk FROM attribute WHERE tenant_id = ",
                    "schemas",
                );
                self.bind(" AND fold = ", fold(urn));
                self.text(")");
            }
        }
    }

    /// What holds for those that are in the way.
    fn against(&mut self, demand: &Demand) {
        match &demand.holds {
            Holds::Nobody(among) => self.among(among),
            Holds::Given(among) => {
                self.among(among);
                self.text(" AND NOT ");
                let there = if demand.path.starts_with("urn:") && matches!(among, Among::All) {
                    // A required extension: its URN among `schemas`.
                    Among::Extended(demand.path.clone())
                } else {
                    Among::With(demand.path.clone())
                };
                self.among(&there);
            }
            Holds::InElements(of) => {
                self.at(
                    "r.pk IN (SELECT a.resource_pk FROM attribute a WHERE a.tenant_id = ",
                    of,
                );
                self.at(
                    " AND NOT EXISTS (SELECT 1 FROM attribute WHERE resource_pk = a.resource_pk AND elem = a.elem \
                     AND tenant_id = ",
                    &demand.path,
                );
                self.text("))");
            }
            Holds::Distinct { any_type } => {
                self.at(
                    "r.pk IN (SELECT resource_pk FROM attribute WHERE tenant_id = ",
                    &demand.path,
                );
                self.at(
                    " AND fold <> '' AND (rest <> '' OR fold IN (SELECT fold FROM attribute WHERE tenant_id = ",
                    &demand.path,
                );
                if !any_type {
                    self.number(
                        " AND resource_pk IN (SELECT q.pk FROM resource q WHERE q.tenant_id = ",
                        self.tenant,
                    );
                    self.number(" AND q.kind = ", self.kind);
                    self.text(")");
                }
                self.text(" GROUP BY fold HAVING count(DISTINCT resource_pk) > 1)))");
            }
        }
    }
}

impl Schemas<&mut Tx> {
    /// Writes a definition, in the place of the one of this key; with the save.
    pub fn put(&mut self, what: Defined, key: &str, definition: String, now: Timestamp) {
        let text = of_table!(
            what,
            "INSERT INTO ",
            "own_schema (tenant_id, urn, definition, created, modified) VALUES ($1, $2, $3, $4, $4) \
             ON CONFLICT (tenant_id, urn) DO UPDATE SET ",
            "own_type (tenant_id, name, definition, created, modified) VALUES ($1, $2, $3, $4, $4) \
             ON CONFLICT (tenant_id, name) DO UPDATE SET ",
            "definition = excluded.definition, modified = excluded.modified"
        );
        let statement = Statement::new(text).bind(self.tenant).bind(key.to_owned());
        self.source.later(statement.bind(definition).bind(now));
    }

    /// Removes a definition; with the save.
    pub fn remove(&mut self, what: Defined, key: &str) {
        let text = of_table!(
            what,
            "DELETE FROM ",
            "own_schema WHERE tenant_id = $1 AND urn",
            "own_type WHERE tenant_id = $1 AND name",
            " = $2"
        );
        self.source
            .later(Statement::new(text).bind(self.tenant).bind(key.to_owned()));
    }

    /// Says that the schemas are others; what is compiled of them, and of the policy, is compiled anew.
    pub fn bump(&mut self) {
        const BUMP: &str = "INSERT INTO policy (tenant_id, version, schemas) VALUES ($1, 1, 1) ON CONFLICT (tenant_id) \
                            DO UPDATE SET version = policy.version + 1, schemas = policy.schemas + 1";
        self.source.later(Statement::new(BUMP).bind(self.tenant));
    }

    /// From now on no two resources have the same value at a path, which is kept under this key.
    ///
    /// # Errors
    /// When the database fails; [`Error::Taken`] when two have.
    pub async fn make_unique(&mut self, kind: Kind, path: &str, key: &str) -> Result<()> {
        const FILL: &str = "INSERT INTO unique_value (tenant_id, path_id, fold, resource_pk) \
                            SELECT DISTINCT CAST($1 AS BIGINT), CAST($4 AS BIGINT), a.fold, a.resource_pk FROM attribute a \
                            CROSS JOIN resource r WHERE a.tenant_id = $1 \
                            AND a.path_id = (SELECT p.id FROM attribute_path p WHERE p.name = $3) \
                            AND a.fold <> '' AND r.tenant_id = $1 AND r.pk = a.resource_pk AND r.kind = $2";
        let id = intern(self.source, key).await?;
        let fill = Statement::new(FILL).bind(self.tenant).bind(kind.code());
        self.source.write(fill.bind(path.to_owned()).bind(id)).await
    }

    /// Values under this key may be the same from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn make_free(&mut self, key: &str) -> Result<()> {
        const FREE: &str = "DELETE FROM unique_value WHERE tenant_id = $1 \
                            AND path_id = (SELECT p.id FROM attribute_path p WHERE p.name = $2)";
        let free = Statement::new(FREE).bind(self.tenant).bind(key.to_owned());
        self.source.write(free).await
    }
}
