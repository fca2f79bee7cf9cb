//! `muster webhook`: who is told of what happens.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::service::access::Paging;
use crate::service::delivery::webhooks::{self, Webhook};
use crate::service::delivery::{self, Again, Family, Turn, replay};
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List a tenant's webhooks
    List {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON: {"items": […]}
        #[arg(long)]
        json: bool,
    },
    /// Show a webhook, and how it goes with it
    Show {
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Send nothing more until it is resumed; what happens waits
    Pause(Which),
    /// Send again, what waits first
    Resume(Which),
    /// Send an event `receiver.tested`, to this webhook alone
    Test(Which),
    /// Send again what was given up, or everything from a position on
    Replay(Replay),
}

/// Which one it is about.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Name or id
    webhook: String,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
}

/// What is to be sent again.
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    which: Which,
    /// Every event from this position on, instead of what was given up
    #[arg(long, value_name = "SEQ")]
    from: Option<i64>,
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { tenant, json } => list(&services, &tenant, json).await,
        Command::Show { which, json } => {
            let (_, webhook) = found(&services, &which).await?;
            told(&webhook, json);
            Ok(())
        }
        Command::Pause(which) => turned(&services, &which, Turn::Pause, "is paused").await,
        Command::Resume(which) => turned(&services, &which, Turn::Resume, "is sent what happens again").await,
        Command::Test(which) => turned(&services, &which, Turn::Test(None), "will be sent a test by the server").await,
        Command::Replay(asked) => {
            let (caller, webhook) = found(&services, &asked.which).await?;
            let again = asked.from.map_or(Again::Dead, Again::From);
            replay(&services, &caller, (Family::Webhooks, &webhook.id), again).await?;
            println!("`{}` will be sent it again by the server", webhook.name);
            Ok(())
        }
    }
}

async fn all(services: &Services, caller: &Caller) -> anyhow::Result<Vec<Webhook>> {
    let (mut paging, mut all) = (Paging::default(), Vec::new());
    loop {
        let page = webhooks::list(services, caller, &paging).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => paging.after = Some(next),
            None => return Ok(all),
        }
    }
}

async fn list(services: &Services, tenant: &str, as_json: bool) -> anyhow::Result<()> {
    let caller = Caller::operator(services, tenant, "cli").await?;
    let webhooks = all(services, &caller).await?;
    if as_json {
        let items: Vec<Value> = webhooks.iter().map(shown).collect();
        println!("{}", json!({"items": items}));
        return Ok(());
    }
    for one in &webhooks {
        println!("{}  {:24} {:8} {}", one.id, one.name, one.state, one.url);
    }
    Ok(())
}

async fn found(services: &Services, which: &Which) -> anyhow::Result<(Caller, Webhook)> {
    let caller = Caller::operator(services, &which.tenant, "cli").await?;
    let mut all = all(services, &caller).await?.into_iter();
    let webhook = all.find(|one| one.id == which.webhook || one.name == which.webhook);
    let webhook = webhook.with_context(|| format!("there is no webhook `{}`", which.webhook))?;
    Ok((caller, webhook))
}

async fn turned(services: &Services, which: &Which, turn: Turn, done: &str) -> anyhow::Result<()> {
    let (caller, webhook) = found(services, which).await?;
    delivery::turn(services, &caller, (Family::Webhooks, &webhook.id), turn).await?;
    println!("`{}` {done}", webhook.name);
    Ok(())
}

fn shown(webhook: &Webhook) -> Value {
    let (waiting, behind, dead) = webhook.deliveries;
    json!({
        "id": webhook.id, "name": webhook.name, "url": webhook.url, "kinds": webhook.kinds, "state": webhook.state,
        "reason": webhook.reason, "position": webhook.position,
        "deliveries": {"waiting": waiting, "behind": behind, "dead": dead},
        "last_success": webhook.last_success.map(Timestamp::rfc3339),
    })
}

fn told(webhook: &Webhook, as_json: bool) {
    if as_json {
        println!("{}", shown(webhook));
        return;
    }
    let (waiting, behind, dead) = webhook.deliveries;
    let reason = webhook
        .reason
        .as_deref()
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    println!("{}  {}  {}{reason}", webhook.id, webhook.name, webhook.state);
    println!("sent to {}", webhook.url);
    println!(
        "everything up to {} was sent, but for {waiting} waiting, {behind} behind these, {dead} given up",
        webhook.position
    );
    if let Some(last) = webhook.last_success {
        println!("something last got through {last}");
    }
}
