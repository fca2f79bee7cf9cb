//! What happened, as security event tokens for one stream.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::base::id::Pk;
use crate::event::set::{SetEvent, Stream, Values};
use crate::event::{Changes, Event, Kind, Seq, SigningKey, jws, set};
use crate::scim::discovery::EventLimits;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::log::open::Opener;
use crate::store::log::events::Kept;

/// Events of lives that are read at once.
const AT_ONCE: u32 = 512;

/// What a stream is, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// What URLs of this server begin with.
    pub(super) issuer: String,
    /// Who the tokens are for.
    pub(super) audience: String,
    /// URIs of the events that it is told.
    pub(super) events: Vec<String>,
}

impl Settings {
    /// Reads what is stored.
    pub(super) fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    /// As it is stored.
    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    /// The stream of this id. An event of another release means nothing to this one.
    pub(super) fn stream(self, uid: &str) -> Stream {
        Stream {
            uid: uid.to_owned(),
            events: self.events.iter().filter_map(|uri| SetEvent::parse(uri)).collect(),
            issuer: self.issuer,
            audience: self.audience,
        }
    }
}

/// SCIM's events, as the configuration of the service lists them.
pub(in crate::service) fn told() -> EventLimits {
    let uris = SetEvent::ALL.iter().map(|event| event.uri());
    EventLimits {
        requests: true,
        uris: uris
            .filter(|uri| uri.starts_with("urn:ietf:params:scim:event:"))
            .collect(),
    }
}

/// The token of some claims.
pub(super) fn token(key: &SigningKey, claims: &str) -> Result<String> {
    jws::sign(key, set::TYPE, claims.as_bytes()).map_err(|fault| Error::Internal(Box::new(fault)))
}

/// The claims of a stream's tokens about events that it is told, one for each, in their order.
pub(super) async fn claims(
    services: &Services,
    caller: &Caller,
    stream: &Stream,
    kept: &[Kept],
) -> Result<Vec<String>> {
    let opener = Opener::of(services, caller, kept).await?;
    let mut wholes = if stream.tells_values() {
        wholes(services, caller, stream, kept).await?
    } else {
        Wholes::new()
    };
    let mut claims = Vec::with_capacity(kept.len());
    for event in kept.iter().map(|kept| &kept.event) {
        let values = Values {
            changes: changes(&opener, event)?,
            whole: wholes.remove(&event.seq.0),
        };
        let told = stream.claims(event, &values);
        let told =
            told.ok_or_else(|| Error::Internal("a stream is told of an event that means nothing to it".into()))?;
        claims.push(told.to_string());
    }
    Ok(claims)
}

/// What an event changed; `None` once the person was erased, or where what is sealed is damaged.
fn changes(opener: &Opener, event: &Event) -> Result<Option<Changes>> {
    let sides = if event.subject_kind.as_deref() == Some("group") {
        serde_json::from_str(&event.data).map_err(|fault| Error::Internal(Box::new(fault)))?
    } else {
        let values = opener.open(event);
        if values.erased || values.unreadable {
            return Ok(None);
        }
        let sides = [("before", values.before), ("after", values.after)];
        let sides = sides
            .into_iter()
            .filter_map(|(name, side)| Some((name.to_owned(), side?)));
        Value::Object(sides.collect())
    };
    Changes::read(&sides)
        .map(Some)
        .map_err(|fault| Error::Internal(Box::new(fault)))
}

/// Wholes after events, by their positions; none where it is not known any more.
type Wholes = HashMap<i64, Map<String, Value>>;

/// The whole after each of these events that has to be told with it.
///
/// Lives are read one after the other and gone through once, so a round costs what those of whom it tells have lived, and
/// keeps in memory what it tells.
async fn wholes(services: &Services, caller: &Caller, stream: &Stream, kept: &[Kept]) -> Result<Wholes> {
    let needed = kept.iter().filter(|kept| stream.needs_whole(&kept.event));
    let needed: BTreeSet<i64> = needed.map(|kept| kept.event.seq.0).collect();
    let mut wholes = Wholes::new();
    if needed.is_empty() {
        return Ok(wholes);
    }
    let positions: Vec<[i64; 1]> = needed.iter().map(|seq| [*seq]).collect();
    let positions = json!(positions).to_string();
    let reader = services.read(caller);
    let (mut at, mut whole) = ((Pk(0), Seq(0)), None);
    loop {
        let lived = reader.events().lives(positions.clone(), at, AT_ONCE).await?;
        let all = lived.len() < AT_ONCE as usize;
        let (owners, lived): (Vec<Pk>, Vec<Kept>) = lived.into_iter().map(|lived| (lived.of, lived.kept)).unzip();
        let opener = Opener::of(services, caller, &lived).await?;
        for (of, Kept { event, .. }) in owners.into_iter().zip(&lived) {
            if of != at.0 {
                whole = None;
            }
            at = (of, event.seq);
            whole = after(whole, event, changes(&opener, event)?);
            if let Some(whole) = whole.as_ref().filter(|_| needed.contains(&event.seq.0)) {
                wholes.insert(event.seq.0, whole.clone());
            }
        }
        if all {
            return Ok(wholes);
        }
    }
}

/// What is there after an event of a life; nothing is known after one that cannot be read, until something begins anew.
fn after(whole: Option<Map<String, Value>>, event: &Event, changes: Option<Changes>) -> Option<Map<String, Value>> {
    let goes_on = matches!(event.kind(), Some(Kind::UserUpdated | Kind::GroupUpdated));
    let mut whole = if goes_on { whole? } else { Map::new() };
    changes?.forward(&mut whole);
    Some(whole)
}
