//! Deliveries that did not get through, as administrators see and repeat them.

use serde_json::json;

use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::event::{Seq, SubjectKind};
use crate::service::access::authority::{INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::page::{DEFAULT_ITEMS, MAX_ITEMS};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::store::delivery::deliveries::State;
use crate::store::delivery::receivers::Family;

/// A delivery that did not get through, yet or for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Position of the event.
    pub seq: i64,
    /// Kind and id of what it is about.
    pub subject: Option<(String, String)>,
    /// `waiting`, `behind` or `dead`.
    pub state: &'static str,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, where it is by itself.
    pub due: Option<Timestamp>,
    /// What the receiver answered last.
    pub status: Option<i64>,
    /// What went wrong, in a word.
    pub error: Option<String>,
    /// When it was first tried, or found others in front of it.
    pub since: Timestamp,
}

/// What is to be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// What was given up.
    Dead,
    /// Every event from a position on.
    From(i64),
}

/// Deliveries of a receiver after a position, in order, and the position to go on after where there are more.
///
/// # Errors
/// `Forbidden`, `NotFound`, a state that is none.
pub async fn deliveries(
    services: &Services,
    caller: &Caller,
    (family, id): (Family, &str),
    (state, after, limit): (Option<&str>, i64, Option<u32>),
) -> Result<(Vec<Delivery>, Option<i64>)> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let states = [State::Waiting, State::Behind, State::Dead];
    let state = state.map(|text| {
        let found = states.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| Error::invalid("/state", "`waiting`, `behind` or `dead` belongs here"))
    });
    let state = state.transpose()?;
    let reader = services.read(caller);
    let receiver = reader
        .receivers()
        .find(family, &ResourceId::new(id))
        .await?
        .ok_or(Error::NotFound)?;
    let items = limit.unwrap_or(DEFAULT_ITEMS).clamp(1, MAX_ITEMS);
    let mut rows = reader
        .deliveries()
        .list(receiver.id, state, Seq(after), items + 1)
        .await?;
    let more = rows.len() > items as usize;
    rows.truncate(items as usize);
    let next = rows.last().filter(|_| more).map(|row| row.seq.0);
    let shown = |row: crate::store::delivery::deliveries::Delivery| Delivery {
        seq: row.seq.0,
        subject: row
            .subject
            .split_once(':')
            .map(|(kind, id)| (kind.to_owned(), id.to_owned())),
        state: row.state.as_str(),
        attempts: row.attempts,
        due: (row.state == State::Waiting).then_some(row.due),
        status: row.status,
        error: row.error,
        since: row.since,
    };
    Ok((rows.into_iter().map(shown).collect(), next))
}

/// Has deliveries be made again, with the ids that they had.
///
/// # Errors
/// `Forbidden`, `NotFound`; a position that the receiver has not come to yet.
pub async fn replay(services: &Services, caller: &Caller, (family, id): (Family, &str), again: Again) -> Result<()> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let replaying = Replaying {
        family,
        id: ResourceId::new(id),
        again,
    };
    perform(services, caller, replaying).await
}

struct Replaying {
    family: Family,
    id: ResourceId,
    again: Again,
}

impl Change for Replaying {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.receivers().find(self.family, &self.id).await?;
        let receiver = found.ok_or(Error::NotFound)?;
        let data = match self.again {
            Again::Dead => {
                let mut subjects = desk.unit.deliveries().revive(receiver.id, desk.now).await?;
                let count = subjects.len();
                subjects.sort_unstable();
                subjects.dedup();
                let subjects: Vec<[String; 1]> = subjects.into_iter().map(|subject| [subject]).collect();
                desk.unit
                    .deliveries()
                    .promote(receiver.id, json!(subjects).to_string(), desk.now);
                json!({ "dead": count })
            }
            Again::From(seq) => {
                if seq < 1 || seq > receiver.cursor.0 {
                    let reason = format!(
                        "the receiver is at position {}: from 1 to there belongs here",
                        receiver.cursor
                    );
                    return Err(Error::invalid("/from", reason));
                }
                desk.unit.receivers().rewind(receiver.id, Seq(seq)).await?;
                json!({ "from": seq })
            }
        };
        let subject = ledger::thing(SubjectKind::Receiver, &receiver.uid);
        desk.note(What::DeliveryReplayed, subject, &data);
        Ok(())
    }
}
