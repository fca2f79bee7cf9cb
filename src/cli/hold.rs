//! `muster hold`: what went beyond a budget, and what is decided about it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::service::access::Paging;
use crate::service::fuse::{self, Hold};
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what went beyond a budget, oldest first
    List {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON: {"items": [{"id", "connection", "what", "budget", "state", "opened", "changes"}]}
        #[arg(long)]
        json: bool,
    },
    /// Have its requests made, and lift the budget for one window; a running server makes what is left
    Approve(Which),
    /// Have none of its requests made, and leave nothing of the budget for one window
    Reject(Which),
}

/// Which hold is decided about.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Id
    hold: String,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    let (hold, json) = match command {
        Command::List { tenant, json } => return list(&services, &tenant, json).await,
        Command::Approve(which) => {
            let caller = Caller::operator(&services, &which.tenant, "cli").await?;
            (fuse::approve(&services, &caller, &which.hold).await?, which.json)
        }
        Command::Reject(which) => {
            let caller = Caller::operator(&services, &which.tenant, "cli").await?;
            (fuse::reject(&services, &caller, &which.hold).await?, which.json)
        }
    };
    if json {
        println!("{}", document(&hold));
    } else {
        told(&hold);
    }
    Ok(())
}

async fn list(services: &Services, tenant: &str, as_json: bool) -> anyhow::Result<()> {
    let caller = Caller::operator(services, tenant, "cli").await?;
    let (mut paging, mut items) = (Paging::default(), Vec::new());
    loop {
        let page = fuse::holds(services, &caller, &paging).await?;
        items.extend(page.items);
        match page.next {
            Some(next) => paging.after = Some(next),
            None => break,
        }
    }
    if as_json {
        println!("{}", json!({ "items": items.iter().map(document).collect::<Vec<_>>() }));
    } else {
        items.iter().for_each(told);
    }
    Ok(())
}

fn document(hold: &Hold) -> Value {
    let changes = hold.changes;
    json!({
        "id": hold.id,
        "connection": hold.connection,
        "what": hold.what,
        "budget": hold.budget,
        "state": hold.state.as_str(),
        "opened": hold.opened.rfc3339(),
        "changes": {
            "waiting": changes.waiting,
            "applied": changes.applied,
            "failed": changes.failed,
            "dismissed": changes.dismissed,
        },
    })
}

fn told(hold: &Hold) {
    let (changes, connection) = (hold.changes, hold.connection.as_deref().unwrap_or("gone"));
    println!(
        "{}  {}  {} of `{connection}` beyond {}, {}: {} wait, {} made, {} failed, {} thrown away",
        hold.id,
        hold.opened,
        hold.what,
        hold.budget,
        hold.state.as_str(),
        changes.waiting,
        changes.applied,
        changes.failed,
        changes.dismissed
    );
}
