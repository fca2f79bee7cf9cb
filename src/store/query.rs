//! Pages of resources: filtered, sorted, counted.

mod walk;

use super::document::{INDEXED_CHARS, Stored, external_id_column, groups_columns, no_groups, stored_columns};
use super::error::Result;
use super::filter::{
    Compiler, Filled, Key, finds_few, is_of_listed_columns, key_of, paths_of, primary_path, read_paths,
};
use super::kind::Kind;
use super::members::ByRule;
use super::resources::{BLOCK_SHIFT, Groups, Resources};
use super::sql::{FromRow, Read, Row, Statement};
use crate::base::id::{ConnectionId, Pk, TenantId};
use crate::scim::filter::{Checked, Match, Node, Test};
use std::collections::HashMap;

pub use super::filter::Sort;
pub use walk::Stretch;

/// Questions about the resources of one tenant.
pub struct Queries<R> {
    tenant: TenantId,
    source: R,
}

/// One question.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Kinds of resource to search.
    pub kinds: &'a [Kind],
    /// What they must satisfy.
    pub filter: Option<&'a Checked>,
    /// Their order; by default that of their creation.
    pub sort: Option<&'a Sort>,
    /// How many to pass over.
    pub offset: u64,
    /// How many to give at most.
    pub limit: u64,
    /// Who asks: `externalId` is that of this connection.
    pub connection: Option<ConnectionId>,
    /// Whether users bring their groups along.
    pub groups: Groups,
    /// Which members rules give: for filters over `members` and `groups`.
    pub by_rule: Option<&'a ByRule>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The resources, in order.
    pub rows: Vec<Stored>,
    /// How many there are beyond the page, too.
    pub total: u64,
}

/// A row of a page, beside the total; the only one of an empty page has no resource.
struct Line(i64, Option<Stored>);

impl FromRow for Line {
    fn from_row(row: &Row) -> Result<Self> {
        let stored = row.get::<Option<i64>>(1)?.map(|_| Stored::read(row, 1)).transpose()?;
        Ok(Self(row.get(0)?, stored))
    }
}

/// Offsets below this are counted off one by one; above, whole blocks of row numbers are passed over.
const DEEP_OFFSET: u64 = 1 << BLOCK_SHIFT;

impl<R: Read> Queries<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The page that a question asks for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, query: &Query<'_>) -> Result<Page> {
        if let Some((kind, name)) = named(query) {
            let mut resources = Resources::new(self.tenant, self.source.again());
            let found = resources
                .find_by_name(kind, name, query.connection, query.groups)
                .await?;
            return Ok(part(found, query));
        }
        let primary = primary(query);
        let paths = read_paths(&mut self.source, &named_paths(query, &primary)).await?;
        if query.limit > 0 && query.filter.is_some_and(|filter| finds_few(filter, query.kinds)) {
            return self.few(query, &paths).await;
        }
        let lines: Vec<Line> = self.source.rows(page(self.tenant, query, &paths)).await?;
        let total = lines.first().map_or(0, |line| u64::try_from(line.0).unwrap_or(0));
        Ok(Page {
            rows: lines.into_iter().filter_map(|line| line.1).collect(),
            total,
        })
    }

    /// All that the filter finds, which is hardly ever more than one.
    async fn few(&mut self, query: &Query<'_>, paths: &HashMap<&str, i64>) -> Result<Page> {
        let mut statement = Statement::new("SELECT ");
        let (tenant, connection) = (statement.keep(self.tenant), statement.keep(query.connection));
        let filled = Filled::keep(&mut statement, query.by_rule);
        columns(&mut statement, connection, query.groups);
        statement.push(" FROM resource r WHERE ");
        Compiler::new(&mut statement, tenant, connection, query.kinds, paths)
            .with(filled)
            .filter(query.filter);
        // The sign keeps SQLite from walking the whole list in order to get the order for free.
        statement.push(" ORDER BY +r.pk");
        let rows: Vec<Stored> = self.source.rows(statement).await?;
        Ok(part(rows, query))
    }

    /// Everyone who satisfies a filter over users, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users_who(&mut self, filter: &Checked, by_rule: &ByRule) -> Result<Vec<Pk>> {
        let paths = read_paths(&mut self.source, &paths_of(filter)).await?;
        let mut statement = Statement::new("SELECT r.pk FROM resource r WHERE ");
        let (tenant, nobody) = (statement.keep(self.tenant), statement.keep(None::<i64>));
        let filled = Filled::keep(&mut statement, Some(by_rule));
        Compiler::new(&mut statement, tenant, nobody, &[Kind::User], &paths)
            .with(filled)
            .filter(Some(filter));
        let rows: Vec<(i64,)> = self.source.rows(statement).await?;
        Ok(rows.into_iter().map(|(pk,)| Pk(pk)).collect())
    }
}

/// The paths of the flags that decide which of several values a query sorts by.
fn primary(query: &Query<'_>) -> Vec<String> {
    let places = query.sort.into_iter().flat_map(Sort::places);
    places.filter_map(|(_, parent)| parent.map(primary_path)).collect()
}

/// Every attribute path that a query names.
fn named_paths<'a>(query: &Query<'a>, primary: &'a [String]) -> Vec<&'a str> {
    let mut paths = query.filter.map_or(Vec::new(), paths_of);
    paths.extend(query.sort.into_iter().flat_map(Sort::places).map(|(path, _)| path));
    paths.extend(primary.iter().map(String::as_str));
    paths
}

/// The one name a query asks for, where names of that length are whole in the index.
fn named<'a>(query: &Query<'a>) -> Option<(Kind, &'a str)> {
    match (query.filter?.root(), query.kinds) {
        (
            Node::Test(Test {
                path,
                check: Match::Equal(name),
                ..
            }),
            &[kind],
        ) => {
            let attribute = match kind {
                Kind::User => "userName",
                Kind::Group => "displayName",
                Kind::Own(_) => return None,
            };
            (path == attribute && name.len() < INDEXED_CHARS).then_some((kind, name))
        }
        _ => None,
    }
}

/// The page of all that was found.
fn part(rows: Vec<Stored>, query: &Query<'_>) -> Page {
    let total = rows.len() as u64;
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Page {
        rows: rows
            .into_iter()
            .skip(number(query.offset))
            .take(number(query.limit))
            .collect(),
        total,
    }
}

/// The columns of [`Stored`].
fn columns(out: &mut Statement, connection: usize, groups: Groups) {
    out.push(concat!(stored_columns!(), ", ", external_id_column!()))
        .push_number(connection)
        .push("), ");
    out.push(if groups == Groups::Listed {
        groups_columns!()
    } else {
        no_groups!()
    });
}

/// Total and page in one statement.
///
/// `m` holds the row numbers of all matches, and what they are sorted by. Where the tally knows the total, and an
/// index the order, there is no `m`.
fn page(tenant: TenantId, query: &Query<'_>, paths: &HashMap<&str, i64>) -> Statement {
    let mut out = Statement::new("");
    let binds = (out.keep(tenant), out.keep(query.connection));
    let by_index = query.filter.is_none()
        && query
            .sort
            .is_none_or(|sort| matches!(key_of(sort, query.kinds), Key::Name));
    if by_index {
        if query.sort.is_none() && query.offset >= DEEP_OFFSET {
            blocks(&mut out, binds.0, query);
        }
        out.push("SELECT t.total, ");
        columns(&mut out, binds.1, query.groups);
        out.push(" FROM (SELECT CAST(coalesce(sum(y.n), 0) AS BIGINT) AS total FROM tally y WHERE ");
        of_tally(&mut out, binds.0, query.kinds);
        out.push(") t LEFT JOIN (");
        in_index_order(&mut out, binds, query, paths);
    } else if query.sort.is_none()
        && query
            .filter
            .is_some_and(|filter| is_of_listed_columns(filter, query.kinds))
    {
        out.push("SELECT t.total, ");
        columns(&mut out, binds.1, query.groups);
        out.push(" FROM (SELECT count(*) AS total FROM resource r WHERE ");
        Compiler::new(&mut out, binds.0, binds.1, query.kinds, paths).filter(query.filter);
        out.push(") t LEFT JOIN (SELECT r.pk FROM resource r WHERE ");
        Compiler::new(&mut out, binds.0, binds.1, query.kinds, paths).filter(query.filter);
        out.push(" ORDER BY r.pk");
        slice(&mut out, query);
    } else {
        let filled = Filled::keep(&mut out, query.by_rule);
        out.push("WITH m AS MATERIALIZED (SELECT r.pk");
        Compiler::new(&mut out, binds.0, binds.1, query.kinds, paths)
            .with(filled)
            .matches(query.filter, query.sort);
        out.push(") SELECT t.total, ");
        columns(&mut out, binds.1, query.groups);
        out.push(" FROM (SELECT count(*) AS total FROM m) t LEFT JOIN (SELECT m.pk");
        out.push(if query.sort.is_some() {
            ", m.k FROM m"
        } else {
            " FROM m"
        });
        order(&mut out, query.sort, ["m.k", "m.pk"]);
        slice(&mut out, query);
    }
    out.push(") p ON 1 = 1 LEFT JOIN resource r ON r.tenant_id = ")
        .push_number(binds.0)
        .push(" AND r.pk = p.pk");
    if by_index && query.sort.is_some_and(|sort| sort.descending) {
        out.push(" ORDER BY p.k DESC, p.k2 DESC, p.pk");
    } else if by_index && query.sort.is_some() {
        out.push(" ORDER BY p.k, p.k2, p.pk");
    } else {
        order(&mut out, query.sort, ["p.k", "p.pk"]);
    }
    out
}

/// As much as the page needs. SQLite would plan anew for every number that stood here alone.
fn slice(out: &mut Statement, query: &Query<'_>) {
    out.push(" LIMIT 0 + ").push_bind(number(query.limit));
    out.push(" OFFSET 0 + ").push_bind(number(query.offset));
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Absent values are last ascending and first descending; ties are in order of creation.
fn order(out: &mut Statement, sort: Option<&Sort>, [key, pk]: [&'static str; 2]) {
    out.push(" ORDER BY ");
    if let Some(sort) = sort {
        out.push(key).push(if sort.descending {
            " DESC NULLS FIRST, "
        } else {
            " ASC NULLS LAST, "
        });
    }
    out.push(pk);
}

/// Conditions on the rows `y` of the tally.
fn of_tally(out: &mut Statement, tenant: usize, kinds: &[Kind]) {
    out.push("y.tenant_id = ").push_number(tenant).push(" AND y.kind IN (");
    for (at, kind) in kinds.iter().enumerate() {
        out.push(if at == 0 { "" } else { ", " }).push_bind(kind.code());
    }
    out.push(")");
}

/// `s`: the block of row numbers in which the page begins, and how many resources are before it.
fn blocks(out: &mut Statement, tenant: usize, query: &Query<'_>) {
    out.push("WITH s AS (SELECT b.block, b.before FROM (SELECT q.block, CAST(sum(q.n) OVER (ORDER BY q.block) - q.n AS BIGINT) AS before FROM (SELECT y.block, sum(y.n) AS n FROM tally y WHERE ");
    of_tally(out, tenant, query.kinds);
    out.push(" GROUP BY y.block) q) b WHERE b.before <= ")
        .push_bind(number(query.offset));
    out.push(" ORDER BY b.block DESC LIMIT 1) ");
}

/// The row numbers of a page without a filter.
fn in_index_order(
    out: &mut Statement,
    (tenant, connection): (usize, usize),
    query: &Query<'_>,
    paths: &HashMap<&str, i64>,
) {
    let deep = query.sort.is_none() && query.offset >= DEEP_OFFSET;
    out.push(if query.sort.is_some() {
        "SELECT r.pk, r.name_key AS k, r.name_rest AS k2"
    } else {
        "SELECT r.pk"
    });
    out.push(" FROM resource r WHERE ");
    Compiler::new(out, tenant, connection, query.kinds, paths).home("r");
    if deep {
        // A block holds 2^10 row numbers: BLOCK_SHIFT.
        out.push(" AND r.pk >= (SELECT s.block FROM s) * 1024");
    }
    match query.sort {
        None => out.push(" ORDER BY r.pk"),
        Some(sort) if sort.descending => out.push(" ORDER BY r.name_key DESC, r.name_rest DESC, r.pk"),
        Some(_) => out.push(" ORDER BY r.name_key, r.name_rest, r.pk"),
    };
    slice(out, query);
    if deep {
        out.push(" - coalesce((SELECT s.before FROM s), 0)");
    }
}
