//! Groups in groups: which group reaches which, kept as rows. Cycles are legal, so this is reachability.

use serde_json::json;

use super::super::error::Result;
use super::super::kind::Kind;
use super::super::sql::{Read as _, Script, Statement, Tx};
use crate::base::id::{Pk, TenantId};

/// Lets one unit at a time change edges between groups of a tenant, where there is more than one writer.
pub(super) async fn lock(mut tx: &mut Tx, tenant: TenantId) -> Result<()> {
    const LOCK: &str = "SELECT t.id FROM tenant t WHERE t.id = $1 [lock t]";
    if tx.engine() == super::super::sql::Engine::Postgres {
        tx.row::<(i64,)>(Statement::new(LOCK).bind(tenant)).await?;
    }
    Ok(())
}

fn rows(pks: &[i64]) -> String {
    json!(pks.iter().map(|pk| [pk]).collect::<Vec<_>>()).to_string()
}

/// New edges from the children to the group: whatever reaches a child now reaches the group and what it reaches.
pub(super) async fn add(tx: &mut Tx, tenant: TenantId, group: Pk, children: &[i64]) -> Result<()> {
    const ADD: &str = "INSERT INTO group_closure (tenant_id, group_pk, ancestor_pk) SELECT $1, d.pk, a.pk FROM (\
                       SELECT CAST(j.value ->> 0 AS BIGINT) AS pk FROM [each $3] AS j UNION \
                       SELECT c.group_pk FROM group_closure c WHERE c.tenant_id = $1 \
                       AND c.ancestor_pk IN (SELECT CAST(k.value ->> 0 AS BIGINT) FROM [each $3] AS k)) d \
                       CROSS JOIN (SELECT CAST($2 AS BIGINT) AS pk UNION \
                       SELECT c.ancestor_pk FROM group_closure c WHERE c.tenant_id = $1 AND c.group_pk = $2) a \
                       WHERE d.pk <> a.pk ON CONFLICT (tenant_id, group_pk, ancestor_pk) DO NOTHING";
    tx.write(Statement::new(ADD).bind(tenant).bind(group).bind(rows(children)))
        .await
}

/// Edges from these children are gone: what they and everything below them reach is found anew.
pub(super) async fn remove(tx: &mut Tx, tenant: TenantId, children: &[i64]) -> Result<()> {
    let mut affected = below(tx, tenant, children).await?;
    affected.extend_from_slice(children);
    affected.sort_unstable();
    affected.dedup();
    forget(tx, tenant, &affected).await?;
    find(tx, tenant, &affected).await
}

/// Finds anew what these reach, and what is below them: of groups that came back with their edges. Users among them
/// reach nothing.
pub(in crate::store) async fn reach_anew(tx: &mut Tx, tenant: TenantId, resources: &[i64]) -> Result<()> {
    lock(tx, tenant).await?;
    remove(tx, tenant, resources).await
}

/// The groups below these.
async fn below(mut tx: &mut Tx, tenant: TenantId, pks: &[i64]) -> Result<Vec<i64>> {
    const BELOW: &str = "SELECT DISTINCT c.group_pk FROM group_closure c WHERE c.tenant_id = $1 \
                         AND c.ancestor_pk IN (SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j)";
    let rows: Vec<(i64,)> = tx.rows(Statement::new(BELOW).bind(tenant).bind(rows(pks))).await?;
    Ok(rows.into_iter().map(|(pk,)| pk).collect())
}

async fn forget(tx: &mut Tx, tenant: TenantId, pks: &[i64]) -> Result<()> {
    const FORGET: &str = "DELETE FROM group_closure WHERE tenant_id = $1 \
                          AND group_pk IN (SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j)";
    tx.write(Statement::new(FORGET).bind(tenant).bind(rows(pks))).await
}

/// Walks up from each of the groups. `UNION` drops what was seen, so a cycle ends.
async fn find(tx: &mut Tx, tenant: TenantId, pks: &[i64]) -> Result<()> {
    const FIND: &str = "INSERT INTO group_closure (tenant_id, group_pk, ancestor_pk) WITH RECURSIVE up (pk, ancestor) AS (\
                        SELECT m.member_pk, m.group_pk FROM [each $2] AS j CROSS JOIN member m WHERE m.tenant_id = $1 \
                        AND m.member_pk = CAST(j.value ->> 0 AS BIGINT) UNION \
                        SELECT up.pk, m.group_pk FROM up CROSS JOIN member m WHERE m.tenant_id = $1 \
                        AND m.member_pk = up.ancestor) SELECT $1, pk, ancestor FROM up WHERE pk <> ancestor";
    tx.write(Statement::new(FIND).bind(tenant).bind(rows(pks))).await
}

/// The groups whose reach a deletion changes. To be called before it.
pub(in crate::store) async fn before_delete(tx: &mut Tx, tenant: TenantId, pk: Pk, kind: Kind) -> Result<Vec<i64>> {
    if kind != Kind::Group {
        return Ok(Vec::new());
    }
    lock(tx, tenant).await?;
    below(tx, tenant, &[pk.0]).await
}

/// Adds what removes a deleted resource from groups, and from the closure, to the script that deletes it.
pub(in crate::store) fn with_delete(script: Script, tenant: TenantId, pk: Pk, kind: Kind) -> Script {
    const AS_MEMBER: &str = "DELETE FROM member WHERE tenant_id = $1 AND member_pk = $2";
    const AS_GROUP: &str = "DELETE FROM member WHERE tenant_id = $1 AND group_pk = $2";
    const REACH: &str = "DELETE FROM group_closure WHERE tenant_id = $1 AND (group_pk = $2 OR ancestor_pk = $2)";
    let of = |text| Statement::new(text).bind(tenant).bind(pk);
    let script = script.before(of(AS_MEMBER));
    if kind == Kind::Group {
        script.before(of(AS_GROUP)).before(of(REACH))
    } else {
        script
    }
}

/// Finds anew what the groups of [`before_delete`] reach. To be called after the deletion.
pub(in crate::store) async fn after_delete(tx: &mut Tx, tenant: TenantId, affected: &[i64]) -> Result<()> {
    if affected.is_empty() {
        return Ok(());
    }
    forget(tx, tenant, affected).await?;
    find(tx, tenant, affected).await
}
