//! `muster invite`: several people are asked to come.

use clap::Args;
use serde_json::json;

use crate::service::invitations::{Asked, Told, invite};
use crate::service::{Caller, Services};

#[derive(Debug, Args)]
pub(super) struct Invite {
    /// Addresses, with commas between them
    emails: String,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Id of the role that each of them gets
    #[arg(long)]
    role: String,
    /// Id of the scope where it counts [default: all]
    #[arg(long)]
    scope: Option<String>,
    /// Print JSON: a list of `{"address", "result", "user", "invitation", "reason"}`
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(services: Services, asked: Invite) -> anyhow::Result<()> {
    let caller = Caller::operator(&services, &asked.tenant, "cli").await?;
    let to = Asked {
        emails: asked.emails,
        role: asked.role,
        scope: asked.scope,
    };
    let told = invite(&services, &caller, &to).await?;
    if asked.json {
        let items: Vec<_> = told.iter().map(|told| json!({"address": told.address, "result": told.came.as_str(), "user": told.user, "invitation": told.invitation, "reason": told.reason})).collect();
        println!("{}", json!(items));
        return Ok(());
    }
    for Told {
        address, came, reason, ..
    } in told
    {
        match reason {
            Some(reason) => println!("{address}  {}: {reason}", came.as_str()),
            None => println!("{address}  {}", came.as_str()),
        }
    }
    Ok(())
}
