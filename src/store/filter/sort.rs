//! The value resources are sorted by (RFC 7644 §3.4.2.3).

use super::column::{Column, location, type_name};
use super::compile::Compiler;
use crate::scim::filter::Kind as ValueKind;
use crate::store::kind::Kind;

/// An order of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Canonical path of the value.
    pub path: String,
    /// How it compares.
    pub kind: ValueKind,
    /// Whether the highest comes first.
    pub descending: bool,
    /// The multi-valued attribute the value is part of: its primary element counts, else its first.
    pub multi_parent: Option<String>,
    /// The same where other types write it otherwise: path, and multi-valued attribute.
    pub elsewhere: Vec<(String, Option<String>)>,
}

impl Sort {
    /// Every path the value may be at, with the multi-valued attribute there.
    pub(in crate::store) fn places(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let elsewhere = self.elsewhere.iter();
        let elsewhere = elsewhere.map(|(path, parent)| (path.as_str(), parent.as_deref()));
        std::iter::once((self.path.as_str(), self.multi_parent.as_deref())).chain(elsewhere)
    }
}

/// What the value is in SQL.
pub(in crate::store) enum Key {
    /// The name, for which there is an index in this order.
    Name,
    /// Anything else.
    Other,
}

/// What kind of value it is when resources of these kinds are asked for.
pub(in crate::store) fn key_of(sort: &Sort, kinds: &[Kind]) -> Key {
    match (Column::of(&sort.path, kinds), kinds) {
        (Some(Column::Name(kind)), [only]) if kind == *only => Key::Name,
        _ => Key::Other,
    }
}

/// How much of a text is the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// All of it.
    Whole,
    /// What an index holds of it: short enough to be carried along.
    Indexed,
}

/// Whether the value is a number, for resources of these kinds; anything else is text.
pub(in crate::store) fn is_number(sort: &Sort, kinds: &[Kind]) -> bool {
    match Column::of(&sort.path, kinds) {
        Some(Column::Created | Column::Modified) => true,
        // Beside attributes of other kinds it is text like those.
        Some(Column::Active) => !Column::Active.is_of_users_alone(kinds),
        _ => false,
    }
}

impl Compiler<'_> {
    /// Writes the value of `r`, NULL when it has none.
    pub(super) fn sort_value(&mut self, sort: &Sort) {
        self.value_of(sort, Extent::Whole);
    }

    /// Writes as much of it as an index holds.
    pub(in crate::store) fn sort_key(&mut self, sort: &Sort) {
        self.value_of(sort, Extent::Indexed);
    }

    fn value_of(&mut self, sort: &Sort, extent: Extent) {
        let column = Column::of(&sort.path, self.kinds);
        let alone = column.is_some_and(|column| !column.is_of_users_alone(self.kinds));
        // A resource has one of them: that of its type.
        let several = !alone && (column.is_some() || !sort.elsewhere.is_empty());
        self.out.push(if several { "coalesce(" } else { "" });
        if let Some(column) = column {
            self.sort_column(column, alone, extent);
        }
        let mut first = column.is_none();
        for (path, parent) in sort.places().filter(|_| !alone) {
            self.out.push(if first { "" } else { ", " });
            self.sort_attribute((path, parent), extent);
            first = false;
        }
        self.out.push(if several { ")" } else { "" });
    }

    fn sort_column(&mut self, column: Column, alone: bool, extent: Extent) {
        let whole = extent == Extent::Whole;
        match column {
            Column::Id => drop(self.out.push("r.id")),
            Column::Name(kind) => {
                self.out.push("CASE WHEN r.kind = ").push_bind(kind.code());
                self.out.push(" THEN r.name_key");
                self.out.push(if whole { " || r.name_rest END" } else { " END" });
            }
            Column::ExternalId => {
                self.out
                    .push("(SELECT e.value")
                    .push(if whole { " || e.rest" } else { "" });
                self.out.push(" FROM external_id e WHERE e.tenant_id = r.tenant_id");
                self.out.push(" AND e.resource_pk = r.pk AND e.connection_id = ");
                self.out.push_number(self.connection).push(")");
            }
            Column::Active if alone => drop(self.out.push("r.active")),
            Column::Active => drop(
                self.out
                    .push("CASE r.active WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"),
            ),
            Column::Created => drop(self.out.push("r.created")),
            Column::Modified => drop(self.out.push("r.modified")),
            Column::ResourceType => self.pieces(&type_name("r", self.kinds)),
            Column::Version => drop(self.out.push("CAST(r.version AS TEXT)")),
            Column::Location => self.pieces(&location("r", self.kinds)),
            Column::Meta => drop(self.out.push("NULL")),
        }
    }

    fn pieces(&mut self, pieces: &[&'static str]) {
        for piece in pieces {
            self.out.push(piece);
        }
    }

    fn sort_attribute(&mut self, (path, parent): (&str, Option<&str>), extent: Extent) {
        let rest = if extent == Extent::Whole { " || a.rest" } else { "" };
        self.out
            .push("(SELECT a.fold")
            .push(rest)
            .push(" FROM attribute a WHERE ");
        self.at_path("a", path);
        self.out.push(" AND a.resource_pk = r.pk ORDER BY ");
        if let Some(parent) = parent {
            self.out.push("CASE WHEN EXISTS (SELECT 1 FROM attribute b WHERE ");
            self.at_path("b", &primary_path(parent));
            self.out.push(
                " AND b.fold = 'true' AND b.resource_pk = a.resource_pk AND b.elem = a.elem) THEN 0 ELSE 1 END, ",
            );
        }
        self.out.push("a.elem, a.fold LIMIT 1)");
    }
}

/// The path of the flag that marks the primary element.
pub(in crate::store) fn primary_path(parent: &str) -> String {
    format!("{parent}.primary")
}
