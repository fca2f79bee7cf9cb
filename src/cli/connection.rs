//! `muster connection`: provisioning sources of a tenant.

use clap::Subcommand;
use serde_json::json;

use crate::config::Config;
use crate::scim::dialect::Setting;
use crate::service::{Services, connections};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a connection; give it a token with `muster token create`
    Create {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Name, unique in the tenant, e.g. okta
        #[arg(long)]
        name: String,
        /// `auto` recognises the client, `strict` tolerates nothing, or the name of a client
        #[arg(long, default_value = "auto")]
        dialect: Setting,
        /// Print JSON: `{"id", "base_url"}`
        #[arg(long)]
        json: bool,
    },
    /// List a tenant's connections
    List {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON: {"items": [{"id", "name", "dialect"}]}
        #[arg(long)]
        json: bool,
    },
    /// Show a connection and which client habits it needed tolerated, how often
    Show {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Name of the connection
        name: String,
        /// Print JSON: `{"id", "name", "dialect", "base_url", "tolerances": [{"rule", "count", "last"}]}`
        #[arg(long)]
        json: bool,
    },
}

/// The base URL an identity provider is pointed at.
fn base_url(config: &Config, tenant: &str) -> String {
    let origin = config
        .public_url
        .as_ref()
        .map_or_else(|| format!("http://{}", config.listen), ToString::to_string);
    format!("{}/t/{tenant}/scim/v2", origin.trim_end_matches('/'))
}

pub(super) async fn run(services: Services, config: Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create {
            tenant,
            name,
            dialect,
            json,
        } => {
            let made = connections::create_connection(&services, &tenant, &name, &dialect).await?;
            let base_url = base_url(&config, &tenant);
            if json {
                println!("{}", json!({"id": made.id, "base_url": base_url}));
            } else {
                println!("connection `{name}` is there: {base_url}");
                println!("next: muster token create --tenant {tenant} --connection {name}");
            }
        }
        Command::List { tenant, json } => {
            let connections = connections::list_connections(&services, &tenant).await?;
            if json {
                let items: Vec<_> = connections
                    .iter()
                    .map(|c| json!({"id": c.id, "name": c.name, "dialect": c.dialect}))
                    .collect();
                println!("{}", json!({"items": items}));
            } else {
                for c in &connections {
                    println!("{:24} {}", c.name, c.dialect);
                }
            }
        }
        Command::Show { tenant, name, json } => show(&services, &config, &tenant, &name, json).await?,
    }
    Ok(())
}

async fn show(services: &Services, config: &Config, tenant: &str, name: &str, as_json: bool) -> anyhow::Result<()> {
    let (connection, tolerances) = connections::show_connection(services, tenant, name).await?;
    let base_url = base_url(config, tenant);
    if as_json {
        let tolerances: Vec<_> = tolerances
            .iter()
            .map(|t| json!({"rule": t.rule, "count": t.count, "last": t.last.rfc3339()}))
            .collect();
        println!(
            "{}",
            json!({"id": connection.id, "name": connection.name, "dialect": connection.dialect, "base_url": base_url, "tolerances": tolerances})
        );
        return Ok(());
    }
    println!("{}  dialect {}  {base_url}", connection.name, connection.dialect);
    if tolerances.is_empty() {
        println!("no client habit had to be tolerated so far");
    }
    for t in &tolerances {
        println!("{:>8} × {:32} last {}", t.count, t.rule, t.last.rfc3339());
    }
    Ok(())
}
