//! What is kept of somebody who was deleted is destroyed: everywhere it stands, and on disk.

use serde_json::{Value, json};

use super::tombstones::Tombstones;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, TenantId};
use crate::store::error::Result;
use crate::store::sql::{Bind, Db, FromRow, Read, Row, Script, Statement, Tx};

/// Most rows that one scrub is followed by.
const MOST: i64 = 1000;

/// A user whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// When they were deleted, and their row number: what orders them.
    pub at: (Timestamp, Pk),
    /// Their id.
    pub id: ResourceId,
}

impl FromRow for Expired {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            at: (Timestamp(row.get(0)?), Pk(row.get(1)?)),
            id: ResourceId::new(row.get::<String>(2)?),
        })
    }
}

impl<R: Read> Tombstones<R> {
    /// At most `limit` users who were deleted before an instant and are still kept, after the one with this instant and row
    /// number, longest ago first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expired(&mut self, before: Timestamp, after: (Timestamp, Pk), limit: u32) -> Result<Vec<Expired>> {
        const EXPIRED: &str = "SELECT t.deleted, t.resource_pk, t.id FROM tombstone t WHERE t.tenant_id = $1 AND t.kind = 1 \
                               AND t.deleted < $2 AND t.state <> 'purging' AND (t.deleted, t.resource_pk) > ($3, $4) \
                               ORDER BY t.deleted, t.resource_pk LIMIT 0 + $5";
        let expired = Statement::new(EXPIRED).bind(self.tenant).bind(before);
        let expired = expired.bind(after.0).bind(after.1).bind(i64::from(limit));
        self.source.rows(expired).await
    }
}

impl Tombstones<&mut Tx> {
    /// Destroys what is kept of a user: the key of what the log says of them first of all. Their tombstone stays, empty, until
    /// [`forget_purged`] ends it. Written with the save.
    pub fn empty(&mut self, user: Pk) {
        const EMPTY: &str = "UPDATE tombstone SET state = 'purging', connection_id = NULL, name_key = '', label = '', \
                             doc = '{}', seal = NULL, employee = NULL WHERE tenant_id = $1 AND resource_pk = $2";
        const STATUS: &str = "DELETE FROM user_status WHERE tenant_id = $1 AND resource_pk = $2";
        const PLANS: &str = "DELETE FROM schedule WHERE tenant_id = $1 AND resource_pk = $2";
        const REQUESTS: &str = "DELETE FROM pending WHERE tenant_id = $1 AND resource_pk = $2";
        const MAIL: &str = "DELETE FROM mail WHERE tenant_id = $1 AND resource_pk = $2";
        const INVITATIONS: &str = "DELETE FROM invitation WHERE tenant_id = $1 AND resource_pk = $2";
        const REHIRES: &str = "DELETE FROM rehire WHERE tenant_id = $1 AND tomb_pk = $2";
        const HIRED: &str = "DELETE FROM rehire WHERE tenant_id = $1 AND user_pk = $2";
        const TOKENS: &str = "DELETE FROM token WHERE tenant_id = $1 AND user_pk = $2";
        // It went with the user, unless a release that did not know of it deleted them.
        const ASIDE: &str = "DELETE FROM aside WHERE tenant_id = $1 AND resource_pk = $2";
        let of = |text| Statement::new(text).bind(self.tenant).bind(user);
        let script: Script = self
            .without_parts(user, of(EMPTY))
            .after(of(STATUS))
            .after(of(PLANS))
            .after(of(REQUESTS))
            .after(of(MAIL))
            .after(of(INVITATIONS))
            .after(of(REHIRES))
            .after(of(HIRED))
            .after(of(TOKENS))
            .after(of(ASIDE));
        self.source.later(script);
    }

    /// Forgets what others were answered or shown in the last hours, which may quote anybody: for the whole tenant, and once
    /// for all who are emptied in the same unit. Written with the save.
    pub fn forget_answers(&mut self) {
        // That a request was done is still known, so it is not done again. What is forgotten is not written again.
        const ANSWERS: &str = "UPDATE idempotency SET status = NULL, location = NULL, body = NULL \
                               WHERE tenant_id = $1 AND state = 2 AND status IS NOT NULL";
        const PREVIEWS: &str = "DELETE FROM preview WHERE tenant_id = $1";
        self.source.later(Statement::new(ANSWERS).bind(self.tenant));
        self.source.later(Statement::new(PREVIEWS).bind(self.tenant));
    }

    /// Takes names of a user out of requests of others that wait, which may call them by more than their id, and out of
    /// the reasons for which requests wait or waited.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unname_in_requests(&mut self, user: &ResourceId, name: &str) -> Result<()> {
        const REASONS: &str = "UPDATE pending SET reason = '' WHERE tenant_id = $1 AND [instr](reason, $2) > 0";
        const NAMING: &str = "SELECT p.id, p.request FROM pending p WHERE p.tenant_id = $1 AND p.state = 'waiting' \
                              AND [instr](p.request, $2) > 0";
        const REWRITE: &str =
            "UPDATE pending SET request = [text $2 1] [from $2] WHERE tenant_id = $1 AND id = [int $2 0]";
        if !name.is_empty() {
            let reasons = Statement::new(REASONS).bind(self.tenant);
            self.source.later(reasons.bind(format!("`{name}`")));
        }
        let naming = Statement::new(NAMING).bind(self.tenant).bind(user);
        let rows: Vec<(i64, String)> = self.source.rows(naming).await?;
        let mut rewritten = Vec::with_capacity(rows.len());
        for (number, request) in rows {
            // What cannot be read cannot be made either: nothing of it is kept.
            let mut request: Value = serde_json::from_str(&request).unwrap_or_else(|_| json!({}));
            unname(&mut request, user.as_str());
            rewritten.push(vec![Bind::from(number), Bind::from(request.to_string())]);
        }
        if !rewritten.is_empty() {
            let rewrite = Statement::new(REWRITE).bind(self.tenant).bind(rewritten);
            self.source.write(rewrite).await?;
        }
        Ok(())
    }
}

/// Leaves of every object that speaks of somebody by this id nothing but that id and what kind of thing it is.
fn unname(value: &mut Value, id: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| unname(item, id)),
        Value::Object(members) => {
            if members.get("value").and_then(Value::as_str) == Some(id) {
                members.retain(|name, _| matches!(name.as_str(), "value" | "type" | "op" | "path"));
            }
            members.values_mut().for_each(|member| unname(member, id));
        }
        _ => {}
    }
}

/// Who is purged, and may still be on disk: of any tenant.
///
/// # Errors
/// When the database fails.
pub async fn purging(mut db: &Db) -> Result<Vec<(TenantId, Pk)>> {
    const PURGING: &str = "SELECT t.tenant_id, t.resource_pk FROM tombstone t WHERE t.state = 'purging' \
                           ORDER BY t.tenant_id, t.resource_pk LIMIT 0 + $1";
    let rows: Vec<(i64, i64)> = db.rows(Statement::new(PURGING).bind(MOST)).await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, pk)| (TenantId(tenant), Pk(pk)))
        .collect())
}

/// Removes what is left of tombstones that are empty, and resolves when that is on disk.
///
/// # Errors
/// When the database fails.
pub async fn forget_purged(db: &Db, purged: &[(TenantId, Pk)]) -> Result<()> {
    const FORGET: &str = "DELETE FROM tombstone WHERE state = 'purging' AND EXISTS (SELECT 1 FROM [each $1] AS j \
                          WHERE tombstone.tenant_id = CAST(j.value ->> 0 AS BIGINT) \
                          AND tombstone.resource_pk = CAST(j.value ->> 1 AS BIGINT))";
    let rows: Vec<[i64; 2]> = purged.iter().map(|(tenant, pk)| [tenant.0, pk.0]).collect();
    let mut tx = Tx::begin(db).await?;
    tx.later(Statement::new(FORGET).bind(json!(rows).to_string()));
    tx.save().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_about_others_keeps_the_id_of_somebody_and_nothing_else_of_them() {
        let mut request = json!({"body": {"Operations": [
            {"op": "add", "path": "members", "value": [{"value": "u-1", "display": "Ada", "type": "User"}, {"value": "u-2", "display": "Bob"}]},
        ]}});
        unname(&mut request, "u-1");
        let members = json!([{"value": "u-1", "type": "User"}, {"value": "u-2", "display": "Bob"}]);
        assert_eq!(request["body"]["Operations"][0]["value"], members);
    }
}
