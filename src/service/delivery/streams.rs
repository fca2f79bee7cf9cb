//! Streams of security event tokens: made, shown, changed. What is done with them as a whole, [`turn`](super::turn()) does.

use serde_json::json;
use url::Url;

use super::passed;
use super::secrets::{Authorization, Of};
use super::sets::Settings;
use super::unreadable::{self, UNREADABLE};
use super::webhooks::{MAX_RECEIVERS, check_name, check_url, taken};
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::base::secret::Secret;
use crate::event::SubjectKind;
use crate::event::set::SetEvent;
use crate::service::access::authority::{AUDIT, INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::credentials;
use crate::service::error::{Error, Result};
use crate::service::keys::{self, Purpose};
use crate::service::ledger::{self, What};
use crate::service::log;
use crate::store::delivery::deliveries::Counts;
use crate::store::delivery::receivers::{Family, Kind, New, Receiver};

/// Longest audience, in bytes.
const MAX_AUDIENCE_BYTES: usize = 2048;

/// Longest `Authorization` header, in bytes.
const MAX_AUTHORIZATION_BYTES: usize = 4096;

/// A stream as it is shown: never what it authenticates by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its id.
    pub id: String,
    /// Unique in the organisation.
    pub name: String,
    /// Where tokens are posted to; none of a stream that is polled.
    pub url: Option<String>,
    /// Whether an `Authorization` header is sent.
    pub authorized: bool,
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` of its tokens.
    pub audience: String,
    /// URIs of the events that it is told.
    pub events: Vec<String>,
    /// `active`, `failing` or `paused`.
    pub state: &'static str,
    /// Why it is paused.
    pub reason: Option<String>,
    /// Since when nothing gets through.
    pub failing_since: Option<Timestamp>,
    /// When it is tried next, where nothing gets through.
    pub next_try: Option<Timestamp>,
    /// When something last got through.
    pub last_success: Option<Timestamp>,
    /// Everything up to here got through, or is one of the deliveries that are counted here.
    pub position: i64,
    /// Deliveries to be tried again, behind one of these, and given up.
    pub deliveries: (i64, i64, i64),
    /// When it was made.
    pub created: Timestamp,
}

/// What a stream is to be; nothing given stays as it is.
#[derive(Clone, Default)]
pub struct Asked {
    /// Unique in the organisation.
    pub name: Option<String>,
    /// Where tokens are posted to.
    pub url: Option<String>,
    /// The `Authorization` header; taken away by `None` inside.
    pub authorization: Option<Option<Secret<String>>>,
    /// `aud`.
    pub audience: Option<String>,
    /// URIs of events.
    pub events: Option<Vec<String>>,
}

/// How a stream is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Tokens are posted to it (RFC 8935).
    Push,
    /// It fetches them (RFC 8936).
    Poll,
}

/// Whether the organisation has a stream: no secret, so that whoever it knows may ask.
///
/// # Errors
/// A database that does not answer.
pub async fn are_there(services: &Services, caller: &Caller) -> Result<bool> {
    let found = services.read(caller).receivers().list(Family::Streams, 0, 1).await?;
    Ok(!found.is_empty())
}

/// The streams of the organisation, oldest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Stream>> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let reader = services.read(caller);
    let rows = reader
        .receivers()
        .list(Family::Streams, paging.after()?, paging.rows())
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

/// The stream of this id.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Stream> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let reader = services.read(caller);
    let row = reader.receivers().find(Family::Streams, &ResourceId::new(id)).await?;
    let counts = reader.deliveries().counts().await?;
    shown(
        services,
        &services.tenant_uid(caller).await?,
        row.ok_or(Error::NotFound)?,
        &counts,
    )
}

fn shown(services: &Services, tenant: &str, row: Receiver, counts: &[(i64, Counts)]) -> Result<Stream> {
    let settings = Settings::read(&row.settings)?;
    let of = Of {
        tenant,
        receiver: row.uid.as_str(),
    };
    // One that does not open is shown all the same: else it could not be found and removed, or given another.
    let (authorized, reason) = match Authorization::open(services, of, &row.sealed) {
        Err(fault) if unreadable::is_damage(&fault) => (true, Some(UNREADABLE.to_owned())),
        other => (other?.header().is_some(), row.health.reason),
    };
    let counted = counts.iter().find(|(id, _)| *id == row.id);
    let counted = counted.map(|(_, counts)| *counts).unwrap_or_default();
    Ok(Stream {
        id: row.uid.into_string(),
        name: row.name,
        url: (row.kind == Kind::Push).then_some(row.url),
        authorized,
        issuer: settings.issuer,
        audience: settings.audience,
        events: settings.events,
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

/// Makes a stream, which is told what happens from now on, with tokens of this issuer. One that is polled is given the
/// token that it is polled with.
///
/// # Errors
/// `Forbidden`; a name that is none or is taken, a URL that may not be connected to, an event that does not exist.
pub async fn create(
    services: &Services,
    caller: &Caller,
    (delivery, issuer): (Delivery, String),
    asked: Asked,
) -> Result<(Stream, Option<Secret<String>>)> {
    require(services, caller, &[INTEGRATIONS]).await?;
    check(services, &asked)?;
    let id = services.ids().next();
    let (kind, token) = match delivery {
        Delivery::Push => (Kind::Push, None),
        Delivery::Poll => (Kind::Poll, Some(credentials::generate())),
    };
    check_delivery(kind, &asked)?;
    let missing = |name: &str| Error::invalid(format!("/{name}"), format!("`{name}` is missing"));
    let url = match kind {
        Kind::Push => asked.url.ok_or_else(|| missing("url"))?,
        Kind::Poll | Kind::Webhook => String::new(),
    };
    let usual = || SetEvent::USUAL.iter().map(|event| event.uri().to_owned()).collect();
    let settings = Settings {
        audience: asked.audience.unwrap_or_else(|| match kind {
            Kind::Push => url.clone(),
            Kind::Poll | Kind::Webhook => format!("{issuer}/events/v1/streams/{id}"),
        }),
        events: asked.events.unwrap_or_else(usual),
        issuer,
    };
    may_be_told(services, caller, &settings.events).await?;
    // Made now, so that its public half is known before the first token.
    keys::signer(services, Purpose::Set).await?;
    let tenant = services.tenant_uid(caller).await?;
    let of = Of {
        tenant: &tenant,
        receiver: id.as_str(),
    };
    let making = Making {
        name: asked.name.ok_or_else(|| missing("name"))?,
        sealed: Authorization::new(asked.authorization.flatten()).seal(services, of)?,
        settings: settings.text()?,
        token_hash: token.as_ref().map(|token| credentials::digest(token.expose())),
        kind,
        url,
        id,
    };
    let made = perform(services, caller, making).await?;
    Ok((shown(services, &tenant, made, &[])?, token))
}

/// Whoever decides where tokens go that hold values of people must be one who may read these in the log.
async fn may_be_told(services: &Services, caller: &Caller, events: &[String]) -> Result<()> {
    if events.iter().any(|uri| uri.ends_with(":full")) {
        require(services, caller, &[AUDIT]).await?;
    }
    Ok(())
}

fn check(services: &Services, asked: &Asked) -> Result<()> {
    check_name(asked.name.as_deref())?;
    check_url(services, asked.url.as_deref())?;
    let printable =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| (32..127).contains(&b));
    if asked
        .audience
        .as_ref()
        .is_some_and(|text| !printable(text, MAX_AUDIENCE_BYTES))
    {
        let reason =
            format!("an audience has 1 to {MAX_AUDIENCE_BYTES} printable ASCII characters; a URL is a good one");
        return Err(Error::invalid("/audience", reason));
    }
    let authorization = asked.authorization.iter().flatten();
    for secret in authorization {
        if !printable(secret.expose(), MAX_AUTHORIZATION_BYTES) {
            let reason =
                format!("a header has 1 to {MAX_AUTHORIZATION_BYTES} printable ASCII characters, such as `Bearer …`");
            return Err(Error::invalid("/authorization", reason));
        }
    }
    asked.events.as_deref().map_or(Ok(()), check_events)
}

/// A stream that is polled has no address, and nothing that it is posted to with.
fn check_delivery(kind: Kind, asked: &Asked) -> Result<()> {
    let given = [
        ("/url", asked.url.is_some()),
        (
            "/authorization",
            asked.authorization.as_ref().is_some_and(Option::is_some),
        ),
    ];
    let wrong = given.into_iter().find(|(_, given)| kind == Kind::Poll && *given);
    match wrong {
        Some((pointer, _)) => Err(Error::invalid(pointer, "a stream that is polled has none")),
        None => Ok(()),
    }
}

fn check_events(events: &[String]) -> Result<()> {
    if events.is_empty() {
        return Err(Error::invalid("/events", "a stream is told at least one event"));
    }
    let mut known = Vec::with_capacity(events.len());
    for (at, uri) in events.iter().enumerate() {
        let refuse = |reason: String| Err(Error::invalid(format!("/events/{at}"), reason));
        let Some(event) = SetEvent::parse(uri) else {
            return refuse("there is no event of this URI".to_owned());
        };
        if known.contains(&event) {
            return refuse("this event is there twice".to_owned());
        }
        let other = uri.strip_suffix(":full").map(|stem| format!("{stem}:notice"));
        let other = other.or_else(|| uri.strip_suffix(":notice").map(|stem| format!("{stem}:full")));
        if other.is_some_and(|other| events[..at].contains(&other)) {
            return refuse("what happens is told with values or without, not both".to_owned());
        }
        known.push(event);
    }
    Ok(())
}

struct Making {
    id: ResourceId,
    kind: Kind,
    name: String,
    url: String,
    sealed: String,
    settings: String,
    token_hash: Option<String>,
}

impl Change for Making {
    type Made = Receiver;

    async fn make(&self, desk: &mut Desk) -> Result<Receiver> {
        if desk.unit.receivers().count().await? >= MAX_RECEIVERS {
            return Err(Error::conflict(format!("there are at most {MAX_RECEIVERS} receivers")));
        }
        let new = New {
            uid: &self.id,
            kind: self.kind,
            name: &self.name,
            url: &self.url,
            sealed: &self.sealed,
            settings: &self.settings,
            token_hash: self.token_hash.as_deref(),
            created: desk.now,
        };
        let made = desk.unit.receivers().create(new).await;
        let made = made.map_err(|fault| taken(fault, &self.name))?;
        let data = json!({ "receiver": self.id.as_str(), "name": self.name });
        let subject = ledger::thing(SubjectKind::Receiver, &self.id);
        desk.note(What::ReceiverCreated, subject, &data);
        Ok(made)
    }
}

/// Changes a stream. What is on its way to the old address may still arrive there.
///
/// # Errors
/// `Forbidden`, `NotFound`; as [`create`].
pub async fn change(services: &Services, caller: &Caller, id: &str, asked: Asked) -> Result<Stream> {
    let before = find(services, caller, id).await?;
    may_be_told(services, caller, &before.events).await?;
    check(services, &asked)?;
    may_be_told(services, caller, asked.events.as_deref().unwrap_or_default()).await?;
    log::settled(services, caller).await?;
    let changing = Changing {
        id: ResourceId::new(id),
        asked,
    };
    perform(services, caller, changing).await?;
    find(services, caller, id).await
}

struct Changing {
    id: ResourceId,
    asked: Asked,
}

/// Whether two URLs are of the same server: scheme, host and port.
fn same_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    one == other || origin(one).is_some_and(|one| origin(other) == Some(one))
}

impl Change for Changing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.receivers().find(Family::Streams, &self.id).await?;
        let before = found.ok_or(Error::NotFound)?;
        check_delivery(before.kind, &self.asked)?;
        let (after, attributes) = self.changed(desk, &before).await?;
        if attributes.is_empty() {
            return Ok(());
        }
        let stream = Settings::read(&before.settings)?.stream(self.id.as_str());
        passed::change(desk, &before, after, |event| stream.tells(event)).await?;
        let subject = ledger::thing(SubjectKind::Receiver, &self.id);
        desk.note(What::ReceiverChanged, subject, &json!({ "attributes": attributes }));
        Ok(())
    }
}

impl Changing {
    /// What the stream becomes, and names of what differs.
    async fn changed(&self, desk: &Desk, before: &Receiver) -> Result<(Receiver, Vec<&'static str>)> {
        let mut after = before.clone();
        let mut settings = Settings::read(&before.settings)?;
        let mut attributes = Vec::new();
        let mut set = |name: &'static str, is: &mut String, to: Option<&String>| {
            if let Some(to) = to.filter(|to| *to != is) {
                is.clone_from(to);
                attributes.push(name);
            }
        };
        set("name", &mut after.name, self.asked.name.as_ref());
        set("url", &mut after.url, self.asked.url.as_ref());
        set("audience", &mut settings.audience, self.asked.audience.as_ref());
        if let Some(events) = self.asked.events.as_ref().filter(|events| **events != settings.events) {
            settings.events.clone_from(events);
            attributes.push("events");
        }
        let tenant = desk.services.tenant_uid(&desk.caller).await?;
        let of = Of {
            tenant: &tenant,
            receiver: self.id.as_str(),
        };
        if self.asked.authorization.is_none() && !same_origin(&before.url, &after.url) {
            // What does not open may have been one.
            let header = Authorization::open(&desk.services, of, &before.sealed).map(|known| known.header());
            if header.is_err() || header.is_ok_and(|header| header.is_some()) {
                let reason =
                    "another server is not sent what the one until now is known by: give it with the `url`, or null";
                return Err(Error::invalid("/authorization", reason));
            }
        }
        if let Some(authorization) = &self.asked.authorization {
            after.sealed = Authorization::new(authorization.clone()).seal(&desk.services, of)?;
            attributes.push("authorization");
        }
        after.settings = settings.text()?;
        Ok((after, attributes))
    }
}

/// Gives a stream that is polled another token; the one until now does not work any more.
///
/// # Errors
/// `Forbidden`, `NotFound`; a stream that is not polled.
pub async fn renew(services: &Services, caller: &Caller, id: &str) -> Result<Secret<String>> {
    let before = find(services, caller, id).await?;
    may_be_told(services, caller, &before.events).await?;
    let token = credentials::generate();
    let renewing = Renewing {
        id: ResourceId::new(id),
        token_hash: credentials::digest(token.expose()),
    };
    perform(services, caller, renewing).await?;
    Ok(token)
}

struct Renewing {
    id: ResourceId,
    token_hash: String,
}

impl Change for Renewing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.receivers().find(Family::Streams, &self.id).await?;
        let row = found.ok_or(Error::NotFound)?;
        if row.kind != Kind::Poll {
            return Err(Error::conflict("this stream is not polled, so it has no token"));
        }
        desk.unit.receivers().arm(row.id, self.token_hash.clone());
        let subject = ledger::thing(SubjectKind::Receiver, &self.id);
        desk.note(What::ReceiverChanged, subject, &json!({ "attributes": ["token"] }));
        Ok(())
    }
}
