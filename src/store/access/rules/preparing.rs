//! Versions on their way into force: how far their matches are found, and who is at it.
//!
//! Whoever is at it moves the place by hand from where they found it: two at the same version cannot both do so, and the
//! one who is too late stops. The time until which somebody counts as being at it only keeps others from trying.

use std::time::Duration;

use super::{PREPARING, RuleContent, Rules, relink, written};
use crate::access::State;
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{Pk, RuleKey, TenantId};
use crate::store::access::matches::Range;
use crate::store::access::policy::bump;
use crate::store::cause::By;
use crate::store::error::{Error, Result};
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// How long somebody counts as being at a version after the last piece of work; a piece takes far less.
const LEASE: Duration = Duration::from_secs(10);

/// A version that is being prepared, and how far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preparing {
    /// Its number.
    pub version: i64,
    /// How many users were looked at.
    pub looked_at: u64,
}

impl Preparing {
    /// Reads version and number of users from two columns, which are both NULL when there is none.
    pub(super) fn read(row: &Row, at: usize) -> Result<Option<Self>> {
        let (version, looked_at): (Option<i64>, Option<i64>) = (row.get(at)?, row.get(at + 1)?);
        Ok(version.zip(looked_at).map(|(version, looked_at)| Self {
            version,
            looked_at: u64::try_from(looked_at).unwrap_or(0),
        }))
    }
}

/// A version that is being prepared, and nobody is at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOver {
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug of the tenant.
    pub slug: String,
    /// Of which rule.
    pub rule: RuleKey,
    /// Its number.
    pub version: i64,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

impl FromRow for LeftOver {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            rule: RuleKey(row.get(2)?),
            version: row.get(3)?,
            request_id: row.get(4)?,
        })
    }
}

/// At most `limit` versions of all tenants that nobody is at.
///
/// # Errors
/// When the database fails.
pub async fn left_over(mut db: &Db, now: Timestamp, limit: u32) -> Result<Vec<LeftOver>> {
    const LEFT: &str = "SELECT v.tenant_id, t.slug, v.rule_id, v.version, v.request_id FROM rule_version v \
                        CROSS JOIN tenant t WHERE v.state = 'preparing' AND v.claimed <= $1 AND t.id = v.tenant_id \
                        ORDER BY v.tenant_id, v.rule_id LIMIT 0 + $2";
    db.rows(Statement::new(LEFT).bind(now).bind(i64::from(limit))).await
}

impl Rules<&mut Tx> {
    /// Writes a version that is not in force yet; gives its number, under which its matches are kept. From the save on,
    /// every unit that changes a user must keep them; those of all other users are to be found by
    /// [`derive`](crate::store::access::matches::Matches::derive). Another one that was being prepared is given up.
    ///
    /// # Errors
    /// [`Error::Stale`] when the rule is not at version `expected`; the unit is lost then.
    pub async fn prepare(
        &mut self,
        (key, expected): (RuleKey, i64),
        content: RuleContent<'_>,
        by: By<'_>,
    ) -> Result<i64> {
        self.source.later(bump(self.tenant));
        self.abandon(key);
        let version = self.next_version(key).await?;
        let rule = self.get(key).await?.filter(|rule| rule.version == expected);
        let rule = rule.ok_or(Error::Stale)?;
        self.note(key, version, PREPARING, content, by);
        self.hold(key, version, by.cause.at.plus(LEASE));
        let mut linked = content.then.to_vec();
        if rule.state != State::Retired {
            linked.extend(rule.then);
        }
        relink(self.source, self.tenant, &[(key, linked)]);
        Ok(version)
    }

    /// Puts the version that was prepared in force: the rule is active, and says what that version says. Gives the
    /// version of the rule, which is higher when the rule changed meanwhile; `None` when that version is not being
    /// prepared any more.
    ///
    /// # Errors
    /// [`Error::Taken`] when another rule has the name by now; the unit is lost then.
    pub async fn put_in_force(&mut self, key: RuleKey, prepared: i64, now: Timestamp) -> Result<Option<i64>> {
        const NEXT: &str = "SELECT CASE WHEN u.version < v.version THEN v.version ELSE (SELECT max(w.version) + 1 \
                            FROM rule_version w WHERE w.tenant_id = $1 AND w.rule_id = $2) END, v.name, v.outcomes \
                            FROM rule_version v CROSS JOIN rule u WHERE v.tenant_id = $1 AND v.rule_id = $2 \
                            AND v.version = $3 AND v.state = 'preparing' AND u.tenant_id = $1 AND u.id = $2";
        const ENTER: &str = "UPDATE rule_version SET state = 'active', version = $4 WHERE tenant_id = $1 AND rule_id = $2 \
                             AND version = $3";
        const FORCE: &str = "UPDATE rule SET (name, when_text, outcomes, valid_from, valid_to, examples) = \
                             (SELECT v.name, v.when_text, v.outcomes, v.valid_from, v.valid_to, v.examples \
                             FROM rule_version v WHERE v.tenant_id = $1 AND v.rule_id = $2 AND v.version = $4), \
                             name_fold = $5, state = 'active', version = $4, matched = $3, modified = $6 \
                             WHERE tenant_id = $1 AND id = $2";
        self.source.later(bump(self.tenant));
        let of = |text| Statement::new(text).bind(self.tenant).bind(key).bind(prepared);
        let Some((version, name, outcomes)) = self.source.row::<(i64, String, String)>(of(NEXT)).await? else {
            return Ok(None);
        };
        self.source.write(of(ENTER).bind(version)).await?;
        self.source
            .write(of(FORCE).bind(version).bind(fold(&name)).bind(now))
            .await?;
        relink(self.source, self.tenant, &[(key, written::read_outcomes(&outcomes)?)]);
        Ok(Some(version))
    }

    /// Takes a version that nobody is at; gives the row number of the first user that is not looked
    /// at yet. `None` when somebody is at it, or when it is not being prepared any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(&mut self, (key, version): (RuleKey, i64), now: Timestamp) -> Result<Option<Pk>> {
        const CLAIM: &str = "UPDATE rule_version SET claimed = $5 WHERE tenant_id = $1 AND rule_id = $2 AND version = $3 \
                             AND state = 'preparing' AND claimed <= $4 RETURNING reached";
        let claim = Statement::new(CLAIM).bind(self.tenant).bind(key).bind(version);
        let rows: Vec<(i64,)> = self.source.write_rows(claim.bind(now).bind(now.plus(LEASE))).await?;
        Ok(rows.first().map(|(reached,)| Pk(*reached)))
    }

    /// Notes that the users of a range, so many of them, are looked at in this unit. False when
    /// somebody else has got further, or the version is not being prepared any more: then nothing of it counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn advance(
        &mut self,
        (key, version): (RuleKey, i64),
        range: Range,
        users: u64,
        now: Timestamp,
    ) -> Result<bool> {
        const ADVANCE: &str = "UPDATE rule_version SET reached = $5, looked_at = looked_at + $6, claimed = $7 \
                               WHERE tenant_id = $1 AND rule_id = $2 AND version = $3 AND state = 'preparing' \
                               AND reached = $4 RETURNING version";
        let advance = Statement::new(ADVANCE).bind(self.tenant).bind(key).bind(version);
        let advance = advance
            .bind(range.from)
            .bind(range.to)
            .bind(i64::try_from(users).unwrap_or(i64::MAX));
        let rows: Vec<(i64,)> = self.source.write_rows(advance.bind(now.plus(LEASE))).await?;
        Ok(!rows.is_empty())
    }

    /// Whoever prepares a version is at it.
    fn hold(&mut self, key: RuleKey, version: i64, until: Timestamp) {
        const HOLD: &str =
            "UPDATE rule_version SET claimed = $4 WHERE tenant_id = $1 AND rule_id = $2 AND version = $3";
        let hold = Statement::new(HOLD).bind(self.tenant).bind(key).bind(version);
        self.source.later(hold.bind(until));
    }

    /// Gives up this version, which cannot come into force any more; false when it is not being prepared: another one
    /// that is stays. What it alone named is free again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_up(&mut self, (key, version): (RuleKey, i64)) -> Result<bool> {
        const GIVE_UP: &str = "UPDATE rule_version SET state = 'abandoned' WHERE tenant_id = $1 AND rule_id = $2 \
                               AND version = $3 AND state = 'preparing' RETURNING version";
        let give_up = Statement::new(GIVE_UP).bind(self.tenant).bind(key).bind(version);
        let rows: Vec<(i64,)> = self.source.write_rows(give_up).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        self.source.later(bump(self.tenant));
        if let Some(rule) = self.get(key).await? {
            let kept = if rule.state == State::Retired {
                Vec::new()
            } else {
                rule.then
            };
            relink(self.source, self.tenant, &[(key, kept)]);
        }
        Ok(true)
    }

    /// Gives up what is being prepared of a rule. The version stays, so that its number is never given again: somebody
    /// may still be finding its matches.
    pub(super) fn abandon(&mut self, key: RuleKey) {
        const ABANDON: &str = "UPDATE rule_version SET state = 'abandoned' WHERE tenant_id = $1 AND rule_id = $2 \
                               AND state = 'preparing'";
        self.source.later(Statement::new(ABANDON).bind(self.tenant).bind(key));
    }
}
