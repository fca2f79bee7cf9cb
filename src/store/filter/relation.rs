//! Tests of the sub-attributes of `members` and `groups`, which are columns of the resource at the other end.

use super::compile::{Compiler, matches};
use super::text::{Field, compare};
use crate::scim::filter::{Kind as ValueKind, Test};

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
    pub(super) fn related(&mut self, relation: Relation, test: &Test) {
        let row = if relation == Relation::Member { "u" } else { "g" };
        let sub = test.path.rsplit_once('.').map_or("", |(_, sub)| sub);
        match sub {
            "value" => compare(
                self.out,
                Field {
                    key: &[row, ".id"],
                    rest: None,
                },
                &test.check,
            ),
            "display" => {
                let column = if test.kind == ValueKind::ExactText {
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
                    &test.check,
                );
            }
            "$ref" => {
                let key = &[
                    "(CASE ",
                    row,
                    ".kind WHEN 1 THEN '/Users/' ELSE '/Groups/' END || ",
                    row,
                    ".id)",
                ];
                compare(self.out, Field { key, rest: None }, &test.check);
            }
            "type" if relation == Relation::Member => {
                self.kinds_where(&[row, ".kind"], |kind| matches(test, kind.name()));
            }
            "type" => {
                let direct = if relation == Relation::DirectGroup {
                    "direct"
                } else {
                    "indirect"
                };
                self.out.push(if matches(test, direct) { "1 = 1" } else { "1 = 0" });
            }
            _ => drop(self.out.push("1 = 0")),
        }
    }
}
