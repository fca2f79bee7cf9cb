//! The report as `JUnit` XML, which CI servers read: a suite for each chapter, a case for each check.

use std::fmt::Write as _;

use super::{Finding, Record, Report, Verdict};

/// One `testsuites` element. Notes and departures pass, with what was found as their output.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut chapters: Vec<(&str, Vec<&Record>)> = Vec::new();
    for record in &report.requirements {
        match chapters.last_mut() {
            Some((title, records)) if *title == record.chapter => records.push(record),
            _ => chapters.push((&record.chapter, vec![record])),
        }
    }
    let all = report.requirements.iter().collect::<Vec<_>>();
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let seconds = seconds(report.millis);
    let _ = writeln!(
        out,
        "<testsuites name=\"muster selftest\" {} time=\"{seconds}\">",
        counts(&all)
    );
    for (title, records) in &chapters {
        let (name, when) = (escaped(title), escaped(report.started.get(..19).unwrap_or_default()));
        let _ = writeln!(
            out,
            "  <testsuite name=\"{name}\" {} time=\"0\" timestamp=\"{when}\" hostname=\"{}\">",
            counts(records),
            escaped(&report.server)
        );
        for record in records {
            case(&mut out, record);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

fn counts(records: &[&Record]) -> String {
    let checks = || records.iter().flat_map(|record| &record.checks);
    let failures = checks().filter(|check| check.result == Verdict::Failed).count();
    let skipped = checks().filter(|check| is_skipped(check)).count();
    format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"",
        checks().count()
    )
}

fn is_skipped(check: &Finding) -> bool {
    matches!(check.result, Verdict::Skipped | Verdict::NotSetUp)
}

fn case(out: &mut String, record: &Record) {
    for check in &record.checks {
        let (id, name) = (escaped(&record.id), escaped(&check.name));
        let _ = write!(out, "    <testcase classname=\"{id}\" name=\"{name}\" time=\"0\"");
        let found = check.found.as_deref().unwrap_or_default();
        let why = format!("{} ({})", check.why.as_deref().unwrap_or_default(), record.rfc);
        let inside = match check.result {
            Verdict::Failed => {
                let kind = check.level.word();
                format!(
                    "<failure type=\"{kind}\" message=\"{}\">{}</failure>",
                    escaped(&why),
                    escaped(&told(check))
                )
            }
            Verdict::Skipped | Verdict::NotSetUp => {
                format!("<skipped message=\"{}: {}\"/>", check.result.word(), escaped(found))
            }
            Verdict::Noted | Verdict::Departs => {
                let reason = record.departs.as_deref().map(|why| format!("\non purpose: {why}"));
                let text = format!(
                    "{}: {why}\n{}{}",
                    check.result.word(),
                    told(check),
                    reason.unwrap_or_default()
                );
                format!("<system-out>{}</system-out>", escaped(&text))
            }
            Verdict::Passed | Verdict::Untestable => String::new(),
        };
        let _ = if inside.is_empty() {
            writeln!(out, "/>")
        } else {
            writeln!(out, ">{inside}</testcase>")
        };
    }
}

fn told(check: &Finding) -> String {
    let mut text = check.found.clone().unwrap_or_default();
    if let Some(shown) = &check.exchange {
        let _ = write!(
            text,
            "\n> {} {}\n> {}\n< {}\n< {}",
            shown.method, shown.path, shown.sent, shown.status, shown.answer
        );
    }
    text
}

/// For an attribute or a text of XML 1.0, which has no way at all to write most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("&#10;"),
            '\r' | '\t' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_server_is_markup() {
        assert_eq!(
            escaped("]]><a b='\"'>&\u{0}\u{b}"),
            "]]&gt;&lt;a b=&#39;&quot;&#39;&gt;&amp;\u{fffd}\u{fffd}"
        );
    }
}
