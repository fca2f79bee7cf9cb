//! What all decisions of a tenant share, and its version.

use super::settings;
use super::written::{self, GrantColumns, ScopeColumns, collected, grant_array, numbers, scope_array};
use crate::access::{Grant, Outcome, PolicyGroup, Scope, Settings, State, Validity};
use crate::base::id::{Pk, RoleKey, RuleKey, TenantId};
use crate::store::closing;
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// The policy of one tenant.
pub struct Policies<R> {
    tenant: TenantId,
    source: R,
}

/// Everything that is not about one user, at one version.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// How often the schemas were changed that its conditions are read against.
    pub schemas: i64,
    /// Moves with every change of what is in here; 0 before the first.
    pub version: i64,
    /// What the organisation has decided for all of it.
    pub settings: Settings,
    /// Whether the tenant is suspended or deleted. Who changes that moves the version.
    pub closed: bool,
    /// Custom roles, oldest first; the predefined ones are not stored.
    pub roles: Vec<RoleRow>,
    /// All scopes, oldest first.
    pub scopes: Vec<Scope>,
    /// Grants of groups, oldest first, expired and future ones included.
    pub grants: Vec<Grant>,
    /// Active rules, oldest first.
    pub rules: Vec<RuleRow>,
    /// Versions whose matches are being found: what the documents of users say about them must be kept, too. A rule
    /// may be here and in `rules`.
    pub preparing: Vec<RuleRow>,
    /// Smart groups, groups that hold grants, and all groups those are nested in at any distance; by row number.
    pub groups: Vec<PolicyGroup>,
}

/// A custom role as decisions know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRow {
    /// 100 or above.
    pub key: RoleKey,
    /// Id on the wire.
    pub id: String,
    /// For people.
    pub name: String,
    /// Keys of permissions, as they were written: the catalogue may not know them any more.
    pub permissions: Vec<String>,
    /// The role it is a copy of.
    pub origin: Option<RoleKey>,
}

/// A version of a rule whose condition is not compiled yet.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRow {
    /// Row number; all versions share it.
    pub key: RuleKey,
    /// Id on the wire.
    pub id: String,
    /// For people.
    pub name: String,
    /// Which version.
    pub version: i64,
    /// The version under which [`Matches`](super::matches::Matches) knows its condition.
    pub matched: i64,
    /// Active; of a version that is being prepared, draft.
    pub state: State,
    /// The condition: a filter.
    pub when: String,
    /// What it gives.
    pub then: Vec<Outcome>,
    /// When it counts.
    pub validity: Validity,
}

/// A JSON array over the groups `r` that the policy knows: smart ones, those that hold grants, and all above them.
macro_rules! groups_known {
    ($what:literal, $join:literal, $condition:literal) => {
        concat!(
            "(SELECT CAST([collect](",
            $what,
            ") AS TEXT) FROM (SELECT k.pk FROM (SELECT l.target AS pk FROM rule_link l WHERE l.tenant_id = $1 AND l.kind = 3 ",
            "UNION SELECT g.subject_pk FROM access_grant g WHERE g.tenant_id = $1 AND g.subject_kind = 2) k ",
            "UNION SELECT c.ancestor_pk FROM (SELECT l.target AS pk FROM rule_link l WHERE l.tenant_id = $1 AND l.kind = 3 ",
            "UNION SELECT g.subject_pk FROM access_grant g WHERE g.tenant_id = $1 AND g.subject_kind = 2) k ",
            "CROSS JOIN group_closure c WHERE c.tenant_id = $1 AND c.group_pk = k.pk) x CROSS JOIN resource r",
            $join,
            " WHERE r.tenant_id = $1 AND r.pk = x.pk",
            $condition,
            ")"
        )
    };
}

impl<R: Read> Policies<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The version now; 0 before the first change. In a unit, prefer [`Self::share`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn version(&mut self) -> Result<i64> {
        const VERSION: &str = "SELECT p.version FROM policy p WHERE p.tenant_id = $1";
        let row: Option<(i64,)> = self.source.row(Statement::new(VERSION).bind(self.tenant)).await?;
        Ok(row.map_or(0, |row| row.0))
    }

    /// These groups and all that they are nested in, at any distance, as [`Self::load`] would give them if the policy
    /// knew them; by row number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn groups(&mut self, groups: &[Pk]) -> Result<Vec<PolicyGroup>> {
        const GROUPS: &str = "SELECT r.pk, r.id, r.label, (SELECT CAST([collect]([array](m.group_pk)) AS TEXT) \
                              FROM member m WHERE m.tenant_id = $1 AND m.member_pk = r.pk) FROM (\
                              SELECT CAST(j.value ->> 0 AS BIGINT) AS pk FROM [each $2] AS j \
                              UNION SELECT c.ancestor_pk FROM [each $2] AS k CROSS JOIN group_closure c \
                              WHERE c.tenant_id = $1 AND c.group_pk = CAST(k.value ->> 0 AS BIGINT)) x \
                              CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.pk = x.pk ORDER BY r.pk";
        let statement = Statement::new(GROUPS).bind(self.tenant);
        let statement = statement.bind(numbers(groups.iter().map(|group| group.0)));
        let rows: Vec<(i64, String, String, Option<String>)> = self.source.rows(statement).await?;
        let group = |(pk, id, display, parents): (i64, String, String, Option<String>)| {
            let parents = collected::<(i64,)>(parents.as_deref(), "parents of groups")?;
            Ok(PolicyGroup {
                pk: Pk(pk),
                id,
                display,
                parents: parents.into_iter().map(|parent| Pk(parent.0)).collect(),
            })
        };
        rows.into_iter().map(group).collect()
    }

    /// What the organisation has decided for all of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settings(&mut self) -> Result<Settings> {
        const SETTINGS: &str = "SELECT p.settings FROM policy p WHERE p.tenant_id = $1";
        let row: Option<(Option<String>,)> = self.source.row(Statement::new(SETTINGS).bind(self.tenant)).await?;
        settings::read(row.and_then(|row| row.0).as_deref())
    }

    /// Version and content, read in one statement: they belong together.
    ///
    /// Facts that were read with a lower version must be read again before this is used with them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(&mut self) -> Result<Shared> {
        const LOAD: &str = concat!(
            "SELECT coalesce((SELECT p.version FROM policy p WHERE p.tenant_id = $1), 0), ",
            "(SELECT p.settings FROM policy p WHERE p.tenant_id = $1), ",
            "(SELECT CAST([collect]([array](o.id, o.uid, o.name, o.permissions, o.origin_id) ORDER BY o.id) AS TEXT) ",
            "FROM role o WHERE o.tenant_id = $1), ",
            "(SELECT CAST([collect](",
            scope_array!(),
            " ORDER BY s.id) AS TEXT) FROM scope s WHERE s.tenant_id = $1), ",
            "(SELECT CAST([collect](",
            grant_array!(),
            " ORDER BY g.id) AS TEXT) FROM access_grant g WHERE g.tenant_id = $1 AND g.subject_kind = 2), ",
            "(SELECT CAST([collect]([array](u.id, u.uid, u.name, u.version, u.matched, u.state, u.when_text, u.outcomes, ",
            "u.valid_from, u.valid_to) ORDER BY u.id) AS TEXT) FROM rule u WHERE u.tenant_id = $1 AND u.state = 'active'), ",
            "(SELECT CAST([collect]([array](v.rule_id, u.uid, v.name, v.version, v.version, 'draft', v.when_text, ",
            "v.outcomes, v.valid_from, v.valid_to) ORDER BY v.rule_id, v.version) AS TEXT) FROM rule_version v ",
            "CROSS JOIN rule u WHERE v.tenant_id = $1 AND v.state = 'preparing' AND u.tenant_id = $1 AND u.id = v.rule_id), ",
            groups_known!("[array](r.pk, r.id, r.label) ORDER BY r.pk", "", ""),
            ", ",
            groups_known!(
                "[array](m.member_pk, m.group_pk) ORDER BY m.member_pk, m.group_pk",
                " CROSS JOIN member m",
                " AND m.tenant_id = $1 AND m.member_pk = r.pk"
            ),
            ", (SELECT n.state FROM tenant n WHERE n.id = $1), ",
            "coalesce((SELECT p.schemas FROM policy p WHERE p.tenant_id = $1), 0)",
        );
        let shared: Option<Shared> = self.source.row(Statement::new(LOAD).bind(self.tenant)).await?;
        shared.ok_or(Error::Damaged("policy"))
    }
}

impl Policies<&mut Tx> {
    /// The version now, and it stays so until the unit ends: for units that derive from the policy or rely on what it
    /// allows. Waits for a unit that is changing it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn share(&mut self) -> Result<i64> {
        const SHARE: &str = "SELECT p.version FROM policy p WHERE p.tenant_id = $1 [share p]";
        let row: Option<(i64,)> = self.source.row(Statement::new(SHARE).bind(self.tenant)).await?;
        Ok(row.map_or(0, |row| row.0))
    }

    /// The same, with the next statement of the unit or its save, which gives [`Error::Stale`]
    /// when the version is another: nobody waits for an answer of its own.
    pub fn expect(&mut self, version: i64) {
        const EXPECT: &str = "SELECT p.version FROM policy p WHERE p.tenant_id = $1 AND p.version = $2 [share p]";
        let statement = Statement::new(EXPECT).bind(self.tenant).bind(version);
        self.source.once(EXPECT, version, statement.expecting_row());
    }

    /// Shares it with the next statement of the unit or its save: for units that look at nothing of it and still change
    /// somebody's facts. Whoever holds it then knows that there is no such unit under way.
    pub fn share_later(&mut self) {
        const SHARE: &str = "SELECT p.version FROM policy p WHERE p.tenant_id = $1 [share p]";
        let statement = Statement::new(SHARE).bind(self.tenant).expecting_row();
        self.source.once(SHARE, 0, statement);
    }

    /// The version now, and nobody else shares it: for checks that count over the whole tenant, such as the last admin's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold(&mut self) -> Result<i64> {
        const HOLD: &str = "SELECT p.version FROM policy p WHERE p.tenant_id = $1 [lock p]";
        let row: Option<(i64,)> = self.source.row(Statement::new(HOLD).bind(self.tenant)).await?;
        Ok(row.map_or(0, |row| row.0))
    }

    /// The same, with what the organisation has decided: what such a check is made by.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_settings(&mut self) -> Result<(i64, Settings)> {
        const HOLD: &str = "SELECT p.version, p.settings FROM policy p WHERE p.tenant_id = $1 [lock p]";
        let row: Option<(i64, Option<String>)> = self.source.row(Statement::new(HOLD).bind(self.tenant)).await?;
        let (version, settings) = row.unwrap_or_default();
        Ok((version, settings::read(settings.as_deref())?))
    }

    /// Moves the version, and holds it. The repositories of this room do so by themselves where they write what is
    /// shared; this is for what is kept elsewhere, such as a setting that decisions depend on.
    pub fn bump(&mut self) {
        self.source.later(bump(self.tenant));
    }

    /// Keeps what the organisation has decided, and moves the version.
    pub fn decide(&mut self, settings: &Settings) {
        const DECIDE: &str = "INSERT INTO policy (tenant_id, version, settings) VALUES ($1, 1, $2) ON CONFLICT (tenant_id) \
                              DO UPDATE SET version = policy.version + 1, settings = excluded.settings";
        let settings = settings::write(settings);
        self.source
            .later(Statement::new(DECIDE).bind(self.tenant).bind(settings));
    }

    /// Moves the version if the policy knows one of these groups, or a group nested in one of them. Deletions,
    /// new names and changed nesting do so by themselves.
    pub fn bump_for_groups(&mut self, groups: &[Pk]) {
        let groups: Vec<i64> = groups.iter().map(|pk| pk.0).collect();
        self.source.later(bump_if_known(self.tenant, &groups));
    }
}

/// Moves the version; holds it from then on, so it comes before what is checked.
pub(super) fn bump(tenant: TenantId) -> Statement {
    const BUMP: &str = "INSERT INTO policy (tenant_id, version) VALUES ($1, 1) \
                        ON CONFLICT (tenant_id) DO UPDATE SET version = policy.version + 1";
    Statement::new(BUMP).bind(tenant)
}

/// Moves the version if a grant names one of these groups, or a rule gives membership of it or of a group nested in it.
pub(in crate::store) fn bump_if_known(tenant: TenantId, groups: &[i64]) -> Statement {
    const BUMP: &str = "INSERT INTO policy (tenant_id, version) SELECT $1, 1 WHERE \
                        EXISTS (SELECT 1 FROM [each $2] AS j CROSS JOIN access_grant g WHERE g.tenant_id = $1 \
                        AND g.subject_pk = CAST(j.value ->> 0 AS BIGINT)) \
                        OR EXISTS (SELECT 1 FROM [each $2] AS j CROSS JOIN rule_link l WHERE l.tenant_id = $1 \
                        AND l.kind = 3 AND l.target = CAST(j.value ->> 0 AS BIGINT)) \
                        OR EXISTS (SELECT 1 FROM [each $2] AS j CROSS JOIN group_closure c CROSS JOIN rule_link l \
                        WHERE c.tenant_id = $1 AND c.ancestor_pk = CAST(j.value ->> 0 AS BIGINT) \
                        AND l.tenant_id = $1 AND l.kind = 3 AND l.target = c.group_pk) \
                        ON CONFLICT (tenant_id) DO UPDATE SET version = policy.version + 1";
    Statement::new(BUMP).bind(tenant).bind(numbers(groups.iter().copied()))
}

/// Moves the version if a group that has another name until now is known.
pub(in crate::store) fn bump_if_renamed(tenant: TenantId, pk: Pk, label: &str) -> Statement {
    const BUMP: &str = "INSERT INTO policy (tenant_id, version) SELECT $1, 1 FROM resource r WHERE r.tenant_id = $1 \
                        AND r.pk = $2 AND r.kind = 2 AND r.label <> $3 AND (\
                        EXISTS (SELECT 1 FROM access_grant g WHERE g.tenant_id = $1 AND g.subject_pk = r.pk) \
                        OR EXISTS (SELECT 1 FROM rule_link l WHERE l.tenant_id = $1 AND l.kind = 3 AND l.target = r.pk) \
                        OR EXISTS (SELECT 1 FROM group_closure c CROSS JOIN rule_link l WHERE c.tenant_id = $1 \
                        AND c.ancestor_pk = r.pk AND l.tenant_id = $1 AND l.kind = 3 AND l.target = c.group_pk)) \
                        ON CONFLICT (tenant_id) DO UPDATE SET version = policy.version + 1";
    Statement::new(BUMP).bind(tenant).bind(pk).bind(label.to_owned())
}

#[derive(serde::Deserialize)]
struct RoleColumns(i64, String, String, String, Option<i64>);

impl RoleColumns {
    fn role(self) -> Result<RoleRow> {
        Ok(RoleRow {
            key: RoleKey(self.0),
            id: self.1,
            name: self.2,
            permissions: written::permissions(&self.3)?,
            origin: self.4.map(RoleKey),
        })
    }
}

#[derive(serde::Deserialize)]
struct RuleColumns(
    i64,
    String,
    String,
    i64,
    i64,
    String,
    String,
    String,
    Option<i64>,
    Option<i64>,
);

impl RuleColumns {
    fn rule(self) -> Result<RuleRow> {
        let Self(key, id, name, version, matched, state, when, then, from, to) = self;
        Ok(RuleRow {
            key: RuleKey(key),
            id,
            name,
            version,
            matched,
            state: written::state(&state)?,
            when,
            then: written::read_outcomes(&then)?,
            validity: written::validity(from, to),
        })
    }
}

fn all<T: serde::de::DeserializeOwned, U>(row: &Row, at: usize, read: impl Fn(T) -> Result<U>) -> Result<Vec<U>> {
    let text: Option<String> = row.get(at)?;
    collected::<T>(text.as_deref(), "policy")?
        .into_iter()
        .map(read)
        .collect()
}

impl FromRow for Shared {
    fn from_row(row: &Row) -> Result<Self> {
        let mut groups = all(row, 7, |(pk, id, display): (i64, String, String)| {
            Ok(PolicyGroup {
                pk: Pk(pk),
                id,
                display,
                parents: Vec::new(),
            })
        })?;
        for (child, parent) in all(row, 8, |pair: (i64, i64)| Ok(pair))? {
            if let Ok(at) = groups.binary_search_by_key(&child, |group| group.pk.0) {
                groups[at].parents.push(Pk(parent));
            }
        }
        Ok(Self {
            schemas: row.get(10)?,
            version: row.get(0)?,
            settings: settings::read(row.get::<Option<String>>(1)?.as_deref())?,
            closed: row
                .get::<Option<String>>(9)?
                .is_some_and(|state| state != closing::State::Active.as_str()),
            roles: all(row, 2, RoleColumns::role)?,
            scopes: all(row, 3, ScopeColumns::scope)?,
            grants: all(row, 4, GrantColumns::grant)?,
            rules: all(row, 5, RuleColumns::rule)?,
            preparing: all(row, 6, RuleColumns::rule)?,
            groups,
        })
    }
}
