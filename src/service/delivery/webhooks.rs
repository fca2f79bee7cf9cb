//! Webhooks: made, shown, changed, paused, tried, removed.

use serde_json::json;
use url::Url;

use super::passed;
use super::secrets::{Of, Secrets};
use super::unreadable::{self, UNREADABLE};
use super::wanted::Wanted;
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::base::secret::Secret;
use crate::event::{Event, SubjectKind};
use crate::service::access::authority::{INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::page::{Page, Paging};
use crate::service::connections::{MAX_NAME_CHARS, is_name};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, What};
use crate::service::log;
use crate::store;
use crate::store::delivery::deliveries::Counts;
use crate::store::delivery::receivers::{Family, Kind, New, Receiver};
use crate::store::error::Unique;

/// Most receivers of one organisation.
pub(super) const MAX_RECEIVERS: i64 = 100;

/// Longest URL, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// A webhook as it is shown: never its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// Unique in the organisation.
    pub name: String,
    /// Where it listens.
    pub url: String,
    /// Kinds of events; all of them when empty.
    pub kinds: Vec<String>,
    /// `active`, `failing` or `paused`.
    pub state: &'static str,
    /// Why it is paused: `asked`, `gone` or `failing`.
    pub reason: Option<String>,
    /// Since when nothing gets through.
    pub failing_since: Option<Timestamp>,
    /// When it is tried next, where nothing gets through.
    pub next_try: Option<Timestamp>,
    /// When something last got through.
    pub last_success: Option<Timestamp>,
    /// Every event up to here was sent, or is one of the deliveries that are counted here.
    pub position: i64,
    /// Deliveries to be tried again, behind one of these, and given up.
    pub deliveries: (i64, i64, i64),
    /// Its secrets that count: id, when made, when it ends.
    pub secrets: Vec<(String, Timestamp, Option<Timestamp>)>,
    /// When it was made.
    pub created: Timestamp,
}

/// What a webhook is to be; nothing given stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Unique in the organisation.
    pub name: Option<String>,
    /// Where it listens.
    pub url: Option<String>,
    /// Kinds of events.
    pub kinds: Option<Vec<String>>,
}

/// A secret that was just made.
pub struct NewSecret {
    /// Its id.
    pub id: String,
    /// `whsec_…`, never to be seen again.
    pub secret: Secret<String>,
}

/// The webhooks of the organisation, oldest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Webhook>> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let reader = services.read(caller);
    let rows = reader
        .receivers()
        .list(Family::Webhooks, paging.after()?, paging.rows())
        .await?;
    let counts = reader.deliveries().counts().await?;
    let tenant = services.tenant_uid(caller).await?;
    let page = paging.cut(rows, |row| row.id);
    let items = page.items.into_iter().map(|row| shown(services, &tenant, row, &counts));
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next: page.next,
    })
}

/// The webhook of this id.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Webhook> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let reader = services.read(caller);
    let row = reader
        .receivers()
        .find(Family::Webhooks, &ResourceId::new(id))
        .await?
        .ok_or(Error::NotFound)?;
    let counts = reader.deliveries().counts().await?;
    shown(services, &services.tenant_uid(caller).await?, row, &counts)
}

fn shown(services: &Services, tenant: &str, row: Receiver, counts: &[(i64, Counts)]) -> Result<Webhook> {
    let of = Of {
        tenant,
        receiver: row.uid.as_str(),
    };
    // One that does not open is shown all the same: else it could not be found and removed.
    let (secrets, reason) = match Secrets::open(services, of, &row.sealed) {
        Err(fault) if unreadable::is_damage(&fault) => (Secrets::default(), Some(UNREADABLE.to_owned())),
        other => (other?, row.health.reason),
    };
    let counted = counts.iter().find(|(id, _)| *id == row.id);
    let counted = counted.map(|(_, counts)| *counts).unwrap_or_default();
    Ok(Webhook {
        secrets: secrets
            .shown(services.clock().now())
            .map(|one| (one.id.clone(), Timestamp(one.created), one.ends.map(Timestamp)))
            .collect(),
        kinds: Wanted::read(&row.settings)?.kinds,
        id: row.uid.into_string(),
        name: row.name,
        url: row.url,
        state: row.health.state.as_str(),
        reason,
        failing_since: row.health.failing_since,
        next_try: row.health.next_try,
        last_success: row.health.last_success,
        position: row.cursor.0,
        deliveries: (counted.waiting, counted.behind, counted.dead),
        created: row.created,
    })
}

/// Makes a webhook, which is sent what happens from now on. Gives its id and its secret.
///
/// # Errors
/// `Forbidden`; a name that is none or is taken, a URL that may not be connected to, a kind that does not exist.
pub async fn create(services: &Services, caller: &Caller, asked: Asked) -> Result<(Webhook, NewSecret)> {
    require(services, caller, &[INTEGRATIONS]).await?;
    check(services, &asked)?;
    let missing = |name: &str| Error::invalid(format!("/{name}"), format!("`{name}` is missing"));
    let id = services.ids().next();
    let tenant = services.tenant_uid(caller).await?;
    let mut secrets = Secrets::default();
    let (secret_id, secret) = secrets.add(services, services.clock().now())?;
    let of = Of {
        tenant: &tenant,
        receiver: id.as_str(),
    };
    let making = Making {
        name: asked.name.ok_or_else(|| missing("name"))?,
        url: asked.url.ok_or_else(|| missing("url"))?,
        sealed: secrets.seal(services, of)?,
        settings: Wanted {
            kinds: asked.kinds.unwrap_or_default(),
        }
        .text()?,
        id,
    };
    let made = perform(services, caller, making).await?;
    let secret = NewSecret { id: secret_id, secret };
    Ok((shown(services, &tenant, made, &[])?, secret))
}

fn check(services: &Services, asked: &Asked) -> Result<()> {
    check_name(asked.name.as_deref())?;
    check_url(services, asked.url.as_deref())?;
    let wanted = asked.kinds.clone().map(|kinds| Wanted { kinds });
    wanted.map_or(Ok(()), |wanted| wanted.check())
}

/// Refuses what can be no name of a receiver.
pub(super) fn check_name(name: Option<&str>) -> Result<()> {
    if name.is_some_and(|name| !is_name(name)) {
        let reason = format!("the name of a receiver has 1 to {MAX_NAME_CHARS} characters");
        return Err(Error::invalid("/name", reason));
    }
    Ok(())
}

/// Refuses where nothing may be sent, as far as can be told without looking up its name.
pub(super) fn check_url(services: &Services, url: Option<&str>) -> Result<()> {
    let Some(text) = url else { return Ok(()) };
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL_BYTES);
    let url = url.ok_or_else(|| Error::invalid("/url", "this is no URL, or it is too long"))?;
    let refused = services.guard().check(&url);
    refused.map_err(|refused| Error::invalid("/url", refused.to_string()))
}

/// A name that another receiver has, by what the store says.
pub(super) fn taken(fault: store::Error, name: &str) -> Error {
    match fault {
        store::Error::Taken(Unique::ReceiverName) => {
            let reason = format!("there is a receiver `{name}` already");
            Error::Conflict(Refusal::new(reason).at("/name"))
        }
        other => other.into(),
    }
}

struct Making {
    id: ResourceId,
    name: String,
    url: String,
    sealed: String,
    settings: String,
}

impl Change for Making {
    type Made = Receiver;

    async fn make(&self, desk: &mut Desk) -> Result<Receiver> {
        if desk.unit.receivers().count().await? >= MAX_RECEIVERS {
            return Err(Error::conflict(format!("there are at most {MAX_RECEIVERS} receivers")));
        }
        let new = New {
            uid: &self.id,
            kind: Kind::Webhook,
            name: &self.name,
            url: &self.url,
            sealed: &self.sealed,
            settings: &self.settings,
            token_hash: None,
            created: desk.now,
        };
        let made = desk.unit.receivers().create(new).await;
        let made = made.map_err(|fault| taken(fault, &self.name))?;
        let data = json!({ "receiver": self.id.as_str(), "name": self.name });
        desk.note(
            What::ReceiverCreated,
            ledger::thing(SubjectKind::Receiver, &self.id),
            &data,
        );
        Ok(made)
    }
}

/// Changes a webhook. What is on its way to the old address may still arrive there.
///
/// # Errors
/// `Forbidden`, `NotFound`; as [`create`].
pub async fn change(services: &Services, caller: &Caller, id: &str, asked: Asked) -> Result<Webhook> {
    require(services, caller, &[INTEGRATIONS]).await?;
    check(services, &asked)?;
    log::settled(services, caller).await?;
    let changing = Changing {
        id: ResourceId::new(id),
        to: To::Asked(asked),
    };
    perform(services, caller, changing).await?;
    find(services, caller, id).await
}

/// Gives a webhook a new secret; what is sent is signed with the old ones, too, for a day.
///
/// # Errors
/// `Forbidden`, `NotFound`; too many secrets that count.
pub async fn add_secret(services: &Services, caller: &Caller, id: &str) -> Result<NewSecret> {
    let row = receiver(services, caller, id).await?;
    let tenant = services.tenant_uid(caller).await?;
    let of = Of {
        tenant: &tenant,
        receiver: id,
    };
    let mut secrets = Secrets::open(services, of, &row.sealed)?;
    let (secret_id, secret) = secrets.add(services, services.clock().now())?;
    let sealed = secrets.seal(services, of)?;
    reseal(services, caller, row, sealed).await?;
    Ok(NewSecret { id: secret_id, secret })
}

/// Ends a secret that has a successor, before its day is over.
///
/// # Errors
/// `Forbidden`, `NotFound`; the newest secret.
pub async fn end_secret(services: &Services, caller: &Caller, id: &str, secret: &str) -> Result<()> {
    let row = receiver(services, caller, id).await?;
    let tenant = services.tenant_uid(caller).await?;
    let of = Of {
        tenant: &tenant,
        receiver: id,
    };
    let mut secrets = Secrets::open(services, of, &row.sealed)?;
    secrets.end(secret, services.clock().now())?;
    let sealed = secrets.seal(services, of)?;
    reseal(services, caller, row, sealed).await
}

async fn receiver(services: &Services, caller: &Caller, id: &str) -> Result<Receiver> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let row = services
        .read(caller)
        .receivers()
        .find(Family::Webhooks, &ResourceId::new(id))
        .await?;
    row.ok_or(Error::NotFound)
}

async fn reseal(services: &Services, caller: &Caller, row: Receiver, sealed: String) -> Result<()> {
    let changing = Changing {
        id: row.uid.clone(),
        to: To::Sealed(Box::new(row), sealed),
    };
    perform(services, caller, changing).await
}

enum To {
    /// What somebody asked for.
    Asked(Asked),
    /// Other secrets than those of the receiver as it was read.
    Sealed(Box<Receiver>, String),
}

struct Changing {
    id: ResourceId,
    to: To,
}

impl Change for Changing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.receivers().find(Family::Webhooks, &self.id).await?;
        let mut before = found.ok_or(Error::NotFound)?;
        let mut after = before.clone();
        let mut attributes = Vec::new();
        match &self.to {
            To::Asked(asked) => {
                if let Some(name) = asked.name.as_ref().filter(|name| **name != before.name) {
                    after.name.clone_from(name);
                    attributes.push("name");
                }
                if let Some(url) = asked.url.as_ref().filter(|url| **url != before.url) {
                    after.url.clone_from(url);
                    attributes.push("url");
                }
                let settings = asked.kinds.clone().map(|kinds| Wanted { kinds }.text()).transpose()?;
                if let Some(settings) = settings.filter(|settings| *settings != before.settings) {
                    after.settings = settings;
                    attributes.push("kinds");
                }
            }
            To::Sealed(read, sealed) => {
                before.sealed.clone_from(&read.sealed);
                after.sealed.clone_from(sealed);
                attributes.push("secrets");
            }
        }
        if attributes.is_empty() {
            return Ok(());
        }
        let wanted = Wanted::read(&before.settings)?;
        let told = |event: &Event| wanted.sends(self.id.as_str(), event);
        passed::change(desk, &before, after, told).await?;
        let data = json!({ "attributes": attributes });
        desk.note(
            What::ReceiverChanged,
            ledger::thing(SubjectKind::Receiver, &self.id),
            &data,
        );
        Ok(())
    }
}
