//! Waiting until a change of a rule is in force, or is given up.

use std::time::Duration;

use crate::service::access::rules::enter::resume;
use crate::service::access::rules::shown::{Progress, find_again};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::rules::StoredRule;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(500);

/// How long somebody waits for a rule to be in force, and who is told meanwhile.
pub struct Patience<'a> {
    /// For one rule.
    pub most: Duration,
    /// Hears the name of the rule and how far it is, about twice a second.
    pub tell: &'a (dyn Fn(&str, Progress) + Send + Sync),
}

/// The rule when nothing of it is being prepared any more.
pub(super) async fn settled(
    services: &Services,
    caller: &Caller,
    id: &str,
    patience: &Patience<'_>,
) -> Result<StoredRule> {
    let waited = tokio::time::timeout(patience.most, async {
        tokio::select! {
            settled = watched(services, caller, id, patience) => settled,
            fault = tended(services) => Err(fault),
        }
    });
    if let Ok(settled) = waited.await {
        return settled;
    }
    let rule = find_again(services, caller, id).await?;
    let far = rule.progress.map_or_else(String::new, |progress| {
        format!(", {} of {} users were looked at", progress.done, progress.total)
    });
    Err(Error::conflict(format!(
        "rule `{}` is still coming into force{far}: nobody waits longer, what comes after it in the file is not read in",
        rule.name
    )))
}

async fn watched(services: &Services, caller: &Caller, id: &str, patience: &Patience<'_>) -> Result<StoredRule> {
    let reader = services.read(caller);
    loop {
        let row = reader.rules().find(id).await?.ok_or(Error::NotFound)?;
        if row.preparing.is_none() {
            return Ok(row);
        }
        if let Some(progress) = find_again(services, caller, id).await?.progress {
            (patience.tell)(&row.name, progress);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Takes up what a server left behind that stopped: there may be no other one that would. Ends by a failure alone.
async fn tended(services: &Services) -> Error {
    loop {
        if let Err(fault) = resume(services).await {
            return fault;
        }
        tokio::time::sleep(EVERY).await;
    }
}
