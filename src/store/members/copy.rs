//! Memberships of one resource for another that is new.

use serde_json::json;

use super::{Members, closure};
use crate::base::id::{Pk, ResourceId};
use crate::store::cause::Cause;
use crate::store::error::Result;
use crate::store::kind::Kind;
use crate::store::sql::{Read as _, Statement, Tx};

fn rows(pks: &[Pk]) -> String {
    json!(pks.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string()
}

impl Members<&mut Tx> {
    /// The groups that a resource is itself a stored member of, by row number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn groups_of(&mut self, member: Pk) -> Result<Vec<Pk>> {
        const GROUPS: &str =
            "SELECT m.group_pk FROM member m WHERE m.tenant_id = $1 AND m.member_pk = $2 ORDER BY m.group_pk";
        let groups = Statement::new(GROUPS).bind(self.tenant).bind(member);
        let rows: Vec<(i64,)> = self.source.rows(groups).await?;
        Ok(rows.into_iter().map(|(pk,)| Pk(pk)).collect())
    }

    /// Makes a resource that is new in this unit a member of groups, whose versions move. Gives those that are there.
    /// After the last membership of a group, [`Self::reach`] has to follow.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enter(
        &mut self,
        (member, kind): (Pk, Kind),
        groups: &[Pk],
        cause: Cause<'_>,
    ) -> Result<Vec<(Pk, ResourceId)>> {
        const MOVE: &str = "UPDATE resource SET version = version + 1, modified = $3 WHERE tenant_id = $1 AND pk IN (\
                            SELECT g.pk FROM resource g WHERE g.tenant_id = $1 AND g.kind = 2 AND g.pk IN (\
                            SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j) ORDER BY g.pk [lock g]) \
                            RETURNING pk, id";
        const ENTER: &str = "INSERT INTO member (tenant_id, group_pk, member_pk, member_kind, created, connection_id, \
                             request_id) SELECT $1, CAST(j.value ->> 0 AS BIGINT), $3, $4, $5, $6, $7 \
                             FROM [each $2] AS j WHERE 1 = 1 \
                             ON CONFLICT (tenant_id, group_pk, member_pk) DO NOTHING";
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let moving = Statement::new(MOVE).bind(self.tenant).bind(rows(groups)).bind(cause.at);
        let moved: Vec<(i64, String)> = self.source.write_rows(moving).await?;
        let entered: Vec<Pk> = moved.iter().map(|(pk, _)| Pk(*pk)).collect();
        let entering = Statement::new(ENTER)
            .bind(self.tenant)
            .bind(rows(&entered))
            .bind(member)
            .bind(kind.code())
            .bind(cause.at)
            .bind(cause.connection)
            .bind(cause.request_id.map(str::to_owned));
        self.source.write(entering).await?;
        let group = |(pk, id)| (Pk(pk), ResourceId::new(id));
        Ok(moved.into_iter().map(group).collect())
    }

    /// Gives a group that is new in this unit the stored members of another. Gives those.
    /// After the last membership of a group, [`Self::reach`] has to follow.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_over(&mut self, group: Pk, from: Pk, cause: Cause<'_>) -> Result<Vec<(Pk, ResourceId)>> {
        const COPY: &str = "INSERT INTO member (tenant_id, group_pk, member_pk, member_kind, created, connection_id, \
                            request_id) SELECT m.tenant_id, CAST($2 AS BIGINT), m.member_pk, m.member_kind, \
                            CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS TEXT) FROM member m \
                            WHERE m.tenant_id = $1 AND m.group_pk = $3";
        const MEMBERS: &str = "SELECT r.pk, r.id FROM member m CROSS JOIN resource r WHERE m.tenant_id = $1 \
                               AND m.group_pk = $2 AND r.tenant_id = $1 AND r.pk = m.member_pk ORDER BY r.pk";
        let copy = Statement::new(COPY)
            .bind(self.tenant)
            .bind(group)
            .bind(from)
            .bind(cause.at)
            .bind(cause.connection)
            .bind(cause.request_id.map(str::to_owned));
        self.source.write(copy).await?;
        let members = Statement::new(MEMBERS).bind(self.tenant).bind(group);
        let rows: Vec<(i64, String)> = self.source.rows(members).await?;
        Ok(rows.into_iter().map(|(pk, id)| (Pk(pk), ResourceId::new(id))).collect())
    }

    /// Works out what a new group and the groups in it reach.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reach(&mut self, group: Pk, members: &[(Pk, ResourceId)]) -> Result<()> {
        let all: Vec<i64> = members.iter().map(|(pk, _)| pk.0).chain([group.0]).collect();
        closure::reach_anew(self.source, self.tenant, &all).await
    }
}
