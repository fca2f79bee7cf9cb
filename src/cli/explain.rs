//! `muster explain`: why a user may do something, or why not.

use clap::Args;

use crate::service::access::decide::Resource;
use crate::service::access::{explain, scopes};
use crate::service::{Caller, Services};

/// What is to be explained.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Id or userName of the user
    user: String,
    /// Key of a permission, e.g. `record.edit`; without it, everything they may do
    permission: Option<String>,
    /// Id or name of a scope; without it, the organisation as a whole
    scope: Option<String>,
    /// A record instead of a scope, as `kind:id`
    #[arg(long, value_name = "KIND:ID", conflicts_with = "scope")]
    record: Option<String>,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
}

pub(super) async fn run(services: Services, asked: Explain) -> anyhow::Result<()> {
    let caller = Caller::operator(&services, &asked.tenant, "cli").await?;
    let on = match (&asked.scope, &asked.record) {
        (Some(scope), _) => Some(Resource::Scope(scopes::named(&services, &caller, scope).await?)),
        (None, Some(record)) => {
            let (kind, id) = record.split_once(':').unwrap_or((record, ""));
            Some(explain::record(kind, id))
        }
        (None, None) => None,
    };
    let told = explain::explain(
        &services,
        &caller,
        &asked.user,
        asked.permission.as_deref(),
        on.as_ref(),
    )
    .await?;
    println!("{}", told.explanation);
    Ok(())
}
