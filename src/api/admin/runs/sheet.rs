//! A certificate as one page to print or to keep as a PDF.

use std::fmt::Write as _;

use crate::base::clock::Timestamp;
use crate::service::offboarding::{Run, Step};

/// Everything that it shows of the world outside is text of the run and of its certificate, escaped.
///
/// What is signed stands in it byte for byte; all else is a reading aid, and the page says so.
pub(super) fn sheet(run: &Run, certificate: &str) -> String {
    let mut steps = String::new();
    for step in &run.steps {
        let (when, by) = found(step);
        // Writing to a String cannot fail.
        let _ = write!(
            steps,
            "<tr><td>{}</td><td>{when}</td><td>{by}</td></tr>",
            escaped(&step.name),
        );
    }
    let name = run.name.as_deref().unwrap_or("(deleted)");
    let late = if run.late.is_some() {
        " (after the deadline)"
    } else {
        ""
    };
    let proven = if run.steps.iter().any(|step| step.removed.is_some()) {
        "what is confirmed below does not let them in; of what was removed, nothing is known"
    } else {
        "everything that could let them in confirmed that it does not"
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Offboarding certificate</title><style>\
         body{{font:11pt sans-serif;max-width:18cm;margin:1cm auto}}td,th{{text-align:left;padding:0 1em .3em 0}}\
         pre{{white-space:pre-wrap;overflow-wrap:anywhere;font-size:8pt;border:1px solid;padding:.5em}}</style></head><body>\
         <h1>Offboarding certificate</h1><p>Access of <b>{}</b> ended, and {proven}.</p><table><tr><th>User</th><td>{}</td></tr><tr><th>Ended</th><td>{}</td></tr>\
         <tr><th>Asked by</th><td>{} {}</td></tr><tr><th>Deadline</th><td>{}</td></tr>\
         <tr><th>Closed</th><td>{}{late}</td></tr><tr><th>Run</th><td>{}</td></tr></table>\
         <h2>Confirmed</h2><table><tr><th>Enforcer</th><th>When</th><th>By</th></tr>{steps}</table>\
         <h2>What is signed</h2><p>Only this is. The name above is no part of it. \
         <code>muster verify certificate FILE --key KEYFILE</code> checks it.</p><pre>{}</pre></body></html>\n",
        escaped(name),
        escaped(&run.user),
        run.opened.rfc3339(),
        escaped(&run.asked_by.actor_kind),
        escaped(&run.asked_by.actor_id),
        run.deadline.rfc3339(),
        run.closed.map(Timestamp::rfc3339).unwrap_or_default(),
        escaped(&run.id),
        escaped(certificate.trim_end()),
    )
}

/// When and how it was found that somebody has nothing open.
fn found(step: &Step) -> (String, &'static str) {
    if let Some(removed) = step.removed {
        return (removed.rfc3339(), "not confirmed: the enforcer was removed");
    }
    let by = step.proof.as_ref().and_then(|proof| proof["by"].as_str());
    let by = match by {
        Some("built-in") => "Muster itself",
        Some("probe") => "probe: it was asked, and nothing is open",
        Some("acknowledgement") => "its word: it acknowledged, and is not asked",
        _ => "",
    };
    (step.confirmed.map(Timestamp::rfc3339).unwrap_or_default(), by)
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_markup() {
        assert_eq!(escaped("<a href='x'>\"&é"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;é");
    }
}
