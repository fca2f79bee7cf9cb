//! Who reports to whom, along `manager.value` of the enterprise extension: directly or through others, the nearest
//! first. Whom the walk has met it does not visit again, so circles end.

use super::{DecisionRow, FactSheets, UserKey, asked, columns, grants_column, groups_column, scopes_column};
use crate::access::RecordRef;
use crate::base::id::Pk;
use crate::store::access::written::{collected, grant_array, numbers};
use crate::store::error::Result;
use crate::store::filter::read_paths;
use crate::store::sql::{FromRow, Read, Row, Statement};

/// Most users who count as the reports of one manager: the nearest. It bounds how deep the walk goes, too, as every
/// step down meets somebody new.
pub const MOST_REPORTS: u32 = 1000;

/// Where a user names their manager. Ids are lower case, as the attribute compares.
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";

/// The user with the key, then whoever reports to them, each once; as many as are wanted are walked to, and no more.
/// Whoever counts as a report is found by these words alone: a decision and a search must not differ.
macro_rules! walk {
    ($key:expr, $path:literal, $limit:literal) => {
        concat!(
            "(WITH RECURSIVE down (pk, id) AS (SELECT r.pk, r.id FROM resource r ",
            "WHERE r.tenant_id = $1 AND r.kind = 1 AND ",
            $key,
            " UNION SELECT r.pk, r.id FROM down CROSS JOIN attribute a CROSS JOIN resource r ",
            "WHERE a.tenant_id = $1 AND a.path_id = ",
            $path,
            " AND a.fold = down.id AND r.tenant_id = $1 AND r.pk = a.resource_pk AND r.kind = 1) ",
            "SELECT w.pk FROM down w LIMIT 0 + ",
            $limit,
            ")"
        )
    };
}

/// A user and whoever reports to them, by the conditions and the binds of the key.
macro_rules! with_reports {
    ($key:literal, $path:literal, $limit:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            grants_column!(),
            ", ",
            scopes_column!("$2", "$3"),
            ", NULL, CAST(CASE WHEN ",
            $key,
            " THEN 1 ELSE 0 END AS BIGINT) FROM ",
            walk!($key, $path, $limit),
            " d CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.pk = d.pk"
        )
    };
}

/// A row of [`with_reports`]: whether it is the manager, and the facts.
struct Line(bool, DecisionRow);

impl FromRow for Line {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(row.get::<i64>(9)? != 0, DecisionRow::from_row(row)?))
    }
}

impl<R: Read> FactSheets<R> {
    /// The same as [`Self::for_decision`], with the facts of at most [`MOST_REPORTS`] users who report to this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn for_manager(&mut self, who: UserKey<'_>, record: Option<&RecordRef>) -> Result<Option<DecisionRow>> {
        const BY_ID: &str = with_reports!("r.id = $4", "$5", "$6");
        const BY_NAME: &str = with_reports!("r.name_key = $4 AND r.twin = $5", "$6", "$7");
        let Some(path) = self.manager_path().await? else {
            return self.for_decision(who, record).await;
        };
        let text = match who {
            UserKey::Id(_) => BY_ID,
            UserKey::Name(_) => BY_NAME,
        };
        let most = i64::from(MOST_REPORTS) + 1;
        let statement = Statement::new(text).bind_all(asked(self.tenant, who, record));
        let lines: Vec<Line> = self.source.rows(statement.bind(path).bind(most)).await?;
        let (manager, reports): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.0);
        let Some(Line(_, mut manager)) = manager.into_iter().next() else {
            return Ok(None);
        };
        let mut reports: Vec<_> = reports.into_iter().map(|line| line.1.facts).collect();
        reports.sort_unstable_by_key(|report| report.user);
        manager.facts.reports = reports;
        Ok(Some(manager))
    }

    /// Each of these managers with the users who report to them: at most [`MOST_REPORTS`] each, the same as
    /// [`Self::for_manager`] finds; a user never reports to itself. One statement: a few managers at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reports_of(&mut self, managers: &[Pk]) -> Result<Vec<(Pk, Vec<Pk>)>> {
        // A walk of its own for each: one for all of them would give what is left of the one limit to whoever is last.
        const REPORTS: &str = concat!(
            "SELECT CAST(j.value ->> 0 AS BIGINT), (SELECT CAST([collect]([array](x.pk)) AS TEXT) FROM ",
            walk!("r.pk = CAST(j.value ->> 0 AS BIGINT)", "$2", "$4"),
            " x) FROM [each $3] AS j"
        );
        let Some(path) = self.manager_path().await? else {
            return Ok(Vec::new());
        };
        let reports = Statement::new(REPORTS).bind(self.tenant).bind(path);
        let reports = reports.bind(numbers(managers.iter().map(|manager| manager.0)));
        let most = i64::from(MOST_REPORTS) + 1;
        let rows: Vec<(i64, Option<String>)> = self.source.rows(reports.bind(most)).await?;
        let reports = |(manager, found): (i64, Option<String>)| {
            let found = collected::<(i64,)>(found.as_deref(), "reports of a manager")?;
            let others = found.into_iter().filter(|report| report.0 != manager);
            Ok((Pk(manager), others.map(|report| Pk(report.0)).collect()))
        };
        rows.into_iter().map(reports).collect()
    }

    /// Number of the attribute; `None` while nobody has a manager.
    async fn manager_path(&mut self) -> Result<Option<i64>> {
        Ok(read_paths(&mut self.source, &[MANAGER]).await?.get(MANAGER).copied())
    }
}
