//! `muster owner`: who owns a tenant.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::BufRead as _;

use crate::service::access::ownership;
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show who owns a tenant
    Show {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON: `{"owner": {"id", "name"} | null}`
        #[arg(long)]
        json: bool,
    },
    /// Make a user the owner: the first one, or in an emergency another one
    ///
    /// A tenant has at most one owner: before the first, anybody active can be made it. After that the owner hands over,
    /// in Muster or by `POST /api/v1/ownership`, and the owner until then becomes an admin. Only when the owner cannot,
    /// the operator does, with --break-glass: the reason goes into the history of the tenant and into the log.
    #[command(after_help = "Examples:\n  \
        muster owner set --tenant acme ada@acme.test\n  \
        muster owner set --tenant acme bob@acme.test --break-glass \"ada has left the company\"")]
    Set(Set),
}

/// Who is to be the owner.
#[derive(Debug, Args)]
pub(super) struct Set {
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Id or userName of an active user
    user: String,
    /// Take ownership from who has it now, for this reason
    #[arg(long, value_name = "REASON")]
    break_glass: Option<String>,
    /// Do not ask for a second confirmation of --break-glass
    #[arg(long, requires = "break_glass")]
    yes: bool,
    /// Print JSON: `{"owner": {"id", "name"}, "former": {"id", "name"} | null}`
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show { tenant, json } => {
            let caller = Caller::operator(&services, &tenant, "cli").await?;
            let owner = ownership::find(&services, &caller).await?.owner;
            match owner {
                owner if json => {
                    let owner = owner.map(|owner| json!({"id": owner.id, "name": owner.name}));
                    println!("{}", json!({ "owner": owner }));
                }
                Some(owner) => println!("{}  {}", owner.id, owner.name),
                None => println!("nobody yet; make the first owner with: muster owner set --tenant {tenant} USER"),
            }
            Ok(())
        }
        Command::Set(set) => self::set(&services, &set).await,
    }
}

async fn set(services: &Services, set: &Set) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &set.tenant, "cli").await?;
    let user = ownership::candidate(services, &caller, &set.user).await?;
    let owner = ownership::find(services, &caller).await?.owner;
    match (&owner, &set.break_glass) {
        (Some(owner), None) => bail!(
            "`{}` owns this tenant and hands over by `POST /api/v1/ownership`; if they cannot, say why with --break-glass REASON",
            owner.name
        ),
        (Some(owner), Some(_)) if !set.yes => confirm(&owner.name, &user.name)?,
        _ => {}
    }
    let made = ownership::transfer(services, &caller, &user.id, set.break_glass.as_deref()).await?;
    let former = made.former.as_ref();
    if set.json {
        let former = former.map(|former| json!({"id": former.id, "name": former.name}));
        println!(
            "{}",
            json!({"owner": {"id": user.id, "name": user.name}, "former": former})
        );
        return Ok(());
    }
    println!("`{}` owns the tenant `{}`", user.name, set.tenant);
    if let Some(former) = former {
        println!("`{}` owned it until now, and is an admin", former.name);
    }
    Ok(())
}

/// Has the name of the next owner typed.
fn confirm(owner: &str, next: &str) -> anyhow::Result<()> {
    eprintln!("this takes ownership from `{owner}` and is written into the history");
    eprintln!("type `{next}` to confirm:");
    let mut typed = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut typed)
        .context("the confirmation could not be read")?;
    if typed.trim() == next {
        Ok(())
    } else {
        bail!("not confirmed: nothing was changed")
    }
}
