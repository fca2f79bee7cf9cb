//! Streams that fetch their tokens (RFC 8936): what they have is told by them, and everything else is given out again.

mod taking;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use self::taking::{Passing, TakingDown};
use super::sets::{self, Settings};
use crate::base::id::ResourceId;
use crate::event::Seq;
use crate::event::set::Stream;
use crate::service::access::desk::perform;
use crate::service::context::{Caller, Services};
use crate::service::credentials;
use crate::service::error::{Error, Result};
use crate::service::keys::{self, Purpose};
use crate::service::log::{self, Watch};
use crate::store::delivery::deliveries::{Delivery, State};
use crate::store::delivery::receivers::{self, Receiver, State as Going};
use crate::store::log::events::{Kept, Which};

/// Most tokens of an answer, whatever is asked for.
pub const MAX_SETS: usize = 100;

/// Most tokens that one request tells about.
pub const MAX_ACKS: usize = 1_000;

/// Events that are read at once.
const CHUNK: u32 = 256;

/// Events behind a stream that are looked at before it is moved on: what it misses among them then waits by itself, and
/// holds up nothing that comes later.
const FAR: i64 = 1_024;

/// Name of this work in the log.
const NAME: &str = "poll";

/// What a receiver asks for, and what it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Most tokens that it wants; 0 only tells.
    pub most: Option<usize>,
    /// Whether it is answered at once, also with nothing.
    pub at_once: bool,
    /// Ids of tokens that it has.
    pub acks: Vec<String>,
    /// Ids of tokens that it could not accept, and why.
    pub errors: BTreeMap<String, String>,
}

/// What it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Ids and tokens, in the order of the log.
    pub sets: Vec<(String, String)>,
    /// Whether there are more.
    pub more: bool,
}

/// A stream that fetches, by its token.
pub struct Poller {
    services: Services,
    caller: Caller,
    known: Known,
}

/// A stream and the token that it fetches with, which may be ended at any time.
#[derive(Debug, Clone)]
struct Known {
    id: ResourceId,
    token_hash: String,
}

/// The stream of this id, if the token is its own.
///
/// # Errors
/// A database that does not answer.
pub async fn identify(services: &Services, id: &str, token: &str) -> Result<Option<Poller>> {
    let token_hash = credentials::digest(token);
    let found = receivers::by_token(services.db(), &token_hash).await?;
    let own = found.filter(|armed| armed.uid.as_str() == id);
    Ok(own.map(|armed| Poller {
        caller: Caller::system(services, armed.tenant, &armed.tenant_slug, NAME),
        services: services.clone(),
        known: Known {
            id: armed.uid,
            token_hash,
        },
    }))
}

impl Poller {
    /// Short name of the tenant whose stream it is.
    #[must_use]
    pub fn tenant_slug(&self) -> &str {
        self.caller.tenant_slug()
    }

    /// Takes down what the receiver tells, before anything else. Says whether the token is still its own; nothing is taken
    /// down where it is not.
    ///
    /// # Errors
    /// `Invalid` when it tells about too many tokens at once.
    pub async fn tell(&self, asked: &Asked) -> Result<bool> {
        if asked.acks.len() + asked.errors.len() > MAX_ACKS {
            let reason = format!("at most {MAX_ACKS} tokens are told about at once");
            return Err(Error::invalid("/ack", reason));
        }
        if asked.acks.is_empty() && asked.errors.is_empty() {
            return Ok(true);
        }
        let taking = TakingDown {
            of: self.known.clone(),
            asked: asked.clone(),
        };
        perform(&self.services, &self.caller, taking).await
    }

    /// Gives the receiver what it has not got; waits so long for something to come. `None` once the token is not its own
    /// any more, also where that is ended while it waits.
    ///
    /// # Errors
    /// A database that does not answer, a key that is damaged.
    pub async fn give(&self, asked: &Asked, patience: Duration) -> Result<Option<Batch>> {
        let most = asked.most.unwrap_or(MAX_SETS).min(MAX_SETS);
        if most == 0 {
            return Ok(Some(Batch::default()));
        }
        log::settled(&self.services, &self.caller).await?;
        let end = Instant::now() + patience;
        let mut watch = Watch::new(&self.services, &self.caller);
        loop {
            let Some(found) = self.look(most).await? else {
                return Ok(None);
            };
            if let Some(passing) = found.passing(&self.known, most) {
                perform(&self.services, &self.caller, passing).await?;
                continue;
            }
            if !found.again.is_empty() || !found.new.is_empty() {
                return self.batch(found, most).await.map(Some);
            }
            let left = end.saturating_duration_since(Instant::now());
            if asked.at_once || timeout(left, watch.beyond(found.seen)).await.is_err() {
                return Ok(Some(Batch::default()));
            }
        }
    }

    /// What the receiver has not got: one more than it wants tells that there is more.
    async fn look(&self, most: usize) -> Result<Option<Found>> {
        let reader = self.services.read(&self.caller);
        let Known { id, token_hash } = &self.known;
        let Some(receiver) = reader.receivers().fetching(id, token_hash).await? else {
            return Ok(None);
        };
        let stream = Settings::read(&receiver.settings)?.stream(receiver.uid.as_str());
        let key = (self.caller.tenant(), receiver.id);
        let looked = self.services.looked().through(key, receiver.round);
        let mut found = Found {
            again: Vec::new(),
            new: Vec::new(),
            settled: Vec::new(),
            unwanted: Vec::new(),
            seen: looked.unwrap_or(receiver.cursor).max(receiver.cursor),
            receiver,
            stream,
        };
        if found.receiver.health.state == Going::Paused {
            // Until it is resumed: what happens meanwhile is no reason to look again.
            found.seen = Seq(i64::MAX);
            return Ok(Some(found));
        }
        let rows = reader
            .deliveries()
            .open(found.receiver.id, found.receiver.cursor)
            .await?;
        let known: BTreeSet<Seq> = rows.iter().map(|row| row.seq).collect();
        let (again, settled): (Vec<Delivery>, _) = rows
            .into_iter()
            .partition(|row| matches!(row.state, State::Waiting | State::Behind));
        found.settled = settled;
        self.again(&mut found, again, most).await?;
        while found.count() <= most && !found.is_far() {
            let events = reader.events().list(found.seen, CHUNK, &Which::default()).await?;
            let Some(last) = events.last().map(|kept| kept.event.seq) else {
                break;
            };
            let stream = &found.stream;
            let new = events
                .into_iter()
                .filter(|kept| !known.contains(&kept.event.seq) && stream.tells(&kept.event));
            found.new.extend(new);
            found.seen = last;
        }
        if found.new.is_empty() {
            self.services.looked().note(key, found.receiver.round, found.seen);
        }
        Ok(Some(found))
    }

    /// What the receiver is given once more. What it is not told any more, since it was changed, is left out.
    async fn again(&self, found: &mut Found, rows: Vec<Delivery>, most: usize) -> Result<()> {
        let positions: Vec<[i64; 1]> = rows.iter().take(most + 1).map(|row| [row.seq.0]).collect();
        if positions.is_empty() {
            return Ok(());
        }
        let reader = self.services.read(&self.caller);
        let events = reader.events().at(json!(positions).to_string()).await?;
        let (told, unwanted): (Vec<Kept>, Vec<Kept>) =
            events.into_iter().partition(|kept| found.stream.tells(&kept.event));
        found.again = told;
        found.unwanted = unwanted.into_iter().map(|kept| kept.event.seq).collect();
        Ok(())
    }

    async fn batch(&self, found: Found, most: usize) -> Result<Batch> {
        let mut kept = found.again;
        kept.extend(found.new);
        kept.sort_by_key(|kept| kept.event.seq);
        let more = kept.len() > most;
        kept.truncate(most);
        let signer = keys::signer(&self.services, Purpose::Set).await?;
        let claims = sets::claims(&self.services, &self.caller, &found.stream, &kept).await?;
        let sets = kept.iter().zip(claims).map(|(kept, claims)| {
            let id = found.stream.jti(kept.event.seq);
            Ok((id, sets::token(&signer, &claims)?))
        });
        Ok(Batch {
            sets: sets.collect::<Result<_>>()?,
            more,
        })
    }
}

/// What a look came to.
struct Found {
    receiver: Receiver,
    stream: Stream,
    /// What waits for it by itself.
    again: Vec<Kept>,
    /// What is behind where it is, and it did not tell about.
    new: Vec<Kept>,
    /// What the receiver told about, behind where it is.
    settled: Vec<Delivery>,
    /// What waits, and means nothing to the stream any more.
    unwanted: Vec<Seq>,
    /// How far the log was looked at.
    seen: Seq,
}

impl Found {
    fn is_far(&self) -> bool {
        self.receiver.health.state != Going::Paused && self.seen.0 - self.receiver.cursor.0 >= FAR
    }

    const fn count(&self) -> usize {
        self.again.len() + self.new.len()
    }

    /// What is to be written down of it before anything is given out: that the stream is moved on past much that it has, or
    /// that means nothing to it; and what it is not told any more.
    fn passing(&self, of: &Known, most: usize) -> Option<Passing> {
        // Whoever has as much to fetch as it wants is where it is because it has not fetched it.
        let moves = self.is_far() && self.count() <= most;
        if !moves && self.unwanted.is_empty() {
            return None;
        }
        let cursor = if moves { self.seen } else { self.receiver.cursor };
        let missing: &[Kept] = if moves { &self.new } else { &[] };
        let has = |row: &&Delivery| row.state == State::Acked && row.seq <= cursor;
        let has = self.settled.iter().filter(has).map(|row| row.seq);
        Some(Passing {
            of: of.clone(),
            round: self.receiver.round,
            cursor,
            missing: missing.iter().map(|kept| kept.event.clone()).collect(),
            done: has.chain(self.unwanted.iter().copied()).collect(),
        })
    }
}
