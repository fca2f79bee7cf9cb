//! Tests that columns of the resource answer.

use super::ask::{Ask, Check};
use super::compile::Compiler;
use super::text::{Field, compare};
use crate::base::clock::Timestamp;
use crate::base::instant::Moment;
use crate::scim::filter::Match;
use crate::store::kind::Kind;

/// A test that needs no attribute rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    /// `userName`; for groups, where nothing else is asked for, `displayName`.
    Name(Kind),
    ExternalId,
    Active,
    Created,
    Modified,
    ResourceType,
    Version,
    Location,
    /// `meta` itself, which every resource has.
    Meta,
}

impl Column {
    /// The column for a path when resources of these kinds are asked for.
    pub(super) fn of(path: &str, kinds: &[Kind]) -> Option<Self> {
        Some(match path {
            "id" => Self::Id,
            "userName" if kinds.contains(&Kind::User) => Self::Name(Kind::User),
            "displayName" if kinds == [Kind::Group] => Self::Name(Kind::Group),
            "externalId" => Self::ExternalId,
            "active" if kinds.contains(&Kind::User) => Self::Active,
            "meta.created" => Self::Created,
            "meta.lastModified" => Self::Modified,
            "meta.resourceType" => Self::ResourceType,
            "meta.version" => Self::Version,
            "meta.location" => Self::Location,
            "meta" => Self::Meta,
            _ => return None,
        })
    }

    /// Whether only users have it as a column, and others that are asked for have rows.
    pub(super) fn is_of_users_alone(self, kinds: &[Kind]) -> bool {
        matches!(self, Self::Active | Self::Name(Kind::User)) && kinds.iter().any(|kind| kind.is_own())
    }
}

/// The path of a resource as text, for resources of these kinds.
pub(super) fn location(row: &'static str, kinds: &[Kind]) -> Vec<&'static str> {
    let mut pieces = vec!["(CASE ", row, ".kind WHEN 1 THEN '/Users/'"];
    for kind in kinds {
        if let Kind::Own(own) = kind {
            pieces.extend([" WHEN ", own.digits(), " THEN '", kind.endpoint(), "/'"]);
        }
    }
    pieces.extend([" ELSE '/Groups/' END || ", row, ".id)"]);
    pieces
}

/// The name of its type.
pub(super) fn type_name(row: &'static str, kinds: &[Kind]) -> Vec<&'static str> {
    let mut pieces = vec!["CASE ", row, ".kind WHEN 1 THEN 'User'"];
    for kind in kinds {
        if let Kind::Own(own) = kind {
            pieces.extend([" WHEN ", own.digits(), " THEN '", kind.name(), "'"]);
        }
    }
    pieces.push(" ELSE 'Group' END");
    pieces
}

impl Compiler<'_> {
    /// Writes that the resource called `row` passes the test.
    pub(super) fn column(&mut self, row: &'static str, column: Column, ask: Ask<'_>) {
        match column {
            Column::Id => compare(
                self.out,
                Field {
                    key: &[row, ".id"],
                    rest: None,
                },
                ask.check,
            ),
            Column::Name(kind) => self.name(row, kind, ask.check),
            Column::ExternalId => {
                self.out.push("EXISTS (SELECT 1 FROM external_id e WHERE ");
                self.external_id(ask.check);
                self.out.push(" AND e.resource_pk = ").push(row).push(".pk)");
            }
            Column::Active => self.active(row, ask.check),
            Column::Created => self.instant(&[row, ".created"], ask.check),
            Column::Modified => self.instant(&[row, ".modified"], ask.check),
            Column::ResourceType => {
                self.kinds_where(&[row, ".kind"], self.kinds, |kind| ask.passes(kind.name()));
            }
            Column::Version => {
                let key = &["'W/\"' || CAST(", row, ".version AS TEXT) || '\"'"];
                compare(self.out, Field { key, rest: None }, ask.check);
            }
            Column::Location => {
                let key = &location(row, self.kinds);
                compare(self.out, Field { key, rest: None }, ask.check);
            }
            Column::Meta => drop(self.out.push("1 = 1")),
        }
    }

    fn name(&mut self, row: &'static str, kind: Kind, check: Check<'_>) {
        if self.kinds != [kind] {
            self.out.push(row).push(".kind = ").push_bind(kind.code()).push(" AND ");
        }
        compare(
            self.out,
            Field {
                key: &[row, ".name_key"],
                rest: Some(&[row, ".name_rest"]),
            },
            check,
        );
    }

    /// Conditions on the rows `e` of the external ids of the asking connection.
    pub(super) fn external_id(&mut self, check: Check<'_>) {
        self.out.push("e.tenant_id = ").push_number(self.tenant);
        self.out
            .push(" AND e.connection_id = ")
            .push_number(self.connection)
            .push(" AND ");
        compare(
            self.out,
            Field {
                key: &["e.value"],
                rest: Some(&["e.rest"]),
            },
            check,
        );
    }

    fn active(&mut self, row: &'static str, check: Check<'_>) {
        // Never NULL, so that `NOT` of it finds resources without the value.
        self.out.push(row).push(".active IS NOT NULL");
        if let Check::One(Match::Equal(value)) = check {
            self.out.push(" AND ").push(row);
            self.out
                .push(if value == "true" { ".active = 1" } else { ".active = 0" });
        }
    }

    /// Writes that a number of a kind, which is one of these, is one of those for which the condition holds.
    pub(super) fn kinds_where(&mut self, number: &[&'static str], among: &[Kind], holds: impl Fn(Kind) -> bool) {
        let good: Vec<_> = among.iter().copied().filter(|kind| holds(*kind)).collect();
        if good.len() == among.len() || good.is_empty() {
            self.out.push(if good.is_empty() { "1 = 0" } else { "1 = 1" });
            return;
        }
        self.one_of_kinds(number, &good);
    }

    /// Writes that a number of a kind is one of these.
    pub(super) fn one_of_kinds(&mut self, number: &[&'static str], kinds: &[Kind]) {
        for piece in number {
            self.out.push(piece);
        }
        self.out.push(" IN (");
        for (at, kind) in kinds.iter().enumerate() {
            self.out.push(if at == 0 { "" } else { ", " }).push_bind(kind.code());
        }
        self.out.push(")");
    }

    /// Microseconds against an instant that may lie between two of them.
    fn instant(&mut self, micros: &[&'static str], check: Check<'_>) {
        let (operator, operand) = match check {
            Check::One(Match::Equal(operand)) => (" = ", operand),
            Check::One(Match::Less(operand)) => (" < ", operand),
            Check::One(Match::AtMost(operand)) => (" <= ", operand),
            Check::One(Match::Greater(operand)) => (" > ", operand),
            Check::One(Match::AtLeast(operand)) => (" >= ", operand),
            _ => {
                self.out.push("1 = 1");
                return;
            }
        };
        let nanos = nanoseconds(operand);
        let (floor, exact) = (nanos.div_euclid(1000), nanos.rem_euclid(1000) == 0);
        // Between two microseconds: below it is the same as at most the lower one, above it as above the lower one.
        let operator = match operator {
            " = " if !exact => {
                self.out.push("1 = 0");
                return;
            }
            " < " if !exact => " <= ",
            " >= " if !exact => " > ",
            operator => operator,
        };
        let floor = i64::try_from(floor).unwrap_or(if floor < 0 { i64::MIN } else { i64::MAX });
        for piece in micros {
            self.out.push(piece);
        }
        self.out.push(operator).push_bind(floor);
    }
}

/// Nanoseconds since the epoch of [`Moment::sortable`] text.
fn nanoseconds(sortable: &str) -> i128 {
    let number = |text: &str| text.parse::<i128>().unwrap_or(0);
    number(sortable) - number(&Moment::from(Timestamp(0)).sortable())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::instant::parse_date_time;

    #[test]
    fn sortable_text_gives_its_nanoseconds_back() {
        for text in ["1969-12-31T23:59:59.999999999Z", "2026-11-22T06:53:03.123456789+02:00"] {
            let moment = parse_date_time(text).unwrap();
            assert_eq!(nanoseconds(&moment.sortable()), moment.nanoseconds());
        }
    }
}
