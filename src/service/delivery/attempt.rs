//! What is to be sent to one receiver now, and how.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde_json::json;
use url::Url;

use super::relay::{Work, caller};
use super::speech::Speech;
use super::unreadable;
use crate::base::clock::Timestamp;
use crate::event::{Event, Seq};
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::store::Reader;
use crate::store::delivery::deliveries::Delivery;
use crate::store::delivery::receivers::{Receiver, State};
use crate::store::delivery::work::FURTHEST;
use crate::store::log::events::{Kept, Which};

/// Events that are read at once: what is sent together, and at least so many.
const LEAST_READ: usize = 32;
const MOST_READ: usize = 256;

/// Events that are looked at for one round. After so many of which nothing is wanted, it is written down how far it came.
const MOST_EVENTS: i64 = 1_024;

/// Deliveries of one receiver that are made together and settled together.
pub struct Round {
    pub(super) work: Work,
    pub(super) receiver: Receiver,
    pub(super) items: Vec<Item>,
    /// Deliveries in trouble that the receiver is not told of any more: it was changed meanwhile.
    pub(super) unwanted: Vec<Delivery>,
    /// Where the receiver is when all of them are settled.
    pub(super) through: Seq,
    url: Url,
    speech: Speech,
}

/// One delivery.
pub(super) struct Item {
    pub(super) seq: Seq,
    /// What it is about, or empty.
    pub(super) subject: String,
    /// What is told of it.
    text: Arc<str>,
    /// As it is known to be in trouble.
    pub(super) row: Option<Delivery>,
    /// Whether an earlier one about the same subject waits, so that this one is not sent now.
    pub(super) blocked: bool,
}

/// A request that is ready to be sent.
#[derive(Clone)]
pub struct Parcel {
    /// Where to; the guard has not looked at it.
    pub url: Url,
    /// Names and values of headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Arc<str>,
}

/// Without values of headers and the body: they are secret, or about people.
impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        let mut shown = f.debug_struct("Parcel");
        shown.field("url", &self.url.as_str()).field("headers", &names);
        shown.finish_non_exhaustive()
    }
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
        let told = (item.seq, &item.text);
        self.speech.parcel(&self.work, self.url.clone(), told, at).map(Some)
    }

    /// Whether an answer says that what was sent will never be accepted.
    #[must_use]
    pub fn is_refused(&self, status: u16, body: &[u8]) -> bool {
        self.speech.is_refused(status, body)
    }
}

/// What is to be sent to a receiver now: what is due first, else what is new, at most `most` deliveries. `None` when there
/// is nothing to do for it.
///
/// # Errors
/// A database that does not answer, a row that is damaged.
pub async fn begin(services: &Services, work: &Work, most: usize) -> Result<Option<Round>> {
    let caller = caller(services, work);
    let reader = services.read(&caller);
    let Some(receiver) = reader.receivers().find_by_id(work.receiver).await? else {
        return Ok(None);
    };
    let now = services.clock().now();
    // What is further ahead was put off by a clock that was ahead.
    let is_due = |at: Timestamp| at <= now || at > now.plus(FURTHEST);
    let most = match receiver.health.state {
        State::Active => most.max(1),
        State::Failing if receiver.health.next_try.is_some_and(is_due) => 1,
        State::Failing | State::Paused => return Ok(None),
    };
    let from = services.looked().through((work.tenant, work.receiver), receiver.round);
    let speech = match Speech::of(services, work, &receiver).await {
        Err(fault) if unreadable::is_damage(&fault) => {
            unreadable::pause(services, &caller, &receiver).await?;
            return Ok(None);
        }
        other => other?,
    };
    let place = Place {
        reader: &reader,
        receiver: &receiver,
        speech: &speech,
        from: from.unwrap_or(receiver.cursor).max(receiver.cursor),
    };
    let (mut found, through) = match receiver.health.state {
        State::Failing => place.probe().await?,
        _ => place.ready(now, most).await?,
    };
    let unwritten = through.0 - receiver.cursor.0 < MOST_EVENTS;
    let nothing = found.items.is_empty() && found.unwanted.is_empty();
    if nothing && unwritten && receiver.health.state == State::Active {
        services
            .looked()
            .note((work.tenant, work.receiver), receiver.round, through);
        return Ok(None);
    }
    let texts = speech.texts(services, &caller, work, &found.kept).await?;
    for (item, text) in found.items.iter_mut().zip(texts) {
        item.text = text.into();
    }
    Ok(Some(Round {
        speech,
        url: Url::parse(&receiver.url).map_err(|fault| Error::Internal(Box::new(fault)))?,
        work: work.clone(),
        receiver,
        items: found.items,
        unwanted: found.unwanted,
        through,
    }))
}

/// What an event is about, as it stands in rows of deliveries; empty where it is about nothing.
pub(super) fn about(event: &Event) -> String {
    match (&event.subject_kind, &event.subject_id) {
        (Some(kind), Some(id)) => format!("{kind}:{id}"),
        _ => String::new(),
    }
}

/// Deliveries that have no text yet, and the events that they are about.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    kept: Vec<Kept>,
    /// Rows of what is not sent any more.
    unwanted: Vec<Delivery>,
}

impl Found {
    fn add(&mut self, kept: Kept, row: Option<Delivery>) {
        let event = &kept.event;
        self.items.push(Item {
            seq: event.seq,
            subject: about(event),
            text: Arc::default(),
            row,
            blocked: false,
        });
        self.kept.push(kept);
    }
}

/// Where what is to be sent to one receiver is looked for.
struct Place<'a> {
    reader: &'a Reader,
    receiver: &'a Receiver,
    speech: &'a Speech,
    /// Nothing up to here is left to be sent, but what has a row.
    from: Seq,
}

impl Place<'_> {
    /// What is due, else what is new, and where the receiver then is.
    async fn ready(&self, now: Timestamp, most: usize) -> Result<(Found, Seq)> {
        let due = self.reader.deliveries().due(self.receiver.id, now, most).await?;
        if due.is_empty() {
            return self.fresh(most).await;
        }
        Ok((self.again(due).await?, self.receiver.cursor))
    }

    /// One delivery to see whether a receiver that takes nothing does again: by turns the one that was not tried for
    /// longest, and one that is new. It may be that it refuses some of them for ever and takes all others.
    async fn probe(&self) -> Result<(Found, Seq)> {
        let due = self
            .reader
            .deliveries()
            .due(self.receiver.id, Timestamp(i64::MAX), LEAST_READ)
            .await?;
        if due.is_empty() || self.receiver.health.failures % 2 == 0 {
            let (mut found, through) = self.fresh(usize::MAX).await?;
            only_newest(&mut found.items);
            if due.is_empty() || !found.items.is_empty() {
                return Ok((found, through));
            }
        }
        let mut found = self.again(due).await?;
        found.items.truncate(1);
        found.kept.truncate(1);
        Ok((found, self.receiver.cursor))
    }

    /// What is due, with the events that it is about. What the receiver was told of when it was first tried, and is not
    /// any more, is left out.
    async fn again(&self, due: Vec<Delivery>) -> Result<Found> {
        let positions: Vec<[i64; 1]> = due.iter().map(|row| [row.seq.0]).collect();
        let events = self.reader.events().at(json!(positions).to_string()).await?;
        let mut found = Found::default();
        for row in due {
            let kept = events.iter().find(|kept| kept.event.seq == row.seq);
            let kept = kept.ok_or_else(|| Error::Internal("an event that is to be sent is not in the log".into()))?;
            if self.speech.sends(self.receiver.uid.as_str(), &kept.event) {
                found.add(kept.clone(), Some(row));
            } else {
                found.unwanted.push(row);
            }
        }
        Ok(found)
    }

    /// What is new: events behind the receiver that it wants, up to where it then is.
    async fn fresh(&self, most: usize) -> Result<(Found, Seq)> {
        let receiver = self.receiver;
        let at_once = most.clamp(LEAST_READ, MOST_READ);
        let limit = u32::try_from(at_once).unwrap_or(u32::MAX);
        let (mut found, mut through) = (Found::default(), self.from);
        'looking: while found.items.is_empty() && through.0 - self.from.0 < MOST_EVENTS {
            let events = self.reader.events().list(through, limit, &Which::default()).await?;
            let all = events.len() < at_once;
            for kept in events {
                let seq = kept.event.seq;
                if self.speech.sends(receiver.uid.as_str(), &kept.event) {
                    if found.items.len() == most {
                        break 'looking;
                    }
                    found.add(kept, None);
                }
                through = seq;
            }
            if all {
                break;
            }
        }
        if !found.items.is_empty() {
            let subjects: Vec<[&str; 1]> = found.items.iter().map(|item| [item.subject.as_str()]).collect();
            let subjects = json!(subjects).to_string();
            let blocked = self.reader.deliveries().blocked(receiver.id, subjects).await?;
            let blocked: HashSet<String> = blocked.into_iter().collect();
            for item in &mut found.items {
                item.blocked = blocked.contains(&item.subject);
            }
        }
        Ok((found, through))
    }
}

/// Leaves of what is new the last to be sent that is the first about its subject: the others may be more of what was refused.
/// They get rows and wait like those.
fn only_newest(items: &mut [Item]) {
    let is_first = |at: usize, item: &Item| !items[..at].iter().any(|earlier| earlier.subject == item.subject);
    let mut newest = items.iter().enumerate().rev();
    let tried = newest
        .find(|(at, item)| !item.blocked && is_first(*at, item))
        .map(|(at, _)| at);
    for (at, item) in items.iter_mut().enumerate() {
        item.blocked |= Some(at) != tried;
    }
}
