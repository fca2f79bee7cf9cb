//! Reads the logs for what may have ended an account: opens runs, and withdraws those of people who may come in again.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::ACCOUNT_TOKENS;
use super::pass::{NAME, unless_overtaken};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::event::certificate::AskedBy;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::Unit;
use crate::store::runs::ends::{self, Behind, Told};
use crate::store::runs::list::{Brief, Opening};

/// Tenants whose logs are read in one round.
const MOST_TENANTS: u32 = 100;

/// Positions of a log that are read at once.
const MOST_POSITIONS: i64 = 1_000;

/// How long enforcers have, from the instant at which the account ended. A clock that is ahead of this node's gives them
/// no longer.
const DEADLINE: Duration = Duration::from_mins(5);

/// Reads every log on that goes on; gives how many.
pub(super) async fn follow(services: &Services) -> Result<usize> {
    let mut followed = 0;
    for behind in ends::behind(services.db(), MOST_TENANTS).await? {
        followed += usize::from(unless_overtaken(read_on(services, &behind).await)?.is_some());
    }
    Ok(followed)
}

async fn read_on(services: &Services, behind: &Behind) -> Result<()> {
    let caller = Caller::system(services, behind.tenant, &behind.slug, NAME);
    let from = behind.read.unwrap_or(0);
    let to = behind.end.min(from + MOST_POSITIONS);
    let told = services.read(&caller).ends().between(from, to).await?;
    let (active, ended): (Vec<Told>, Vec<Told>) = last_words(told).into_values().partition(|told| told.active);
    let active: Vec<Pk> = active.iter().map(|told| told.user.0).collect();
    let openings: Result<Vec<Opening>> = ended.into_iter().map(|told| opening(services, told)).collect();
    let (openings, now) = (openings?, services.clock().now());
    let mut unit = services.begin(&caller).await?;
    unit.ends().advance(behind.read, to);
    let opened = unit.runs().open(openings, &[ACCOUNT_TOKENS.to_owned()], now).await?;
    let withdrawn = unit.runs().withdraw(&active, now).await?;
    tell(&mut unit, &caller, now, What::RunOpened, &opened);
    tell(&mut unit, &caller, now, What::RunWithdrawn, &withdrawn);
    Ok(unit.save().await?)
}

/// The last thing that was said of each person about whether they may come in.
///
/// What counts is what is so now: of somebody who was kept out and let in again meanwhile there is nothing to prove.
fn last_words(told: Vec<Told>) -> BTreeMap<Pk, Told> {
    let words = told.into_iter().filter(|told| concerns(&told.kind, &told.data));
    words.map(|told| (told.user.0, told)).collect()
}

/// Whether something that happened to a person may have changed whether they may come in.
fn concerns(kind: &str, data: &str) -> bool {
    match kind {
        "user.deleted" | "user.restored" | "user.suspended" | "user.deactivated" | "user.activated" => true,
        "user.updated" => {
            let data: Value = serde_json::from_str(data).unwrap_or_default();
            let mut names = data["attributes"].as_array().into_iter().flatten();
            names.any(|name| name == "active")
        }
        _ => false,
    }
}

fn opening(services: &Services, told: Told) -> Result<Opening> {
    let (actor_kind, actor_id) = told.actor;
    let asked_by = AskedBy {
        actor_kind,
        actor_id,
        connection: told.connection,
        request_id: told.request_id,
    };
    Ok(Opening {
        uid: services.ids().next().into_string(),
        user: told.user,
        seq: told.seq,
        at: told.at,
        asked_by: serde_json::to_string(&asked_by).map_err(|fault| Error::Internal(Box::new(fault)))?,
        deadline: told.at.min(services.clock().now()).plus(DEADLINE),
    })
}

/// Says in the log what became of runs.
pub(super) fn tell(unit: &mut Unit, caller: &Caller, now: Timestamp, what: What, runs: &[Brief]) {
    for run in runs {
        let subject = ledger::thing(Thing::Run, &run.uid);
        ledger::note(unit, caller, now, (what, subject), &json!({ "user": run.user }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seq: i64, user: i64, kind: &str, data: &str) -> Told {
        Told {
            seq,
            at: Timestamp(seq),
            kind: kind.to_owned(),
            user: (Pk(user), format!("u{user}")),
            actor: ("admin".to_owned(), "a".to_owned()),
            connection: None,
            request_id: None,
            data: data.to_owned(),
            active: false,
        }
    }

    #[test]
    fn only_what_may_end_an_account_counts_and_of_each_person_the_last() {
        let active = r#"{"attributes":["title","active"],"version":2}"#;
        let last = last_words(vec![
            told(1, 7, "user.updated", active),
            told(2, 8, "user.updated", r#"{"attributes":["title"]}"#),
            told(3, 7, "user.deleted", "{}"),
            told(4, 9, "user.created", active),
            told(5, 9, "grant.created", active),
            told(6, 7, "user.activation_refused", "{}"),
            told(7, 10, "user.updated", "no JSON"),
        ]);
        let last: Vec<(i64, i64)> = last.iter().map(|(pk, told)| (pk.0, told.seq)).collect();
        assert_eq!(last, [(7, 3)]);
    }
}
