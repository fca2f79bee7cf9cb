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
    matches!(
        Column::of(&sort.path, kinds),
        Some(Column::Active | Column::Created | Column::Modified)
    )
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
        let whole = extent == Extent::Whole;
        match Column::of(&sort.path, self.kinds) {
            Some(Column::Id) => drop(self.out.push("r.id")),
            Some(Column::Name(kind)) => {
                self.out.push("CASE WHEN r.kind = ").push_bind(kind.code());
                self.out.push(" THEN r.name_key");
                self.out.push(if whole { " || r.name_rest END" } else { " END" });
            }
            Some(Column::ExternalId) => {
                self.out
                    .push("(SELECT e.value")
                    .push(if whole { " || e.rest" } else { "" });
                self.out.push(" FROM external_id e WHERE e.tenant_id = r.tenant_id");
                self.out.push(" AND e.resource_pk = r.pk AND e.connection_id = ");
                self.out.push_number(self.connection).push(")");
            }
            Some(Column::Active) => drop(self.out.push("r.active")),
            Some(Column::Created) => drop(self.out.push("r.created")),
            Some(Column::Modified) => drop(self.out.push("r.modified")),
            Some(Column::ResourceType) => self.pieces(&type_name("r", self.kinds)),
            Some(Column::Version) => drop(self.out.push("CAST(r.version AS TEXT)")),
            Some(Column::Location) => self.pieces(&location("r", self.kinds)),
            Some(Column::Meta) => drop(self.out.push("NULL")),
            None => self.sort_attribute(sort, extent),
        }
    }

    fn pieces(&mut self, pieces: &[&'static str]) {
        for piece in pieces {
            self.out.push(piece);
        }
    }

    fn sort_attribute(&mut self, sort: &Sort, extent: Extent) {
        let rest = if extent == Extent::Whole { " || a.rest" } else { "" };
        self.out
            .push("(SELECT a.fold")
            .push(rest)
            .push(" FROM attribute a WHERE ");
        self.at_path("a", &sort.path);
        self.out.push(" AND a.resource_pk = r.pk ORDER BY ");
        if let Some(parent) = &sort.multi_parent {
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
