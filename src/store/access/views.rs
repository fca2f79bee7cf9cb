//! Who has to do with what: users that a search looks at, and what is shown of them.

use super::written::numbers;
use crate::access::RecordRef;
use crate::access::lifecycle::{Hold, Status};
use crate::base::id::{Pk, ResourceId, RoleKey, RuleKey, ScopeKey, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// Views over one tenant.
pub struct Views<R> {
    tenant: TenantId,
    source: R,
}

/// Where access can come from: what is to be searched. Whether it does is for the engine to say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// Users' own grants that give one of these roles; `None` is any role.
    pub roles: Option<&'a [RoleKey]>,
    /// Of those, the ones on everything.
    pub everywhere: bool,
    /// Of those, the ones on one of these scopes.
    pub scopes: &'a [ScopeKey],
    /// Of those, the ones on this record.
    pub record: Option<&'a RecordRef>,
    /// Users who are in one of these groups, directly or through nesting.
    pub groups: &'a [Pk],
    /// Users whose document says something about one of these rules: rule and `matched`. A condition that holds
    /// without that, such as `not (groups pr)`, may hold for everyone.
    pub rules: &'a [(RuleKey, i64)],
}

/// A user in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Row number.
    pub pk: Pk,
    /// Id on the wire.
    pub id: ResourceId,
    /// Display name.
    pub name: String,
    /// What they sign in with, as it was given.
    pub user_name: String,
    /// What they are.
    pub status: Status,
}

/// What is looked at in a document.
#[derive(serde::Deserialize)]
struct Signed {
    #[serde(rename = "userName")]
    user_name: String,
}

impl FromRow for Person {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            pk: Pk(row.get(0)?),
            id: ResourceId::new(row.get::<String>(1)?),
            name: row.get(2)?,
            status: Status::of(
                row.get::<i64>(3)? != 0,
                row.get::<Option<String>>(5)?.as_deref().and_then(Hold::parse),
            ),
            user_name: serde_json::from_str::<Signed>(&row.get::<String>(4)?)
                .map_err(|_| Error::Damaged("document of a user"))?
                .user_name,
        })
    }
}

/// SQLite joins at most 500 subqueries.
const MOST_ARMS: usize = 400;

impl<R: Read> Views<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// At most `limit` users after this row number that one of the sources leads to, in order; `Pk(0)` begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(&mut self, sources: &Sources<'_>, after: Pk, limit: u32) -> Result<Vec<Pk>> {
        let groups = self.with_nested(sources.groups).await?;
        let mut out = Statement::new("SELECT y.pk FROM (SELECT CAST(0 AS BIGINT) AS pk");
        let tenant = out.keep(self.tenant);
        let page = Page {
            tenant,
            after: out.keep(after),
            limit: out.keep(i64::from(limit)),
        };
        own_grants(&mut out, &page, sources);
        if groups.len() + sources.rules.len() < MOST_ARMS {
            for group in groups {
                out.push(" UNION SELECT * FROM (SELECT m.member_pk FROM member m WHERE m.tenant_id = ")
                    .push_number(tenant);
                out.push(" AND m.group_pk = ").push_bind(group);
                out.push(" AND m.member_kind = 1");
                page.slice(&mut out, " AND m.member_pk > ", " ORDER BY m.member_pk");
            }
            for (rule, version) in sources.rules {
                out.push(" UNION SELECT * FROM (SELECT m.user_pk FROM rule_match m WHERE m.tenant_id = ")
                    .push_number(tenant);
                out.push(" AND m.rule_id = ").push_bind(*rule);
                out.push(" AND m.version = ").push_bind(*version);
                page.slice(&mut out, " AND m.user_pk > ", " ORDER BY m.user_pk");
            }
        } else {
            of_many(&mut out, &page, &groups, sources.rules);
        }
        out.push(") y WHERE y.pk > ").push_number(page.after);
        out.push(" ORDER BY y.pk LIMIT 0 + ").push_number(page.limit);
        let rows: Vec<(i64,)> = self.source.rows(out).await?;
        Ok(rows.into_iter().map(|row| Pk(row.0)).collect())
    }

    /// At most `limit` users after this row number, in order; `Pk(0)` begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all(&mut self, after: Pk, limit: u32) -> Result<Vec<Pk>> {
        const ALL: &str = "SELECT r.pk FROM resource r WHERE r.tenant_id = $1 AND r.kind = 1 AND r.pk > $2 \
                           ORDER BY r.pk LIMIT 0 + $3";
        let all = Statement::new(ALL).bind(self.tenant).bind(after);
        let rows: Vec<(i64,)> = self.source.rows(all.bind(i64::from(limit))).await?;
        Ok(rows.into_iter().map(|row| Pk(row.0)).collect())
    }

    /// What is shown of these users, by row number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people(&mut self, users: &[Pk]) -> Result<Vec<Person>> {
        const PEOPLE: &str = "SELECT r.pk, r.id, r.label, coalesce(r.active, 1), r.doc, (SELECT s.state \
                              FROM user_status s WHERE s.tenant_id = $1 AND s.resource_pk = r.pk) FROM [each $2] AS j \
                              CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.kind = 1 AND r.pk = CAST(j.value ->> 0 AS BIGINT) \
                              ORDER BY r.pk";
        let users = numbers(users.iter().map(|pk| pk.0));
        self.source
            .rows(Statement::new(PEOPLE).bind(self.tenant).bind(users))
            .await
    }

    /// These groups and all that are nested in them, at any distance.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn with_nested(&mut self, groups: &[Pk]) -> Result<Vec<Pk>> {
        const NESTED: &str = "SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j UNION SELECT c.group_pk \
                              FROM [each $2] AS k CROSS JOIN group_closure c WHERE c.tenant_id = $1 \
                              AND c.ancestor_pk = CAST(k.value ->> 0 AS BIGINT)";
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let groups = numbers(groups.iter().map(|pk| pk.0));
        let nested = Statement::new(NESTED).bind(self.tenant).bind(groups);
        let rows: Vec<(i64,)> = self.source.rows(nested).await?;
        Ok(rows.into_iter().map(|row| Pk(row.0)).collect())
    }
}

/// Numbers of the binds that every arm shares.
struct Page {
    tenant: usize,
    after: usize,
    limit: usize,
}

impl Page {
    /// No arm gives more than the page needs.
    fn slice(&self, out: &mut Statement, after: &'static str, order: &'static str) {
        out.push(after).push_number(self.after).push(order);
        out.push(" LIMIT 0 + ").push_number(self.limit).push(") a");
    }
}

/// Users' own grants, by where they count: an arm for each, so that each has its index.
fn own_grants(out: &mut Statement, page: &Page, sources: &Sources<'_>) {
    if sources.everywhere {
        out.push(" UNION SELECT * FROM (SELECT DISTINCT g.subject_pk FROM access_grant g WHERE g.reach = 0");
        of_users(out, page, sources.roles);
    }
    if !sources.scopes.is_empty() {
        out.push(" UNION SELECT * FROM (SELECT DISTINCT g.subject_pk FROM [each ")
            .push_bind(numbers(sources.scopes.iter().map(|scope| scope.0)));
        out.push("] AS s CROSS JOIN access_grant g WHERE g.scope_id = CAST(s.value ->> 0 AS BIGINT)");
        of_users(out, page, sources.roles);
    }
    if let Some(record) = sources.record {
        out.push(" UNION SELECT * FROM (SELECT DISTINCT g.subject_pk FROM access_grant g WHERE g.record_kind = ")
            .push_bind(record.kind.clone());
        out.push(" AND g.record_id = ").push_bind(record.id.clone());
        of_users(out, page, sources.roles);
    }
}

/// The rest of such an arm. The sign keeps SQLite from walking all grants in order to get the order for free.
fn of_users(out: &mut Statement, page: &Page, roles: Option<&[RoleKey]>) {
    out.push(" AND g.tenant_id = ").push_number(page.tenant);
    out.push(" AND g.subject_kind = 1");
    if let Some(roles) = roles {
        out.push(" AND g.role_id IN (SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each ");
        out.push_bind(numbers(roles.iter().map(|role| role.0))).push("] AS j)");
    }
    page.slice(out, " AND +g.subject_pk > ", " ORDER BY g.subject_pk");
}

/// The same as an arm for each, for more than there may be arms.
fn of_many(out: &mut Statement, page: &Page, groups: &[Pk], rules: &[(RuleKey, i64)]) {
    out.push(" UNION SELECT * FROM (SELECT DISTINCT m.member_pk FROM [each ");
    out.push_bind(numbers(groups.iter().map(|pk| pk.0)));
    out.push("] AS j CROSS JOIN member m WHERE m.tenant_id = ")
        .push_number(page.tenant);
    out.push(" AND m.group_pk = CAST(j.value ->> 0 AS BIGINT) AND m.member_kind = 1");
    page.slice(out, " AND m.member_pk > ", " ORDER BY m.member_pk");
    let rules = serde_json::json!(
        rules
            .iter()
            .map(|(rule, version)| [rule.0, *version])
            .collect::<Vec<_>>()
    );
    out.push(" UNION SELECT * FROM (SELECT DISTINCT m.user_pk FROM [each ")
        .push_bind(rules.to_string());
    out.push("] AS j CROSS JOIN rule_match m WHERE m.tenant_id = ")
        .push_number(page.tenant);
    out.push(" AND m.rule_id = CAST(j.value ->> 0 AS BIGINT) AND m.version = CAST(j.value ->> 1 AS BIGINT)");
    page.slice(out, " AND m.user_pk > ", " ORDER BY m.user_pk");
}
