//! Filters, those of queries and those in PATCH paths.

use super::Applied;
use super::booleans::{STRING_BOOLEANS, read};
use super::reference::{REFERENCE_AS_TEXT, is_reference};
use super::short_names::{SHORT_EXTENSION_NAMES, qualify};
use crate::scim::filter::{Filter, Literal, Op};
use crate::scim::path::AttrPath;
use crate::scim::schema::{Attribute, ResourceType, Target, Type};

/// What the names in a filter refer to.
#[derive(Clone, Copy)]
pub(super) enum Names<'a> {
    /// Attributes of resources of these types.
    Resources(&'a [&'a ResourceType]),
    /// Sub-attributes of an element.
    Element(&'a Attribute),
}

impl<'a> Names<'a> {
    /// The definitions a path may mean; several types may each have one.
    fn leaves(self, path: &AttrPath) -> Vec<&'a Attribute> {
        match self {
            Self::Element(attribute) => attribute.sub(&path.name).into_iter().collect(),
            Self::Resources(types) => types
                .iter()
                .filter_map(|ty| match ty.resolve(path) {
                    Some(Target::Attribute(place)) => Some(place.leaf()),
                    _ => None,
                })
                .collect(),
        }
    }

    fn all(self, path: &AttrPath, test: impl Fn(&Attribute) -> bool) -> bool {
        let leaves = self.leaves(path);
        !leaves.is_empty() && leaves.into_iter().all(test)
    }
}

/// Rewrites every term. Depth is bounded by the grammar.
pub(super) fn rewrite(names: Names<'_>, filter: &mut Filter, applied: &mut Applied) {
    match filter {
        Filter::And(terms) | Filter::Or(terms) => terms.iter_mut().for_each(|term| rewrite(names, term, applied)),
        Filter::Not(term) => rewrite(names, term, applied),
        Filter::Present(path) => name(names, path, applied),
        Filter::Some { path, filter } => {
            name(names, path, applied);
            if let Some(attribute) = names.leaves(path).first() {
                rewrite(Names::Element(attribute), filter, applied);
            }
        }
        Filter::Compare { path, op, value } => {
            name(names, path, applied);
            operand(names, path, (*op, value), applied);
        }
    }
}

fn name(names: Names<'_>, path: &mut AttrPath, applied: &mut Applied) {
    if let Names::Resources(types) = names {
        applied.add(&SHORT_EXTENSION_NAMES, qualify(types, path));
    }
}

fn operand(names: Names<'_>, path: &mut AttrPath, (op, value): (Op, &mut Literal), applied: &mut Applied) {
    let Literal::Text(text) = value else { return };
    if path.sub.is_none() && names.all(path, is_reference) {
        path.sub = Some("value".to_owned());
        applied.add(&REFERENCE_AS_TEXT, 1);
    } else if matches!(op, Op::Eq | Op::Ne)
        && let Some(truth) = read(text)
        && names.all(path, |leaf| leaf.kind == Type::Boolean)
    {
        *value = Literal::Bool(truth);
        applied.add(&STRING_BOOLEANS, 1);
    }
}
