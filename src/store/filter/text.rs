//! Comparisons of text columns, exact over the indexed part and the rest.

use super::ask::Check;
use crate::scim::filter::Match;
use crate::store::document::{INDEXED_CHARS, split};
use crate::store::sql::Statement;

/// A text in SQL, in pieces that follow one another: the first 256 characters and the rest, or all of it.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    /// The indexed part.
    pub(super) key: &'a [&'static str],
    /// What follows it; `None` when `key` is the whole text.
    pub(super) rest: Option<&'a [&'static str]>,
}

fn pieces(out: &mut Statement, pieces: &[&'static str]) {
    for piece in pieces {
        out.push(piece);
    }
}

/// Writes that the text at `field` passes the check.
pub(super) fn compare(out: &mut Statement, field: Field<'_>, check: Check<'_>) {
    out.push("(");
    match check {
        Check::One(check) => one(out, field, check),
        Check::Any(texts) => {
            at_key(out, field, " IN (");
            for (at, text) in texts.iter().enumerate() {
                out.push(if at == 0 { "" } else { ", " }).push_bind((*text).to_owned());
            }
            out.push(")");
        }
    }
    out.push(")");
}

fn one(out: &mut Statement, field: Field<'_>, check: &Match) {
    match check {
        Match::Present => at_key(out, field, " <> ''"),
        Match::Contains(operand) | Match::StartsWith(operand) | Match::EndsWith(operand) if operand.is_empty() => {
            out.push("1 = 1");
        }
        Match::Equal(operand) => equal(out, field, operand),
        Match::Contains(operand) => contains(out, field, operand),
        Match::StartsWith(operand) => starts_with(out, field, operand),
        Match::EndsWith(operand) => ends_with(out, field, operand),
        Match::Less(operand) => order(out, field, Side::Below, operand, false),
        Match::AtMost(operand) => order(out, field, Side::Below, operand, true),
        Match::Greater(operand) => order(out, field, Side::Above, operand, false),
        Match::AtLeast(operand) => order(out, field, Side::Above, operand, true),
    }
}

fn at_key(out: &mut Statement, field: Field<'_>, operator: &'static str) {
    pieces(out, field.key);
    out.push(operator);
}

/// The key, or key and rest together.
fn whole(out: &mut Statement, field: Field<'_>) {
    pieces(out, field.key);
    if let Some(rest) = field.rest {
        out.push(" || ");
        pieces(out, rest);
    }
}

/// The operand as key and rest, and whether a key equal to it says nothing about the rest.
fn parts<'o>(field: Field<'_>, operand: &'o str) -> (&'o str, &'o str, bool) {
    if field.rest.is_none() {
        return (operand, "", false);
    }
    let (key, rest) = split(operand);
    (
        key,
        rest,
        key.len() >= INDEXED_CHARS && key.chars().count() == INDEXED_CHARS,
    )
}

fn equal(out: &mut Statement, field: Field<'_>, operand: &str) {
    let (key, rest, open) = parts(field, operand);
    at_key(out, field, " = ");
    out.push_bind(key.to_owned());
    if let (true, Some(column)) = (open, field.rest) {
        out.push(" AND ");
        pieces(out, column);
        out.push(" = ").push_bind(rest.to_owned());
    }
}

/// The key first: there is hardly ever a rest, and to join the two costs more than to search.
fn contains(out: &mut Statement, field: Field<'_>, operand: &str) {
    let number = out.keep(operand.to_owned());
    at_key(out.push("[instr]("), field, ", ");
    out.push_number(number).push(") > 0");
    if let Some(rest) = field.rest {
        out.push(" OR ");
        pieces(out, rest);
        out.push(" <> '' AND [instr](");
        whole(out, field);
        out.push(", ").push_number(number).push(") > 0");
    }
}

fn starts_with(out: &mut Statement, field: Field<'_>, operand: &str) {
    let (key, rest, _) = parts(field, operand);
    if let (false, Some(column)) = (rest.is_empty(), field.rest) {
        at_key(out, field, " = ");
        out.push_bind(key.to_owned()).push(" AND substr(");
        pieces(out, column);
        out.push(", 1, CAST(")
            .push_bind(characters(rest))
            .push(" AS INTEGER)) = ")
            .push_bind(rest.to_owned());
        return;
    }
    at_key(out, field, " >= ");
    out.push_bind(key.to_owned());
    if let Some(end) = successor(key) {
        out.push(" AND ");
        at_key(out, field, " < ");
        out.push_bind(end);
    }
}

fn ends_with(out: &mut Statement, field: Field<'_>, operand: &str) {
    let length = out.keep(characters(operand));
    out.push("length(");
    whole(out, field);
    out.push(") >= CAST(")
        .push_number(length)
        .push(" AS INTEGER) AND substr(");
    whole(out, field);
    out.push(", length(");
    whole(out, field);
    out.push(") - CAST(")
        .push_number(length)
        .push(" AS INTEGER) + 1) = ")
        .push_bind(operand.to_owned());
}

fn characters(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Below,
    Above,
}

/// `text < operand` and the like. The key alone decides unless it equals the key of the operand.
fn order(out: &mut Statement, field: Field<'_>, side: Side, operand: &str, or_equal: bool) {
    let (strict, loose) = match side {
        Side::Below => (" < ", " <= "),
        Side::Above => (" > ", " >= "),
    };
    let (key, rest, open) = parts(field, operand);
    let (true, Some(column)) = (open, field.rest) else {
        at_key(out, field, if or_equal { loose } else { strict });
        out.push_bind(key.to_owned());
        return;
    };
    // The first condition is for the index.
    at_key(out, field, loose);
    out.push_bind(key.to_owned()).push(" AND (");
    at_key(out, field, strict);
    out.push_bind(key.to_owned()).push(" OR ");
    pieces(out, column);
    out.push(if or_equal { loose } else { strict })
        .push_bind(rest.to_owned())
        .push(")");
}

/// The least text above every text that begins with this one, in byte order; `None` when there is none.
pub(super) fn successor(text: &str) -> Option<String> {
    let mut characters: Vec<char> = text.chars().collect();
    while let Some(last) = characters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_is_above_everything_that_begins_with_the_text() {
        assert_eq!(successor("ab").as_deref(), Some("ac"));
        assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(successor("\u{10ffff}"), None);
    }
}
