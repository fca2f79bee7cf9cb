//! Requests that carry an idempotency key: each takes effect once, however often it comes.
//!
//! The key is claimed before anything is done. Every unit that the request opens then writes, together with its change,
//! that the change is on disk, and fails when the claim has gone to somebody else meanwhile. After a crash the key
//! therefore tells whether there was an effect, and if there was none, the same request takes the claim over.

use std::time::Duration;

use super::context::{Authority, Caller, Services};
use super::credentials::holds_token;
use super::error::Result;
use crate::base::clock::Timestamp;
use crate::store::Unit;
use crate::store::access::replays::{self, Claim, Progress};

pub use crate::store::access::replays::Answer;

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_hours(24);
/// After this time a claim that has changed nothing can be taken over: whoever held it has most likely crashed.
const ABANDONED_AFTER: Duration = Duration::from_mins(2);
/// Rows that are removed in one unit: the writer is not held up for long.
const PRUNED_AT_ONCE: u32 = 1000;

/// What becomes of a request with a key.
#[derive(Debug)]
pub enum Turn {
    /// It is done now, by this caller, whose claim [`settle`] ends.
    Now(Caller),
    /// It was done, and answered so.
    Before(Answer),
    /// It is being done.
    Meanwhile,
    /// It was done, but its answer is not there: it was not to be kept, or was lost in a crash.
    Unanswered,
    /// The key belongs to another request.
    Another,
}

/// Claims a key for a request, of which `hash` tells whether it is the same.
///
/// Keys belong to the user who sends them; those of admin tokens to the administrators of the organisation together.
///
/// # Errors
/// A database that does not answer.
pub async fn claim(services: &Services, caller: &Caller, key: &str, hash: &str) -> Result<Turn> {
    let claim = Claim {
        caller: holder(caller.authority()),
        key: key.to_owned(),
        attempt: services.ids().next().into_string(),
    };
    let now = services.clock().now();
    let limits = (earlier(now, ABANDONED_AFTER), earlier(now, KEPT));
    let mut unit = Unit::begin(services.db(), caller.tenant()).await?;
    if unit.replays().claim(&claim, hash, now, limits).await? {
        unit.save().await?;
        return Ok(Turn::Now(caller.claiming(claim)));
    }
    let found = unit.replays().find(&claim.caller, key).await?;
    unit.dismiss().await?;
    Ok(match found {
        // Given back between the two statements: whoever asks again gets it.
        None => Turn::Meanwhile,
        Some(known) if known.request_hash != hash => Turn::Another,
        Some(known) => match known.progress {
            Progress::Done(Some(answer)) => Turn::Before(answer),
            Progress::Done(None) => Turn::Unanswered,
            // Whoever did it would have answered by now.
            Progress::Effective if known.created < limits.0 => Turn::Unanswered,
            Progress::Claimed | Progress::Effective => Turn::Meanwhile,
        },
    })
}

/// How a request with a key ended.
#[derive(Debug)]
pub enum End {
    /// So it is answered again.
    Answered(Answer),
    /// Its answer is nothing to keep: it holds a secret, or is too long.
    Unkept,
    /// It failed, and can be sent again, unless it had changed something.
    Failed,
}

/// Ends the claim of a caller.
///
/// # Errors
/// A database that does not answer.
pub async fn settle(services: &Services, caller: &Caller, end: &End) -> Result<()> {
    let Some(claim) = caller.claim() else { return Ok(()) };
    let mut unit = Unit::begin(services.db(), caller.tenant()).await?;
    match end {
        // A token is shown once, and stored as a hash: also where the answer does not say that it holds one.
        End::Answered(answer) if holds_token(&answer.body) => unit.replays().done(claim, None),
        End::Answered(answer) => unit.replays().done(claim, Some(answer)),
        End::Unkept => unit.replays().done(claim, None),
        End::Failed => unit.replays().release(claim),
    }
    Ok(unit.save().await?)
}

/// Forgets what is older than [`KEPT`].
///
/// # Errors
/// A database that does not answer.
pub async fn prune(services: &Services) -> Result<()> {
    let before = earlier(services.clock().now(), KEPT);
    while replays::prune(services.db(), before, PRUNED_AT_ONCE).await? == PRUNED_AT_ONCE as usize {}
    Ok(())
}

fn holder(authority: &Authority) -> String {
    match authority {
        Authority::Admin => "admin".to_owned(),
        Authority::User(id) => format!("user:{id}"),
        Authority::Connection(connection) => format!("connection:{}", connection.id.0),
        Authority::Operator(name) => format!("operator:{name}"),
        Authority::System(name) => format!("system:{name}"),
    }
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(micros))
}
