//! Grants, rules and scopes as the log tells them: by public ids.

use serde_json::json;
use std::collections::HashMap;

use super::grants::Grants;
use super::rules::{Rules, StoredRule};
use super::scopes::{Scopes, StoredScope};
use super::written::{self, GrantColumns};
use crate::access::permission::Predefined;
use crate::access::{Grant, Outcome, Reach, Subject};
use crate::base::id::{Pk, ResourceId, RoleKey, RuleKey, ScopeKey, TenantId};
use crate::event::image::{GrantImage, OutcomeImage, Place};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// A grant and who holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldGrant {
    /// Who.
    pub subject: Subject,
    /// Their id.
    pub subject_id: ResourceId,
    /// The grant.
    pub image: GrantImage,
}

/// Which grants are to be told.
#[derive(Debug, Clone, Copy)]
pub enum Telling<'a> {
    /// The one with this id.
    Id(&'a str),
    /// Those with these ids.
    Ids(&'a [String]),
    /// Those of this user or group itself.
    Subject(Pk),
    /// Those that give this role.
    Role(RoleKey),
    /// Those on this scope itself.
    Scope(ScopeKey),
}

impl FromRow for ToldGrant {
    fn from_row(row: &Row) -> Result<Self> {
        let columns = GrantColumns(
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
            row.get(7)?,
            row.get(8)?,
            row.get(9)?,
            row.get(10)?,
            row.get(11)?,
            row.get(12)?,
        );
        let (role, scope) = (row.get::<Option<String>>(14)?, row.get::<Option<String>>(15)?);
        let grant = columns.grant()?;
        Ok(Self {
            subject: grant.subject,
            subject_id: ResourceId::new(row.get::<String>(13)?),
            image: image(grant, role, scope).ok_or(Error::Damaged("role or scope of a grant"))?,
        })
    }
}

/// A grant with the ids of its role, where that is a custom one, and of its scope.
fn image(grant: Grant, role: Option<String>, scope: Option<String>) -> Option<GrantImage> {
    let predefined = || Predefined::from_key(grant.role).map(|role| role.id().to_owned());
    Some(GrantImage {
        role: role.or_else(predefined)?,
        place: match &grant.reach {
            Reach::All => Place::all(),
            Reach::Scope(_) => Place::Scope(scope?),
            Reach::Record(record) => record.into(),
        },
        grant: grant.id,
        valid_from: grant.validity.from,
        valid_to: grant.validity.to,
        restrict: grant.restriction.0,
        origin: grant.origin.as_str().to_owned(),
    })
}

/// Columns of [`ToldGrant`]: of the grant `g` and its subject `r`.
macro_rules! told {
    ($rest:literal) => {
        concat!(
            "SELECT g.id, g.uid, g.subject_kind, g.subject_pk, g.role_id, g.reach, g.scope_id, g.record_kind, ",
            "g.record_id, g.valid_from, g.valid_to, g.restriction, g.origin, r.id, ",
            "(SELECT o.uid FROM role o WHERE o.tenant_id = $1 AND o.id = g.role_id), ",
            "(SELECT s.uid FROM scope s WHERE s.tenant_id = $1 AND s.id = g.scope_id) ",
            $rest,
            " AND r.tenant_id = $1 AND r.pk = g.subject_pk ORDER BY g.id"
        )
    };
}

/// The statement that reads grants as they are told.
pub(in crate::store) fn telling(tenant: TenantId, which: Telling<'_>) -> Statement {
    const ID: &str = told!("FROM access_grant g CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.uid = $2");
    const IDS: &str = told!(
        "FROM [each $2] AS j CROSS JOIN access_grant g CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.uid = j.value ->> 0"
    );
    const SUBJECT: &str =
        told!("FROM access_grant g CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.subject_pk = $2");
    const ROLE: &str = told!("FROM access_grant g CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.role_id = $2");
    const SCOPE: &str = told!("FROM access_grant g CROSS JOIN resource r WHERE g.tenant_id = $1 AND g.scope_id = $2");
    let of = |text| Statement::new(text).bind(tenant);
    match which {
        Telling::Id(id) => of(ID).bind(id.to_owned()),
        Telling::Ids(ids) => of(IDS).bind(json!(ids.iter().map(|id| [id]).collect::<Vec<_>>()).to_string()),
        Telling::Subject(pk) => of(SUBJECT).bind(pk),
        Telling::Role(role) => of(ROLE).bind(role),
        Telling::Scope(scope) => of(SCOPE).bind(scope),
    }
}

impl<R: Read> Grants<R> {
    /// Grants as the log tells them, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn told(&mut self, which: Telling<'_>) -> Result<Vec<ToldGrant>> {
        self.source.rows(telling(self.tenant, which)).await
    }
}

/// Ids of what outcomes of rules name.
#[derive(Debug, Default)]
pub struct OutcomeNames(HashMap<(i64, i64), String>);

/// How [`OutcomeNames`] tells roles, scopes and groups apart.
const ROLE: i64 = 1;
const SCOPE: i64 = 2;
const GROUP: i64 = 3;

impl OutcomeNames {
    /// The outcomes by public ids; what names something that is gone is left out: it gives nothing.
    #[must_use]
    pub fn images(&self, outcomes: &[Outcome]) -> Vec<OutcomeImage> {
        outcomes.iter().filter_map(|outcome| self.image(outcome)).collect()
    }

    fn image(&self, outcome: &Outcome) -> Option<OutcomeImage> {
        let id = |kind, key| self.0.get(&(kind, key)).cloned();
        Some(match outcome {
            Outcome::Role { role, reach } => {
                let predefined = || Predefined::from_key(*role).map(|role| role.id().to_owned());
                OutcomeImage::Role {
                    role: id(ROLE, role.0).or_else(predefined)?,
                    place: match reach {
                        Reach::All => Place::all(),
                        Reach::Scope(scope) => Place::Scope(id(SCOPE, scope.0)?),
                        Reach::Record(record) => record.into(),
                    },
                }
            }
            Outcome::Member(scope) => OutcomeImage::Member {
                scope: id(SCOPE, scope.0)?,
            },
            Outcome::Group(group) => OutcomeImage::Group {
                group: id(GROUP, group.0)?,
            },
        })
    }
}

impl<R: Read> Rules<R> {
    /// Ids of everything that these outcomes name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names(&mut self, outcomes: &[Outcome]) -> Result<OutcomeNames> {
        const NAMES: &str = "SELECT CAST(1 AS BIGINT), o.id, o.uid FROM [each $2] AS j CROSS JOIN role o WHERE o.tenant_id = $1 \
                             AND o.id = CAST(j.value ->> 0 AS BIGINT) \
                             UNION ALL SELECT CAST(2 AS BIGINT), s.id, s.uid FROM [each $3] AS j CROSS JOIN scope s WHERE s.tenant_id = $1 \
                             AND s.id = CAST(j.value ->> 0 AS BIGINT) \
                             UNION ALL SELECT CAST(3 AS BIGINT), r.pk, r.id FROM [each $4] AS j CROSS JOIN resource r \
                             WHERE r.tenant_id = $1 AND r.pk = CAST(j.value ->> 0 AS BIGINT)";
        let (mut roles, mut scopes, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Outcome::Role { role, reach } => {
                    roles.push(role.0);
                    scopes.extend(reach.scope().map(|scope| scope.0));
                }
                Outcome::Member(scope) => scopes.push(scope.0),
                Outcome::Group(group) => groups.push(group.0),
            }
        }
        let mut names = Statement::new(NAMES).bind(self.tenant);
        for keys in [&mut roles, &mut scopes, &mut groups] {
            keys.sort_unstable();
            keys.dedup();
            names = names.bind(written::numbers(keys.iter().copied()));
        }
        let rows: Vec<(i64, i64, String)> = self.source.rows(names).await?;
        Ok(OutcomeNames(
            rows.into_iter().map(|(kind, key, id)| ((kind, key), id)).collect(),
        ))
    }

    /// The rules with these numbers, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, keys: &[RuleKey]) -> Result<Vec<StoredRule>> {
        let keys = written::numbers(keys.iter().map(|key| key.0));
        let of = Statement::new(super::rules::OF).bind(self.tenant).bind(keys);
        self.source.rows(of).await
    }
}

impl<R: Read> Scopes<R> {
    /// The scopes directly below one, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn below(&mut self, scope: ScopeKey) -> Result<Vec<StoredScope>> {
        const BELOW: &str = "SELECT id, uid, kind, name, parent_id, starts, ends, created FROM scope \
                             WHERE tenant_id = $1 AND parent_id = $2 ORDER BY id";
        self.source
            .rows(Statement::new(BELOW).bind(self.tenant).bind(scope))
            .await
    }
}
