//! Deleting a resource, with everything that would be nothing without it.

use super::Resources;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, RuleKey, Version};
use crate::store::access::hanging::{self, Target};
use crate::store::access::policy::bump_if_known;
use crate::store::access::told::{Telling, ToldGrant, telling};
use crate::store::cause::By;
use crate::store::error::{Error, Result};
use crate::store::kind::Kind;
use crate::store::lifecycle::tombstones;
use crate::store::members;
use crate::store::sql::{Read as _, Script, Statement, Tx};
use crate::store::tokens::Tokens;

/// What a deletion changed besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Groups that had it as a direct member, with the versions to which they moved.
    pub left: Vec<(Pk, ResourceId, Version)>,
    /// Rules that gave membership of it and give it no more: number, id and name.
    pub rules: Vec<(RuleKey, String, String)>,
    /// The grants that it held.
    pub grants: Vec<ToldGrant>,
    /// Ids of the tokens that still worked.
    pub tokens: Vec<String>,
}

const LEAVES: &str = "DELETE FROM attribute WHERE tenant_id = $1 AND resource_pk = $2";
const VALUES: &str = "DELETE FROM unique_value WHERE tenant_id = $1 AND resource_pk = $2";
const NAMES: &str = "DELETE FROM external_id WHERE tenant_id = $1 AND resource_pk = $2";
const ASIDE: &str = "DELETE FROM aside WHERE tenant_id = $1 AND resource_pk = $2";
const DELETE: &str = "DELETE FROM resource WHERE tenant_id = $1 AND pk = $2 AND version = $3 RETURNING pk";

impl Resources<&mut Tx> {
    /// Removes a resource, of which a tombstone is kept if it is a user or a group, with its memberships in both directions,
    /// its grants, and what is known of it for rules; revokes its tokens. Rules do not give membership of a group that is gone.
    ///
    /// # Errors
    /// [`Error::Stale`] when it is not at version `expected`; the unit is lost then.
    pub async fn delete(&mut self, kind: Kind, pk: Pk, expected: Version, now: Timestamp) -> Result<Deleted> {
        const LEFT: &str = "UPDATE resource SET version = version + 1, modified = $3 WHERE tenant_id = $1 AND pk IN (\
                            SELECT g.pk FROM resource g WHERE g.tenant_id = $1 AND g.pk IN (\
                            SELECT m.group_pk FROM member m WHERE m.tenant_id = $1 AND m.member_pk = $2) \
                            ORDER BY g.pk [lock g]) RETURNING pk, id, version";
        const GRANTS: &str = "DELETE FROM access_grant WHERE tenant_id = $1 AND subject_pk = $2";
        const MATCHES: &str = "DELETE FROM rule_match WHERE tenant_id = $1 AND user_pk = $2";
        const PASSWORD: &str = "DELETE FROM password WHERE tenant_id = $1 AND resource_pk = $2";
        if kind.is_own() {
            return self.delete_own(kind, pk, expected).await;
        }
        let tenant = self.tenant;
        let of = |text| Statement::new(text).bind(tenant).bind(pk);
        let left: Vec<(i64, String, i64)> = self.source.write_rows(of(LEFT).bind(now)).await?;
        let grants: Vec<ToldGrant> = self.source.rows(telling(tenant, Telling::Subject(pk))).await?;
        let rules = self.forget_in_policy(kind, pk, now).await?;
        let below = members::before_delete(self.source, self.tenant, pk, kind).await?;
        let of_kind = match kind {
            Kind::User => of(MATCHES),
            // First: it looks at what goes.
            Kind::Group | Kind::Own(_) => bump_if_known(self.tenant, &[pk.0]),
        };
        let script = Script::new(of(DELETE).bind(expected));
        let script = tombstones::kept(script, tenant, (kind, pk), now)
            .before(of_kind)
            .before(of(GRANTS))
            .before(of(LEAVES))
            .before(of(VALUES))
            .before(of(NAMES))
            .before(of(PASSWORD))
            .before(of(ASIDE))
            .after(self.tally(kind, pk, -1));
        let script = members::with_delete(script, self.tenant, pk, kind);
        let gone: Vec<(i64,)> = self.source.write_rows(script).await?;
        if gone.is_empty() {
            return Err(Error::Stale);
        }
        members::after_delete(self.source, self.tenant, &below).await?;
        let tokens = match kind {
            Kind::User => Tokens::new(tenant, &mut *self.source).revoke_of(pk, now).await?,
            Kind::Group | Kind::Own(_) => Vec::new(),
        };
        let left = left.into_iter();
        Ok(Deleted {
            left: left
                .map(|(pk, id, version)| (Pk(pk), ResourceId::new(id), Version(version)))
                .collect(),
            rules,
            grants,
            tokens,
        })
    }

    /// The same of what is neither a user nor a group: nobody is a member, holds anything, or comes back.
    async fn delete_own(&mut self, kind: Kind, pk: Pk, expected: Version) -> Result<Deleted> {
        let of = |text| Statement::new(text).bind(self.tenant).bind(pk);
        let script = Script::new(of(DELETE).bind(expected))
            .before(of(LEAVES))
            .before(of(VALUES))
            .before(of(NAMES))
            .before(of(ASIDE))
            .after(self.tally(kind, pk, -1));
        let gone: Vec<(i64,)> = self.source.write_rows(script).await?;
        if gone.is_empty() {
            return Err(Error::Stale);
        }
        Ok(Deleted::default())
    }

    /// Rules that give membership of a group lose that outcome.
    async fn forget_in_policy(&mut self, kind: Kind, pk: Pk, now: Timestamp) -> Result<Vec<(RuleKey, String, String)>> {
        if kind == Kind::User {
            return Ok(Vec::new());
        }
        let by = By {
            actor_kind: "system",
            actor_name: "deletion of a group",
            cause: now.into(),
        };
        hanging::detach(self.source, self.tenant, Target::Group(pk), by).await
    }
}
