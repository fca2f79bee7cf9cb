//! What is to be sent to one receiver now, and how.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use url::Url;

use super::relay::{Work, caller};
use super::secrets::{Of, Secrets};
use super::wanted::Wanted;
use crate::base::clock::Timestamp;
use crate::event::webhook::{self, WebhookSecret};
use crate::event::{Event, Seq};
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::store::Reader;
use crate::store::delivery::deliveries::Delivery;
use crate::store::delivery::receivers::{Receiver, State};
use crate::store::log::events::Which;

/// Events that one round looks at.
const MOST_EVENTS: u32 = 256;

/// Deliveries of one receiver that are made together and settled together.
pub struct Round {
    pub(super) work: Work,
    pub(super) receiver: Receiver,
    pub(super) items: Vec<Item>,
    /// Where the receiver is when all of them are settled.
    pub(super) through: Seq,
    url: Url,
    secrets: Secrets,
}

/// One delivery.
pub(super) struct Item {
    pub(super) seq: Seq,
    /// What it is about, or empty.
    pub(super) subject: String,
    body: Arc<str>,
    /// As it is known to be in trouble.
    pub(super) row: Option<Delivery>,
    /// Whether an earlier one about the same subject waits, so that this one is not sent now.
    pub(super) blocked: bool,
}

/// A request that is ready to be sent.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Where to; the guard has not looked at it.
    pub url: Url,
    /// Names and values of headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Arc<str>,
}

impl Round {
    /// Numbers of deliveries that can be sent at the same time, each list in its order: one must get through before the
    /// next of its list is sent.
    #[must_use]
    pub fn chains(&self) -> Vec<Vec<usize>> {
        let mut chains: Vec<(&str, Vec<usize>)> = Vec::new();
        let free = self.items.iter().enumerate().filter(|(_, item)| !item.blocked);
        for (at, item) in free {
            match chains.iter_mut().find(|(subject, _)| *subject == item.subject) {
                Some((_, chain)) => chain.push(at),
                None => chains.push((&item.subject, vec![at])),
            }
        }
        chains.into_iter().map(|(_, chain)| chain).collect()
    }

    /// How many deliveries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it has none: it only moves the receiver on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The delivery of this number, signed for an instant; `None` where there is none.
    ///
    /// # Errors
    /// Secrets that are damaged.
    pub fn parcel(&self, number: usize, at: Timestamp) -> Result<Option<Parcel>> {
        let Some(item) = self.items.get(number) else {
            return Ok(None);
        };
        let secrets: Vec<WebhookSecret> = self.secrets.signing(at)?;
        let id = webhook::message_id(&self.work.tenant_uid, item.seq);
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(webhook::headers(&id, at, &item.body, &secrets));
        Ok(Some(Parcel {
            url: self.url.clone(),
            headers,
            body: Arc::clone(&item.body),
        }))
    }
}

/// What is to be sent to a receiver now: what is due first, else what is new, at most `most` deliveries. `None` when there
/// is nothing to do for it.
///
/// # Errors
/// A database that does not answer, a row that is damaged.
pub async fn begin(services: &Services, work: &Work, most: usize) -> Result<Option<Round>> {
    let reader = services.read(&caller(services, work));
    let Some(receiver) = reader.receivers().find_by_id(work.receiver).await? else {
        return Ok(None);
    };
    let now = services.clock().now();
    let most = match receiver.health.state {
        State::Active => most.max(1),
        State::Failing if receiver.health.next_try.is_some_and(|next| next <= now) => 1,
        State::Failing | State::Paused => return Ok(None),
    };
    let until = match receiver.health.state {
        State::Failing => Timestamp(i64::MAX),
        _ => now,
    };
    let due = reader.deliveries().due(receiver.id, until, most).await?;
    let (items, through) = if due.is_empty() {
        fresh(&reader, work, &receiver, most).await?
    } else {
        (again(&reader, work, due).await?, receiver.cursor)
    };
    let idle = items.is_empty() && through == receiver.cursor && receiver.health.state == State::Active;
    if idle {
        return Ok(None);
    }
    let of = Of {
        tenant: &work.tenant_uid,
        receiver: receiver.uid.as_str(),
    };
    Ok(Some(Round {
        secrets: Secrets::open(services, of, &receiver.sealed)?,
        url: Url::parse(&receiver.url).map_err(|fault| Error::Internal(Box::new(fault)))?,
        work: work.clone(),
        receiver,
        items,
        through,
    }))
}

/// What is new: events behind the receiver that it wants, up to where it then is.
async fn fresh(reader: &Reader, work: &Work, receiver: &Receiver, most: usize) -> Result<(Vec<Item>, Seq)> {
    let wanted = Wanted::read(&receiver.settings)?;
    let events = reader
        .events()
        .list(receiver.cursor, MOST_EVENTS, &Which::default())
        .await?;
    let (mut items, mut through) = (Vec::new(), receiver.cursor);
    for event in events.into_iter().map(|kept| kept.event) {
        if wanted.sends(receiver.uid.as_str(), &event) {
            if items.len() == most {
                break;
            }
            items.push(item(work, &event, None)?);
        }
        through = event.seq;
    }
    if !items.is_empty() {
        let subjects: Vec<[&str; 1]> = items.iter().map(|item| [item.subject.as_str()]).collect();
        let subjects = json!(subjects).to_string();
        let blocked = reader.deliveries().blocked(receiver.id, subjects).await?;
        let blocked: HashSet<String> = blocked.into_iter().collect();
        for item in &mut items {
            item.blocked = blocked.contains(&item.subject);
        }
    }
    Ok((items, through))
}

/// What is due, with the events that it is about.
async fn again(reader: &Reader, work: &Work, due: Vec<Delivery>) -> Result<Vec<Item>> {
    let positions: Vec<[i64; 1]> = due.iter().map(|row| [row.seq.0]).collect();
    let events = reader.events().at(json!(positions).to_string()).await?;
    let mut items = Vec::with_capacity(due.len());
    for row in due {
        let event = events.iter().find(|kept| kept.event.seq == row.seq);
        let event = event.ok_or_else(|| Error::Internal("an event that is to be sent is not in the log".into()))?;
        items.push(item(work, &event.event, Some(row))?);
    }
    Ok(items)
}

fn item(work: &Work, event: &Event, row: Option<Delivery>) -> Result<Item> {
    let body = webhook::body(&work.tenant_uid, event).map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(Item {
        seq: event.seq,
        subject: match (&event.subject_kind, &event.subject_id) {
            (Some(kind), Some(id)) => format!("{kind}:{id}"),
            _ => String::new(),
        },
        body: body.into(),
        row,
        blocked: false,
    })
}
