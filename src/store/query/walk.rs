//! Walks through all matches, page after page, each from the place where the one before ended.
//!
//! A page is found by the place and not by a number of resources to pass over: who comes or goes in front of it moves
//! nobody from one page to another, and the last page costs what the first does.

use super::{Filled, Queries, Query, columns, named_paths, number, primary};
use crate::base::id::TenantId;
use crate::scim::cursor::{Mark, Turn};
use crate::store::document::Stored;
use crate::store::error::Result;
use crate::store::filter::{Compiler, Key, Sort, is_number, is_of_listed_columns, key_of, read_paths};
use crate::store::sql::{FromRow, Read, Row, Statement};
use std::collections::HashMap;

/// One page of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretch {
    /// The resources, in order.
    pub rows: Vec<Stored>,
    /// The places of the first and the last of them.
    pub ends: Option<[Mark; 2]>,
    /// Whether there are more in the direction in which it was asked for.
    pub more: bool,
}

/// A resource with what it was sorted by.
struct Step(Stored, Option<String>);

impl FromRow for Step {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(Stored::read(row, 0)?, row.get(14)?))
    }
}

impl Step {
    fn mark(&self) -> Mark {
        Mark {
            key: self.1.clone(),
            tie: self.0.pk.0.to_string(),
        }
    }
}

impl<R: Read> Queries<R> {
    /// The page of a walk that a turn leads to; the query's offset does not count.
    ///
    /// The order is that of [`Queries::list`], but for values that agree in all that an index holds of them: of those the
    /// older resource comes first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn walk(&mut self, query: &Query<'_>, turn: &Turn) -> Result<Stretch> {
        let primary = primary(query);
        let paths = read_paths(&mut self.source, &named_paths(query, &primary)).await?;
        let walk = Walk {
            query,
            turn,
            rising: query.sort.is_some_and(|sort| sort.descending) == turn.is_back(),
        };
        let mut steps: Vec<Step> = self.source.rows(walk.statement(self.tenant, &paths)).await?;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let more = steps.len() > limit;
        steps.truncate(limit);
        if turn.is_back() {
            steps.reverse();
        }
        let ends = steps.first().zip(steps.last());
        Ok(Stretch {
            ends: ends.map(|(first, last)| [first.mark(), last.mark()]),
            rows: steps.into_iter().map(|Step(stored, _)| stored).collect(),
            more,
        })
    }
}

/// Numbers of the binds with the tenant and the connection.
type Binds = (usize, usize);

struct Walk<'a> {
    query: &'a Query<'a>,
    turn: &'a Turn,
    /// Whether values grow in the direction of the turn: then those without one are at its end, otherwise at its begin.
    rising: bool,
}

impl Walk<'_> {
    /// The page and one more, in the direction of the turn.
    fn statement(&self, tenant: TenantId, paths: &HashMap<&str, i64>) -> Statement {
        let query = self.query;
        let mut out = Statement::new("");
        let binds = (out.keep(tenant), out.keep(query.connection));
        let by_index = match query.sort {
            None => query
                .filter
                .is_none_or(|filter| is_of_listed_columns(filter, query.kinds)),
            Some(sort) => query.filter.is_none() && matches!(key_of(sort, query.kinds), Key::Name),
        };
        if by_index {
            out.push("SELECT ");
            columns(&mut out, binds.1, query.groups);
            out.push(", p.k FROM (");
            self.along_index(&mut out, binds, paths);
        } else {
            self.matches(&mut out, binds, paths);
            out.push(" SELECT ");
            columns(&mut out, binds.1, query.groups);
            out.push(", CAST(p.k AS TEXT) FROM (SELECT m.pk, m.k FROM m");
            if let (Some(mark), Some(sort)) = (self.turn.mark(), query.sort) {
                out.push(" WHERE ");
                self.beyond(&mut out, sort, mark);
            }
            self.order(&mut out, ["m.k", "m.pk"]);
            self.slice(&mut out);
        }
        out.push(") p CROSS JOIN resource r WHERE r.tenant_id = ")
            .push_number(binds.0)
            .push(" AND r.pk = p.pk");
        if by_index && query.sort.is_some() {
            self.order_of_names(&mut out, ["p.k", "p.pk"]);
        } else {
            self.order(&mut out, ["p.k", "p.pk"]);
        }
        out
    }

    /// `m`: the row numbers of all matches and what they are sorted by; without an order, of those that are still to come.
    fn matches(&self, out: &mut Statement, binds: Binds, paths: &HashMap<&str, i64>) {
        let query = self.query;
        let filled = Filled::keep(out, query.by_rule);
        out.push("WITH m AS MATERIALIZED (SELECT r.pk, ");
        match query.sort {
            Some(sort) => Compiler::new(out, binds.0, binds.1, query.kinds, paths).sort_key(sort),
            None => drop(out.push("CAST(NULL AS TEXT)")),
        }
        out.push(" AS k FROM resource r WHERE ");
        Compiler::new(out, binds.0, binds.1, query.kinds, paths)
            .with(filled)
            .filter(query.filter);
        if let (Some(mark), None) = (self.turn.mark(), query.sort) {
            out.push(" AND ");
            self.beyond_number(out, "r.pk", mark);
        }
        out.push(")");
    }

    /// Row numbers and values where an index has the order.
    fn along_index(&self, out: &mut Statement, binds: Binds, paths: &HashMap<&str, i64>) {
        let query = self.query;
        out.push(if query.sort.is_some() {
            "SELECT r.pk, r.name_key AS k FROM resource r WHERE "
        } else {
            "SELECT r.pk, CAST(NULL AS TEXT) AS k FROM resource r WHERE "
        });
        Compiler::new(out, binds.0, binds.1, query.kinds, paths).filter(query.filter);
        match (self.turn.mark(), query.sort) {
            (None, _) => {}
            (Some(mark), None) => {
                out.push(" AND ");
                self.beyond_number(out, "r.pk", mark);
            }
            (Some(mark), Some(_)) => {
                let key = out.keep(mark.key.clone().unwrap_or_default());
                let [at, past] = if self.rising { [" >= ", " > "] } else { [" <= ", " < "] };
                // Twice, so that the index leads to the place and does not only tell that it is passed.
                out.push(" AND r.name_key").push(at).push_number(key);
                out.push(" AND (r.name_key").push(past).push_number(key);
                out.push(" OR ");
                self.beyond_number(out, "r.pk", mark);
                out.push(")");
            }
        }
        if query.sort.is_some() {
            self.order_of_names(out, ["r.name_key", "r.pk"]);
        } else {
            self.order(out, ["", "r.pk"]);
        }
        self.slice(out);
    }

    /// That a row of `m` is on the far side of a place.
    fn beyond(&self, out: &mut Statement, sort: &Sort, mark: &Mark) {
        let Some(key) = &mark.key else {
            out.push(if self.rising {
                "(m.k IS NULL AND "
            } else {
                "(m.k IS NOT NULL OR "
            });
            self.beyond_number(out, "m.pk", mark);
            out.push(")");
            return;
        };
        let key = if is_number(sort, self.query.kinds) {
            // INVARIANT: only what this wrote comes back, and it wrote a number.
            out.keep(key.parse::<i64>().unwrap_or_default())
        } else {
            out.keep(key.clone())
        };
        out.push(if self.rising { "(m.k > " } else { "(m.k < " });
        out.push_number(key).push(" OR (m.k = ").push_number(key);
        out.push(" AND ");
        self.beyond_number(out, "m.pk", mark);
        out.push(if self.rising { ") OR m.k IS NULL)" } else { "))" });
    }

    /// That a row number is beyond that of a place.
    fn beyond_number(&self, out: &mut Statement, pk: &'static str, mark: &Mark) {
        // INVARIANT: only what this wrote comes back, and it wrote a number.
        let place = mark.tie.parse::<i64>().unwrap_or_default();
        out.push(pk).push(match (self.turn.is_back(), self.turn.is_with()) {
            (false, false) => " > ",
            (false, true) => " >= ",
            (true, false) => " < ",
            (true, true) => " <= ",
        });
        out.push_bind(place);
    }

    /// The order in the direction of the turn.
    fn order(&self, out: &mut Statement, [key, pk]: [&'static str; 2]) {
        out.push(" ORDER BY ");
        if self.query.sort.is_some() {
            out.push(key).push(if self.rising {
                " ASC NULLS LAST, "
            } else {
                " DESC NULLS FIRST, "
            });
        }
        out.push(pk).push(self.tie());
    }

    /// The same of names, which are never NULL: in words for which the index has the order.
    fn order_of_names(&self, out: &mut Statement, [key, pk]: [&'static str; 2]) {
        out.push(" ORDER BY ").push(key);
        out.push(if self.rising { ", " } else { " DESC, " });
        out.push(pk).push(self.tie());
    }

    fn tie(&self) -> &'static str {
        if self.turn.is_back() { " DESC" } else { "" }
    }

    /// As much as the page needs, and one more to see whether there is any. SQLite would plan anew for every number that
    /// stood here alone.
    fn slice(&self, out: &mut Statement) {
        out.push(" LIMIT 0 + ")
            .push_bind(number(self.query.limit.saturating_add(1)));
    }
}
