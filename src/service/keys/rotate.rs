//! Another key in the place of one that signs.

use serde_json::json;

use super::signing::{self, Purpose};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::{self, Thing, What};
use crate::service::{connections, provision::attempt::attempts};

/// Has another key sign from now on, as the operator; gives its id. The one until now stays known for what it signed.
///
/// Each log says by itself where it is signed by another key from then on. Of a key that signs no log this tells all logs.
///
/// # Errors
/// A database that does not answer.
pub async fn rotate(services: &Services, purpose: Purpose) -> Result<String> {
    let (before, kid) = signing::succeed(services, purpose).await?;
    if purpose != Purpose::Log {
        tell(services, purpose, (&before, &kid)).await?;
    }
    Ok(kid)
}

async fn tell(services: &Services, purpose: Purpose, (before, kid): (&str, &str)) -> Result<()> {
    let data = json!({ "purpose": purpose.as_str(), "key": kid, "before": before });
    for tenant in connections::list_tenants(services).await? {
        let operator = Caller::operator(services, &tenant.slug, "cli").await?;
        attempts(|| {
            let (services, operator, kid, data) = (services.clone(), operator.clone(), kid.to_owned(), data.clone());
            async move {
                let mut unit = services.begin(&operator).await?;
                let subject = ledger::thing(Thing::Key, &kid);
                ledger::note(
                    &mut unit,
                    &operator,
                    services.clock().now(),
                    (What::KeyRotated, subject),
                    &data,
                );
                Ok(unit.save().await?)
            }
        })
        .await?;
    }
    Ok(())
}
