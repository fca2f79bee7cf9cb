//! `muster tenant`: customer organisations.

use clap::Subcommand;
use serde_json::json;

use super::closing::{self, OfDeleted, OfSuspended};
use crate::service::closing::{delete_tenant, restore_tenant, resume_tenant, suspend_tenant};
use crate::service::{self, Caller, Services, connections};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a tenant; its slug is made from the name
    Create {
        /// Name for people; letters and digits of it become the slug
        name: String,
        /// Print JSON: {"id", "slug"}
        #[arg(long)]
        json: bool,
    },
    /// List all tenants
    List {
        /// Print JSON: {"items": [{"id", "slug", "name", "created", "state"}]}
        #[arg(long)]
        json: bool,
    },
    /// Suspend a tenant: nobody in it comes in until it is resumed
    Suspend {
        /// Its slug
        tenant: String,
        /// What becomes of its users beside that
        #[arg(long)]
        users: OfSuspended,
        /// Why; each of the users who are changed has it as the reason
        #[arg(long)]
        reason: Option<String>,
    },
    /// Resume a tenant, and let in again whom its suspension has suspended
    Resume {
        /// Its slug
        tenant: String,
    },
    /// Delete a tenant: nobody comes in and no token works any more
    Delete {
        /// Its slug
        tenant: String,
        /// What becomes of its users beside that
        #[arg(long)]
        users: OfDeleted,
        /// Its name, letter by letter
        #[arg(long, value_name = "NAME")]
        confirm: String,
    },
    /// Bring a tenant back that was deleted: suspended, until it is resumed
    Restore {
        /// Its slug
        tenant: String,
    },
    /// Tell whether a tenant works, and whom suspending or deleting it would be about
    Show {
        /// Its slug
        tenant: String,
    },
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create { name, json } => {
            let tenant = connections::create_tenant(&services, &name).await?;
            if json {
                println!("{}", json!({"id": tenant.id, "slug": tenant.slug}));
            } else {
                println!(
                    "tenant `{}` is there; next: muster connection create --tenant {} --name okta",
                    tenant.slug, tenant.slug
                );
            }
        }
        Command::List { json } => {
            let tenants = connections::list_tenants(&services).await?;
            if json {
                let items: Vec<_> = tenants
                    .iter()
                    .map(|t| json!({"id": t.id, "slug": t.slug, "name": t.name, "created": t.created.rfc3339(), "state": t.state}))
                    .collect();
                println!("{}", json!({"items": items}));
            } else {
                for t in &tenants {
                    println!("{:24} {:12} {}", t.slug, t.state, t.name);
                }
            }
        }
        Command::Suspend { tenant, users, reason } => {
            let caller = operator(&services, &tenant).await?;
            let shown = suspend_tenant(&services, &caller, closing::asked(users, reason)).await?;
            closing::finished(&services, &caller, shown).await?;
        }
        Command::Resume { tenant } => {
            let caller = operator(&services, &tenant).await?;
            let shown = resume_tenant(&services, &caller).await?;
            closing::finished(&services, &caller, shown).await?;
        }
        Command::Delete { tenant, users, confirm } => {
            let caller = operator(&services, &tenant).await?;
            let shown = delete_tenant(&services, &caller, &confirm, closing::asked(users, None)).await?;
            closing::finished(&services, &caller, shown).await?;
        }
        Command::Restore { tenant } => {
            let caller = operator(&services, &tenant).await?;
            closing::told(&restore_tenant(&services, &caller).await?);
        }
        Command::Show { tenant } => {
            let caller = operator(&services, &tenant).await?;
            closing::told(&service::closing::tenant(&services, &caller).await?);
        }
    }
    Ok(())
}

async fn operator(services: &Services, tenant: &str) -> anyhow::Result<Caller> {
    Ok(Caller::operator(services, tenant, "cli").await?)
}
