//! What is written down of a stream that fetches: what it tells about, and how far it has come.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Asked, FAR, Known};
use crate::event::set::Stream;
use crate::event::{Event, Seq, SubjectKind};
use crate::service::access::desk::{Change, Desk};
use crate::service::delivery::attempt::about;
use crate::service::delivery::passed::passed;
use crate::service::delivery::sets::Settings;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::store::delivery::deliveries::{Delivery, State};
use crate::store::delivery::receivers::{Receiver, Settled};

/// Why a receiver could not accept a token: the words that are registered for it (RFC 8935 §2.4). Nothing else that a
/// receiver says is kept.
const WORDS: [&str; 7] = [
    "invalid_request",
    "invalid_key",
    "invalid_issuer",
    "invalid_audience",
    "authentication_failed",
    "access_denied",
    "invalid_state",
];

/// Takes down what a receiver has and what it could not accept, and moves it on. Gives whether its token is still its own.
pub(super) struct TakingDown {
    pub(super) of: Known,
    pub(super) asked: Asked,
}

impl Change for TakingDown {
    type Made = bool;

    async fn make(&self, desk: &mut Desk) -> Result<bool> {
        let Known { id, token_hash } = &self.of;
        let Some(receiver) = desk.unit.receivers().fetching(id, token_hash).await? else {
            return Ok(false);
        };
        let stream = Settings::read(&receiver.settings)?.stream(receiver.uid.as_str());
        let end = desk.unit.heads().find().await?.map_or(Seq(0), |end| end.head.seq);
        let known = desk.unit.deliveries().open(receiver.id, receiver.cursor).await?;
        let known: BTreeMap<Seq, Delivery> = known.into_iter().map(|row| (row.seq, row)).collect();
        let mut rows = Vec::new();
        let mut done = Vec::new();
        for (seq, word) in self.told(&stream, end) {
            let passed = seq <= receiver.cursor;
            match (word, known.get(&seq)) {
                (_, None) if passed => {}
                // It was given out again after it had been passed by.
                (None, _) if passed => done.push([seq.0]),
                // It says so again.
                (Some(word), Some(row)) if row.state == State::Dead && row.error.as_deref() == Some(word) => {}
                _ => rows.push(told(desk, seq, word)),
            }
        }
        let dead = name(desk, &stream, &mut rows).await?;
        let is_settled = |row: &Delivery| matches!(row.state, State::Acked | State::Dead);
        let mut settled: BTreeMap<Seq, Delivery> = known.into_iter().filter(|(_, row)| is_settled(row)).collect();
        settled.extend(rows.iter().map(|row| (row.seq, row.clone())));
        // What means nothing to the stream, what it has, and what it could not accept, is not missing.
        let missing = |event: &Event| !settled.contains_key(&event.seq) && stream.tells(event);
        let cursor = passed(desk, receiver.cursor, FAR, missing).await?;
        let gone = settled
            .values()
            .filter(|row| row.state == State::Acked && row.seq <= cursor);
        done.extend(gone.map(|row| [row.seq.0]));
        rows.retain(|row| row.state != State::Acked || row.seq > cursor);
        let success = (!self.asked.acks.is_empty()).then_some(desk.now);
        let mut after = receiver.clone();
        after.cursor = cursor;
        after.health.last_success = success.or(after.health.last_success);
        settle(desk, after, (&rows, &done)).await?;
        if !dead.is_empty() {
            let subject = ledger::thing(SubjectKind::Receiver, id);
            desk.note(What::DeliveryDead, subject, &json!({ "positions": dead }));
        }
        Ok(true)
    }
}

impl TakingDown {
    /// Positions that it tells about, each with why it could not be accepted. Ids of others mean nothing.
    fn told(&self, stream: &Stream, end: Seq) -> BTreeMap<Seq, Option<&'static str>> {
        let seq = |jti: &String| stream.position(jti).filter(|seq| seq.0 > 0 && *seq <= end);
        let word = |said: &String| WORDS.into_iter().find(|word| word == said).unwrap_or("refused");
        let errors = self
            .asked
            .errors
            .iter()
            .filter_map(|(jti, said)| Some((seq(jti)?, Some(word(said)))));
        let acks = self.asked.acks.iter().filter_map(|jti| Some((seq(jti)?, None)));
        // What it has, it has, whatever else it says of it.
        errors.chain(acks).collect()
    }
}

/// Moves a stream on past what it has, past what means nothing to it, and past what it misses: that waits by itself from now
/// on. Nothing happens where the stream is not where it was any more.
pub(super) struct Passing {
    pub(super) of: Known,
    /// Its count of rounds when it was looked at.
    pub(super) round: i64,
    /// Where it is then.
    pub(super) cursor: Seq,
    /// What it misses up to there.
    pub(super) missing: Vec<Event>,
    /// Positions that need no row any more.
    pub(super) done: Vec<Seq>,
}

impl Change for Passing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let Known { id, token_hash } = &self.of;
        let found = desk.unit.receivers().fetching(id, token_hash).await?;
        let Some(mut receiver) = found.filter(|receiver| receiver.round == self.round) else {
            return Ok(());
        };
        receiver.cursor = self.cursor;
        let missing = |event: &Event| Delivery {
            subject: about(event),
            state: State::Waiting,
            attempts: 0,
            ..told(desk, event.seq, None)
        };
        let rows: Vec<Delivery> = self.missing.iter().map(missing).collect();
        let done: Vec<[i64; 1]> = self.done.iter().map(|seq| [seq.0]).collect();
        settle(desk, receiver, (&rows, &done)).await
    }
}

/// Writes where a receiver is, and its rows; unless somebody else did meanwhile.
async fn settle(desk: &mut Desk, after: Receiver, (rows, done): (&[Delivery], &[[i64; 1]])) -> Result<()> {
    let receiver = after.id;
    let settled = Settled {
        receiver,
        round: after.round,
        cursor: after.cursor,
        health: after.health,
        until: desk.now,
    };
    match desk.unit.receivers().settle(settled).await {
        Err(crate::store::Error::Stale) => return Err(Error::Busy),
        other => other?,
    }
    desk.unit.deliveries().keep(receiver, rows);
    if !done.is_empty() {
        desk.unit.deliveries().done(receiver, json!(done).to_string());
    }
    Ok(())
}

/// Says of what was refused which events these are; gives their positions. What the stream was not told of is left out.
async fn name(desk: &mut Desk, stream: &Stream, rows: &mut Vec<Delivery>) -> Result<Vec<i64>> {
    let dead = rows.iter().filter(|row| row.state == State::Dead);
    let positions: Vec<[i64; 1]> = dead.map(|row| [row.seq.0]).collect();
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let events = desk.unit.events().at(json!(positions).to_string()).await?;
    let events = events.into_iter().map(|kept| kept.event);
    let events: BTreeMap<Seq, Event> = events.map(|event| (event.seq, event)).collect();
    rows.retain_mut(|row| match events.get(&row.seq) {
        _ if row.state != State::Dead => true,
        Some(event) if stream.tells(event) => {
            row.subject = about(event);
            true
        }
        _ => false,
    });
    let dead = rows.iter().filter(|row| row.state == State::Dead);
    Ok(dead.map(|row| row.seq.0).collect())
}

/// A token that a receiver tells about.
fn told(desk: &Desk, seq: Seq, word: Option<&'static str>) -> Delivery {
    Delivery {
        seq,
        subject: String::new(),
        state: if word.is_some() { State::Dead } else { State::Acked },
        attempts: 1,
        due: desk.now,
        status: None,
        error: word.map(str::to_owned),
        since: desk.now,
    }
}
