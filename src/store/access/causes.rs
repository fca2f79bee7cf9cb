//! Which requests wrote what an explanation rests on.

use std::collections::BTreeSet;

use serde_json::json;

use crate::access::explain::Ground;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, GrantKey, Pk, RuleKey, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// Causes in one tenant.
pub struct Causes<R> {
    tenant: TenantId,
    source: R,
}

/// The request that wrote something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What.
    pub ground: Ground,
    /// When.
    pub at: Timestamp,
    /// What kind of caller and which one, where that is kept.
    pub actor: Option<(String, String)>,
    /// Over which connection.
    pub connection: Option<ConnectionId>,
    /// In which request.
    pub request_id: Option<String>,
}

impl FromRow for Written {
    fn from_row(row: &Row) -> Result<Self> {
        let (first, second): (i64, i64) = (row.get(1)?, row.get(2)?);
        let ground = match row.get::<i64>(0)? {
            1 => Ground::Grant(GrantKey(first)),
            2 => Ground::Member {
                member: Pk(first),
                group: Pk(second),
            },
            3 => Ground::Rule {
                rule: RuleKey(first),
                version: second,
            },
            4 => Ground::Profile {
                user: Pk(first),
                rule: RuleKey(second),
            },
            _ => return Err(Error::Damaged("cause")),
        };
        let kind: Option<String> = row.get(4)?;
        Ok(Self {
            ground,
            at: Timestamp(row.get(3)?),
            actor: kind.zip(row.get(5)?),
            connection: row.get::<Option<i64>>(6)?.map(ConnectionId),
            request_id: row.get(7)?,
        })
    }
}

impl<R: Read> Causes<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// What is known of these; one statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, grounds: &BTreeSet<Ground>) -> Result<Vec<Written>> {
        const OF: &str = "SELECT CAST(1 AS BIGINT), g.id, CAST(0 AS BIGINT), g.created, g.actor_kind, g.actor_name, g.connection_id, g.request_id \
                          FROM [each $2] AS j CROSS JOIN access_grant g WHERE g.tenant_id = $1 \
                          AND g.id = CAST(j.value ->> 0 AS BIGINT) \
                          UNION ALL SELECT CAST(2 AS BIGINT), m.member_pk, m.group_pk, m.created, CAST(NULL AS TEXT), CAST(NULL AS TEXT), \
                          m.connection_id, m.request_id FROM [each $3] AS j CROSS JOIN member m WHERE m.tenant_id = $1 \
                          AND m.member_pk = CAST(j.value ->> 0 AS BIGINT) AND m.group_pk = CAST(j.value ->> 1 AS BIGINT) \
                          UNION ALL SELECT CAST(3 AS BIGINT), v.rule_id, v.version, v.created, v.actor_kind, v.actor_name, v.connection_id, \
                          v.request_id FROM [each $4] AS j CROSS JOIN rule_version v WHERE v.tenant_id = $1 \
                          AND v.rule_id = CAST(j.value ->> 0 AS BIGINT) AND v.version = CAST(j.value ->> 1 AS BIGINT) \
                          UNION ALL SELECT CAST(4 AS BIGINT), t.user_pk, t.rule_id, t.since, CAST(NULL AS TEXT), CAST(NULL AS TEXT), \
                          t.connection_id, t.request_id FROM [each $5] AS j CROSS JOIN rule u CROSS JOIN rule_match t \
                          WHERE u.tenant_id = $1 AND u.id = CAST(j.value ->> 1 AS BIGINT) AND t.tenant_id = $1 \
                          AND t.user_pk = CAST(j.value ->> 0 AS BIGINT) AND t.rule_id = u.id AND t.version = u.matched";
        if grounds.is_empty() {
            return Ok(Vec::new());
        }
        let [mut grants, mut members, mut rules, mut profiles] = [const { Vec::<[i64; 2]>::new() }; 4];
        for ground in grounds {
            match *ground {
                Ground::Grant(grant) => grants.push([grant.0, 0]),
                Ground::Member { member, group } => members.push([member.0, group.0]),
                Ground::Rule { rule, version } => rules.push([rule.0, version]),
                Ground::Profile { user, rule } => profiles.push([user.0, rule.0]),
            }
        }
        let mut of = Statement::new(OF).bind(self.tenant);
        for pairs in [grants, members, rules, profiles] {
            of = of.bind(json!(pairs).to_string());
        }
        self.source.rows(of).await
    }
}
