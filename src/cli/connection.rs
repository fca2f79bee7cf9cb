//! `muster connection`: provisioning sources of a tenant.

use clap::{Args, Subcommand};
use serde_json::json;

use super::closing::{self, OfDeleted, OfSuspended};
use crate::config::Config;
use crate::scim::dialect::Setting;
use crate::service::closing::{delete_connection, resume_connection, suspend_connection};
use crate::service::{self, Caller, Services, connections};

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
        /// Print JSON: {"items": [{"id", "name", "dialect", "state"}]}
        #[arg(long)]
        json: bool,
    },
    /// Suspend a connection: its tokens do not work until it is resumed
    Suspend {
        #[command(flatten)]
        which: Which,
        /// What becomes of its users
        #[arg(long)]
        users: OfSuspended,
        /// Why; each of the users who are changed has it as the reason
        #[arg(long)]
        reason: Option<String>,
    },
    /// Resume a connection, and let in again whom its suspension has suspended
    Resume(Which),
    /// Delete a connection with its tokens; its name stays its own
    Delete {
        #[command(flatten)]
        which: Which,
        /// What becomes of its users
        #[arg(long)]
        users: OfDeleted,
    },
    /// Tell whether a connection works, and whom suspending or deleting it would be about
    Users(Which),
    /// Show a connection, which client habits it needed tolerated, how often, and what it says that no schema declares
    Show {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Name of the connection
        name: String,
        /// Print JSON: `{"id", "name", "dialect", "base_url", "tolerances": [{"rule", "count", "last"}], "undeclared": [{"urn", "resources", "last"}]}`
        #[arg(long)]
        json: bool,
    },
}

/// Which connection.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Name of the connection
    name: String,
}

impl Which {
    /// The operator in its tenant, and its id.
    async fn found(&self, services: &Services) -> anyhow::Result<(Caller, String)> {
        let caller = Caller::operator(services, &self.tenant, "cli").await?;
        let found = connections::show_connection(services, &self.tenant, &self.name).await?;
        Ok((caller, found.connection.id))
    }
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
                    .map(|c| json!({"id": c.id, "name": c.name, "dialect": c.dialect, "state": c.state}))
                    .collect();
                println!("{}", json!({"items": items}));
            } else {
                for c in &connections {
                    println!("{:24} {:12} {}", c.name, c.dialect, c.state);
                }
            }
        }
        Command::Suspend { which, users, reason } => {
            let (caller, id) = which.found(&services).await?;
            let asked = closing::asked(users, reason);
            let shown = suspend_connection(&services, &caller, &id, asked).await?;
            closing::finished(&services, &caller, shown).await?;
        }
        Command::Resume(which) => {
            let (caller, id) = which.found(&services).await?;
            let shown = resume_connection(&services, &caller, &id).await?;
            closing::finished(&services, &caller, shown).await?;
        }
        Command::Delete { which, users } => {
            let (caller, id) = which.found(&services).await?;
            let shown = delete_connection(&services, &caller, &id, closing::asked(users, None)).await?;
            closing::finished(&services, &caller, shown).await?;
        }
        Command::Users(which) => {
            let (caller, id) = which.found(&services).await?;
            closing::told(&service::closing::connection(&services, &caller, &id).await?);
        }
        Command::Show { tenant, name, json } => show(&services, &config, &tenant, &name, json).await?,
    }
    Ok(())
}

async fn show(services: &Services, config: &Config, tenant: &str, name: &str, as_json: bool) -> anyhow::Result<()> {
    let connections::Needs {
        connection,
        tolerated,
        undeclared,
    } = connections::show_connection(services, tenant, name).await?;
    let base_url = base_url(config, tenant);
    if as_json {
        let tolerances: Vec<_> = tolerated
            .iter()
            .map(|t| json!({"rule": t.rule, "count": t.count, "last": t.last.rfc3339()}))
            .collect();
        let undeclared: Vec<_> = undeclared
            .iter()
            .map(|u| json!({"urn": u.urn, "resources": u.resources, "last": u.last.rfc3339()}))
            .collect();
        println!(
            "{}",
            json!({
                "id": connection.id, "name": connection.name, "dialect": connection.dialect, "base_url": base_url,
                "tolerances": tolerances, "undeclared": undeclared,
            })
        );
        return Ok(());
    }
    println!("{}  dialect {}  {base_url}", connection.name, connection.dialect);
    if tolerated.is_empty() {
        println!("no client habit had to be tolerated so far");
    }
    for t in &tolerated {
        println!("{:>8} × {:32} last {}", t.count, t.rule, t.last.rfc3339());
    }
    if !undeclared.is_empty() {
        println!("kept aside, as no schema declares it:");
    }
    for u in &undeclared {
        println!("{:>8} resources  {}  last {}", u.resources, u.urn, u.last.rfc3339());
    }
    Ok(())
}
