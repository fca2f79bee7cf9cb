//! What a role, a scope or a group cannot go without: the grants and rules that name it, and taking it out of them.

use serde_json::json;
use std::collections::BTreeSet;

use super::policy::bump;
use super::written::{numbers, outcomes, read_outcomes};
use crate::access::{Outcome, Reach};
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey, TenantId};
use crate::store::cause::By;
use crate::store::error::{Error, Result};
use crate::store::kind::Kind;
use crate::store::sql::{FromRow, Read as _, Row, Statement, Tx};

/// What happens when something is deleted that others name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Nothing: the deletion is refused, and says what holds it.
    Refuse,
    /// Grants that name it are deleted, and outcomes of rules that name it go.
    Detach,
}

/// How a deletion went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is gone, and what hung on it was detached.
    Gone(Hanging),
    /// It is still there: this hangs on it.
    Held(Hanging),
    /// There is no such thing.
    Absent,
}

/// What hangs on a role or a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hanging {
    /// Grants that name it, oldest first; where they keep it from being deleted, at most [`MOST_SHOWN`].
    pub grants: Vec<HangingGrant>,
    /// How many grants there are beside those.
    pub more_grants: u64,
    /// Rules with outcomes that name it, oldest first: number, id and name. Retired ones do not count.
    pub rules: Vec<(RuleKey, String, String)>,
    /// Scopes directly below it, oldest first: number, id and name. Detached, they move up to its parent.
    pub scopes: Vec<(ScopeKey, String, String)>,
}

/// A grant that names a role or a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HangingGrant {
    /// Its number.
    pub key: GrantKey,
    /// Its id.
    pub id: String,
    /// Whether a user or a group holds it.
    pub kind: Kind,
    /// Id of that user or group.
    pub subject: String,
    /// Its name.
    pub subject_name: String,
    /// What it gives.
    pub role: RoleKey,
}

impl FromRow for HangingGrant {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            key: GrantKey(row.get(0)?),
            id: row.get(1)?,
            kind: Kind::from_code(row.get(2)?).ok_or(Error::Damaged("subject of a grant"))?,
            subject: row.get(3)?,
            subject_name: row.get(4)?,
            role: RoleKey(row.get(5)?),
        })
    }
}

/// Grants that a refusal names; of more it only says how many there are.
pub const MOST_SHOWN: usize = 20;

impl Hanging {
    /// Whether nothing does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.rules.is_empty() && self.scopes.is_empty()
    }
}

/// What rules may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Target {
    Role(RoleKey),
    Scope(ScopeKey),
    Group(Pk),
}

impl Target {
    /// How it is written in `rule_link`.
    fn code(self) -> (i64, i64) {
        match self {
            Self::Role(key) => (1, key.0),
            Self::Scope(key) => (2, key.0),
            Self::Group(pk) => (3, pk.0),
        }
    }

    fn is_named_by(self, outcome: &Outcome) -> bool {
        match (outcome, self) {
            (Outcome::Role { role, .. }, Self::Role(key)) => *role == key,
            (Outcome::Role { reach, .. }, Self::Scope(key)) => *reach == Reach::Scope(key),
            (Outcome::Member(scope), Self::Scope(key)) => *scope == key,
            (Outcome::Group(group), Self::Group(pk)) => *group == pk,
            _ => false,
        }
    }
}

/// A rule whose outcomes, or those of the version that is being prepared, name something.
struct Naming {
    key: i64,
    id: String,
    name: String,
    outcomes: String,
    prepared: Option<String>,
}

impl FromRow for Naming {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            id: row.get(1)?,
            name: row.get(2)?,
            outcomes: row.get(3)?,
            prepared: row.get(4)?,
        })
    }
}

/// Rules that name it.
async fn rules_of(mut tx: &mut Tx, tenant: TenantId, target: Target) -> Result<Vec<Naming>> {
    const RULES: &str = "SELECT u.id, u.uid, u.name, u.outcomes, (SELECT v.outcomes FROM rule_version v \
                         WHERE v.tenant_id = $1 AND v.rule_id = u.id AND v.state = 'preparing') \
                         FROM rule_link l CROSS JOIN rule u WHERE l.tenant_id = $1 AND l.kind = $2 AND l.target = $3 \
                         AND u.tenant_id = $1 AND u.id = l.rule_id ORDER BY u.id";
    let (kind, key) = target.code();
    tx.rows(Statement::new(RULES).bind(tenant).bind(kind).bind(key)).await
}

fn named(rules: Vec<Naming>) -> Vec<(RuleKey, String, String)> {
    rules
        .into_iter()
        .map(|rule| (RuleKey(rule.key), rule.id, rule.name))
        .collect()
}

/// Whatever hangs on a role or scope: all of it where it is to be detached. The policy is held, so nothing joins it
/// meanwhile.
pub(super) async fn on(mut tx: &mut Tx, tenant: TenantId, target: Target, holding: Holding) -> Result<Hanging> {
    const BELOW: &str =
        "SELECT s.id, s.uid, s.name FROM scope s WHERE s.tenant_id = $1 AND s.parent_id = $2 ORDER BY s.id";
    let (grants, more_grants) = grants_of(tx, tenant, target, holding).await?;
    let below: Vec<(i64, String, String)> = match target {
        Target::Scope(key) => tx.rows(Statement::new(BELOW).bind(tenant).bind(key)).await?,
        Target::Role(_) | Target::Group(_) => Vec::new(),
    };
    Ok(Hanging {
        grants,
        more_grants,
        rules: named(rules_of(tx, tenant, target).await?),
        scopes: below
            .into_iter()
            .map(|(key, id, name)| (ScopeKey(key), id, name))
            .collect(),
    })
}

/// The grants that name it, and how many there are beside those.
async fn grants_of(
    mut tx: &mut Tx,
    tenant: TenantId,
    target: Target,
    holding: Holding,
) -> Result<(Vec<HangingGrant>, u64)> {
    const OF_ROLE: &str = "SELECT g.id, g.uid, g.subject_kind, r.id, r.label, g.role_id FROM access_grant g \
                           CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.role_id = $2 AND r.tenant_id = $1 \
                           AND r.pk = g.subject_pk ORDER BY g.id LIMIT 0 + $3";
    const OF_SCOPE: &str = "SELECT g.id, g.uid, g.subject_kind, r.id, r.label, g.role_id FROM access_grant g \
                            CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.scope_id = $2 AND r.tenant_id = $1 \
                            AND r.pk = g.subject_pk ORDER BY g.id LIMIT 0 + $3";
    const COUNT_OF_ROLE: &str = "SELECT count(*) FROM access_grant g WHERE g.tenant_id = $1 AND g.role_id = $2";
    const COUNT_OF_SCOPE: &str = "SELECT count(*) FROM access_grant g WHERE g.tenant_id = $1 AND g.scope_id = $2";
    let (list, count) = match target {
        Target::Role(_) => (OF_ROLE, COUNT_OF_ROLE),
        Target::Scope(_) => (OF_SCOPE, COUNT_OF_SCOPE),
        // Those go with the group.
        Target::Group(_) => return Ok((Vec::new(), 0)),
    };
    let of = |text| Statement::new(text).bind(tenant).bind(target.code().1);
    let most = match holding {
        Holding::Refuse => MOST_SHOWN,
        Holding::Detach => usize::MAX,
    };
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let grants: Vec<HangingGrant> = tx.rows(of(list).bind(limit)).await?;
    if grants.len() < most {
        return Ok((grants, 0));
    }
    let all: Option<(i64,)> = tx.row(of(count)).await?;
    let all = all.and_then(|(count,)| usize::try_from(count).ok()).unwrap_or_default();
    let more = all.saturating_sub(grants.len()) as u64;
    Ok((grants, more))
}

/// Takes it out of the outcomes of all rules, each of which gets a new version; an active one that is left without
/// outcomes is retired. What is being prepared loses it, too, and is given up when it is left without outcomes: it would
/// bring the rule back to give nothing. Gives the rules that named it.
pub(in crate::store) async fn detach(
    tx: &mut Tx,
    tenant: TenantId,
    target: Target,
    by: By<'_>,
) -> Result<Vec<(RuleKey, String, String)>> {
    let rules = rules_of(tx, tenant, target).await?;
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let (mut now, mut prepared, mut linked) = (Vec::new(), Vec::new(), Vec::new());
    for rule in &rules {
        let mut kept = without(&rule.outcomes, target, |text| now.push((rule.key, text)))?;
        if let Some(text) = &rule.prepared {
            kept.extend(without(text, target, |text| prepared.push((rule.key, text)))?);
        }
        linked.push((RuleKey(rule.key), kept));
    }
    tx.later(bump(tenant));
    change(tx, tenant, &json!(now).to_string(), &json!(prepared).to_string(), by);
    relink(tx, tenant, &linked);
    Ok(named(rules))
}

/// The outcomes that do not name it; if others do, what is left is to be written.
fn without(text: &str, target: Target, mut write: impl FnMut(String)) -> Result<Vec<Outcome>> {
    let mut all = read_outcomes(text)?;
    let before = all.len();
    all.retain(|outcome| !target.is_named_by(outcome));
    if all.len() < before {
        write(outcomes(&all));
    }
    Ok(all)
}

/// Writes new outcomes: of rules as they are, and of versions that are being prepared; rows of `[rule, outcomes]`.
fn change(tx: &mut Tx, tenant: TenantId, now: &str, prepared: &str, by: By<'_>) {
    const NOW: &str = "UPDATE rule SET outcomes = (SELECT j.value ->> 1 FROM [each $2] AS j \
                       WHERE CAST(j.value ->> 0 AS BIGINT) = rule.id), \
                       state = CASE WHEN state = 'active' AND EXISTS (SELECT 1 FROM [each $2] AS k \
                       WHERE k.value ->> 1 = $4 AND CAST(k.value ->> 0 AS BIGINT) = rule.id) THEN 'retired' \
                       ELSE state END, \
                       version = (SELECT max(v.version) + 1 FROM rule_version v WHERE v.tenant_id = $1 \
                       AND v.rule_id = rule.id), modified = $3 \
                       WHERE tenant_id = $1 AND id IN (SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j)";
    const KEPT: &str = "INSERT INTO rule_version (tenant_id, rule_id, version, state, name, when_text, outcomes, \
                        valid_from, valid_to, examples, created, actor_kind, actor_name, connection_id, request_id) \
                        SELECT u.tenant_id, u.id, u.version, u.state, u.name, u.when_text, u.outcomes, u.valid_from, \
                        u.valid_to, u.examples, $3, $4, $5, $6, $7 FROM [each $2] AS j CROSS JOIN rule u \
                        WHERE u.tenant_id = $1 AND u.id = CAST(j.value ->> 0 AS BIGINT)";
    const PREPARED: &str = "UPDATE rule_version SET outcomes = (SELECT j.value ->> 1 FROM [each $2] AS j \
                            WHERE CAST(j.value ->> 0 AS BIGINT) = rule_version.rule_id), \
                            state = CASE WHEN EXISTS (SELECT 1 FROM [each $2] AS k WHERE k.value ->> 1 = $3 \
                            AND CAST(k.value ->> 0 AS BIGINT) = rule_version.rule_id) THEN 'abandoned' ELSE state END \
                            WHERE tenant_id = $1 AND state = 'preparing' \
                            AND rule_id IN (SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j)";
    let of = |text, rows: &str| Statement::new(text).bind(tenant).bind(rows.to_owned());
    tx.later(of(NOW, now).bind(by.cause.at).bind(outcomes(&[])));
    tx.later(of(KEPT, now).bind_all(by.columns()));
    tx.later(of(PREPARED, prepared).bind(outcomes(&[])));
}

/// Writes anew what these rules name.
pub(super) fn relink(tx: &mut Tx, tenant: TenantId, rules: &[(RuleKey, Vec<Outcome>)]) {
    const UNLINK: &str = "DELETE FROM rule_link WHERE tenant_id = $1 \
                          AND rule_id IN (SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j)";
    const LINK: &str = "INSERT INTO rule_link (tenant_id, kind, target, rule_id) \
                        SELECT $1, CAST(j.value ->> 0 AS BIGINT), CAST(j.value ->> 1 AS BIGINT), \
                        CAST(j.value ->> 2 AS BIGINT) FROM [each $2] AS j";
    let links: BTreeSet<(i64, i64, i64)> = rules
        .iter()
        .flat_map(|(rule, outcomes)| links(*rule, outcomes))
        .collect();
    let keys = numbers(rules.iter().map(|(rule, _)| rule.0));
    // Not one script: on PostgreSQL neither would see what the other does.
    tx.later(Statement::new(UNLINK).bind(tenant).bind(keys));
    tx.later(Statement::new(LINK).bind(tenant).bind(json!(links).to_string()));
}

/// `[kind, target, rule]` of everything these outcomes name.
fn links(rule: RuleKey, outcomes: &[Outcome]) -> Vec<(i64, i64, i64)> {
    let mut targets = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Role { role, reach } => {
                targets.push(Target::Role(*role));
                targets.extend(reach.scope().map(Target::Scope));
            }
            Outcome::Member(scope) => targets.push(Target::Scope(*scope)),
            Outcome::Group(group) => targets.push(Target::Group(*group)),
        }
    }
    let row = |target: Target| (target.code().0, target.code().1, rule.0);
    targets.into_iter().map(row).collect()
}
