//! A checked filter as SQL over `resource`, `attribute`, `external_id`, `member` and `group_closure`.
//!
//! A node has two forms. *Row*: a condition on a resource that is at hand, with `EXISTS` for what is not its column.
//! *Set*: a subquery of all row numbers that satisfy it, for `IN`. The most selective positive part of an `and` is a
//! set, so that it leads; everything else is a condition on what it finds.

use std::collections::HashMap;

use super::column::Column;
use super::plan::{leads_best, rank};
use super::relation::Relation;
use super::sort::Sort;
use super::text::{Field, compare};
use crate::scim::filter::{Checked, Match, Node, Test};
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
        }
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
            self.out.push(" AND ");
            self.lead(filter.root());
        }
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
            let kinds = self.kinds;
            self.kinds_where(&[row, ".kind"], |kind| kinds.contains(&kind));
        }
    }

    /// A condition on `r` that leads by a set where that helps.
    fn lead(&mut self, node: &Node) {
        match node {
            Node::And(parts) => match leads_best(parts, self.kinds) {
                Some(best) => {
                    self.lead(&parts[best]);
                    for (_, part) in parts.iter().enumerate().filter(|(at, _)| *at != best) {
                        self.out.push(" AND ");
                        self.condition(part, Scope::Row("r"));
                    }
                }
                None => self.condition(node, Scope::Row("r")),
            },
            Node::Test(test) if self.is_own_column(test) => self.condition(node, Scope::Row("r")),
            Node::Or(_) | Node::Test(_) | Node::Some { .. } if rank(node, self.kinds).is_some() => {
                self.out.push("r.pk IN (");
                self.set(node);
                self.out.push(")");
            }
            _ => self.condition(node, Scope::Row("r")),
        }
    }

    /// Whether the test is on a column of the resource itself.
    fn is_own_column(&self, test: &Test) -> bool {
        Column::of(&test.path, self.kinds).is_some_and(|column| column != Column::ExternalId)
    }

    /// The set form.
    fn set(&mut self, node: &Node) {
        match node {
            Node::Or(parts) if !parts.is_empty() && arms(node) <= MOST_ARMS => {
                for (at, part) in parts.iter().enumerate() {
                    self.out.push(if at == 0 { "" } else { " UNION ALL " });
                    self.set(part);
                }
            }
            Node::Test(test) if test.path == "externalId" => {
                self.out.push("SELECT e.resource_pk FROM external_id e WHERE ");
                self.external_id(&test.check);
            }
            Node::Test(test) if !self.is_own_column(test) => self.attribute(Form::Set, test),
            Node::Some { path, node } => self.some(Form::Set, path, node),
            Node::And(parts) => {
                let best = leads_best(parts, self.kinds);
                self.out.push("SELECT x.pk FROM resource x WHERE ");
                self.home("x");
                if let Some(best) = best {
                    self.out.push(" AND x.pk IN (");
                    self.set(&parts[best]);
                    self.out.push(")");
                }
                for (_, part) in parts.iter().enumerate().filter(|(at, _)| Some(*at) != best) {
                    self.out.push(" AND ");
                    self.condition(part, Scope::Row("x"));
                }
            }
            other => {
                self.out.push("SELECT x.pk FROM resource x WHERE ");
                self.home("x");
                self.out.push(" AND ");
                self.condition(other, Scope::Row("x"));
            }
        }
    }

    /// A condition on what the scope names.
    pub(super) fn condition(&mut self, node: &Node, scope: Scope<'_>) {
        match node {
            Node::And(parts) => self.joined(parts, scope, " AND ", "1 = 1"),
            Node::Or(parts) => self.joined(parts, scope, " OR ", "1 = 0"),
            Node::Not(part) => {
                self.out.push("NOT (");
                self.condition(part, scope);
                self.out.push(")");
            }
            Node::Constant(constant) => drop(self.out.push(if *constant { "1 = 1" } else { "1 = 0" })),
            Node::Test(test) => self.test(test, scope),
            Node::Some { path, node } => match scope {
                Scope::Row(row) => self.some(Form::Row(row), path, node),
                // Only resources have elements.
                Scope::Element(_) | Scope::Related(_) => drop(self.out.push("1 = 0")),
            },
        }
    }

    fn joined(&mut self, parts: &[Node], scope: Scope<'_>, word: &'static str, none: &'static str) {
        if parts.is_empty() {
            self.out.push(none);
            return;
        }
        self.out.push("(");
        for (at, part) in parts.iter().enumerate() {
            self.out.push(if at == 0 { "" } else { word });
            self.condition(part, scope);
        }
        self.out.push(")");
    }

    fn test(&mut self, test: &Test, scope: Scope<'_>) {
        match scope {
            Scope::Row(row) => match Column::of(&test.path, self.kinds) {
                Some(column) => {
                    self.out.push("(");
                    self.column(row, column, test);
                    self.out.push(")");
                }
                None if test.path == "members" || test.path == "groups" => {
                    self.some(Form::Row(row), &test.path, &Node::Constant(true));
                }
                None => self.attribute(Form::Row(row), test),
            },
            Scope::Element(own) if own == test.path => self.value("a", &test.check),
            Scope::Element(_) => self.sibling(test),
            Scope::Related(relation) => self.related(relation, test),
        }
    }

    /// Attribute rows that pass a test.
    fn attribute(&mut self, form: Form, test: &Test) {
        if test.path == "members" || test.path == "groups" {
            return self.some(form, &test.path, &Node::Constant(true));
        }
        self.open(form, &test.path);
        self.out.push(" AND ");
        self.value("a", &test.check);
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
        }
    }

    /// Its end.
    pub(super) fn close(&mut self, form: Form) {
        if matches!(form, Form::Row(_)) {
            self.out.push(")");
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
    pub(super) fn value(&mut self, row: &'static str, check: &Match) {
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

/// How many subqueries the set form of a node has side by side.
fn arms(node: &Node) -> usize {
    match node {
        Node::Or(parts) => parts.iter().map(arms).sum(),
        // Direct and indirect ones.
        Node::Some { path, .. } if path == "groups" => 2,
        Node::Some { node, .. } => arms(node),
        _ => 1,
    }
}

/// Whether a text passes a test; for values that are known before the statement runs.
pub(super) fn matches(test: &Test, known: &str) -> bool {
    let Some(value) = test.kind.fold_text(&test.path, known) else {
        return false;
    };
    match &test.check {
        Match::Present => !value.is_empty(),
        Match::Equal(operand) => value == *operand,
        Match::Contains(operand) => value.contains(operand),
        Match::StartsWith(operand) => value.starts_with(operand),
        Match::EndsWith(operand) => value.ends_with(operand),
        Match::Less(operand) => value < *operand,
        Match::AtMost(operand) => value <= *operand,
        Match::Greater(operand) => value > *operand,
        Match::AtLeast(operand) => value >= *operand,
    }
}

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
    let mut compiler = Compiler::new(out, 1, 1, &Kind::ALL, &paths);
    match filter.root() {
        Node::Some { path, node } if path == "members" => {
            compiler.condition(node, Scope::Related(Relation::Member));
        }
        _ => drop(compiler.out.push("1 = 0")),
    }
}
