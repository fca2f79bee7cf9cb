//! The report for people at a terminal.

use std::fmt::Write as _;

use super::super::exchange::short;
use super::{Finding, Record, Report, Shown, Verdict};

/// Most characters of a body in a line.
const LINE: usize = 400;

/// Findings first, heaviest first; then what was skipped and why, and the numbers. With `verbose` every check.
#[must_use]
pub fn terminal(report: &Report, verbose: bool) -> String {
    let mut out = String::new();
    for record in report.findings() {
        for finding in record.findings() {
            one(&mut out, record, finding);
        }
    }
    if verbose {
        every(&mut out, report);
    }
    numbers(&mut out, report);
    out
}

/// Writing to a String cannot fail.
macro_rules! say {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($text:tt)*) => {{ let _ = writeln!($out, $($text)*); }};
}

fn one(out: &mut String, record: &Record, finding: &Finding) {
    let word = match finding.result {
        Verdict::Failed => "FAILED",
        Verdict::Departs => "departs",
        _ => "note",
    };
    let Record { id, rfc, .. } = record;
    say!(out, "{word:8}{id:8}{:8}{}", finding.level.word(), plain(rfc));
    say!(out, "  {}", plain(finding.why.as_deref().unwrap_or(&record.says)));
    if finding.result == Verdict::Departs {
        say!(
            out,
            "  on purpose: {}",
            plain(record.departs.as_deref().unwrap_or_default())
        );
    }
    if finding.name != record.says {
        say!(out, "  check: {}", plain(&finding.name));
    }
    if let Some(found) = &finding.found {
        say!(out, "  found: {}", plain(found));
    }
    if let Some(shown) = &finding.exchange {
        exchange(out, shown);
    }
    say!(out);
}

fn exchange(out: &mut String, shown: &Shown) {
    let Shown {
        method, path, status, ..
    } = shown;
    say!(out, "    > {method} {}", plain(path));
    if !shown.sent.is_empty() {
        say!(out, "    > {}", plain(&short(&shown.sent, LINE)));
    }
    say!(out, "    < {status}");
    for (name, value) in &shown.headers {
        say!(out, "    < {name}: {}", plain(value));
    }
    if !shown.answer.is_empty() {
        say!(out, "    < {}", plain(&short(&shown.answer, LINE)));
    }
}

fn every(out: &mut String, report: &Report) {
    for record in &report.requirements {
        for check in record.checks.iter().filter(|check| !check.result.is_finding()) {
            let found = check.found.as_deref().map(|found| format!(" | {}", plain(found)));
            let (word, id, level) = (check.result.word(), &record.id, check.level.word());
            say!(
                out,
                "{word:12}{id:8}{level:8}{}{}",
                check.name,
                found.unwrap_or_default()
            );
        }
    }
    say!(out);
}

fn numbers(out: &mut String, report: &Report) {
    let tally = &report.tally;
    for (why, count) in report.skips() {
        say!(out, "skipped {count}: {}", plain(why));
    }
    for left in &report.left {
        say!(out, "could not be deleted: {}", plain(left));
    }
    say!(
        out,
        "{}: {} requirements in {}.{} s, {} of them such that no client can see",
        plain(&report.server),
        tally.requirements,
        report.millis / 1000,
        report.millis / 100 % 10,
        tally.untestable
    );
    say!(
        out,
        "checks that failed: must {}, should {}, notes {}, on purpose {}; not set up {}",
        tally.must_failed,
        tally.other_failed,
        tally.notes,
        tally.departures,
        tally.not_set_up
    );
    let aside = tally.notes + tally.departures + tally.skipped + tally.not_set_up;
    say!(
        out,
        "total: {} passed, {} failed, {aside} skipped",
        tally.passed,
        tally.failed()
    );
}

/// In one line, and without what steers a terminal: the text is the server's.
fn plain(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
        {
            '\u{fffd}'
        }
        c => c,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb c\u{fffd}d");
    }
}
