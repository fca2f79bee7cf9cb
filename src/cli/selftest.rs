//! `muster selftest`: the requirements of the standards against any SCIM server, or against a throw-away Muster.

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use url::Url;

use super::run::{Failure, block_on};
use super::serve::shutdown;
use super::throwaway::Throwaway;
use crate::base::secret::Secret;
use crate::selftest::report::{self, Report};
use crate::selftest::{Book, Choice, Progress, Range, Target};

/// Longest text that is taken for a token.
const MAX_TOKEN_BYTES: u64 = 64 << 10;

const EXAMPLES: &str = "\
Examples:
  muster selftest                                     a Muster of this program, with a strict connection
  MUSTER_SELFTEST_TOKEN=… muster selftest https://scim.example.com/v2
  muster selftest URL --token-file token.txt --level must --html report.html
  muster selftest URL --token-file token.txt --only PAT,FLT-0*,DIS-03 --verbose
  muster selftest --list --only DIS                   what is asked of discovery

It creates users and groups, changes them, and deletes what it made. Give it a tenant of its own all the same: never that
of a customer. Checks for what the server does not announce are skipped. Findings of the levels may, tol and dec are notes.

Exit code: 0 when nothing that a server MUST do failed, 1 when something did, 2 when the test could not be run.";

/// Flags of `selftest`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
pub(super) struct SelfTest {
    /// Base URL of the server, e.g. `https://host/scim/v2`; without it a Muster is started, tested and removed
    url: Option<Url>,
    /// Bearer token; on the command line it shows in the list of processes, so better use the environment or a file.
    /// A server that asks for none takes any
    #[arg(long, env = "MUSTER_SELFTEST_TOKEN", hide_env_values = true, requires = "url")]
    token: Option<String>,
    /// File that holds the token, and nothing else
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// Token of another client of the same tenant: more can be tested with it
    #[arg(
        long,
        env = "MUSTER_SELFTEST_SECOND",
        hide_env_values = true,
        value_name = "TOKEN",
        requires = "url"
    )]
    second: Option<String>,
    /// Token of a client of another tenant under the same address
    #[arg(
        long,
        env = "MUSTER_SELFTEST_FOREIGN",
        hide_env_values = true,
        value_name = "TOKEN",
        requires = "url"
    )]
    foreign: Option<String>,
    /// Only these: ids (PAT-04), groups (PAT) or patterns (PAT-0*), with commas between them
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    only: Vec<String>,
    /// Only what weighs as much: MUST; MUST and SHOULD; those and MAY; all
    #[arg(long, value_enum, default_value_t = Level::All)]
    level: Level,
    /// The server is to refuse what lenient servers take: level tol becomes a failure
    #[arg(long)]
    strict: bool,
    /// Write the report as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the report as `JUnit` XML, for CI servers
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report as JSON; `-` is standard output, in the place of the text
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print every check, not only findings
    #[arg(long, short)]
    verbose: bool,
    /// List the requirements and ask no server anything
    #[arg(long, conflicts_with_all = ["url", "html", "junit"])]
    list: bool,
    /// With --list: the text of docs/conformance.md
    #[arg(long, hide = true, requires = "list")]
    markdown: bool,
}

/// How much a requirement has to weigh.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Level {
    Must,
    Should,
    May,
    All,
}

pub(super) fn run(asked: &SelfTest) -> Result<(), Failure> {
    let book = Book::embedded().map_err(|fault| Failure::Start(fault.into()))?;
    let choice = asked.choice();
    choice.check(&book).map_err(|fault| Failure::Start(fault.into()))?;
    if asked.list {
        print!("{}", asked.listed(&book, &choice));
        return Ok(());
    }
    let report = block_on(asked.report(&book, &choice))?;
    asked.write(&report).map_err(Failure::Start)?;
    if !report.tally.says_something() {
        let what = "nothing could be tested: no check could be set up";
        return Err(Failure::Start(anyhow!(what)));
    }
    match report.tally.must_failed {
        0 => Ok(()),
        1 => Err(Failure::Refused(anyhow!("1 check of what a server must do failed"))),
        n => Err(Failure::Refused(anyhow!("{n} checks of what a server must do failed"))),
    }
}

impl SelfTest {
    fn choice(&self) -> Choice {
        let range = match self.level {
            Level::Must => Range::Must,
            Level::Should => Range::Should,
            Level::May => Range::May,
            Level::All => Range::All,
        };
        Choice {
            only: self.only.clone(),
            range,
        }
    }

    fn listed(&self, book: &Book, choice: &Choice) -> String {
        if self.markdown {
            report::markdown(book)
        } else if self.json.is_some() {
            report::list_json(book, choice)
        } else {
            report::list(book, choice)
        }
    }

    /// Tests the server, or one of our own.
    async fn report(&self, book: &Book, choice: &Choice) -> Result<Report, Failure> {
        let (target, throwaway) = if let Some(url) = &self.url {
            (self.target(url).map_err(Failure::Start)?, None)
        } else {
            let (target, throwaway) = Throwaway::start().await.map_err(Failure::Start)?;
            (target, Some(throwaway))
        };
        let bar = bar();
        let told = |now: Progress<'_>| show(&bar, &now);
        // What was made can still be deleted.
        let stop = shutdown().map_err(|fault| Failure::Start(fault.into()))?;
        let outcome = crate::selftest::run(book, target, choice, stop, told).await;
        bar.finish_and_clear();
        if let Some(throwaway) = throwaway {
            throwaway.end().await.map_err(Failure::Start)?;
        }
        outcome.map_err(|fault| Failure::Start(fault.into()))
    }

    fn target(&self, url: &Url) -> anyhow::Result<Target> {
        let is_base = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty();
        if !is_base || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            anyhow::bail!("a base URL looks like https://host/scim/v2, without a query, a user or a password");
        }
        let given = |token: &Option<String>| token.clone().filter(|token| !token.is_empty()).map(Secret::new);
        let token = match &self.token_file {
            Some(file) => Some(token_of(file)?),
            None => given(&self.token),
        };
        let missing =
            "a token is needed: MUSTER_SELFTEST_TOKEN or --token-file; any word for a server that asks for none";
        Ok(Target {
            url: url.clone(),
            token: token.context(missing)?,
            second: given(&self.second),
            foreign: given(&self.foreign),
            strict: self.strict,
            departs: false,
        })
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let to = |file: &Path, text: String| {
            fs::write(file, text).with_context(|| format!("`{}` cannot be written", file.display()))
        };
        if let Some(file) = &self.html {
            to(file, report::html(report))?;
        }
        if let Some(file) = &self.junit {
            to(file, report::junit(report))?;
        }
        match &self.json {
            Some(file) if file.as_os_str() == "-" => {
                print!("{}", report::json(report));
                return Ok(());
            }
            Some(file) => to(file, report::json(report))?,
            None => {}
        }
        print!("{}", report::terminal(report, self.verbose));
        Ok(())
    }
}

fn token_of(file: &Path) -> anyhow::Result<Secret<String>> {
    let read = || {
        if fs::metadata(file)?.len() > MAX_TOKEN_BYTES {
            return Err(std::io::Error::other("it is too large for a token"));
        }
        fs::read_to_string(file)
    };
    let text = read().with_context(|| format!("`{}` cannot be read", file.display()))?;
    let token = text.trim();
    if token.is_empty() {
        anyhow::bail!("`{}` is empty", file.display());
    }
    Ok(Secret::new(token.to_owned()))
}

/// Drawn on a terminal alone; a log gets none of it.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, now: &Progress<'_>) {
    bar.set_length(now.all as u64);
    bar.set_position(now.done as u64);
    let failed = match now.failed {
        0 => String::new(),
        n => format!(" · {n} failed"),
    };
    bar.set_message(format!("{}{failed}", now.id));
}
