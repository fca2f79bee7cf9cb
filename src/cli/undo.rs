//! `muster undo`: what a connection did is taken back.

use anyhow::Context as _;
use clap::Args;

use crate::base::clock::Timestamp;
use crate::base::instant::parse_date_time;
use crate::service::undo::{self, Asked, Changes, Shown};
use crate::service::{Caller, Services};

/// What is to be taken back.
#[derive(Debug, Args)]
pub(super) struct TakeBack {
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Name or id of the connection
    #[arg(long, requires = "from", required_unless_present = "undo")]
    connection: Option<String>,
    /// What it did from this instant on, e.g. `2026-03-01T09:00:00Z`
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    from: Option<Timestamp>,
    /// And before this one [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    to: Option<Timestamp>,
    /// Id of an undo that is done: take back what it did
    #[arg(long, value_name = "ID", conflicts_with_all = ["connection", "from", "to"])]
    undo: Option<String>,
    /// Also put back what others have changed since
    #[arg(long)]
    overwrite: bool,
    /// Do nothing, and tell what would be done
    #[arg(long)]
    preview: bool,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let wrong = || "an instant with its zone belongs here, such as 2026-03-01T09:00:00Z".to_owned();
    let (_, time) = text.split_once('T').ok_or_else(wrong)?;
    let moment = parse_date_time(text)
        .filter(|_| time.contains(['Z', '+', '-']))
        .ok_or_else(wrong)?;
    i64::try_from(moment.nanoseconds().div_euclid(1000))
        .map(Timestamp)
        .map_err(|_| wrong())
}

pub(super) async fn run(services: Services, asked: TakeBack) -> anyhow::Result<()> {
    let caller = Caller::operator(&services, &asked.tenant, "cli").await?;
    let changes = match (asked.undo, asked.connection) {
        (Some(undo), _) => Changes::OfUndo(undo),
        (None, connection) => Changes::Of {
            connection: connection.context("--connection is missing")?,
            from: asked.from.context("--from is missing")?,
            to: asked.to,
        },
    };
    let wanted = Asked {
        changes,
        overwrite: asked.overwrite,
    };
    if asked.preview {
        told(&undo::preview(&services, &caller, &wanted).await?);
        return Ok(());
    }
    let begun = undo::begin(&services, &caller, &wanted).await?;
    let id = begun.id.unwrap_or_default();
    Box::pin(undo::finish(&services, &caller, &id))
        .await
        .context("it is not done; a server that runs goes on with it")?;
    told(&undo::find(&services, &caller, &id).await?);
    Ok(())
}

fn told(shown: &Shown) {
    let outcome = &shown.outcome;
    println!(
        "{} {}: {} restored, {} removed, {} changed, {} left as they are",
        shown.state,
        shown.id.as_deref().unwrap_or("(nothing is done)"),
        outcome.restored,
        outcome.removed,
        outcome.changed,
        outcome.conflicts
    );
    for conflict in &outcome.first {
        let what = if conflict.what.is_empty() { "" } else { " " };
        println!(
            "left: {} {}{what}{}: {}",
            conflict.kind, conflict.id, conflict.what, conflict.why
        );
    }
}
