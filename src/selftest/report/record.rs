//! Findings: one of each check, a record of each requirement, the report of a run. No token is in them.

use serde::Serialize;
use std::collections::BTreeMap;

use super::super::exchange::{Exchange, short};
use super::super::requirement::{Check, Level, Requirement};
use super::super::stop::Said;

/// Most characters of a body that are shown.
const MAX_SHOWN: usize = 4_000;

/// Shortest text that is taken for a token: a shorter word would be found everywhere.
const MIN_SECRET: usize = 8;

/// Headers of an answer that say something about it.
const TELLING: &[&str] = &[
    "content-type",
    "location",
    "etag",
    "www-authenticate",
    "retry-after",
    "content-location",
    "preference-applied",
    "set-txn",
    "allow",
    "last-modified",
];

/// What came of a check, or of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The server does as it says.
    Passed,
    /// It does not.
    Failed,
    /// It does not, and that is no failure.
    Noted,
    /// It does not, on purpose.
    Departs,
    /// It could not be set up.
    NotSetUp,
    /// The server does not announce what it needs.
    Skipped,
    /// No client can see it.
    Untestable,
}

impl Verdict {
    /// Of several results, the heavier is that of the whole.
    pub(in crate::selftest) fn weight(self) -> u8 {
        match self {
            Self::Failed => 6,
            Self::Departs => 5,
            Self::Noted => 4,
            Self::Passed => 3,
            Self::NotSetUp => 2,
            Self::Skipped => 1,
            Self::Untestable => 0,
        }
    }

    /// The word of a report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Noted => "note",
            Self::Departs => "departs",
            Self::NotSetUp => "not set up",
            Self::Skipped => "skipped",
            Self::Untestable => "untestable",
        }
    }

    /// Whether the server does otherwise than the requirement says.
    #[must_use]
    pub fn is_finding(self) -> bool {
        matches!(self, Self::Failed | Self::Noted | Self::Departs)
    }
}

/// What came of one check.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The check.
    pub name: String,
    /// Its weight.
    pub level: Level,
    /// What came of it.
    pub result: Verdict,
    /// A finding in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the server answered instead, or why the check did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The exchange that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Shown>,
}

/// An exchange as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The method.
    pub method: String,
    /// The request target.
    pub path: String,
    /// The body that was sent, or its beginning.
    pub sent: String,
    /// The status.
    pub status: u16,
    /// Headers of the answer that say something about it.
    pub headers: BTreeMap<String, String>,
    /// The body that was answered, or its beginning.
    pub answer: String,
}

/// What came of a requirement.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// Its chapter.
    pub chapter: String,
    /// Its weight.
    pub level: Level,
    /// Where it is written.
    pub rfc: String,
    /// The requirement in one sentence.
    pub says: String,
    /// The heaviest of its checks.
    pub result: Verdict,
    /// Why no client can see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untestable: Option<String>,
    /// Why Muster does otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departs: Option<String>,
    /// Its checks.
    pub checks: Vec<Finding>,
}

/// How many checks came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Requirements that were chosen.
    pub requirements: usize,
    /// Of them, those that no client can see.
    pub untestable: usize,
    /// Checks that passed.
    pub passed: usize,
    /// Checks that failed, of what a server MUST do.
    pub must_failed: usize,
    /// Checks that failed, of the rest.
    pub other_failed: usize,
    /// Checks that failed and are no failures.
    pub notes: usize,
    /// Checks that Muster fails on purpose.
    pub departures: usize,
    /// Checks that were skipped.
    pub skipped: usize,
    /// Checks that could not be set up.
    pub not_set_up: usize,
}

impl Tally {
    /// Checks that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.must_failed + self.other_failed
    }

    /// Whether anything was learnt of the server; if nothing could be set up, it was not tested.
    #[must_use]
    pub fn says_something(&self) -> bool {
        self.not_set_up == 0 || self.passed + self.failed() + self.notes + self.departures > 0
    }
}

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The program that made it.
    pub program: String,
    /// The base URL.
    pub server: String,
    /// When it began.
    pub started: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Whether the server was to refuse what lenient ones take.
    pub strict: bool,
    /// The numbers.
    pub tally: Tally,
    /// What could not be deleted.
    pub left: Vec<String>,
    /// Every requirement, in the order of the data.
    pub requirements: Vec<Record>,
}

impl Report {
    pub(in crate::selftest) fn new(
        (server, started, millis): (String, String, u64),
        strict: bool,
        left: Vec<String>,
        requirements: Vec<Record>,
    ) -> Self {
        let checks = || requirements.iter().flat_map(|record| &record.checks);
        let count = |result| checks().filter(|check| check.result == result).count();
        // With --strict what a lenient server takes weighs as much as a MUST.
        let is_hard = |check: &&Finding| check.result == Verdict::Failed && check.level != Level::Should;
        let must_failed = checks().filter(is_hard).count();
        let untestable = requirements
            .iter()
            .filter(|one| one.result == Verdict::Untestable)
            .count();
        let tally = Tally {
            requirements: requirements.len(),
            untestable,
            passed: count(Verdict::Passed),
            must_failed,
            other_failed: count(Verdict::Failed) - must_failed,
            notes: count(Verdict::Noted),
            departures: count(Verdict::Departs),
            skipped: count(Verdict::Skipped),
            not_set_up: count(Verdict::NotSetUp),
        };
        Self {
            program: concat!("muster ", env!("CARGO_PKG_VERSION")).to_owned(),
            server,
            started,
            millis,
            strict,
            tally,
            left,
            requirements,
        }
    }

    /// Records with findings, the heaviest first.
    #[must_use]
    pub fn findings(&self) -> Vec<&Record> {
        let mut rows: Vec<&Record> = self.requirements.iter().filter(|one| one.result.is_finding()).collect();
        rows.sort_by_key(|one| (u8::MAX - one.result.weight(), one.worst()));
        rows
    }

    /// Why checks were skipped, and how often, the most frequent first.
    #[must_use]
    pub fn skips(&self) -> Vec<(&str, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for check in self.requirements.iter().flat_map(|one| &one.checks) {
            if check.result == Verdict::Skipped {
                *counts.entry(check.found.as_deref().unwrap_or_default()).or_default() += 1;
            }
        }
        let mut rows: Vec<_> = counts.into_iter().collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        rows
    }
}

impl Record {
    /// Checks that are findings.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(|check| check.result.is_finding())
    }

    /// The heaviest level of its findings.
    fn worst(&self) -> Level {
        self.findings().map(|check| check.level).min().unwrap_or(self.level)
    }
}

/// The record of a requirement whose checks came to this.
pub(in crate::selftest) fn of_requirement(
    chapter: &str,
    one: &Requirement,
    departs: Option<&str>,
    checks: Vec<Finding>,
) -> Record {
    let untestable = one.untestable.is_some() && checks.is_empty();
    let heaviest = checks
        .iter()
        .map(|check| check.result)
        .max_by_key(|result| result.weight());
    Record {
        id: one.id.clone(),
        chapter: chapter.to_owned(),
        level: one.level,
        rfc: one.rfc.clone(),
        says: one.says.clone(),
        result: if untestable {
            Verdict::Untestable
        } else {
            heaviest.unwrap_or(Verdict::Skipped)
        },
        untestable: one.untestable.clone(),
        departs: departs.map(str::to_owned),
        checks,
    }
}

/// The finding of a check; what it says of the exchange is without tokens.
pub(in crate::selftest) fn of_check(
    (one, check, level): (&Requirement, &Check, Level),
    result: Verdict,
    said: Option<Said>,
    secrets: &[String],
) -> Finding {
    let (found, exchange) = said.map_or((None, None), |said| (Some(said.what), said.exchange));
    let why = check.why.as_ref().or(one.why.as_ref()).filter(|_| result.is_finding());
    Finding {
        name: check.name.clone().unwrap_or_else(|| one.says.clone()),
        level,
        result,
        why: why.cloned(),
        found: found.map(|found| redacted(&found, secrets)),
        exchange: exchange.map(|exchange| shown(&exchange, secrets)),
    }
}

fn shown(exchange: &Exchange, secrets: &[String]) -> Shown {
    let headers = exchange.headers.iter();
    let headers = headers.filter(|(name, _)| TELLING.contains(&name.to_ascii_lowercase().as_str()));
    // Cut after the tokens are gone: half a token is one, too.
    let text = |text: &str| short(&redacted(text, secrets), MAX_SHOWN);
    Shown {
        method: exchange.method.clone(),
        path: text(&exchange.path),
        sent: text(&exchange.sent),
        status: exchange.status,
        headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
        answer: text(&exchange.text),
    }
}

/// The text without tokens, however a URL spells them.
fn redacted(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_SECRET) {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        text = text.replace(secret.as_str(), "[token]").replace(&encoded, "[token]");
        // A sentence that was cut within one.
        for (at, _) in secret.char_indices().skip(MIN_SECRET) {
            text = text.replace(&format!("{}...", &secret[..at]), "[token]...");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_nowhere() {
        let secrets = ["mst_0123456789abcdef/b+c".to_owned(), "x".to_owned()];
        let shown = redacted(
            "x?access_token=mst_0123456789abcdef%2Fb%2Bc and mst_0123456789abcdef/b+c",
            &secrets,
        );
        assert_eq!(shown, "x?access_token=[token] and [token]");
        assert_eq!(redacted("is `mst_0123456789abcdef/...", &secrets), "is `[token]...");
    }
}
