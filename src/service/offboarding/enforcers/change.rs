//! Changes what an enforcer is: its name, where it is called, its secrets, how long it is given.

use serde_json::json;

use super::create::{check_name, check_url, seconds, taken};
use super::shown::{Enforcer, Probing, find, of, row};
use crate::base::id::ResourceId;
use crate::service::access::authority::{INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::delivery::secrets::Secrets;
use crate::service::delivery::webhooks::NewSecret;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::runs::enforcers::{Enforcer as Row, State};

/// What an enforcer is to be; nothing given stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Unique in the organisation.
    pub name: Option<String>,
    /// Where it is told to end everything of a person.
    pub url: Option<String>,
    /// How it is known that it has nothing open.
    pub probing: Option<Probing>,
    /// How long it is given, in seconds, in runs that are opened from then on; as long as all are where it is none.
    pub deadline_s: Option<Option<u64>>,
}

/// Changes an enforcer. What waits for it is asked for at once where it is now.
///
/// # Errors
/// `Forbidden`, `NotFound`; a name that is none or is taken, a URL that may not be connected to.
pub async fn change(services: &Services, caller: &Caller, id: &str, asked: Asked) -> Result<Enforcer> {
    require(services, caller, &[INTEGRATIONS]).await?;
    if let Some(name) = &asked.name {
        check_name(name)?;
    }
    if let Some(url) = &asked.url {
        check_url(services, "/url", url)?;
    }
    if let Some(probe) = asked.probing.as_ref().and_then(Probing::url) {
        check_url(services, "/probe", probe)?;
    }
    if let Some(Some(lasts)) = asked.deadline_s {
        seconds("/deadline_s", lasts)?;
    }
    let changing = Changing {
        id: ResourceId::new(id),
        to: To::Asked(asked),
    };
    perform(services, caller, changing).await?;
    find(services, caller, id).await
}

/// Gives an enforcer a new secret; requests are signed with the old ones, too, for a day.
///
/// # Errors
/// `Forbidden`, `NotFound`; too many secrets that count.
pub async fn add_secret(services: &Services, caller: &Caller, id: &str) -> Result<NewSecret> {
    let row = row(services, caller, id).await?;
    let tenant = services.tenant_uid(caller).await?;
    let mut secrets = Secrets::open(services, of(&tenant, id), &row.sealed)?;
    let (secret_id, secret) = secrets.add(services, services.clock().now())?;
    reseal(services, caller, row, secrets.seal(services, of(&tenant, id))?).await?;
    Ok(NewSecret { id: secret_id, secret })
}

/// Ends a secret that has a successor, before its day is over.
///
/// # Errors
/// `Forbidden`, `NotFound`; the newest secret.
pub async fn end_secret(services: &Services, caller: &Caller, id: &str, secret: &str) -> Result<()> {
    let row = row(services, caller, id).await?;
    let tenant = services.tenant_uid(caller).await?;
    let mut secrets = Secrets::open(services, of(&tenant, id), &row.sealed)?;
    secrets.end(secret, services.clock().now())?;
    reseal(services, caller, row, secrets.seal(services, of(&tenant, id))?).await
}

async fn reseal(services: &Services, caller: &Caller, row: Row, sealed: String) -> Result<()> {
    let changing = Changing {
        id: row.uid.clone(),
        to: To::Sealed(Box::new(row), sealed),
    };
    perform(services, caller, changing).await
}

enum To {
    /// What somebody asked for.
    Asked(Asked),
    /// Other secrets than those of the enforcer as it was read.
    Sealed(Box<Row>, String),
}

struct Changing {
    id: ResourceId,
    to: To,
}

impl Change for Changing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.enforcers().find(&self.id).await?;
        let mut before = found.ok_or(Error::NotFound)?;
        let mut after = before.clone();
        match &self.to {
            To::Asked(asked) => {
                after.name = asked.name.clone().unwrap_or(after.name);
                after.url = asked.url.clone().unwrap_or(after.url);
                if let Some(probing) = &asked.probing {
                    after.probe = probing.url().map(str::to_owned);
                }
                if let Some(lasts) = asked.deadline_s {
                    after.deadline_s = lasts.map(|lasts| seconds("/deadline_s", lasts)).transpose()?;
                }
            }
            To::Sealed(read, sealed) => {
                before.sealed.clone_from(&read.sealed);
                after.sealed.clone_from(sealed);
            }
        }
        let attributes: Vec<&str> = [
            ("name", before.name != after.name),
            ("url", before.url != after.url),
            ("probe", before.probe != after.probe),
            ("secrets", before.sealed != after.sealed),
            ("deadline_s", before.deadline_s != after.deadline_s),
        ]
        .into_iter()
        .filter_map(|(name, changed)| changed.then_some(name))
        .collect();
        if attributes.is_empty() {
            return Ok(());
        }
        let changed = desk.unit.enforcers().change(&before, &after).await;
        changed.map_err(|fault| taken(fault, &after.name))?;
        if after.state == State::Active && (before.url != after.url || before.probe != after.probe) {
            let anew = before.url != after.url;
            desk.unit.enforcers().ask_elsewhere(after.id, anew, desk.now);
        }
        let data = json!({ "attributes": attributes, "probes": after.probe.is_some() });
        desk.note(What::EnforcerChanged, ledger::thing(Thing::Enforcer, &self.id), &data);
        Ok(())
    }
}
