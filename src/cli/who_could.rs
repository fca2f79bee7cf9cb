//! `muster who-could`: who could do something at an instant.

use clap::Args;

use super::history::{print, unknown};
use super::instant::Past;
use crate::service::access::page::{MAX_ITEMS, Paging};
use crate::service::history::{self, Asked, Incomplete, Place};
use crate::service::{Caller, Services};

/// What is asked.
#[derive(Debug, Args)]
pub(super) struct WhoCould {
    /// Key of a permission, e.g. `record.edit`
    permission: String,
    /// Id of a scope; without it, the organisation as a whole
    #[arg(long)]
    scope: Option<String>,
    /// A record instead of a scope, as `kind:id`
    #[arg(long, value_name = "KIND:ID", conflicts_with = "scope")]
    record: Option<String>,
    /// The instant, such as `2026-01-31T12:00:00Z`
    #[arg(long, value_name = "INSTANT")]
    as_of: Past,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
}

pub(super) async fn run(services: Services, asked: WhoCould) -> anyhow::Result<()> {
    let caller = Caller::operator(&services, &asked.tenant, "cli").await?;
    let place = match (asked.scope, &asked.record) {
        (Some(scope), _) => Place::Scope(scope),
        (None, Some(record)) => {
            let (kind, id) = record.split_once(':').unwrap_or((record, ""));
            Place::Record {
                kind: kind.to_owned(),
                id: id.to_owned(),
            }
        }
        (None, None) => Place::Organisation,
    };
    let question = Asked {
        permission: asked.permission,
        place,
        at: Some(asked.as_of.0),
    };
    let mut paging = Paging {
        after: None,
        limit: Some(MAX_ITEMS),
    };
    let mut incomplete = Incomplete::default();
    loop {
        let found = history::who_could(&services, &caller, &question, &paging).await?;
        for able in found.page.items {
            println!("{} {} {}", able.user.id, able.user_name, able.user.name);
        }
        incomplete = incomplete.and(found.incomplete);
        if found.page.next.is_none() {
            print(unknown(&incomplete));
            return Ok(());
        }
        paging.after = found.page.next;
    }
}
