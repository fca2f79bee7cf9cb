//! What is asked of a value; and many parts of an `or` that ask for one of many values, made one.

use super::column::Column;
use crate::scim::filter::{Kind as ValueKind, Match, Node, Test};
use crate::store::document::INDEXED_CHARS;
use crate::store::kind::Kind;

/// A test, or any of several values.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// Canonical path.
    pub(super) path: &'a str,
    /// How values compare.
    pub(super) kind: ValueKind,
    /// What is asked of them.
    pub(super) check: Check<'a>,
}

/// What is asked of a value.
#[derive(Clone, Copy)]
pub(super) enum Check<'a> {
    /// To pass this.
    One(&'a Match),
    /// To be one of these texts, which are all shorter than what is indexed.
    Any(&'a [&'a str]),
}

impl<'a> From<&'a Test> for Ask<'a> {
    fn from(test: &'a Test) -> Self {
        Self {
            path: &test.path,
            kind: test.kind,
            check: Check::One(&test.check),
        }
    }
}

impl Ask<'_> {
    /// Whether a text passes; for values that are known before the statement runs.
    pub(super) fn passes(&self, known: &str) -> bool {
        let Some(value) = self.kind.fold_text(self.path, known) else {
            return false;
        };
        match self.check {
            Check::Any(texts) => texts.contains(&value.as_str()),
            Check::One(check) => match check {
                Match::Present => !value.is_empty(),
                Match::Equal(operand) => value == *operand,
                Match::Contains(operand) => value.contains(operand),
                Match::StartsWith(operand) => value.starts_with(operand),
                Match::EndsWith(operand) => value.ends_with(operand),
                Match::Less(operand) => value < *operand,
                Match::AtMost(operand) => value <= *operand,
                Match::Greater(operand) => value > *operand,
                Match::AtLeast(operand) => value >= *operand,
            },
        }
    }
}

/// A part of an `or`.
pub(super) enum Part<'a> {
    /// As it is.
    Node(&'a Node),
    /// Several that ask the same path for equality; inside the element of `some` if it is set.
    Any {
        some: Option<&'a str>,
        path: &'a str,
        kind: ValueKind,
        texts: Vec<&'a str>,
    },
}

/// The parts of an `or`, with those that differ only in the value they ask for made one. Clients ask for a hundred ids
/// that way; one index search each would be slow, and more than the databases' limits allow.
pub(super) fn merged<'a>(parts: &'a [Node], kinds: &[Kind]) -> Vec<Part<'a>> {
    let mut out: Vec<Part<'a>> = Vec::with_capacity(parts.len());
    for part in parts {
        let Some((parent, asked, wanted)) = equality(part, kinds) else {
            out.push(Part::Node(part));
            continue;
        };
        let alike = |known: &&mut Part<'a>| matches!(known, Part::Any { some, path, .. } if *some == parent && *path == asked.path);
        match out.iter_mut().find(alike) {
            Some(Part::Any { texts, .. }) => texts.push(wanted),
            _ => out.push(Part::Any {
                some: parent,
                path: &asked.path,
                kind: asked.kind,
                texts: vec![wanted],
            }),
        }
    }
    out
}

/// The test and the text, when a node asks a text column for equality with a short text.
fn equality<'a>(node: &'a Node, kinds: &[Kind]) -> Option<(Option<&'a str>, &'a Test, &'a str)> {
    let (parent, asked) = match node {
        Node::Test(test) => (None, test),
        Node::Some { path, node } => match &**node {
            Node::Test(test) => (Some(path.as_str()), test),
            _ => return None,
        },
        _ => return None,
    };
    let Match::Equal(wanted) = &asked.check else {
        return None;
    };
    let is_text = match parent {
        None => matches!(
            Column::of(&asked.path, kinds),
            None | Some(Column::Id | Column::Name(_) | Column::ExternalId)
        ),
        Some("members" | "groups") => asked.path.rsplit('.').next() != Some("type"),
        Some(_) => true,
    };
    (is_text && wanted.len() < INDEXED_CHARS).then_some((parent, asked, wanted.as_str()))
}
