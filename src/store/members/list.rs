//! Reading who is in a group: stored members, and those that rules give.

use serde_json::json;

use super::{ByRule, Member, Members};
use crate::base::id::{Pk, TenantId};
use crate::store::error::Result;
use crate::store::sql::{FromRow, Read, Row, Statement};

struct OfGroup(Pk, Member);

impl FromRow for OfGroup {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(Pk(row.get(3)?), Member::from_row(row)?))
    }
}

impl<R: Read> Members<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// At most `limit` direct members of a group, each once, in the order in which they were created.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, group: Pk, limit: Option<usize>, by_rule: &ByRule) -> Result<Vec<Member>> {
        const LIST: &str = "SELECT r.id, r.kind, r.label FROM member m \
                            JOIN resource r ON r.tenant_id = m.tenant_id AND r.pk = m.member_pk \
                            WHERE m.tenant_id = $1 AND m.group_pk = $2 ORDER BY m.member_pk LIMIT 0 + $3";
        const LIST_ALL: &str = "SELECT r.id, r.kind, r.label FROM (\
                                SELECT m.member_pk AS pk FROM member m WHERE m.tenant_id = $1 AND m.group_pk = $2 \
                                UNION SELECT x.user_pk FROM [each $4] AS j CROSS JOIN rule_match x \
                                WHERE CAST(j.value ->> 0 AS BIGINT) = $2 AND x.tenant_id = $1 \
                                AND x.rule_id = CAST(j.value ->> 1 AS BIGINT) AND x.version = CAST(j.value ->> 2 AS BIGINT) \
                                UNION SELECT CAST(k.value ->> 1 AS BIGINT) FROM [each $5] AS k \
                                WHERE CAST(k.value ->> 0 AS BIGINT) = $2) p \
                                CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.pk = p.pk ORDER BY p.pk LIMIT 0 + $3";
        let limit = limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let list = |text| Statement::new(text).bind(self.tenant).bind(group).bind(limit);
        let statement = if by_rule.is_empty() {
            list(LIST)
        } else {
            list(LIST_ALL).bind(by_rule.matching_rows()).bind(by_rule.found_rows())
        };
        self.source.rows(statement).await
    }

    /// The direct members of several groups, by group, each once, in the order in which they were created. The members
    /// that rules give must be of these groups: see [`ByRule::of`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_groups(&mut self, groups: &[Pk], by_rule: &ByRule) -> Result<Vec<(Pk, Member)>> {
        const OF: &str = "SELECT r.id, r.kind, r.label, m.group_pk FROM [each $2] AS j \
                          CROSS JOIN member m CROSS JOIN resource r WHERE m.tenant_id = $1 \
                          AND m.group_pk = CAST(j.value ->> 0 AS BIGINT) AND r.tenant_id = $1 AND r.pk = m.member_pk \
                          ORDER BY m.group_pk, m.member_pk";
        const OF_ALL: &str = "SELECT r.id, r.kind, r.label, p.holder FROM (\
                              SELECT m.group_pk AS holder, m.member_pk AS pk FROM [each $2] AS i CROSS JOIN member m \
                              WHERE m.tenant_id = $1 AND m.group_pk = CAST(i.value ->> 0 AS BIGINT) \
                              UNION SELECT CAST(j.value ->> 0 AS BIGINT), x.user_pk FROM [each $3] AS j \
                              CROSS JOIN rule_match x WHERE x.tenant_id = $1 \
                              AND x.rule_id = CAST(j.value ->> 1 AS BIGINT) AND x.version = CAST(j.value ->> 2 AS BIGINT) \
                              UNION SELECT CAST(k.value ->> 0 AS BIGINT), CAST(k.value ->> 1 AS BIGINT) \
                              FROM [each $4] AS k) p \
                              CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.pk = p.pk ORDER BY p.holder, p.pk";
        let groups = json!(groups.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string();
        let of = |text| Statement::new(text).bind(self.tenant).bind(groups);
        let statement = if by_rule.is_empty() {
            of(OF)
        } else {
            of(OF_ALL).bind(by_rule.matching_rows()).bind(by_rule.found_rows())
        };
        let rows: Vec<OfGroup> = self.source.rows(statement).await?;
        Ok(rows.into_iter().map(|OfGroup(group, member)| (group, member)).collect())
    }

    /// Users who are stored members of these groups or of groups nested in them, each once, in no order; at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users_below(&mut self, groups: &[Pk], limit: usize) -> Result<Vec<Pk>> {
        const BELOW: &str = "SELECT DISTINCT m.member_pk FROM (SELECT CAST(j.value ->> 0 AS BIGINT) AS pk FROM [each $2] AS j \
                             UNION SELECT c.group_pk FROM [each $2] AS k CROSS JOIN group_closure c \
                             WHERE c.tenant_id = $1 AND c.ancestor_pk = CAST(k.value ->> 0 AS BIGINT)) g \
                             CROSS JOIN member m WHERE m.tenant_id = $1 AND m.group_pk = g.pk AND m.member_kind = 1 \
                             LIMIT 0 + $3";
        let groups = json!(groups.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string();
        let below = Statement::new(BELOW).bind(self.tenant).bind(groups);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<(i64,)> = self.source.rows(below.bind(limit)).await?;
        Ok(rows.into_iter().map(|(pk,)| Pk(pk)).collect())
    }

    /// How many direct members a group has, each once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self, group: Pk, by_rule: &ByRule) -> Result<u64> {
        const COUNT: &str = "SELECT count(*) FROM member WHERE tenant_id = $1 AND group_pk = $2";
        const COUNT_ALL: &str = "SELECT count(*) FROM (\
                                 SELECT m.member_pk AS pk FROM member m WHERE m.tenant_id = $1 AND m.group_pk = $2 \
                                 UNION SELECT x.user_pk FROM [each $3] AS j CROSS JOIN rule_match x \
                                 WHERE CAST(j.value ->> 0 AS BIGINT) = $2 AND x.tenant_id = $1 \
                                 AND x.rule_id = CAST(j.value ->> 1 AS BIGINT) AND x.version = CAST(j.value ->> 2 AS BIGINT) \
                                 UNION SELECT CAST(k.value ->> 1 AS BIGINT) FROM [each $4] AS k \
                                 WHERE CAST(k.value ->> 0 AS BIGINT) = $2) p";
        let count = |text| Statement::new(text).bind(self.tenant).bind(group);
        let statement = if by_rule.is_empty() {
            count(COUNT)
        } else {
            count(COUNT_ALL)
                .bind(by_rule.matching_rows())
                .bind(by_rule.found_rows())
        };
        let row: Option<(i64,)> = self.source.row(statement).await?;
        Ok(row.map_or(0, |(n,)| u64::try_from(n).unwrap_or(0)))
    }
}
