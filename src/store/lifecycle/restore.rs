//! Bringing back what was deleted: the row that it had, and what hung on it as far as that is there.

use serde_json::json;

use super::tombstones::Tombstones;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId, Version};
use crate::store::error::Result;
use crate::store::kind::Kind;
use crate::store::members;
use crate::store::sql::{Read as _, Statement, Tx};

/// What is left out of one list at most: who reads more has another problem.
const MOST_LEFT_OUT: i64 = 100;

/// To whom what a tombstone had is given.
#[derive(Debug, Clone, Copy)]
pub struct Heir {
    /// What was deleted.
    pub tomb: Pk,
    /// Whose row number gets it: the same, or somebody else's.
    pub to: Pk,
    /// User or group.
    pub kind: Kind,
    /// When.
    pub now: Timestamp,
}

/// What a connection calls something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Row number of the connection.
    pub connection: ConnectionId,
    /// Its name, by which the log knows it.
    pub name: String,
    /// The `externalId`.
    pub value: String,
}

/// Which grants come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantsBack {
    /// Those that make an administrator until an end.
    Passing,
    /// All others.
    Lasting,
}

/// 1 for a grant `t` that makes an administrator until an end, and 0 for any other: role 2 on everything.
macro_rules! passing {
    () => {
        "CASE WHEN t.role_id = 2 AND t.reach = 0 AND t.restriction = '' AND t.valid_to IS NOT NULL THEN 1 ELSE 0 END"
    };
}

/// Something that did not come back, and its name as far as there is one.
pub type LeftOut = (String, String);

impl Tombstones<&mut Tx> {
    /// Makes it, or its heir, a member again of the groups that are there, but for these; their versions move. Gives
    /// the groups and those versions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join_again(&mut self, heir: Heir, but_for: &[Pk]) -> Result<Vec<(Pk, ResourceId, Version)>> {
        const MOVE: &str = "UPDATE resource SET version = version + 1, modified = $5 WHERE tenant_id = $1 AND pk IN (\
                            SELECT g.pk FROM resource g WHERE g.tenant_id = $1 AND g.kind = 2 AND g.pk <> $3 AND g.pk IN (\
                            SELECT t.group_pk FROM tombstone_member t WHERE t.tenant_id = $1 AND t.tomb_pk = $2 \
                            AND t.member_pk = $2 AND t.group_pk NOT IN (\
                            SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $4] AS j)) AND NOT EXISTS (\
                            SELECT 1 FROM member m WHERE m.tenant_id = $1 AND m.group_pk = g.pk AND m.member_pk = $3) \
                            ORDER BY g.pk [lock g]) RETURNING pk, id, version";
        const JOIN: &str = "INSERT INTO member (tenant_id, group_pk, member_pk, member_kind, created, connection_id, \
                            request_id) SELECT t.tenant_id, t.group_pk, CAST($3 AS BIGINT), t.member_kind, t.created, \
                            t.connection_id, t.request_id FROM [each $4] AS j CROSS JOIN tombstone_member t \
                            WHERE t.tenant_id = $1 AND t.tomb_pk = $2 AND t.member_pk = $2 \
                            AND t.group_pk = CAST(j.value ->> 0 AS BIGINT) \
                            ON CONFLICT (tenant_id, group_pk, member_pk) DO NOTHING";
        let rows = |pks: &[Pk]| json!(pks.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string();
        let of = |text| Statement::new(text).bind(self.tenant).bind(heir.tomb).bind(heir.to);
        let moving = of(MOVE).bind(rows(but_for)).bind(heir.now);
        let moved: Vec<(i64, String, i64)> = self.source.write_rows(moving).await?;
        let joined: Vec<Pk> = moved.iter().map(|(pk, ..)| Pk(*pk)).collect();
        if !joined.is_empty() {
            self.source.write(of(JOIN).bind(rows(&joined))).await?;
        }
        let group = |(pk, id, version)| (Pk(pk), ResourceId::new(id), Version(version));
        Ok(moved.into_iter().map(group).collect())
    }

    /// Gives a group its members that are there again. Gives those.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gather_again(&mut self, heir: Heir) -> Result<Vec<(Pk, ResourceId)>> {
        const GATHER: &str = "INSERT INTO member (tenant_id, group_pk, member_pk, member_kind, created, connection_id, \
                              request_id) SELECT t.tenant_id, CAST($3 AS BIGINT), t.member_pk, t.member_kind, t.created, \
                              t.connection_id, t.request_id FROM tombstone_member t CROSS JOIN resource r \
                              WHERE t.tenant_id = $1 AND t.tomb_pk = $2 AND t.group_pk = $2 AND r.tenant_id = $1 \
                              AND r.pk = t.member_pk AND r.pk <> $3 \
                              ON CONFLICT (tenant_id, group_pk, member_pk) DO NOTHING RETURNING member_pk";
        const NAMES: &str = "SELECT r.pk, r.id FROM [each $2] AS j CROSS JOIN resource r \
                             WHERE r.tenant_id = $1 AND r.pk = CAST(j.value ->> 0 AS BIGINT) ORDER BY r.pk";
        let gather = Statement::new(GATHER).bind(self.tenant).bind(heir.tomb).bind(heir.to);
        let gathered: Vec<(i64,)> = self.source.write_rows(gather).await?;
        if gathered.is_empty() {
            return Ok(Vec::new());
        }
        let names = Statement::new(NAMES)
            .bind(self.tenant)
            .bind(json!(gathered).to_string());
        let rows: Vec<(i64, String)> = self.source.rows(names).await?;
        Ok(rows.into_iter().map(|(pk, id)| (Pk(pk), ResourceId::new(id))).collect())
    }

    /// The members that are there, ids alone, as far as one list goes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members_there(&mut self, heir: Heir) -> Result<Vec<String>> {
        const THERE: &str = "SELECT r.id FROM tombstone_member t CROSS JOIN resource r WHERE t.tenant_id = $1 \
                             AND t.tomb_pk = $2 AND t.group_pk = $2 AND r.tenant_id = $1 AND r.pk = t.member_pk \
                             AND r.pk <> $3 ORDER BY r.pk LIMIT 0 + $4";
        let there = Statement::new(THERE).bind(self.tenant).bind(heir.tomb).bind(heir.to);
        let rows: Vec<(String,)> = self.source.rows(there.bind(MOST_LEFT_OUT)).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Works out anew what a group and the groups in it reach; after all memberships are written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reach_again(&mut self, heir: Heir, members: &[(Pk, ResourceId)]) -> Result<()> {
        let all: Vec<i64> = members.iter().map(|(pk, _)| pk.0).chain([heir.to.0]).collect();
        members::reach_anew(self.source, self.tenant, &all).await
    }

    /// Gives it, or its heir, the grants whose role and scope are there: those that make nobody an administrator for a
    /// while, or the others. Gives their ids. The policy must be shared, or for a group moved: see
    /// [`Policies`](crate::store::access::policy::Policies).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_again(&mut self, heir: Heir, which: GrantsBack) -> Result<Vec<String>> {
        const HOLD: &str = concat!(
            "INSERT INTO access_grant (tenant_id, id, uid, subject_kind, subject_pk, role_id, reach, scope_id, record_kind, ",
            "record_id, valid_from, valid_to, restriction, origin, created, actor_kind, actor_name, connection_id, request_id) ",
            "SELECT t.tenant_id, t.id, t.uid, CAST($4 AS BIGINT), CAST($3 AS BIGINT), t.role_id, t.reach, t.scope_id, ",
            "t.record_kind, t.record_id, t.valid_from, t.valid_to, t.restriction, t.origin, t.created, t.actor_kind, ",
            "t.actor_name, t.connection_id, t.request_id FROM tombstone_grant t WHERE t.tenant_id = $1 AND t.tomb_pk = $2 ",
            "AND t.role_id <> 1 AND (t.role_id < 100 OR EXISTS (SELECT 1 FROM role o WHERE o.tenant_id = $1 AND o.id = t.role_id)) ",
            "AND (t.scope_id IS NULL OR EXISTS (SELECT 1 FROM scope s WHERE s.tenant_id = $1 AND s.id = t.scope_id)) AND ",
            passing!(),
            " = $5 RETURNING uid"
        );
        let hold = Statement::new(HOLD)
            .bind(self.tenant)
            .bind(heir.tomb)
            .bind(heir.to)
            .bind(heir.kind.code())
            .bind(i64::from(which == GrantsBack::Passing));
        let rows: Vec<(String,)> = self.source.write_rows(hold).await?;
        Ok(rows.into_iter().map(|(uid,)| uid).collect())
    }

    /// Ids of the grants that make an administrator for a while.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passing(&mut self, tomb: Pk) -> Result<Vec<String>> {
        const PASSING: &str = concat!(
            "SELECT t.uid FROM tombstone_grant t WHERE t.tenant_id = $1 AND t.tomb_pk = $2 AND ",
            passing!(),
            " = 1 ORDER BY t.id"
        );
        let passing = Statement::new(PASSING).bind(self.tenant).bind(tomb);
        let rows: Vec<(String,)> = self.source.rows(passing).await?;
        Ok(rows.into_iter().map(|(uid,)| uid).collect())
    }

    /// Has connections call it what they did, but for what they call something else by now. Gives who calls it what.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn be_called_again(&mut self, tomb: Pk) -> Result<Vec<Called>> {
        const CALL: &str = "INSERT INTO external_id (tenant_id, connection_id, resource_pk, value, rest, sent) \
                            SELECT t.tenant_id, t.connection_id, t.tomb_pk, t.value, t.rest, t.sent \
                            FROM tombstone_external t WHERE t.tenant_id = $1 AND t.tomb_pk = $2 AND NOT EXISTS (\
                            SELECT 1 FROM external_id e WHERE e.tenant_id = $1 AND e.connection_id = t.connection_id \
                            AND e.value = t.value AND e.rest = t.rest)";
        const CALLED: &str = "SELECT e.connection_id, c.name, coalesce(e.sent, e.value || e.rest) FROM external_id e \
                              JOIN connection c ON c.tenant_id = $1 AND c.id = e.connection_id \
                              WHERE e.tenant_id = $1 AND e.resource_pk = $2 ORDER BY e.connection_id";
        let of = |text| Statement::new(text).bind(self.tenant).bind(tomb);
        self.source.write(of(CALL)).await?;
        let rows: Vec<(i64, String, String)> = self.source.rows(of(CALLED)).await?;
        let called = |(connection, name, value)| Called {
            connection: ConnectionId(connection),
            name,
            value,
        };
        Ok(rows.into_iter().map(called).collect())
    }

    /// Grants whose role or scope is gone: ids, and what is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_left_out(&mut self, tomb: Pk) -> Result<Vec<LeftOut>> {
        const GRANTS: &str = "SELECT t.uid, CASE WHEN t.role_id < 100 OR EXISTS (SELECT 1 FROM role o \
                              WHERE o.tenant_id = $1 AND o.id = t.role_id) THEN 'scope' ELSE 'role' END \
                              FROM tombstone_grant t WHERE t.tenant_id = $1 AND t.tomb_pk = $2 AND ((t.role_id >= 100 \
                              AND NOT EXISTS (SELECT 1 FROM role o WHERE o.tenant_id = $1 AND o.id = t.role_id)) \
                              OR (t.scope_id IS NOT NULL AND NOT EXISTS (\
                              SELECT 1 FROM scope s WHERE s.tenant_id = $1 AND s.id = t.scope_id))) \
                              ORDER BY t.id LIMIT 0 + $3";
        self.left_out(GRANTS, tomb).await
    }

    /// Memberships whose other end is gone: ids and names of those, as far as they have tombstones.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members_left_out(&mut self, tomb: Pk) -> Result<Vec<LeftOut>> {
        const GONE: &str = "SELECT o.id, o.label FROM tombstone_member t CROSS JOIN tombstone o \
                            WHERE t.tenant_id = $1 AND t.tomb_pk = $2 AND o.tenant_id = $1 AND o.resource_pk = \
                            CASE WHEN t.member_pk = $2 THEN t.group_pk ELSE t.member_pk END \
                            ORDER BY o.resource_pk LIMIT 0 + $3";
        self.left_out(GONE, tomb).await
    }

    /// What connections call something else by now: the value, and the name of the connection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names_left_out(&mut self, tomb: Pk) -> Result<Vec<LeftOut>> {
        const TAKEN: &str = "SELECT coalesce(t.sent, t.value || t.rest), c.name FROM tombstone_external t \
                             JOIN connection c ON c.tenant_id = $1 AND c.id = t.connection_id \
                             WHERE t.tenant_id = $1 AND t.tomb_pk = $2 AND EXISTS (\
                             SELECT 1 FROM external_id e WHERE e.tenant_id = $1 AND e.connection_id = t.connection_id \
                             AND e.value = t.value AND e.rest = t.rest) ORDER BY t.connection_id LIMIT 0 + $3";
        self.left_out(TAKEN, tomb).await
    }

    async fn left_out(&mut self, text: &'static str, tomb: Pk) -> Result<Vec<LeftOut>> {
        let statement = Statement::new(text).bind(self.tenant).bind(tomb);
        self.source.rows(statement.bind(MOST_LEFT_OUT)).await
    }
}
