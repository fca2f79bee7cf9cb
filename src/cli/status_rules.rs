//! `muster status-rules`: rules that keep users out because of what is known of them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::service::access::settings::{self, SettingsChange};
use crate::service::lifecycle::status_rules::{self, Work};
use crate::service::lifecycle::{Keeps, StatusRule};
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tell the rules, whom each keeps out, and how far their last change is
    Show {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Print the rules as JSON, as `set` takes them
        #[arg(long)]
        json: bool,
    },
    /// Put the rules of a file in the place of those there are, for everybody who is there, too
    Set(Given),
    /// Tell whom the rules of a file would keep out, and let in again
    Preview(Given),
}

#[derive(Debug, Args)]
pub(super) struct Given {
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// JSON: `[{"name", "when": a SCIM filter over users, "status": "suspended" or "deactivated"}, …]`
    file: PathBuf,
}

/// A rule in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    when: String,
    status: String,
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show { tenant, json } => show(&services, &tenant, json).await,
        Command::Set(given) => set(&services, &given).await,
        Command::Preview(given) => preview(&services, &given).await,
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<StatusRule>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    let written: Vec<Written> =
        serde_json::from_str(&text).with_context(|| format!("`{}` is no list of rules", file.display()))?;
    let rule = |one: Written| {
        let keeps = Keeps::parse(&one.status)
            .with_context(|| format!("the rule `{}` says neither suspended nor deactivated", one.name))?;
        Ok(StatusRule {
            name: one.name,
            when: one.when,
            keeps,
        })
    };
    written.into_iter().map(rule).collect()
}

async fn show(services: &Services, tenant: &str, as_json: bool) -> anyhow::Result<()> {
    let caller = Caller::operator(services, tenant, "cli").await?;
    let shown = status_rules::find(services, &caller).await?;
    if as_json {
        let written = shown.rules.into_iter().map(|one| Written {
            name: one.rule.name,
            when: one.rule.when,
            status: one.rule.keeps.as_str().to_owned(),
        });
        println!("{}", json!(written.collect::<Vec<_>>()));
        return Ok(());
    }
    for one in &shown.rules {
        let status = one.rule.keeps.as_str();
        println!(
            "{:24} {status:11} {:6} kept out  {}",
            one.rule.name, one.held, one.rule.when
        );
    }
    if let Some(work) = &shown.last {
        told(work);
    }
    Ok(())
}

async fn set(services: &Services, given: &Given) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &given.tenant, "cli").await?;
    let change = SettingsChange {
        status_rules: Some(read(&given.file)?),
        ..SettingsChange::default()
    };
    settings::change(services, &caller, &change).await?;
    let done = status_rules::finish(services, &caller).await;
    if let Some(work) = done.context("users are left to be looked at; a server that runs goes on with it")? {
        told(&work);
    }
    Ok(())
}

async fn preview(services: &Services, given: &Given) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &given.tenant, "cli").await?;
    let preview = status_rules::preview(services, &caller, read(&given.file)?).await?;
    println!("{} users would be kept out", preview.out);
    for kept in &preview.first_out {
        println!(
            "  {}  {}: {} by `{}`",
            kept.user.id,
            kept.user.name,
            kept.keeps.as_str(),
            kept.rule
        );
    }
    println!("{} users would come in again", preview.back);
    for user in &preview.first_back {
        println!("  {}  {}", user.id, user.name);
    }
    Ok(())
}

fn told(work: &Work) {
    println!(
        "users who are there: {}, {} changed, {} had to stay",
        work.state, work.turned, work.stayed
    );
    if work.failed > 0 {
        println!("{} could not be changed: the program's log says why", work.failed);
    }
}
