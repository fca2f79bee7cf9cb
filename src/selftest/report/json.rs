//! The report, and the list of requirements, for programs.

use serde_json::{Value, json as object};

use super::super::choose::Choice;
use super::super::data::Book;
use super::Report;

/// The report as JSON. `docs/selftest.md` has its shape.
///
/// # Panics
/// Never: all of it is texts, numbers and lists of them.
#[must_use]
pub fn json(report: &Report) -> String {
    // INVARIANT: names are texts and values are plain: nothing of it can fail.
    let mut text = serde_json::to_string_pretty(report).expect("a plain structure");
    text.push('\n');
    text
}

/// The chosen requirements as JSON, without having asked a server anything.
#[must_use]
pub fn list_json(book: &Book, choice: &Choice) -> String {
    let rows = book.all().filter(|(_, one)| choice.takes(one)).map(|(chapter, one)| {
        object!({
            "id": one.id,
            "chapter": chapter.title,
            "level": one.level,
            "rfc": one.rfc,
            "says": one.says,
            "checks": one.checks(),
            "untestable": one.untestable,
        })
    });
    format!("{:#}\n", Value::Array(rows.collect()))
}
