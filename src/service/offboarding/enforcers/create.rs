//! A new enforcer, which has a step in every run that is opened from now on.

use serde_json::json;
use url::Url;

use super::shown::{Enforcer, Probing, of, shown};
use crate::service::access::authority::{INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::settings::check_deadline;
use crate::service::connections::{MAX_NAME_CHARS, is_name};
use crate::service::context::{Caller, Services};
use crate::service::delivery::secrets::Secrets;
use crate::service::delivery::webhooks::NewSecret;
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::offboarding::account::ACCOUNT_TOKENS;
use crate::store;
use crate::store::error::Unique;
use crate::store::runs::enforcers::{Enforcer as Row, State};

/// Most enforcers of one organisation: each is called for everybody whose account ends.
const MAX_ENFORCERS: i64 = 50;

/// Longest URL, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// Names of steps that are Muster's own, now or one day.
const OWN: [&str; 2] = [ACCOUNT_TOKENS, "sessions"];

/// An enforcer to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnforcer {
    /// Unique in the organisation.
    pub name: String,
    /// Where it is told to end everything of a person.
    pub url: String,
    /// How it is known that it has nothing open.
    pub probing: Probing,
    /// How long it is given, in seconds; as long as all are where nobody says.
    pub deadline_s: Option<u64>,
}

/// Makes an enforcer. Gives it and its secret.
///
/// # Errors
/// `Forbidden`; a name that is none or is taken, a URL that may not be connected to.
pub async fn create(services: &Services, caller: &Caller, new: NewEnforcer) -> Result<(Enforcer, NewSecret)> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let NewEnforcer {
        name,
        url,
        probing,
        deadline_s,
    } = new;
    check_name(&name)?;
    check_url(services, "/url", &url)?;
    let probe = probing.url().map(str::to_owned);
    if let Some(probe) = &probe {
        check_url(services, "/probe", probe)?;
    }
    let deadline_s = deadline_s.map(|lasts| seconds("/deadline_s", lasts)).transpose()?;
    let (id, now) = (services.ids().next(), services.clock().now());
    let tenant = services.tenant_uid(caller).await?;
    let mut secrets = Secrets::default();
    let (secret_id, secret) = secrets.add(services, now)?;
    let making = Making(Row {
        id: 0,
        sealed: secrets.seal(services, of(&tenant, id.as_str()))?,
        uid: id,
        name,
        url,
        probe,
        state: State::Active,
        test_due: None,
        tested: None,
        created: now,
        deadline_s,
    });
    let made = perform(services, caller, making).await?;
    let secret = NewSecret { id: secret_id, secret };
    Ok((shown(services, &tenant, made, &[])?, secret))
}

/// How long an enforcer is given, as it is stored.
///
/// # Errors
/// Less or more than enforcers can be given.
pub(super) fn seconds(pointer: &str, lasts: u64) -> Result<i64> {
    check_deadline(pointer, lasts)?;
    i64::try_from(lasts).map_err(|fault| Error::Internal(Box::new(fault)))
}

/// Refuses what cannot be the name of an enforcer.
pub(super) fn check_name(name: &str) -> Result<()> {
    if !is_name(name) {
        let reason = format!("the name of an enforcer has 1 to {MAX_NAME_CHARS} characters");
        return Err(Error::invalid("/name", reason));
    }
    if OWN.contains(&name) {
        let reason = format!("`{name}` is the name of a step of Muster itself");
        return Err(Error::invalid("/name", reason));
    }
    Ok(())
}

/// Refuses what is no URL, or may not be connected to.
pub(super) fn check_url(services: &Services, pointer: &str, text: &str) -> Result<()> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL_BYTES);
    let url = url.ok_or_else(|| Error::invalid(pointer, "this is no URL, or it is too long"))?;
    let permitted = services.guard().check(&url);
    permitted.map_err(|refused| Error::invalid(pointer, refused.to_string()))
}

/// A name that another enforcer has, by what the store says.
pub(super) fn taken(fault: store::Error, name: &str) -> Error {
    match fault {
        store::Error::Taken(Unique::EnforcerName) => {
            let reason = format!("there is an enforcer `{name}` already");
            Error::Conflict(Refusal::new(reason).at("/name"))
        }
        other => other.into(),
    }
}

struct Making(Row);

impl Change for Making {
    type Made = Row;

    async fn make(&self, desk: &mut Desk) -> Result<Row> {
        if desk.unit.enforcers().count().await? >= MAX_ENFORCERS {
            return Err(Error::conflict(format!("there are at most {MAX_ENFORCERS} enforcers")));
        }
        let made = desk.unit.enforcers().create(&self.0).await;
        let made = made.map_err(|fault| taken(fault, &self.0.name))?;
        let data = json!({ "enforcer": self.0.uid.as_str(), "name": self.0.name, "probes": self.0.probe.is_some() });
        desk.note(
            What::EnforcerCreated,
            ledger::thing(Thing::Enforcer, &self.0.uid),
            &data,
        );
        Ok(made)
    }
}
