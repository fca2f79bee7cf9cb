//! `muster tenant`: customer organisations.

use clap::Subcommand;
use serde_json::json;

use crate::service::{Services, connections};

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
        /// Print JSON: {"items": [{"id", "slug", "name", "created"}]}
        #[arg(long)]
        json: bool,
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
                    .map(|t| json!({"id": t.id, "slug": t.slug, "name": t.name, "created": t.created.rfc3339()}))
                    .collect();
                println!("{}", json!({"items": items}));
            } else {
                for t in &tenants {
                    println!("{:24} {}", t.slug, t.name);
                }
            }
        }
    }
    Ok(())
}
