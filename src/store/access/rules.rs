//! Rules, every version of them, and the versions that are being prepared.
//!
//! A rule whose condition changes while it counts for many users is *prepared*: the new version waits beside the one
//! in force until its matches are found ([`Matches`](super::matches::Matches)), then takes its place at once.

mod preparing;

use super::hanging::relink;
use super::policy::bump;
use super::written;
use crate::access::{Outcome, State, Validity};
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{RuleKey, TenantId};
use crate::store::cause::{By, Maker};
use crate::store::error::{Error, Result};
use crate::store::sql::{Bind, FromRow, Read, Row, Script, Statement, Tx};

pub use preparing::{LeftOver, Preparing, left_over};

/// Rules of one tenant.
pub struct Rules<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// A rule, at its latest version.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRule {
    /// Row number.
    pub key: RuleKey,
    /// Id on the wire.
    pub id: String,
    /// For people.
    pub name: String,
    /// Whether it counts.
    pub state: State,
    /// Counts every change.
    pub version: i64,
    /// The version under which [`Matches`](super::matches::Matches) knows its condition.
    pub matched: i64,
    /// The condition: a filter.
    pub when: String,
    /// What it gives.
    pub then: Vec<Outcome>,
    /// When it counts.
    pub validity: Validity,
    /// Examples, as JSON text.
    pub examples: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// The version that is being prepared.
    pub preparing: Option<Preparing>,
}

/// One version of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVersion {
    /// Its number.
    pub version: i64,
    /// What it made of the rule.
    pub standing: Standing,
    /// For people.
    pub name: String,
    /// The condition: a filter.
    pub when: String,
    /// What it gives, by the row numbers of then.
    pub then: Vec<Outcome>,
    /// When it counts.
    pub validity: Validity,
    /// Examples, as JSON text.
    pub examples: String,
    /// Who made it, when.
    pub made: Maker,
}

/// What a version made of its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// This.
    Entered(State),
    /// Nothing yet: its matches are being found.
    Preparing,
    /// Nothing: another one came before its matches were found.
    Abandoned,
}

/// What a rule says.
#[derive(Debug, Clone, Copy)]
pub struct RuleContent<'a> {
    /// At most 256 characters; unique in the tenant in any letter case.
    pub name: &'a str,
    /// The condition: a filter that was compiled.
    pub when: &'a str,
    /// What it gives. Roles, scopes and groups must have been looked up in this unit, with the policy held.
    pub then: &'a [Outcome],
    /// When it counts.
    pub validity: Validity,
    /// Examples, as JSON text.
    pub examples: &'a str,
}

/// Whether the matches that are known hold for the new version of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// They do: it asks for the same. Of a rule that is not active nothing is kept, so this is [`Self::New`] there.
    Same,
    /// There are none yet.
    New,
}

macro_rules! columns {
    () => {
        "u.id, u.uid, u.name, u.state, u.version, u.matched, u.when_text, u.outcomes, u.valid_from, u.valid_to, \
         u.examples, u.created, u.modified, (SELECT v.version FROM rule_version v WHERE v.tenant_id = u.tenant_id \
         AND v.rule_id = u.id AND v.state = 'preparing'), (SELECT v.looked_at FROM rule_version v \
         WHERE v.tenant_id = u.tenant_id AND v.rule_id = u.id AND v.state = 'preparing')"
    };
}

/// The rules of these numbers.
pub(super) const OF: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM [each $2] AS j CROSS JOIN rule u WHERE u.tenant_id = $1 AND u.id = CAST(j.value ->> 0 AS BIGINT) ORDER BY u.id"
);

impl FromRow for StoredRule {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            key: RuleKey(row.get(0)?),
            id: row.get(1)?,
            name: row.get(2)?,
            state: written::state(&row.get::<String>(3)?)?,
            version: row.get(4)?,
            matched: row.get(5)?,
            when: row.get(6)?,
            then: written::read_outcomes(&row.get::<String>(7)?)?,
            validity: written::validity(row.get(8)?, row.get(9)?),
            examples: row.get(10)?,
            created: Timestamp(row.get(11)?),
            modified: Timestamp(row.get(12)?),
            preparing: Preparing::read(row, 13)?,
        })
    }
}

impl FromRow for StoredVersion {
    fn from_row(row: &Row) -> Result<Self> {
        let standing = match row.get::<String>(1)?.as_str() {
            PREPARING => Standing::Preparing,
            "abandoned" => Standing::Abandoned,
            state => Standing::Entered(written::state(state)?),
        };
        Ok(Self {
            version: row.get(0)?,
            standing,
            name: row.get(2)?,
            when: row.get(3)?,
            then: written::read_outcomes(&row.get::<String>(4)?)?,
            validity: written::validity(row.get(5)?, row.get(6)?),
            examples: row.get(7)?,
            made: Maker::read(row, 8)?,
        })
    }
}

/// The state of a version whose matches are being found.
const PREPARING: &str = "preparing";

impl<R: Read> Rules<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The rule with this id on the wire.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<StoredRule>> {
        const FIND: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM rule u WHERE u.tenant_id = $1 AND u.uid = $2"
        );
        self.source
            .row(Statement::new(FIND).bind(self.tenant).bind(id.to_owned()))
            .await
    }

    /// The rule with this number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&mut self, key: RuleKey) -> Result<Option<StoredRule>> {
        const GET: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM rule u WHERE u.tenant_id = $1 AND u.id = $2"
        );
        self.source.row(Statement::new(GET).bind(self.tenant).bind(key)).await
    }

    /// At most `limit` rules after the one with this number, oldest first; `RuleKey(0)` begins. With a state, only
    /// those in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, state: Option<State>, after: RuleKey, limit: u32) -> Result<Vec<StoredRule>> {
        const LIST: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM rule u WHERE u.tenant_id = $1 AND u.id > $2 AND ($3 = '' OR u.state = $3) ORDER BY u.id LIMIT 0 + $4"
        );
        let list = Statement::new(LIST).bind(self.tenant).bind(after);
        let list = list.bind(state.map_or("", State::as_str)).bind(i64::from(limit));
        self.source.rows(list).await
    }

    /// At most `limit` versions of a rule before this one, latest first; `None` begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(&mut self, key: RuleKey, before: Option<i64>, limit: u32) -> Result<Vec<StoredVersion>> {
        const VERSIONS: &str = "SELECT version, state, name, when_text, outcomes, valid_from, valid_to, examples, \
                                created, actor_kind, actor_name, connection_id, request_id FROM rule_version \
                                WHERE tenant_id = $1 AND rule_id = $2 AND version < $3 \
                                ORDER BY version DESC LIMIT 0 + $4";
        let versions = Statement::new(VERSIONS).bind(self.tenant).bind(key);
        let versions = versions.bind(before.unwrap_or(i64::MAX)).bind(i64::from(limit));
        self.source.rows(versions).await
    }
}

impl Rules<&mut Tx> {
    /// Writes a new rule at version 1. If it is active, it counts at once, for nobody: its matches are to be found in
    /// this unit. Otherwise see [`Self::prepare`].
    ///
    /// # Errors
    /// [`Error::Taken`] when another rule has the name or the id; the unit is lost then.
    pub async fn create(&mut self, id: &str, content: RuleContent<'_>, state: State, by: By<'_>) -> Result<RuleKey> {
        const CREATE: &str = "INSERT INTO rule (tenant_id, uid, name, name_fold, state, version, matched, when_text, \
                              outcomes, valid_from, valid_to, examples, created, modified) \
                              VALUES ($1, $2, $3, $4, $5, 1, 1, $6, $7, $8, $9, $10, $11, $11) RETURNING id";
        let create = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(id.to_owned())
            .bind(content.name.to_owned())
            .bind(fold(content.name))
            .bind(state.as_str())
            .bind_all(content.columns())
            .bind(by.cause.at);
        let script = Script::new(create).after(bump(self.tenant));
        let row: Option<(i64,)> = self.source.write_rows(script).await?.into_iter().next();
        let key = row.map(|row| RuleKey(row.0)).ok_or(Error::Damaged("new rule"))?;
        self.note(key, 1, state.as_str(), content, by);
        let linked = if state == State::Retired { &[] } else { content.then };
        relink(self.source, self.tenant, &[(key, linked.to_vec())]);
        Ok(key)
    }

    /// Writes the next version of a rule, which is in force at once; gives its number. What was being prepared is
    /// given up.
    ///
    /// # Errors
    /// [`Error::Stale`] when the rule is not at version `expected`, [`Error::Taken`] when another rule has the name; the
    /// unit is lost then.
    pub async fn change(
        &mut self,
        (key, expected): (RuleKey, i64),
        content: RuleContent<'_>,
        state: State,
        condition: Condition,
        by: By<'_>,
    ) -> Result<i64> {
        const CHANGE: &str = "UPDATE rule SET name = $4, name_fold = $5, state = $6, when_text = $7, outcomes = $8, \
                              valid_from = $9, valid_to = $10, examples = $11, modified = $12, version = $13, \
                              matched = CASE WHEN $14 = 'new' OR state <> 'active' THEN $13 ELSE matched END \
                              WHERE tenant_id = $1 AND id = $2 AND version = $3 RETURNING version";
        self.source.later(bump(self.tenant));
        self.abandon(key);
        let version = self.next_version(key).await?;
        let change = Statement::new(CHANGE)
            .bind(self.tenant)
            .bind(key)
            .bind(expected)
            .bind(content.name.to_owned())
            .bind(fold(content.name))
            .bind(state.as_str())
            .bind_all(content.columns())
            .bind(by.cause.at)
            .bind(version)
            .bind(if condition == Condition::New { "new" } else { "same" });
        let rows: Vec<(i64,)> = self.source.write_rows(change).await?;
        if rows.is_empty() {
            return Err(Error::Stale);
        }
        self.note(key, version, state.as_str(), content, by);
        let linked = if state == State::Retired { &[] } else { content.then };
        relink(self.source, self.tenant, &[(key, linked.to_vec())]);
        Ok(version)
    }

    /// Deletes a rule with all its versions. Its matches count for nothing from now on; they are to be removed by
    /// [`forget`](super::matches::Matches::forget), in pieces. False when there is no such rule.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, key: RuleKey) -> Result<bool> {
        const LINKS: &str = "DELETE FROM rule_link WHERE tenant_id = $1 AND rule_id = $2";
        const VERSIONS: &str = "DELETE FROM rule_version WHERE tenant_id = $1 AND rule_id = $2";
        const DELETE: &str = "DELETE FROM rule WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let of = |text| Statement::new(text).bind(self.tenant).bind(key);
        let script = Script::new(of(DELETE)).before(of(LINKS)).before(of(VERSIONS));
        let script = script.after(bump(self.tenant));
        let rows: Vec<(i64,)> = self.source.write_rows(script).await?;
        Ok(!rows.is_empty())
    }

    async fn next_version(&mut self, key: RuleKey) -> Result<i64> {
        const NEXT: &str = "SELECT coalesce(max(v.version), 0) + 1 FROM rule_version v WHERE v.tenant_id = $1 \
                            AND v.rule_id = $2";
        let row: Option<(i64,)> = self
            .source
            .row(Statement::new(NEXT).bind(self.tenant).bind(key))
            .await?;
        Ok(row.map_or(1, |row| row.0))
    }

    /// Keeps a version.
    fn note(&mut self, key: RuleKey, version: i64, state: &'static str, content: RuleContent<'_>, by: By<'_>) {
        const NOTE: &str = "INSERT INTO rule_version (tenant_id, rule_id, version, state, name, when_text, outcomes, \
                            valid_from, valid_to, examples, created, actor_kind, actor_name, connection_id, request_id) \
                            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        self.source.later(
            Statement::new(NOTE)
                .bind(self.tenant)
                .bind(key)
                .bind(version)
                .bind(state)
                .bind(content.name.to_owned())
                .bind_all(content.columns())
                .bind_all(by.columns()),
        );
    }
}

impl RuleContent<'_> {
    /// `when_text, outcomes, valid_from, valid_to, examples`.
    fn columns(&self) -> [Bind; 5] {
        [
            self.when.to_owned().into(),
            written::outcomes(self.then).into(),
            self.validity.from.into(),
            self.validity.to.into(),
            self.examples.to_owned().into(),
        ]
    }
}
