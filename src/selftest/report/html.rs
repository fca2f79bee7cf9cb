//! The report as one page that needs nothing else: no network, no script to be read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

use super::{Finding, Record, Report, Shown, Verdict};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Findings first, then every requirement by chapter; filtered on the page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut out = head(report);
    let findings = report.findings();
    if findings.is_empty() {
        out.push_str("<p>Every check that could be run was passed.</p>\n");
    } else {
        section(&mut out, "Findings", &findings);
    }
    let rest: Vec<&Record> = report
        .requirements
        .iter()
        .filter(|one| !one.result.is_finding())
        .collect();
    for records in rest.chunk_by(|a, b| a.chapter == b.chapter) {
        section(&mut out, &records[0].chapter, records);
    }
    let _ = write!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

fn head(report: &Report) -> String {
    let server = escaped(&report.server);
    let tally = &report.tally;
    // The texts of a server are escaped; a browser would run nothing of them even if they were not.
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>SCIM self-test of {server}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>SCIM self-test</h1>\n<p><code>{server}</code></p>\n<p class=\"dim\">{} · {} · {}.{} s{}</p>\n<ul class=\"tally\">",
        escaped(&report.started),
        escaped(&report.program),
        report.millis / 1000,
        report.millis / 100 % 10,
        if report.strict { " · strict" } else { "" },
    );
    for (count, what, class) in [
        (tally.must_failed, "failed of MUST", "failed"),
        (tally.other_failed, "failed of SHOULD", "failed"),
        (tally.notes, "notes", "noted"),
        (tally.departures, "on purpose", "departs"),
        (tally.passed, "passed", "passed"),
        (tally.skipped, "skipped", "skipped"),
        (tally.not_set_up, "not set up", "not-set-up"),
    ] {
        let class = if count == 0 { "dim" } else { class };
        let _ = write!(out, "<li class=\"{class}\"><strong>{count}</strong>{what}</li>");
    }
    out.push_str("</ul>\n");
    for left in &report.left {
        let _ = writeln!(out, "<p class=\"failed\">could not be deleted: {}</p>", escaped(left));
    }
    filter(&mut out);
    out
}

/// Shown by the script alone: without it there is nothing to filter with.
fn filter(out: &mut String) {
    out.push_str(
        "<form hidden><input type=\"search\" name=\"text\" placeholder=\"id, section, words\" aria-label=\"Search\">\n",
    );
    let mut boxes = |name: &str, words: &[(&str, &str)]| {
        for (value, word) in words {
            let _ = write!(
                out,
                "<label><input type=\"checkbox\" name=\"{name}\" value=\"{value}\" checked> {word}</label> "
            );
        }
    };
    boxes(
        "result",
        &[
            ("failed", "failed"),
            ("noted", "notes"),
            ("departs", "on purpose"),
            ("passed", "passed"),
            ("not-set-up", "not set up"),
            ("skipped", "skipped"),
            ("untestable", "untestable"),
        ],
    );
    boxes(
        "level",
        &["must", "should", "may", "tol", "dec"].map(|word| (word, word)),
    );
    out.push_str("<span id=\"shown\" class=\"dim\" role=\"status\"></span></form>\n");
}

fn section(out: &mut String, title: &str, records: &[&Record]) {
    let _ = writeln!(out, "<section><h2>{}</h2>", escaped(title));
    for record in records {
        one(out, record);
    }
    out.push_str("</section>\n");
}

fn one(out: &mut String, record: &Record) {
    let mut levels: Vec<&str> = record.checks.iter().map(|check| check.level.word()).collect();
    levels.push(record.level.word());
    levels.sort_unstable();
    levels.dedup();
    let class = class(record.result);
    let says = match record.findings().next().and_then(|finding| finding.why.as_deref()) {
        Some(why) => why,
        None => &record.says,
    };
    let open = if record.result == Verdict::Failed { " open" } else { "" };
    let _ = writeln!(
        out,
        "<details data-result=\"{class}\" data-levels=\"{}\"{open}><summary><span class=\"word {class}\">{}</span> \
         <span class=\"id\">{}</span> <span class=\"level\">{}</span> {}</summary><div>",
        levels.join(" "),
        record.result.word(),
        escaped(&record.id),
        record.level.word(),
        escaped(says)
    );
    let _ = writeln!(
        out,
        "<p>{} <span class=\"dim\">{}</span></p>",
        escaped(&record.says),
        escaped(&record.rfc)
    );
    for (word, text) in [
        ("On purpose", &record.departs),
        ("No client can see it", &record.untestable),
    ] {
        if let Some(text) = text {
            let _ = writeln!(out, "<p>{word}: {}</p>", escaped(text));
        }
    }
    out.push_str("<ul class=\"checks\">\n");
    for check in &record.checks {
        finding(out, record, check);
    }
    out.push_str("</ul></div></details>\n");
}

fn finding(out: &mut String, record: &Record, check: &Finding) {
    let class = class(check.result);
    let name = if check.name == record.says {
        "the check"
    } else {
        &check.name
    };
    let _ = write!(
        out,
        "<li><span class=\"{class}\">{}</span> <span class=\"dim\">{}</span> {}",
        check.result.word(),
        check.level.word(),
        escaped(name)
    );
    if let Some(found) = &check.found {
        let _ = write!(out, "<br>{}", escaped(found));
    }
    if let Some(shown) = &check.exchange {
        let _ = write!(out, "<pre>{}</pre>", escaped(&exchange(shown)));
    }
    out.push_str("</li>\n");
}

fn exchange(shown: &Shown) -> String {
    let mut text = format!("{} {}\n", shown.method, shown.path);
    if !shown.sent.is_empty() {
        let _ = writeln!(text, "\n{}", shown.sent);
    }
    let _ = writeln!(text, "\n{}", shown.status);
    for (name, value) in &shown.headers {
        let _ = writeln!(text, "{name}: {value}");
    }
    if !shown.answer.is_empty() {
        let _ = write!(text, "\n{}", shown.answer);
    }
    text
}

fn class(result: Verdict) -> &'static str {
    match result {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Noted => "noted",
        Verdict::Departs => "departs",
        Verdict::NotSetUp => "not-set-up",
        Verdict::Skipped => "skipped",
        Verdict::Untestable => "untestable",
    }
}

/// As a content security policy names a text that may be run.
fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// For an attribute or a text of HTML. Characters that change the direction of what follows are made visible.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
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
            escaped("</pre><script>alert('1')</script>\u{0}"),
            "&lt;/pre&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\u{fffd}"
        );
    }

    #[test]
    fn the_script_and_the_style_of_the_page_cannot_end_it() {
        assert!(!SCRIPT.contains("</") && !STYLE.contains("</"));
    }
}
