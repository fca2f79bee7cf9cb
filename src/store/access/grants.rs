//! Roles given to users and groups.

use serde_json::json;
use std::collections::BTreeSet;

use super::policy::bump;
use super::written::{self, GrantColumns};
use crate::access::{Grant, Origin, Reach, RecordRef, Restriction, Subject, Validity};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, ResourceId, RoleKey, ScopeKey, TenantId};
use crate::store::cause::{By, Maker};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Script, Statement, Tx};

/// Grants of one tenant.
pub struct Grants<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// A grant, who holds it, and who made it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredGrant {
    /// The grant.
    pub grant: Grant,
    /// Id of the user or group on the wire.
    pub subject_id: ResourceId,
    /// Its display name, now.
    pub subject_name: String,
    /// Who made it, when.
    pub made: Maker,
}

/// A new grant.
#[derive(Debug, Clone, Copy)]
pub struct NewGrant<'a> {
    /// Id on the wire.
    pub id: &'a str,
    /// Who holds it; must exist.
    pub subject: Subject,
    /// What it gives; a custom role must exist.
    pub role: RoleKey,
    /// Where it counts; a scope must exist.
    pub reach: &'a Reach,
    /// When it counts.
    pub validity: Validity,
    /// Which records it is narrowed to.
    pub restriction: &'a Restriction,
    /// How it came to be.
    pub origin: Origin,
}

/// Which grants are asked for; by default all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The one with this id on the wire.
    pub id: Option<&'a str>,
    /// Those of this user or group itself.
    pub subject: Option<Pk>,
    /// Those that give this role.
    pub role: Option<RoleKey>,
    /// Those on this scope itself.
    pub scope: Option<ScopeKey>,
    /// Those on this record.
    pub record: Option<&'a RecordRef>,
    /// Those on everything.
    pub everywhere: bool,
    /// Those that came to be so.
    pub origin: Option<Origin>,
}

/// In which order grants come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were made.
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

impl Order {
    /// The other one.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::OldestFirst => Self::NewestFirst,
            Self::NewestFirst => Self::OldestFirst,
        }
    }

    fn write(self, out: &mut Statement) {
        out.push(match self {
            Self::OldestFirst => " ORDER BY g.id",
            Self::NewestFirst => " ORDER BY g.id DESC",
        });
    }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A role that provisioning gives to a user on everything: id of the new grant on the wire, and the role.
pub type Provided = (String, RoleKey);

/// Columns of [`StoredGrant`]: of the grant `g` and its subject `r`.
macro_rules! columns {
    () => {
        "g.id, g.uid, g.subject_kind, g.subject_pk, g.role_id, g.reach, g.scope_id, g.record_kind, g.record_id, \
         g.valid_from, g.valid_to, g.restriction, g.origin, r.id, r.label, g.created, g.actor_kind, g.actor_name, \
         g.connection_id, g.request_id"
    };
}

/// Active or not, who holds one of the roles `$2` on everything for good at `$3`: users `x`, with their resources `r`.
macro_rules! lasting {
    ($columns:literal) => {
        concat!(
            "WITH h AS MATERIALIZED (SELECT g.subject_pk AS pk, g.subject_kind AS kind ",
            "FROM [each $2] AS j CROSS JOIN access_grant g WHERE g.tenant_id = $1 ",
            "AND g.role_id = CAST(j.value ->> 0 AS BIGINT) AND g.reach = 0 AND g.valid_to IS NULL ",
            "AND (g.valid_from IS NULL OR g.valid_from <= $3) AND g.restriction = '') ",
            $columns,
            " FROM (SELECT h.pk FROM h WHERE h.kind = 1 ",
            "UNION SELECT m.member_pk FROM h CROSS JOIN member m WHERE h.kind = 2 ",
            "AND m.tenant_id = $1 AND m.group_pk = h.pk AND m.member_kind = 1 ",
            "UNION SELECT m.member_pk FROM h CROSS JOIN group_closure c CROSS JOIN member m ",
            "WHERE h.kind = 2 AND c.tenant_id = $1 AND c.ancestor_pk = h.pk AND m.tenant_id = $1 ",
            "AND m.group_pk = c.group_pk AND m.member_kind = 1) x CROSS JOIN resource r "
        )
    };
}

impl FromRow for StoredGrant {
    fn from_row(row: &Row) -> Result<Self> {
        let columns = GrantColumns(
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
            row.get(7)?,
            row.get(8)?,
            row.get(9)?,
            row.get(10)?,
            row.get(11)?,
            row.get(12)?,
        );
        Ok(Self {
            grant: columns.grant()?,
            subject_id: ResourceId::new(row.get::<String>(13)?),
            subject_name: row.get(14)?,
            made: Maker::read(row, 15)?,
        })
    }
}

impl Wanted<'_> {
    /// Writes the conditions on the grant `g`, each behind an `AND`.
    fn write(&self, out: &mut Statement) {
        if let Some(id) = self.id {
            out.push(" AND g.uid = ").push_bind(id.to_owned());
        }
        if let Some(subject) = self.subject {
            out.push(" AND g.subject_pk = ").push_bind(subject);
        }
        if let Some(role) = self.role {
            out.push(" AND g.role_id = ").push_bind(role);
        }
        if let Some(scope) = self.scope {
            out.push(" AND g.scope_id = ").push_bind(scope);
        }
        if let Some(record) = self.record {
            out.push(" AND g.record_kind = ").push_bind(record.kind.clone());
            out.push(" AND g.record_id = ").push_bind(record.id.clone());
        }
        if self.everywhere {
            out.push(" AND g.reach = 0");
        }
        if let Some(origin) = self.origin {
            out.push(" AND g.origin = ").push_bind(origin.as_str());
        }
    }
}

impl<R: Read> Grants<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The grant with this id on the wire.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<StoredGrant>> {
        const FIND: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM access_grant g CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.uid = $2 ",
            "AND r.tenant_id = $1 AND r.pk = g.subject_pk"
        );
        self.source
            .row(Statement::new(FIND).bind(self.tenant).bind(id.to_owned()))
            .await
    }

    /// The grant of the role `owner`; there is at most one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owner(&mut self) -> Result<Option<StoredGrant>> {
        const OWNER: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM access_grant g CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.role_id = 1 ",
            "AND r.tenant_id = $1 AND r.pk = g.subject_pk"
        );
        self.source.row(Statement::new(OWNER).bind(self.tenant)).await
    }

    /// At most `limit` grants that are wanted, after the one with this number, oldest first; `GrantKey(0)` begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, wanted: Wanted<'_>, after: GrantKey, limit: u32) -> Result<Vec<StoredGrant>> {
        let mut out = Statement::new(concat!(
            "SELECT ",
            columns!(),
            " FROM access_grant g CROSS JOIN resource r WHERE g.tenant_id = "
        ));
        let tenant = out.keep(self.tenant);
        out.push_number(tenant).push(" AND r.tenant_id = ").push_number(tenant);
        out.push(" AND r.pk = g.subject_pk AND g.id > ").push_bind(after);
        wanted.write(&mut out);
        out.push(" ORDER BY g.id LIMIT 0 + ").push_bind(i64::from(limit));
        self.source.rows(out).await
    }

    /// The grants that are wanted, from an offset on: for pages that are asked for by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn slice(
        &mut self,
        wanted: Wanted<'_>,
        order: Order,
        (offset, limit): (u64, u64),
    ) -> Result<Vec<StoredGrant>> {
        let mut out = self.wanted(wanted);
        order.write(&mut out);
        out.push(" LIMIT 0 + ").push_bind(number(limit));
        out.push(" OFFSET 0 + ").push_bind(number(offset));
        self.source.rows(out).await
    }

    /// The grants that are wanted and come after one in an order, at most `limit`: for pages that follow each other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn beyond(
        &mut self,
        wanted: Wanted<'_>,
        order: Order,
        place: Option<GrantKey>,
        limit: u64,
    ) -> Result<Vec<StoredGrant>> {
        let mut out = self.wanted(wanted);
        if let Some(place) = place {
            out.push(match order {
                Order::OldestFirst => " AND g.id > ",
                Order::NewestFirst => " AND g.id < ",
            });
            out.push_bind(place);
        }
        order.write(&mut out);
        out.push(" LIMIT 0 + ").push_bind(number(limit));
        self.source.rows(out).await
    }

    /// A statement over the grants that are wanted, up to its order.
    fn wanted(&self, wanted: Wanted<'_>) -> Statement {
        let mut out = Statement::new(concat!(
            "SELECT ",
            columns!(),
            " FROM access_grant g CROSS JOIN resource r WHERE g.tenant_id = "
        ));
        let tenant = out.keep(self.tenant);
        out.push_number(tenant).push(" AND r.tenant_id = ").push_number(tenant);
        out.push(" AND r.pk = g.subject_pk");
        wanted.write(&mut out);
        out
    }

    /// How many grants are wanted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self, wanted: Wanted<'_>) -> Result<u64> {
        let mut out = Statement::new("SELECT count(*) FROM access_grant g WHERE g.tenant_id = ");
        out.push_bind(self.tenant);
        wanted.write(&mut out);
        let row: Option<(i64,)> = self.source.row(out).await?;
        Ok(row.map_or(0, |(n,)| u64::try_from(n).unwrap_or(0)))
    }

    /// At most `limit` active users, by row number, who hold one of these roles on everything for good: by an
    /// unrestricted grant that counts now and does not end, their own or of a group they are in. Rules do not count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lasting_holders(&mut self, roles: &[RoleKey], now: Timestamp, limit: u32) -> Result<Vec<Pk>> {
        const HOLDERS: &str = concat!(
            lasting!("SELECT r.pk"),
            "WHERE r.tenant_id = $1 AND r.pk = x.pk AND coalesce(r.active, 1) = 1 ORDER BY r.pk LIMIT 0 + $4"
        );
        let holders = self.lasting(HOLDERS, roles, now);
        let rows: Vec<(i64,)> = self.source.rows(holders.bind(i64::from(limit))).await?;
        Ok(rows.into_iter().map(|row| Pk(row.0)).collect())
    }

    /// Row numbers and ids of those of them whose ids are among these, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lasting_among(
        &mut self,
        roles: &[RoleKey],
        now: Timestamp,
        ids: &BTreeSet<String>,
    ) -> Result<Vec<(Pk, String)>> {
        const AMONG: &str = concat!(
            lasting!("SELECT r.pk, r.id"),
            "CROSS JOIN [each $4] AS k WHERE r.tenant_id = $1 AND r.pk = x.pk AND coalesce(r.active, 1) = 1 ",
            "AND r.id = k.value ->> 0"
        );
        let rows: Vec<_> = ids.iter().map(|id| (id,)).collect();
        let among = self.lasting(AMONG, roles, now).bind(json!(rows).to_string());
        let rows: Vec<(i64, String)> = self.source.rows(among).await?;
        Ok(rows.into_iter().map(|(pk, id)| (Pk(pk), id)).collect())
    }

    fn lasting(&self, text: &'static str, roles: &[RoleKey], now: Timestamp) -> Statement {
        let roles = written::numbers(roles.iter().map(|role| role.0));
        Statement::new(text).bind(self.tenant).bind(roles).bind(now)
    }
}

/// Moves the version when the grant is a group's.
macro_rules! bump_for_group {
    () => {
        "INSERT INTO policy (tenant_id, version) SELECT $1, 1 FROM access_grant g WHERE g.tenant_id = $1 AND g.id = $2 \
         AND g.subject_kind = 2 ON CONFLICT (tenant_id) DO UPDATE SET version = policy.version + 1"
    };
}

impl Grants<&mut Tx> {
    /// Writes a new grant. Subject, role and scope must have been looked up in this unit, after
    /// [`Policies::share`](super::policy::Policies::share) or [`hold`](super::policy::Policies::hold).
    ///
    /// # Errors
    /// [`Error::Taken`] with [`Unique::Owner`](crate::store::error::Unique::Owner) when there is an owner already, or
    /// when another grant has the id; the unit is lost then.
    pub async fn create(&mut self, new: NewGrant<'_>, by: By<'_>) -> Result<GrantKey> {
        const CREATE: &str = "INSERT INTO access_grant (tenant_id, uid, subject_kind, subject_pk, role_id, reach, scope_id, \
                              record_kind, record_id, valid_from, valid_to, restriction, origin, created, actor_kind, \
                              actor_name, connection_id, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
                              $11, $12, $13, $14, $15, $16, $17, $18) RETURNING id";
        let create = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(new.id.to_owned())
            .bind_all(written::subject(new.subject))
            .bind(new.role)
            .bind_all(written::reach(new.reach))
            .bind(new.validity.from)
            .bind(new.validity.to)
            .bind(written::restriction(new.restriction))
            .bind(new.origin.as_str())
            .bind_all(by.columns());
        let shared = matches!(new.subject, Subject::Group(_)).then(|| bump(self.tenant));
        let script = Script::new(create).after_some(shared);
        let row: Option<(i64,)> = self.source.write_rows(script).await?.into_iter().next();
        row.map(|row| GrantKey(row.0)).ok_or(Error::Damaged("new grant"))
    }

    /// Gives a user roles on everything, for good, as provisioning asked; written with the next statement of the unit or
    /// its save, which then gives the error. The roles must exist, by a policy that the unit shares.
    pub fn provide(&mut self, user: Pk, roles: &[Provided], by: By<'_>) {
        const PROVIDE: &str = "INSERT INTO access_grant (tenant_id, uid, subject_kind, subject_pk, role_id, reach, \
                               restriction, origin, created, actor_kind, actor_name, connection_id, request_id) \
                               SELECT $1, [text $9 0], 1, $2, [int $9 1], 0, '', $3, $4, $5, $6, $7, $8 [from $9]";
        if roles.is_empty() {
            return;
        }
        let rows = roles.iter().map(|(id, role)| vec![id.clone().into(), (*role).into()]);
        let provide = Statement::new(PROVIDE)
            .bind(self.tenant)
            .bind(user)
            .bind(Origin::Provisioned.as_str())
            .bind_all(by.columns())
            .bind(rows.collect::<Vec<_>>());
        self.source.later(provide);
    }

    /// Gives a resource that is new in this unit what these grants give: by number, each with the id on the wire of its
    /// copy. Copies of what provisioning gave stay with provisioning, all others are somebody's own decision. Written with
    /// the next statement of the unit or its save. The policy must be shared, or for a group moved.
    pub fn copy(&mut self, to: Subject, grants: &[(GrantKey, String)], by: By<'_>) {
        const COPY: &str = "INSERT INTO access_grant (tenant_id, uid, subject_kind, subject_pk, role_id, reach, scope_id, \
                            record_kind, record_id, valid_from, valid_to, restriction, origin, created, actor_kind, \
                            actor_name, connection_id, request_id) SELECT g.tenant_id, j.value ->> 1, \
                            CAST($3 AS BIGINT), CAST($4 AS BIGINT), g.role_id, g.reach, g.scope_id, g.record_kind, \
                            g.record_id, g.valid_from, g.valid_to, g.restriction, \
                            CASE WHEN g.origin = 'provisioned' THEN g.origin ELSE 'manual' END, CAST($5 AS BIGINT), \
                            CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS TEXT) \
                            FROM [each $2] AS j CROSS JOIN access_grant g WHERE g.tenant_id = $1 \
                            AND g.id = CAST(j.value ->> 0 AS BIGINT)";
        if grants.is_empty() {
            return;
        }
        let rows: Vec<_> = grants.iter().map(|(key, id)| (key.0, id)).collect();
        let copy = Statement::new(COPY)
            .bind(self.tenant)
            .bind(json!(rows).to_string())
            .bind_all(written::subject(to))
            .bind_all(by.columns());
        self.source.later(copy);
    }

    /// Takes grants of users away, with the next statement of the unit or its save.
    pub fn withdraw(&mut self, grants: &[GrantKey]) {
        const WITHDRAW: &str = "DELETE FROM access_grant WHERE tenant_id = $1 AND subject_kind = 1 AND id [among] \
                                SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j [end]";
        if grants.is_empty() {
            return;
        }
        let grants = written::numbers(grants.iter().map(|grant| grant.0));
        self.source
            .later(Statement::new(WITHDRAW).bind(self.tenant).bind(grants));
    }

    /// Gives another role by a grant, as when the owner becomes an admin; false when there is no such grant.
    ///
    /// # Errors
    /// [`Error::Taken`] when the role is the owner's and there is one already; the unit is lost then.
    pub async fn set_role(&mut self, key: GrantKey, role: RoleKey) -> Result<bool> {
        const SET: &str = "UPDATE access_grant SET role_id = $3 WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let of = |text| Statement::new(text).bind(self.tenant).bind(key);
        let script = Script::new(of(SET).bind(role)).before(of(bump_for_group!()));
        let rows: Vec<(i64,)> = self.source.write_rows(script).await?;
        Ok(!rows.is_empty())
    }

    /// Changes when a grant counts; false when there is no such grant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_validity(&mut self, key: GrantKey, validity: Validity) -> Result<bool> {
        const SET: &str = "UPDATE access_grant SET valid_from = $3, valid_to = $4 WHERE tenant_id = $1 AND id = $2 \
                           RETURNING id";
        let of = |text| Statement::new(text).bind(self.tenant).bind(key);
        let set = of(SET).bind(validity.from).bind(validity.to);
        let script = Script::new(set).before(of(bump_for_group!()));
        let rows: Vec<(i64,)> = self.source.write_rows(script).await?;
        Ok(!rows.is_empty())
    }

    /// Deletes a grant; false when there is no such grant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, key: GrantKey) -> Result<bool> {
        const DELETE: &str = "DELETE FROM access_grant WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let of = |text| Statement::new(text).bind(self.tenant).bind(key);
        let script = Script::new(of(DELETE)).before(of(bump_for_group!()));
        let rows: Vec<(i64,)> = self.source.write_rows(script).await?;
        Ok(!rows.is_empty())
    }
}
