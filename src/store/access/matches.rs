//! Which parts of the conditions of rules hold for whom, as far as documents decide it. Kept when a document is
//! written, found set-wide when a rule is.

use serde_json::json;

use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, RuleKey, TenantId};
use crate::scim::filter::Checked;
use crate::store::cause::Cause;
use crate::store::error::Result;
use crate::store::filter::{Compiler, paths_of, read_paths};
use crate::store::kind::Kind;
use crate::store::sql::{Db, Engine, FromRow, Read, Row, Script, Statement, Tx};

/// Matches of the rules of one tenant.
pub struct Matches<R> {
    tenant: TenantId,
    source: R,
}

/// What is known of one user and one condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Of which rule.
    pub rule: RuleKey,
    /// The version that has the condition: `matched` of the rule, or a version that is being prepared.
    pub version: i64,
    /// Bit *n* is document atom *n*; never 0.
    pub bits: u64,
    /// Since when.
    pub since: Timestamp,
    /// Over which connection the request came that made it so.
    pub connection: Option<ConnectionId>,
    /// Which request it was.
    pub request_id: Option<String>,
}

impl FromRow for Match {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            rule: RuleKey(row.get(0)?),
            version: row.get(1)?,
            bits: bits(row.get(2)?),
            since: Timestamp(row.get(3)?),
            connection: row.get::<Option<i64>>(4)?.map(ConnectionId),
            request_id: row.get(5)?,
        })
    }
}

/// Row numbers of users from `from` until just before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub from: Pk,
    /// The first that is not part of it.
    pub to: Pk,
}

/// A version that has matches and counts for nothing: neither in force nor being prepared, and it never will be again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug of the tenant.
    pub slug: String,
    /// Of which rule, which may be gone.
    pub rule: RuleKey,
    /// Its number.
    pub version: i64,
}

impl FromRow for Dead {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            rule: RuleKey(row.get(2)?),
            version: row.get(3)?,
        })
    }
}

/// At most `most` versions of all tenants whose matches are to be removed.
///
/// # Errors
/// When the database fails.
pub async fn dead(mut db: &Db, most: u32) -> Result<Vec<Dead>> {
    // From version to version, not over all the rows between them.
    const DEAD: &str = "WITH RECURSIVE v (tenant_id, rule_id, version) AS (SELECT * FROM (SELECT m.tenant_id, m.rule_id, \
                        m.version FROM rule_match m ORDER BY m.tenant_id, m.rule_id, m.version LIMIT 1) f \
                        UNION ALL SELECT (SELECT m.tenant_id FROM rule_match m WHERE (m.tenant_id, m.rule_id, m.version) \
                        > (v.tenant_id, v.rule_id, v.version) ORDER BY m.tenant_id, m.rule_id, m.version LIMIT 1), \
                        (SELECT m.rule_id FROM rule_match m WHERE (m.tenant_id, m.rule_id, m.version) \
                        > (v.tenant_id, v.rule_id, v.version) ORDER BY m.tenant_id, m.rule_id, m.version LIMIT 1), \
                        (SELECT m.version FROM rule_match m WHERE (m.tenant_id, m.rule_id, m.version) \
                        > (v.tenant_id, v.rule_id, v.version) ORDER BY m.tenant_id, m.rule_id, m.version LIMIT 1) \
                        FROM v WHERE v.rule_id IS NOT NULL) \
                        SELECT v.tenant_id, t.slug, v.rule_id, v.version FROM v CROSS JOIN tenant t \
                        WHERE t.id = v.tenant_id AND NOT EXISTS (SELECT 1 FROM rule u WHERE u.tenant_id = v.tenant_id \
                        AND u.id = v.rule_id AND u.state = 'active' AND u.matched = v.version) \
                        AND NOT EXISTS (SELECT 1 FROM rule_version p WHERE p.tenant_id = v.tenant_id \
                        AND p.rule_id = v.rule_id AND p.version = v.version AND p.state = 'preparing') LIMIT 0 + $1";
    db.rows(Statement::new(DEAD).bind(i64::from(most))).await
}

impl<R: Read> Matches<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// What is known of a user, by rule and version.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_user(&mut self, user: Pk) -> Result<Vec<Match>> {
        const OF: &str = "SELECT rule_id, version, bits, since, connection_id, request_id FROM rule_match \
                          WHERE tenant_id = $1 AND user_pk = $2 ORDER BY rule_id, version";
        self.source.rows(Statement::new(OF).bind(self.tenant).bind(user)).await
    }

    /// The next users from this one on, at most `most` of them, as a range for [`Self::derive`], and how many there are;
    /// `None` when there are no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_range(&mut self, from: Pk, most: u32) -> Result<Option<(Range, u64)>> {
        const NEXT: &str = "SELECT max(x.pk), count(*) FROM (SELECT r.pk FROM resource r WHERE r.tenant_id = $1 AND r.kind = 1 \
                            AND r.pk >= $2 ORDER BY r.pk LIMIT 0 + $3) x";
        let next = Statement::new(NEXT).bind(self.tenant).bind(from);
        let found: Option<(Option<i64>, i64)> = self.source.row(next.bind(i64::from(most))).await?;
        Ok(found.and_then(|(last, users)| {
            let to = Pk(last? + 1);
            Some((Range { from, to }, u64::try_from(users).unwrap_or(0)))
        }))
    }

    /// Users of a range for whom a part of a condition holds, with what holds; by row number. Nothing is written:
    /// for rules that are only thought of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn would_match(&mut self, atoms: &[&Checked], range: Range) -> Result<Vec<(Pk, u64)>> {
        let mut out = Statement::new("SELECT x.pk, x.bits FROM (");
        if !self.select(&mut out, atoms, range).await? {
            return Ok(Vec::new());
        }
        out.push(") x WHERE x.bits <> 0 ORDER BY x.pk");
        let rows: Vec<(i64, i64)> = self.source.rows(out).await?;
        Ok(rows.into_iter().map(|(pk, number)| (Pk(pk), bits(number))).collect())
    }

    /// How many users a version has matches for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self, (rule, version): (RuleKey, i64)) -> Result<u64> {
        const COUNT: &str = "SELECT count(*) FROM rule_match WHERE tenant_id = $1 AND rule_id = $2 AND version = $3";
        let count = Statement::new(COUNT).bind(self.tenant).bind(rule).bind(version);
        let row: Option<(i64,)> = self.source.row(count).await?;
        Ok(row.map_or(0, |(n,)| u64::try_from(n).unwrap_or(0)))
    }

    /// Rules and versions that have matches, in order: for finding those that no longer count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(&mut self) -> Result<Vec<(RuleKey, i64)>> {
        // From pair to pair, not over all the rows between them.
        const VERSIONS: &str = "WITH RECURSIVE v (rule_id, version) AS (SELECT * FROM (SELECT m.rule_id, m.version \
                                FROM rule_match m WHERE m.tenant_id = $1 ORDER BY m.rule_id, m.version LIMIT 1) f \
                                UNION ALL SELECT (SELECT m.rule_id FROM rule_match m WHERE m.tenant_id = $1 \
                                AND (m.rule_id, m.version) > (v.rule_id, v.version) ORDER BY m.rule_id, m.version LIMIT 1), \
                                (SELECT m.version FROM rule_match m WHERE m.tenant_id = $1 \
                                AND (m.rule_id, m.version) > (v.rule_id, v.version) ORDER BY m.rule_id, m.version LIMIT 1) \
                                FROM v WHERE v.rule_id IS NOT NULL) \
                                SELECT v.rule_id, v.version FROM v WHERE v.rule_id IS NOT NULL";
        let rows: Vec<(i64, i64)> = self.source.rows(Statement::new(VERSIONS).bind(self.tenant)).await?;
        Ok(rows
            .into_iter()
            .map(|(rule, version)| (RuleKey(rule), version))
            .collect())
    }

    /// Writes `SELECT pk, bits` over the users of a range, who may have none; false when there is nothing to ask.
    async fn select(&mut self, out: &mut Statement, atoms: &[&Checked], range: Range) -> Result<bool> {
        if atoms.is_empty() {
            return Ok(false);
        }
        let paths: Vec<&str> = atoms.iter().flat_map(|atom| paths_of(atom)).collect();
        let paths = read_paths(&mut self.source, &paths).await?;
        let (tenant, nobody) = (out.keep(self.tenant), out.keep(None::<i64>));
        let (from, to) = (out.keep(range.from), out.keep(range.to));
        let one = |out: &mut Statement, atom: &Checked| {
            let compiler = Compiler::new(out, tenant, nobody, &[Kind::User], &paths);
            compiler.within(from, to).holds(atom);
        };
        out.push("SELECT r.pk, ");
        let alone = if let [alone] = atoms { Some(*alone) } else { None };
        if alone.is_some() {
            out.push("CAST(1 AS BIGINT)");
        } else {
            for (number, atom) in atoms.iter().enumerate() {
                out.push(if number == 0 { "CASE WHEN " } else { " + CASE WHEN " });
                one(out, atom);
                out.push(" THEN CAST(")
                    .push_bind(1_i64 << number)
                    .push(" AS BIGINT) ELSE 0 END");
            }
        }
        out.push(" AS bits FROM resource r WHERE r.tenant_id = ")
            .push_number(tenant);
        out.push(" AND r.kind = 1 AND r.pk >= ").push_number(from);
        out.push(" AND r.pk < ").push_number(to);
        if let Some(alone) = alone {
            out.push(" AND ");
            one(out, alone);
        }
        Ok(true)
    }
}

impl Matches<&mut Tx> {
    /// Makes these what is known of a user, and nothing else: rules, versions and bits, none of them 0. Writes what
    /// differs only; what stays keeps its cause. All conditions that count or are being prepared must be there, so the
    /// policy must be shared. The rows are written with the save.
    pub fn set(&mut self, user: Pk, known: &[(RuleKey, i64, u64)], cause: Cause<'_>) {
        const OTHERS: &str = "DELETE FROM rule_match WHERE tenant_id = $1 AND user_pk = $2 AND (rule_id, version) NOT IN (\
                              SELECT CAST(j.value ->> 0 AS BIGINT), CAST(j.value ->> 1 AS BIGINT) FROM [each $3] AS j)";
        let rows = rows(known);
        let others = Statement::new(OTHERS).bind(self.tenant).bind(user).bind(rows.clone());
        let script = Script::new(others);
        self.source.later(if known.is_empty() {
            script
        } else {
            script.after(self.insert(user, rows, cause))
        });
    }

    /// The same for a user who is new in this unit.
    pub fn set_first(&mut self, user: Pk, known: &[(RuleKey, i64, u64)], cause: Cause<'_>) {
        if !known.is_empty() {
            let insert = self.insert(user, rows(known), cause);
            self.source.later(insert);
        }
    }

    fn insert(&self, user: Pk, rows: String, cause: Cause<'_>) -> Statement {
        const INSERT: &str = "INSERT INTO rule_match (tenant_id, user_pk, rule_id, version, bits, since, connection_id, \
                              request_id) SELECT $1, $2, CAST(j.value ->> 0 AS BIGINT), CAST(j.value ->> 1 AS BIGINT), \
                              CAST(j.value ->> 2 AS BIGINT), $4, $5, $6 FROM [each $3] AS j WHERE 1 = 1 \
                              ON CONFLICT (tenant_id, user_pk, rule_id, version) DO UPDATE SET bits = excluded.bits, \
                              since = excluded.since, connection_id = excluded.connection_id, \
                              request_id = excluded.request_id WHERE rule_match.bits <> excluded.bits";
        Statement::new(INSERT)
            .bind(self.tenant)
            .bind(user)
            .bind(rows)
            .bind(cause.at)
            .bind(cause.connection)
            .bind(cause.request_id.map(str::to_owned))
    }

    /// Finds the matches of a condition among the users of a range, and keeps them; gives those that are new or
    /// different. A range of 2,000 users takes some 20 ms, so give each a unit of its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn derive(
        &mut self,
        (rule, version): (RuleKey, i64),
        atoms: &[&Checked],
        range: Range,
        cause: Cause<'_>,
    ) -> Result<Vec<(Pk, u64)>> {
        const HOLD: &str = "SELECT r.pk FROM resource r WHERE r.tenant_id = $1 AND r.kind = 1 AND r.pk >= $2 AND r.pk < $3 \
                            ORDER BY r.pk [lock r]";
        if self.source.engine() == Engine::Postgres {
            // Somebody may be writing a document. Either we see it, or they see what we found.
            let hold = Statement::new(HOLD).bind(self.tenant).bind(range.from);
            self.source.write(hold.bind(range.to)).await?;
        }
        let mut out = Statement::new(
            "INSERT INTO rule_match (tenant_id, user_pk, rule_id, version, bits, since, connection_id, request_id) \
             WITH x AS MATERIALIZED (",
        );
        if !self.select(&mut out, atoms, range).await? {
            return Ok(Vec::new());
        }
        out.push(") SELECT ").push_bind(self.tenant).push(", x.pk, ");
        out.push_bind(rule).push(", ").push_bind(version).push(", x.bits, ");
        out.push_bind(cause.at)
            .push(", ")
            .push_bind(cause.connection)
            .push(", ");
        out.push_bind(cause.request_id.map(str::to_owned));
        out.push(
            " FROM x WHERE x.bits <> 0 ON CONFLICT (tenant_id, user_pk, rule_id, version) DO UPDATE \
             SET bits = excluded.bits, since = excluded.since, connection_id = excluded.connection_id, \
             request_id = excluded.request_id WHERE rule_match.bits <> excluded.bits RETURNING user_pk, bits",
        );
        let rows: Vec<(i64, i64)> = self.source.write_rows(out).await?;
        Ok(rows.into_iter().map(|(pk, number)| (Pk(pk), bits(number))).collect())
    }

    /// Removes at most `most` matches of a version that no longer counts; gives how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&mut self, (rule, version): (RuleKey, i64), most: u32) -> Result<usize> {
        const FORGET: &str = "DELETE FROM rule_match WHERE tenant_id = $1 AND rule_id = $2 AND version = $3 \
                              AND user_pk IN (SELECT m.user_pk FROM rule_match m WHERE m.tenant_id = $1 \
                              AND m.rule_id = $2 AND m.version = $3 ORDER BY m.user_pk LIMIT 0 + $4) RETURNING user_pk";
        let forget = Statement::new(FORGET).bind(self.tenant).bind(rule).bind(version);
        let rows: Vec<(i64,)> = self.source.write_rows(forget.bind(i64::from(most))).await?;
        Ok(rows.len())
    }
}

/// Bits are never negative.
fn bits(number: i64) -> u64 {
    number.cast_unsigned()
}

fn rows(known: &[(RuleKey, i64, u64)]) -> String {
    json!(
        known
            .iter()
            .map(|(rule, version, bits)| (rule.0, version, bits))
            .collect::<Vec<_>>()
    )
    .to_string()
}
