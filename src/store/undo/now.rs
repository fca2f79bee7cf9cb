//! What is there now, of what may be put back.

use serde_json::json;

use super::list::Undos;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId, Version};
use crate::store::error::Result;
use crate::store::sql::{FromRow, Read, Row, Statement};

/// A user or group that is there, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct There {
    /// Row number.
    pub pk: Pk,
    /// Its document as JSON text.
    pub document: String,
    /// What the connection calls it.
    pub external: Option<String>,
    /// When it was deleted, if it can be restored.
    pub deleted: Option<Timestamp>,
    /// Its version.
    pub version: Version,
    /// What provisioning last said of the account, where something else keeps the user out.
    pub held: Option<bool>,
}

impl FromRow for There {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            pk: Pk(row.get(0)?),
            document: row.get(1)?,
            external: row.get(2)?,
            deleted: row.get::<Option<i64>>(3)?.map(Timestamp),
            version: Version(row.get(4)?),
            held: row.get::<Option<i64>>(5)?.map(|says| says != 0),
        })
    }
}

/// Somebody who is or was in a group, and is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: Pk,
    /// Id of the member.
    pub member: ResourceId,
    /// Whether they are in it.
    pub inside: bool,
}

impl FromRow for Membership {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            group: Pk(row.get(0)?),
            member: ResourceId::new(row.get::<String>(1)?),
            inside: row.get::<i64>(2)? > 0,
        })
    }
}

impl<R: Read> Undos<R> {
    /// Those of these who are there, and those who can be restored, with what a connection calls them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn there(&mut self, pks: &[Pk], connection: ConnectionId) -> Result<Vec<There>> {
        const THERE: &str = "SELECT r.pk, r.doc, (SELECT coalesce(e.sent, e.value || e.rest) FROM external_id e \
                             WHERE e.tenant_id = $1 AND e.resource_pk = r.pk AND e.connection_id = $3), \
                             CAST(NULL AS BIGINT), r.version, (SELECT s.source_active FROM user_status s \
                             WHERE s.tenant_id = $1 AND s.resource_pk = r.pk) \
                             FROM [each $2] AS j CROSS JOIN resource r WHERE r.tenant_id = $1 \
                             AND r.pk = CAST(j.value ->> 0 AS BIGINT) UNION ALL \
                             SELECT t.resource_pk, t.doc, (SELECT coalesce(e.sent, e.value || e.rest) FROM tombstone_external e \
                             WHERE e.tenant_id = $1 AND e.tomb_pk = t.resource_pk AND e.connection_id = $3), \
                             t.deleted, t.version, CAST(NULL AS BIGINT) \
                             FROM [each $2] AS k CROSS JOIN tombstone t WHERE t.tenant_id = $1 \
                             AND t.resource_pk = CAST(k.value ->> 0 AS BIGINT) AND t.state = 'kept'";
        let rows: Vec<[i64; 1]> = pks.iter().map(|pk| [pk.0]).collect();
        let there = Statement::new(THERE).bind(self.tenant).bind(json!(rows).to_string());
        self.source.rows(there.bind(connection)).await
    }

    /// Who of these, by group and id, is there, and whether they are in that group.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn memberships(&mut self, asked: &[(Pk, ResourceId)]) -> Result<Vec<Membership>> {
        const MEMBERSHIPS: &str = "SELECT CAST(j.value ->> 0 AS BIGINT), r.id, (SELECT count(*) FROM member m \
                                   WHERE m.tenant_id = $1 AND m.group_pk = CAST(j.value ->> 0 AS BIGINT) AND m.member_pk = r.pk) \
                                   FROM [each $2] AS j CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.id = j.value ->> 1";
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(i64, &str)> = asked.iter().map(|(group, id)| (group.0, id.as_str())).collect();
        let memberships = Statement::new(MEMBERSHIPS).bind(self.tenant);
        self.source.rows(memberships.bind(json!(rows).to_string())).await
    }
    /// Those of these groups that rules in force or in the making fill.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn filled(&mut self, groups: &[Pk]) -> Result<Vec<Pk>> {
        const FILLED: &str = "SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j WHERE EXISTS (SELECT 1 FROM rule_link l \
                              WHERE l.tenant_id = $1 AND l.kind = 3 AND l.target = CAST(j.value ->> 0 AS BIGINT))";
        let rows: Vec<[i64; 1]> = groups.iter().map(|pk| [pk.0]).collect();
        let filled = Statement::new(FILLED).bind(self.tenant).bind(json!(rows).to_string());
        let rows: Vec<(i64,)> = self.source.rows(filled).await?;
        Ok(rows.into_iter().map(|(pk,)| Pk(pk)).collect())
    }
}
