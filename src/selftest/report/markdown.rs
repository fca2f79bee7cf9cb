//! The requirements as a list and as `docs/conformance.md`.

use std::fmt::Write as _;

use super::super::choose::Choice;
use super::super::data::{Book, Chapter};
use super::super::requirement::Requirement;

const HEAD: &str = "\
# Conformance

What RFC 7643, 7644, 9865 and 9967 ask of a SCIM server, requirement by requirement, and where each is tested. Made from
[conformance/requirements](../conformance/requirements/README.md) by `muster selftest --list --markdown`: change the data,
not this file.

`muster selftest` runs them against any server: [selftest.md](selftest.md). The checks themselves are proved by seeded
defects: [conformance/README.md](../conformance/README.md).

| level | the RFC | a finding is |
|---|---|---|
| must | says MUST | a failure |
| should | says SHOULD | a failure that leaves the exit code 0 |
| may | leaves a server free, but only in one form | a note |
| tol | is broken by many clients; a strict server refuses it, a lenient one takes it on purpose | a note, a failure with `--strict` |
| dec | is silent or can be read in two ways; this is our reading | a note |
";

/// The chosen requirements, one a line.
#[must_use]
pub fn list(book: &Book, choice: &Choice) -> String {
    let mut out = String::new();
    for chapter in &book.chapters {
        let chosen: Vec<_> = chapter.requirements.iter().filter(|one| choice.takes(one)).collect();
        if !chosen.is_empty() {
            let _ = writeln!(out, "{}", chapter.title);
        }
        for one in chosen {
            let how = one.untestable.as_ref().map_or("", |_| " (no client can see it)");
            let _ = writeln!(
                out,
                "  {:8}{:8}{} ({}){how}",
                one.id,
                one.level.word(),
                one.says,
                one.rfc
            );
        }
    }
    out
}

/// All of them as a document.
#[must_use]
pub fn markdown(book: &Book) -> String {
    let mut out = HEAD.to_owned();
    let all = book.all().count();
    let checks: usize = book.all().map(|(_, one)| one.checks()).sum();
    let untestable = book.all().filter(|(_, one)| one.untestable.is_some()).count();
    let _ = write!(
        out,
        "\n{all} requirements, {checks} checks. Of {untestable} requirements no client can see whether they are fulfilled; each says why.\n\n\
         ## Where Muster departs on purpose\n\n"
    );
    if book.departures.is_empty() {
        out.push_str("Nowhere.\n");
    }
    for row in &book.departures {
        let says = book
            .all()
            .find(|(_, one)| one.id == row.id)
            .map(|(_, one)| one.says.as_str());
        let _ = writeln!(
            out,
            "- **{}** {} *{}*",
            row.id,
            cell(says.unwrap_or_default()),
            cell(&linked(&row.reason))
        );
    }
    for chapter in &book.chapters {
        section(&mut out, chapter);
    }
    out
}

fn section(out: &mut String, chapter: &Chapter) {
    let Chapter {
        file,
        title,
        requirements,
    } = chapter;
    let _ = write!(
        out,
        "\n## {title}\n\nTested in [{file}](../conformance/requirements/{file}).\n\n\
         | id | level | section | requirement | tested |\n|---|---|---|---|---|\n"
    );
    for one in requirements {
        let row = [one.id.as_str(), one.level.word(), &one.rfc, &one.says, &tested(one)].map(cell);
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
}

fn tested(one: &Requirement) -> String {
    let checks = match one.checks() {
        0 => None,
        1 => Some("1 check".to_owned()),
        n => Some(format!("{n} checks")),
    };
    let why = one.untestable.as_ref().map(|why| format!("not by a client: {why}"));
    [checks, why].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// `(docs/decisions/014-x.md)` becomes a link.
fn linked(reason: &str) -> String {
    let Some((before, rest)) = reason.split_once("(docs/") else {
        return reason.to_owned();
    };
    let Some((path, after)) = rest.split_once(')') else {
        return reason.to_owned();
    };
    format!("{before}([decision]({path})){after}")
}

/// In a cell of a table: no bar ends it, and no word of the data is taken for markup.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}
