//! `muster rules`: the rules of a tenant as a file that people review and keep beside their code.

use anyhow::Context as _;
use clap::Subcommand;
use jiff::SignedDuration;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::service::access::rules;
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the rules that are not retired, as TOML
    Export {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
    },
    /// Make and change rules as a file says, and wait until they are in force; rules that are not in it stay
    Import {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// How long to wait for one rule to be in force, such as 30s, 10m
        #[arg(long, value_parser = patience, default_value = "10m")]
        wait: Duration,
        /// The file, as `export` prints it
        file: PathBuf,
    },
    /// Show what `import` would do
    Diff {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// The file, as `export` prints it
        file: PathBuf,
    },
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    let tenant = match &command {
        Command::Export { tenant } | Command::Import { tenant, .. } | Command::Diff { tenant, .. } => tenant,
    };
    let caller = Caller::operator(&services, tenant, "cli").await?;
    match &command {
        Command::Export { .. } => print!("{}", rules::export(&services, &caller).await?),
        Command::Import { file, wait, .. } => {
            let told = AtomicU64::new(u64::MAX);
            let patience = rules::Patience {
                most: *wait,
                tell: &|name, progress| {
                    // Each step once.
                    if told.swap(progress.done, Ordering::Relaxed) != progress.done {
                        let rules::Progress { done, total, .. } = progress;
                        eprintln!("rule `{name}` is coming into force: {done} of {total} users looked at");
                    }
                },
            };
            show(&rules::import(&services, &caller, &read(file)?, &patience).await?);
        }
        Command::Diff { file, .. } => {
            show(&rules::diff(&services, &caller, &read(file)?).await?);
        }
    }
    Ok(())
}

/// `30s`, `10m`, `2h`: above zero.
fn patience(text: &str) -> Result<Duration, String> {
    let parsed: Result<SignedDuration, _> = text.parse();
    let span = parsed.map_err(|_| format!("`{text}` is not a time span such as 30s or 10m"))?;
    let span = Duration::try_from(span).ok().filter(|span| !span.is_zero());
    span.ok_or_else(|| "a time span must be longer than nothing".to_owned())
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))
}

fn show(differences: &[rules::Difference]) {
    for difference in differences {
        println!("{difference}");
    }
}
