//! Tests of the sub-attributes of `members` and `groups`, which are columns of the resource at the other end.

use super::ask::Ask;
use super::column::location;
use super::compile::Compiler;
use super::text::{Field, compare};
use crate::scim::filter::Kind as ValueKind;
use crate::store::kind::Kind;

/// How the resource in question is related.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// `u` is a member.
    Member,
    /// `g` is a group of the user, which is a member of it.
    DirectGroup,
    /// `g` is a group of the user through another group.
    IndirectGroup,
}

impl Compiler<'_> {
    /// Writes that the related resource passes the test.
    pub(super) fn related(&mut self, relation: Relation, ask: Ask<'_>) {
        let row = if relation == Relation::Member { "u" } else { "g" };
        let sub = ask.path.rsplit_once('.').map_or("", |(_, sub)| sub);
        match sub {
            "value" => compare(
                self.out,
                Field {
                    key: &[row, ".id"],
                    rest: None,
                },
                ask.check,
            ),
            "display" => {
                let column = if ask.kind == ValueKind::ExactText {
                    ".label"
                } else {
                    ".label_fold"
                };
                compare(
                    self.out,
                    Field {
                        key: &[row, column],
                        rest: None,
                    },
                    ask.check,
                );
            }
            "$ref" => {
                let key = &location(row, &Kind::BUILTIN);
                compare(self.out, Field { key, rest: None }, ask.check);
            }
            "type" if relation == Relation::Member => {
                self.kinds_where(&[row, ".kind"], &Kind::BUILTIN, |kind| ask.passes(kind.name()));
            }
            "type" => {
                let direct = if relation == Relation::DirectGroup {
                    "direct"
                } else {
                    "indirect"
                };
                self.out.push(if ask.passes(direct) { "1 = 1" } else { "1 = 0" });
            }
            _ => drop(self.out.push("1 = 0")),
        }
    }
}
