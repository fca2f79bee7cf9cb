//! A checked filter as SQL over `resource`, `attribute`, `external_id`, `member` and `group_closure`.
//!
//! A node has two forms. *Row*: a condition on a resource that is at hand, with `EXISTS` for what is not its column.
//! *Set*: a subquery of all row numbers that satisfy it, for `IN`. The most selective positive part of an `and` is a
//! set, so that it leads; everything else is a condition on what it finds.

use std::collections::HashMap;

use super::ask::{Ask, Check, Part, merged};
use super::by_rule::Filled;
use super::column::Column;
use super::plan::{FEW, leads_best, rank, subqueries};
use super::relation::Relation;
use super::sort::Sort;
use super::text::{Field, compare};
use crate::scim::filter::{Checked, Node};
use crate::store::kind::Kind;
use crate::store::sql::Statement;

/// Writes the SQL of one filter into a statement.
pub(in crate::store) struct Compiler<'a> {
    pub(super) out: &'a mut Statement,
    /// Number of the bind with the tenant.
    pub(super) tenant: usize,
    /// Number of the bind with the connection that asks.
    pub(super) connection: usize,
    /// What kinds of resource are asked for.
    pub(super) kinds: &'a [Kind],
    /// Numbers of attribute paths; a path without one has no rows.
    pub(super) paths: &'a HashMap<&'a str, i64>,
    /// Whether PostgreSQL is to run `EXISTS` for each candidate: there are few of them, or so many subqueries that it
    /// must not search for their best order.
    fenced: bool,
    /// Which members rules give, where they do.
    pub(super) filled: Option<Filled>,
    /// Binds between whose row numbers all resources lie that are at hand: the first, and the first beyond.
    range: Option<(usize, usize)>,
}

/// What a condition is about.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// The resource of this name.
    Row(&'static str),
    /// The element whose attribute row is `a`. For simple elements, whose tests name `a` itself, their path.
    Element(&'a str),
    /// A member or a group.
    Related(Relation),
}

/// The form a subquery over attribute rows takes.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// `SELECT a.resource_pk`.
    Set,
    /// `EXISTS`, for the resource of this name.
    Row(&'static str),
}

impl<'a> Compiler<'a> {
    pub(in crate::store) fn new(
        out: &'a mut Statement,
        tenant: usize,
        connection: usize,
        kinds: &'a [Kind],
        paths: &'a HashMap<&'a str, i64>,
    ) -> Self {
        Self {
            out,
            tenant,
            connection,
            kinds,
            paths,
            fenced: false,
            filled: None,
            range: None,
        }
    }

    /// The same, for resources whose row numbers lie between two binds. Nothing else is found by it; but PostgreSQL,
    /// which does not conclude it from the resources, reads attribute rows of others then no more.
    pub(in crate::store) fn within(mut self, from: usize, to: usize) -> Self {
        self.range = Some((from, to));
        self
    }

    /// The same, where rules put users into groups.
    pub(in crate::store) fn with(mut self, filled: Option<Filled>) -> Self {
        self.filled = filled;
        self
    }

    /// Writes the rest of `SELECT r.pk` over all matches, with the value they are sorted by as `k`.
    pub(in crate::store) fn matches(&mut self, filter: Option<&Checked>, sort: Option<&Sort>) {
        if let Some(sort) = sort {
            self.out.push(", ");
            self.sort_value(sort);
            self.out.push(" AS k");
        }
        self.out.push(" FROM resource r WHERE ");
        self.filter(filter);
    }

    /// Writes that the resource `r` is of the tenant and the kinds, and satisfies the filter if there is one.
    pub(in crate::store) fn filter(&mut self, filter: Option<&Checked>) {
        self.home("r");
        if let Some(filter) = filter {
            self.fenced = subqueries(filter.root()) > MOST_JOINED;
            self.out.push(" AND ");
            self.lead(filter.root());
        }
    }

    /// Writes that the resource `r` satisfies the filter: for resources that are at hand, where no part should lead.
    pub(in crate::store) fn holds(&mut self, filter: &Checked) {
        self.fenced = subqueries(filter.root()) > MOST_JOINED;
        self.out.push("(");
        self.condition(filter.root(), Scope::Row("r"));
        self.out.push(")");
    }

    /// Writes that the resource of this name is of the tenant and the kinds.
    pub(in crate::store) fn home(&mut self, row: &'static str) {
        self.out
            .push(row)
            .push(".tenant_id = ")
            .push_number(self.tenant)
            .push(" AND ");
        if let [kind] = self.kinds {
            self.out.push(row).push(".kind = ").push_bind(kind.code());
        } else {
            // Rows are in the order of their numbers, not of their kinds: an index by kind would have to be sorted.
            self.one_of_kinds(&["(", row, ".kind + 0)"], self.kinds);
        }
    }

    /// A condition on `r` that leads by a set where that helps.
    fn lead(&mut self, node: &Node) {
        match node {
            Node::And(parts) => match leads_best(parts, self.kinds) {
                Some(best) => {
                    self.lead(&parts[best]);
                    self.few(rank(&parts[best], self.kinds), |all| {
                        all.others(parts, Some(best), Scope::Row("r"));
                    });
                }
                None => self.condition(node, Scope::Row("r")),
            },
            Node::Test(test) if self.is_own_column(&test.path) => self.condition(node, Scope::Row("r")),
            Node::Or(_) | Node::Test(_) | Node::Some { .. } if rank(node, self.kinds).is_some() => {
                self.out.push("r.pk IN (");
                self.set(node);
                self.out.push(")");
            }
            _ => self.condition(node, Scope::Row("r")),
        }
    }

    /// Writes conditions on candidates that a part of this rank finds.
    pub(super) fn few(&mut self, rank: Option<u32>, conditions: impl FnOnce(&mut Self)) {
        let before = self.fenced;
        self.fenced |= rank.is_some_and(|rank| rank <= FEW);
        conditions(self);
        self.fenced = before;
    }

    /// Writes ` AND ` and the parts of an `and` but the one that was written.
    pub(super) fn others(&mut self, parts: &[Node], written: Option<usize>, scope: Scope<'_>) {
        let others = parts.iter().enumerate().filter(|(at, _)| Some(*at) != written);
        let others: Vec<_> = others.map(|(_, part)| Part::Node(part)).collect();
        if !others.is_empty() {
            self.out.push(" AND ");
            self.balanced(&others, scope, " AND ");
        }
    }

    /// Whether a path is a column of the resource itself.
    fn is_own_column(&self, path: &str) -> bool {
        Column::of(path, self.kinds).is_some_and(|column| column != Column::ExternalId)
    }

    /// The set form.
    fn set(&mut self, node: &Node) {
        match node {
            Node::Or(parts) if !parts.is_empty() => {
                let parts = merged(parts, self.kinds);
                if parts.iter().map(arms).sum::<usize>() > MOST_ARMS {
                    return self.set_of_rows(None, |all| all.balanced(&parts, Scope::Row("x"), " OR "));
                }
                for (at, part) in parts.iter().enumerate() {
                    self.out.push(if at == 0 { "" } else { " UNION ALL " });
                    match part {
                        Part::Node(node) => self.set(node),
                        Part::Any {
                            some,
                            path,
                            kind,
                            texts,
                        } => {
                            self.set_of(
                                *some,
                                Ask {
                                    path,
                                    kind: *kind,
                                    check: Check::Any(texts),
                                },
                            );
                        }
                    }
                }
            }
            Node::Test(test) => self.set_of(None, test.into()),
            Node::Some { path, node } => self.some(Form::Set, path, node),
            Node::And(parts) => {
                let best = leads_best(parts, self.kinds);
                let rank = best.and_then(|best| rank(&parts[best], self.kinds));
                self.set_of_rows(best.map(|best| &parts[best]), |all| {
                    all.out.push("1 = 1");
                    all.few(rank, |all| all.others(parts, best, Scope::Row("x")));
                });
            }
            other => self.set_of_rows(None, |all| all.condition(other, Scope::Row("x"))),
        }
    }

    /// The set form of one question, about an element if `some` is set.
    fn set_of(&mut self, some: Option<&str>, ask: Ask<'_>) {
        match some {
            Some(path) => self.some_ask(Form::Set, path, ask),
            None if ask.path == "externalId" => {
                self.out.push("SELECT e.resource_pk FROM external_id e WHERE ");
                self.external_id(ask.check);
            }
            None if self.is_own_column(ask.path) => self.set_of_rows(None, |all| all.ask(ask, Scope::Row("x"))),
            None => self.attribute(Form::Set, ask),
        }
    }

    /// The set form of a condition on resources called `x`, of which `leader` finds the candidates.
    fn set_of_rows(&mut self, leader: Option<&Node>, condition: impl FnOnce(&mut Self)) {
        self.out.push("SELECT x.pk FROM resource x WHERE ");
        self.home("x");
        if let Some(leader) = leader {
            self.out.push(" AND x.pk IN (");
            self.set(leader);
            self.out.push(")");
        }
        self.out.push(" AND ");
        condition(self);
    }

    /// A condition on what the scope names.
    pub(super) fn condition(&mut self, node: &Node, scope: Scope<'_>) {
        match node {
            Node::And(parts) => {
                let parts: Vec<_> = parts.iter().map(Part::Node).collect();
                self.joined(&parts, scope, " AND ", "1 = 1");
            }
            Node::Or(parts) => self.joined(&merged(parts, self.kinds), scope, " OR ", "1 = 0"),
            Node::Not(part) => {
                self.out.push("NOT (");
                self.condition(part, scope);
                self.out.push(")");
            }
            Node::Constant(constant) => drop(self.out.push(if *constant { "1 = 1" } else { "1 = 0" })),
            Node::Test(test) => self.ask(test.into(), scope),
            Node::Some { path, node } => match scope {
                Scope::Row(row) => self.some(Form::Row(row), path, node),
                // Only resources have elements.
                Scope::Element(_) | Scope::Related(_) => drop(self.out.push("1 = 0")),
            },
        }
    }

    fn joined(&mut self, parts: &[Part<'_>], scope: Scope<'_>, word: &'static str, none: &'static str) {
        if parts.is_empty() {
            self.out.push(none);
        } else {
            self.balanced(parts, scope, word);
        }
    }

    /// Parts as a tree of halves: SQLite allows expressions a depth of 1,000, and a chain is as deep as it is long.
    fn balanced(&mut self, parts: &[Part<'_>], scope: Scope<'_>, word: &'static str) {
        self.out.push("(");
        match parts {
            [] => {}
            [Part::Node(node)] => self.condition(node, scope),
            [
                Part::Any {
                    some,
                    path,
                    kind,
                    texts,
                },
            ] => {
                let ask = Ask {
                    path,
                    kind: *kind,
                    check: Check::Any(texts),
                };
                match (some, scope) {
                    (None, _) => self.ask(ask, scope),
                    (Some(parent), Scope::Row(row)) => self.some_ask(Form::Row(row), parent, ask),
                    (Some(_), _) => drop(self.out.push("1 = 0")),
                }
            }
            many => {
                let (left, right) = many.split_at(many.len() / 2);
                self.balanced(left, scope, word);
                self.out.push(word);
                self.balanced(right, scope, word);
            }
        }
        self.out.push(")");
    }

    /// The question, put to what the scope names.
    pub(super) fn ask(&mut self, ask: Ask<'_>, scope: Scope<'_>) {
        match scope {
            Scope::Row(row) => match Column::of(ask.path, self.kinds) {
                Some(column) => {
                    self.out.push("(");
                    self.column(row, column, ask);
                    if column.is_of_users_alone(self.kinds) {
                        self.out.push(" OR ");
                        self.attribute(Form::Row(row), ask);
                    }
                    self.out.push(")");
                }
                None => self.attribute(Form::Row(row), ask),
            },
            Scope::Element(own) if own == ask.path => self.value("a", ask.check),
            Scope::Element(_) => self.sibling(ask),
            Scope::Related(relation) => self.related(relation, ask),
        }
    }

    /// Attribute rows that answer the question; of `members` and `groups`, which have none, whether there are any.
    fn attribute(&mut self, form: Form, ask: Ask<'_>) {
        if ask.path == "members" || ask.path == "groups" {
            return self.some(form, ask.path, &Node::Constant(true));
        }
        self.open(form, ask.path);
        self.out.push(" AND ");
        self.value("a", ask.check);
        self.close(form);
    }

    /// The beginning of a subquery over the rows `a` of one path.
    pub(super) fn open(&mut self, form: Form, path: &str) {
        self.out.push(match form {
            Form::Set => "SELECT a.resource_pk FROM attribute a WHERE ",
            Form::Row(_) => "EXISTS (SELECT 1 FROM attribute a WHERE ",
        });
        self.at_path("a", path);
        if let Form::Row(row) = form {
            self.out.push(" AND a.resource_pk = ").push(row).push(".pk");
            if let Some((from, to)) = self.range {
                self.out.push(" AND a.resource_pk >= ").push_number(from);
                self.out.push(" AND a.resource_pk < ").push_number(to);
            }
        }
    }

    /// Its end.
    pub(super) fn close(&mut self, form: Form) {
        if matches!(form, Form::Row(_)) {
            self.fence();
            self.out.push(")");
        }
    }

    /// Keeps PostgreSQL from making a join of an `EXISTS`.
    pub(super) fn fence(&mut self) {
        if self.fenced {
            self.out.push(" [fence]");
        }
    }

    /// Writes that the attribute row of this name is of the tenant and the path.
    pub(super) fn at_path(&mut self, row: &'static str, path: &str) {
        // No row has the number 0.
        let id = self.paths.get(path).copied().unwrap_or(0);
        self.out.push(row).push(".tenant_id = ").push_number(self.tenant);
        self.out.push(" AND ").push(row).push(".path_id = ").push_bind(id);
    }

    /// Writes that the value of an attribute row passes the check.
    pub(super) fn value(&mut self, row: &'static str, check: Check<'_>) {
        compare(
            self.out,
            Field {
                key: &[row, ".fold"],
                rest: Some(&[row, ".rest"]),
            },
            check,
        );
    }
}

/// SQLite joins at most 500 subqueries by `UNION ALL`.
const MOST_ARMS: usize = 400;

/// How many subqueries the set form of a part has side by side.
fn arms(part: &Part<'_>) -> usize {
    fn of(node: &Node) -> usize {
        match node {
            Node::Or(parts) => parts.iter().map(of).sum(),
            // Direct and indirect ones: stored, by matches of rules, and found otherwise.
            Node::Some { path, .. } if path == "groups" => 6,
            Node::Some { path, .. } if path == "members" => 3,
            Node::Some { node, .. } => of(node),
            _ => 1,
        }
    }
    match part {
        Part::Node(node) => of(node),
        Part::Any { .. } => 6,
    }
}

/// Subqueries that PostgreSQL may put in any order: each more multiplies the orders.
const MOST_JOINED: usize = 8;

/// Every path a filter names.
pub(in crate::store) fn paths_of(filter: &Checked) -> Vec<&str> {
    fn walk<'a>(node: &'a Node, paths: &mut Vec<&'a str>) {
        match node {
            Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| walk(part, paths)),
            Node::Not(part) => walk(part, paths),
            Node::Test(test) => paths.push(&test.path),
            Node::Some { path, node } => {
                paths.push(path);
                walk(node, paths);
            }
            Node::Constant(_) => {}
        }
    }
    let mut paths = Vec::new();
    walk(filter.root(), &mut paths);
    paths
}

/// Writes a subquery of the members of a group that satisfy a value path over `members`. The tenant and the group are
/// the first two binds.
pub(in crate::store) fn members_of(out: &mut Statement, filter: &Checked) {
    out.push(
        "SELECT m.member_pk FROM member m CROSS JOIN resource u WHERE m.tenant_id = $1 AND m.group_pk = $2 \
         AND u.tenant_id = $1 AND u.pk = m.member_pk AND ",
    );
    let paths = HashMap::new();
    let mut compiler = Compiler::new(out, 1, 1, &Kind::BUILTIN, &paths);
    match filter.root() {
        Node::Some { path, node } if path == "members" => {
            compiler.condition(node, Scope::Related(Relation::Member));
        }
        _ => drop(compiler.out.push("1 = 0")),
    }
}
