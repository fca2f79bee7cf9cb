//! What a decision reads of one user, in one statement, and the same for many users.

mod everybody;
mod reports;

use serde_json::json;

use super::written::{self, collected, grant_array, numbers};
use crate::access::{Facts, GroupFact, RecordRef, RuleBits};
use crate::base::id::{Pk, ResourceId, RuleKey, ScopeKey, TenantId};
use crate::store::document::{Uniqueness, split, twin};
use crate::store::error::{Error, Result};
use crate::store::sql::{Bind, FromRow, Read, Row, Statement};

pub use reports::MOST_REPORTS;

/// Facts about the users of one tenant.
pub struct FactSheets<R> {
    tenant: TenantId,
    source: R,
}

/// Which user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKey<'a> {
    /// By id.
    Id(&'a ResourceId),
    /// By `userName`, as [`user_name_key`](crate::base::fold::user_name_key) gives it.
    Name(&'a str),
}

/// Facts about one user, and the policy they go with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// The version of the policy when they were read: it must be the one they are used with.
    pub policy_version: i64,
    /// The facts, without reports. Parents of groups are there only where [`Detail::Paths`] was asked for.
    pub facts: Facts,
    /// The scopes of the record that was asked about.
    pub record_scopes: Vec<ScopeKey>,
}

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What a decision needs.
    Decision,
    /// The groups that each group is directly in, too: what an explanation needs.
    Paths,
}

/// The groups of the user `r`, whether direct or through nesting: twice where both is so, which is cheaper to put right
/// here than there. `CROSS JOIN` keeps SQLite to the order of the tables.
macro_rules! groups_column {
    () => {
        "(SELECT CAST([collect]([array](g.pk, g.id, g.label, x.direct)) AS TEXT) FROM (\
         SELECT m.group_pk AS pk, 1 AS direct FROM member m WHERE m.tenant_id = r.tenant_id AND m.member_pk = r.pk \
         UNION ALL SELECT DISTINCT c.ancestor_pk, 0 FROM member m CROSS JOIN group_closure c \
         WHERE m.tenant_id = r.tenant_id AND m.member_pk = r.pk AND c.tenant_id = m.tenant_id AND c.group_pk = m.group_pk\
         ) x CROSS JOIN resource g WHERE g.tenant_id = r.tenant_id AND g.pk = x.pk)"
    };
}

/// The same for one user alone: who is in no group costs nothing. Of many users, PostgreSQL would answer the question
/// by reading all members of the tenant once a statement.
macro_rules! groups_column_of_one {
    () => {
        concat!(
            "CASE WHEN EXISTS (SELECT 1 FROM member m WHERE m.tenant_id = r.tenant_id AND m.member_pk = r.pk) THEN ",
            groups_column!(),
            " END"
        )
    };
}

/// Policy version, row number, id, whether active, groups as they are given, and bits of the user `r`.
macro_rules! columns {
    ($groups:expr) => {
        concat!(
            "coalesce((SELECT p.version FROM policy p WHERE p.tenant_id = $1), 0), r.pk, r.id, ",
            "coalesce(r.active, 1), ",
            $groups,
            ", (SELECT CAST([collect]([array](m.rule_id, m.version, m.bits)) AS TEXT) FROM rule_match m ",
            "WHERE m.tenant_id = r.tenant_id AND m.user_pk = r.pk), "
        )
    };
    () => {
        columns!(groups_column!())
    };
}

/// The user's own grants.
macro_rules! grants_column {
    () => {
        concat!(
            "(SELECT CAST([collect](",
            grant_array!(),
            ") AS TEXT) FROM access_grant g WHERE g.tenant_id = r.tenant_id AND g.subject_pk = r.pk)"
        )
    };
}

/// The scopes of the record whose kind and id are written after it.
macro_rules! scopes_column {
    ($kind:literal, $id:literal) => {
        concat!(
            "(SELECT CAST([collect]([array](s.scope_id)) AS TEXT) FROM record_scope s WHERE s.tenant_id = r.tenant_id ",
            "AND s.record_kind = ",
            $kind,
            " AND s.record_id = ",
            $id,
            ")"
        )
    };
}

/// Pairs of a group the user `r` is in, directly or not, and a group that one is directly in.
macro_rules! parents_column {
    () => {
        "(SELECT CAST([collect]([array](p.member_pk, p.group_pk)) AS TEXT) FROM (\
         SELECT m.group_pk AS pk FROM member m WHERE m.tenant_id = r.tenant_id AND m.member_pk = r.pk \
         UNION SELECT c.ancestor_pk FROM member m CROSS JOIN group_closure c WHERE m.tenant_id = r.tenant_id \
         AND m.member_pk = r.pk AND c.tenant_id = m.tenant_id AND c.group_pk = m.group_pk) x CROSS JOIN member p \
         WHERE p.tenant_id = r.tenant_id AND p.member_pk = x.pk)"
    };
}

macro_rules! by {
    ($key:literal) => {
        concat!(
            "SELECT ",
            columns!(groups_column_of_one!()),
            grants_column!(),
            ", ",
            scopes_column!("$2", "$3"),
            ", NULL FROM resource r WHERE r.tenant_id = $1 AND r.kind = 1 AND ",
            $key
        )
    };
}

use {columns, grants_column, groups_column, scopes_column};

/// Tenant, kind and id of the record, and the key of the user: one bind or two.
fn asked(tenant: TenantId, who: UserKey<'_>, record: Option<&RecordRef>) -> Vec<Bind> {
    let (kind, id) = record.map_or((Bind::Text(None), Bind::Text(None)), |record| {
        (record.kind.clone().into(), record.id.clone().into())
    });
    let mut binds: Vec<Bind> = vec![tenant.into(), kind, id];
    match who {
        UserKey::Id(id) => binds.push(id.into()),
        UserKey::Name(name) => {
            let (name, rest) = split(name);
            binds.push(name.to_owned().into());
            binds.push(twin(Uniqueness::Enforced, rest, Pk(0)).into());
        }
    }
    binds
}

impl<R: Read> FactSheets<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// All that a decision about a user needs beside the policy; `None` when there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn for_decision(&mut self, who: UserKey<'_>, record: Option<&RecordRef>) -> Result<Option<DecisionRow>> {
        const BY_ID: &str = by!("r.id = $4");
        const BY_NAME: &str = by!("r.name_key = $4 AND r.twin = $5");
        let text = match who {
            UserKey::Id(_) => BY_ID,
            UserKey::Name(_) => BY_NAME,
        };
        let statement = Statement::new(text).bind_all(asked(self.tenant, who, record));
        Ok(self.source.look_up(statement).await?.into_iter().next())
    }

    /// Facts about these users, in no order; row numbers of others are left out. One statement: a page at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, users: &[Pk], detail: Detail) -> Result<Vec<DecisionRow>> {
        const OF: &str = concat!(
            "SELECT ",
            columns!(),
            grants_column!(),
            ", NULL, NULL FROM [each $2] AS j CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.kind = 1 ",
            "AND r.pk = CAST(j.value ->> 0 AS BIGINT)"
        );
        const OF_WITH_PATHS: &str = concat!(
            "SELECT ",
            columns!(),
            grants_column!(),
            ", NULL, ",
            parents_column!(),
            " FROM [each $2] AS j CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.kind = 1 ",
            "AND r.pk = CAST(j.value ->> 0 AS BIGINT)"
        );
        let text = match detail {
            Detail::Decision => OF,
            Detail::Paths => OF_WITH_PATHS,
        };
        let users = numbers(users.iter().map(|pk| pk.0));
        self.source
            .rows(Statement::new(text).bind(self.tenant).bind(users))
            .await
    }

    /// What decisions about the users with these ids need, in no order; ids that name no user are left out. One
    /// statement: a page at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(&mut self, ids: &[ResourceId]) -> Result<Vec<DecisionRow>> {
        const BY_IDS: &str = concat!(
            "SELECT ",
            columns!(),
            grants_column!(),
            ", NULL, NULL FROM [each $2] AS j CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.kind = 1 ",
            "AND r.id = j.value ->> 0"
        );
        let ids = crate::store::filter::as_rows(ids);
        self.source
            .rows(Statement::new(BY_IDS).bind(self.tenant).bind(ids))
            .await
    }

    /// The same for the users of these names, as [`user_name_key`](crate::base::fold::user_name_key) gives them, each with
    /// the position of its name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_names(&mut self, names: &[String]) -> Result<Vec<(usize, DecisionRow)>> {
        const BY_NAMES: &str = concat!(
            "SELECT ",
            columns!(),
            grants_column!(),
            ", NULL, NULL, CAST(j.value ->> 2 AS BIGINT) FROM [each $2] AS j CROSS JOIN resource r ",
            "WHERE r.tenant_id = $1 AND r.kind = 1 AND r.name_key = j.value ->> 0 ",
            "AND r.twin = CAST(j.value ->> 1 AS BIGINT)"
        );
        let key = |(at, name): (usize, &String)| {
            let (start, rest) = split(name);
            (start.to_owned(), twin(Uniqueness::Enforced, rest, Pk(0)), at)
        };
        let keys: Vec<_> = names.iter().enumerate().map(key).collect();
        let statement = Statement::new(BY_NAMES).bind(self.tenant);
        let rows: Vec<Placed> = self.source.rows(statement.bind(json!(keys).to_string())).await?;
        Ok(rows.into_iter().map(|row| (row.0, row.1)).collect())
    }
}

/// A row behind whose columns there is the position of what it was asked for by.
struct Placed(usize, DecisionRow);

impl FromRow for Placed {
    fn from_row(row: &Row) -> Result<Self> {
        let at = usize::try_from(row.get::<i64>(9)?).map_err(|_| Error::Damaged("positions of names"))?;
        Ok(Self(at, DecisionRow::from_row(row)?))
    }
}

/// The groups of a column, each once, in order.
fn groups(text: Option<&str>) -> Result<Vec<GroupFact>> {
    let rows = collected::<(i64, String, String, i64)>(text, "groups of a user")?;
    let fact = |(pk, id, display, direct)| GroupFact {
        pk: Pk(pk),
        id,
        display,
        direct: direct != 0,
        parents: Vec::new(),
    };
    let mut groups: Vec<GroupFact> = rows.into_iter().map(fact).collect();
    groups.sort_unstable_by_key(|group| (group.pk, !group.direct));
    groups.dedup_by_key(|group| group.pk);
    Ok(groups)
}

impl FromRow for DecisionRow {
    fn from_row(row: &Row) -> Result<Self> {
        let text = |at| row.get::<Option<String>>(at);
        let user = Pk(row.get(1)?);
        let mut facts = Facts::new(user, row.get::<String>(2)?, row.get::<i64>(3)? != 0);
        facts.groups = groups(text(4)?.as_deref())?;
        for (rule, version, bits) in collected::<(i64, i64, u64)>(text(5)?.as_deref(), "matches of a user")? {
            facts.bits.push(RuleBits {
                rule: RuleKey(rule),
                version,
                bits,
            });
        }
        facts.grants = written::grants(text(6)?.as_deref())?;
        let scopes = collected::<(i64,)>(text(7)?.as_deref(), "scopes of a record")?;
        for (group, parent) in collected::<(i64, i64)>(text(8)?.as_deref(), "parents of groups")? {
            match facts.groups.iter_mut().find(|known| known.pk.0 == group) {
                Some(known) => known.parents.push(Pk(parent)),
                None => return Err(Error::Damaged("parents of groups")),
            }
        }
        Ok(Self {
            policy_version: row.get(0)?,
            facts,
            record_scopes: scopes.into_iter().map(|scope| ScopeKey(scope.0)).collect(),
        })
    }
}
