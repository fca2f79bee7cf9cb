//! Reads the logs for what may have ended an account: opens runs, and withdraws those of people who may come in again.

use std::collections::BTreeMap;
use std::iter;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::ACCOUNT_TOKENS;
use super::pass::{NAME, left_alone};
use crate::access::lifecycle::Status;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, TenantId};
use crate::event::certificate::AskedBy;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::setbacks::{Work, one_of_many};
use crate::store::Unit;
use crate::store::runs::ends::{self, Behind, Told};
use crate::store::runs::enforcers::Part;
use crate::store::runs::list::{Brief, Opening};

/// Tenants that are looked up at once.
const MOST_TENANTS: u32 = 100;

/// Positions of a log that are read at once.
const MOST_POSITIONS: i64 = 1_000;

/// Reads every log on that goes on; gives how many. Each has its turn, however fast the others go on.
pub(super) async fn follow(services: &Services) -> Result<usize> {
    let (mut followed, mut after) = (0, TenantId(0));
    let alone = left_alone(services, Work::Follow);
    loop {
        let behind = ends::behind(services.db(), after, MOST_TENANTS, &alone).await?;
        let Some(last) = behind.last() else { return Ok(followed) };
        after = last.tenant;
        for behind in behind {
            let of = (Work::Follow, behind.tenant.0);
            let read = one_of_many(services, of, read_on(services, &behind)).await?;
            followed += usize::from(read.is_some());
        }
    }
}

async fn read_on(services: &Services, behind: &Behind) -> Result<()> {
    let caller = Caller::system(services, behind.tenant, &behind.slug, NAME);
    let from = behind.read.unwrap_or(0);
    let to = behind.end.min(from + MOST_POSITIONS);
    let told = services.read(&caller).ends().between(from, to).await?;
    let Meaning { back, ended } = Meaning::of(told);
    let lasts = if ended.is_empty() {
        Duration::ZERO
    } else {
        services.read(&caller).policy().settings().await?.offboarding_deadline
    };
    let openings: Result<Vec<Opening>> = ended.into_iter().map(|told| opening(services, told, lasts)).collect();
    let (openings, now) = (openings?, services.clock().now());
    let mut unit = services.begin(&caller).await?;
    unit.ends().advance(behind.read, to);
    let enforcers = enforcers(&mut unit, &openings).await?;
    // First: what ended the account of somebody who was back in between is proven anew, whatever was confirmed before.
    let withdrawn = unit.runs().withdraw(&back, now).await?;
    let opened = unit.runs().open(openings, &enforcers, now).await?;
    tell(&mut unit, &caller, now, What::RunWithdrawn, &withdrawn);
    tell(&mut unit, &caller, now, What::RunOpened, &opened);
    Ok(unit.save().await?)
}

/// Who has a step in runs that are opened now: Muster itself, and every enforcer that is active.
async fn enforcers(unit: &mut Unit, openings: &[Opening]) -> Result<Vec<Part>> {
    if openings.is_empty() {
        return Ok(Vec::new());
    }
    let outside = unit.enforcers().active().await?;
    let own = Part {
        name: ACCOUNT_TOKENS.to_owned(),
        enforcer: None,
        deadline_s: None,
    };
    Ok(iter::once(own).chain(outside).collect())
}

/// What a part of a log comes to.
#[derive(Debug, Default)]
struct Meaning {
    /// Who may come in, or could in between: the runs that were opened before prove nothing of them any more.
    back: Vec<Pk>,
    /// What ended the accounts of those who are out.
    ended: Vec<Told>,
}

impl Meaning {
    /// What counts is what is so now: of somebody who was kept out and let in again meanwhile there is nothing to prove. And
    /// only what ended an account opens a run: where the last word let somebody in who is out by now, that which ended it is
    /// still to be read.
    fn of(told: Vec<Told>) -> Self {
        let mut meaning = Self::default();
        for (user, said) in by_person(told) {
            if said.active || said.let_in {
                meaning.back.push(user);
            }
            meaning.ended.extend(said.ended.filter(|_| !said.active));
        }
        meaning
    }
}

/// What is said of one person.
#[derive(Debug, Default)]
struct Said {
    /// They may come in now.
    active: bool,
    /// Something let them in.
    let_in: bool,
    /// The last thing that ended the account, unless they were let in after it.
    ended: Option<Told>,
}

fn by_person(told: Vec<Told>) -> BTreeMap<Pk, Said> {
    let mut people: BTreeMap<Pk, Said> = BTreeMap::new();
    for told in told.into_iter().filter(concerns) {
        let said = people.entry(told.user.0).or_default();
        said.active = told.active;
        if ends(&told.kind) {
            said.ended = Some(told);
        } else if lets_in(&told) {
            said.let_in = true;
            said.ended = None;
        }
    }
    people
}

/// Whether something that happened to a person may have changed whether they may come in.
fn concerns(told: &Told) -> bool {
    ends(&told.kind) || matches!(told.kind.as_str(), "user.restored" | "user.activated")
}

/// Whether it ended an account. Every way to end one says so by one of these.
fn ends(kind: &str) -> bool {
    matches!(kind, "user.deleted" | "user.suspended" | "user.deactivated")
}

/// Whether it let somebody in. Who is restored is what they were, and may be held still; or somebody else was given what
/// they had.
fn lets_in(told: &Told) -> bool {
    match told.kind.as_str() {
        "user.activated" => true,
        "user.restored" => {
            let facts: Option<Value> = serde_json::from_str(&told.restored).ok();
            let status = facts.as_ref().and_then(|facts| facts["status"].as_str());
            status == Some(Status::Active.as_str())
        }
        _ => false,
    }
}

/// A run that begins at the event. A clock that is ahead of this node's gives enforcers no longer.
fn opening(services: &Services, told: Told, lasts: Duration) -> Result<Opening> {
    let (actor_kind, actor_id) = told.actor;
    let asked_by = AskedBy {
        actor_kind,
        actor_id,
        connection: told.connection,
        request_id: told.request_id,
    };
    let begins = told.at.min(services.clock().now());
    Ok(Opening {
        uid: services.ids().next().into_string(),
        user: told.user,
        seq: told.seq,
        at: told.at,
        asked_by: serde_json::to_string(&asked_by).map_err(|fault| Error::Internal(Box::new(fault)))?,
        begins,
        deadline: begins.plus(lasts),
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

    fn told(seq: i64, user: i64, kind: &str, active: bool) -> Told {
        Told {
            seq,
            at: Timestamp(seq),
            kind: kind.to_owned(),
            user: (Pk(user), format!("u{user}")),
            actor: ("admin".to_owned(), "a".to_owned()),
            connection: None,
            request_id: None,
            active,
            restored: String::new(),
        }
    }

    fn restored(seq: i64, user: i64, status: &str) -> Told {
        let restored = json!({ "status": status }).to_string();
        Told {
            restored,
            ..told(seq, user, "user.restored", false)
        }
    }

    /// Who was back, and whose end is proven from which position on.
    fn meaning(of: Vec<Told>) -> (Vec<i64>, Vec<(i64, i64)>) {
        let Meaning { back, ended } = Meaning::of(of);
        let ended = ended.iter().map(|told| (told.user.0.0, told.seq)).collect();
        (back.into_iter().map(|pk| pk.0).collect(), ended)
    }

    #[test]
    fn only_what_ended_an_account_opens_a_run_and_of_each_person_the_last_word_counts() {
        let (back, ended) = meaning(vec![
            told(1, 7, "user.deactivated", false),
            told(2, 8, "user.updated", false),
            told(3, 7, "user.deleted", false),
            told(4, 9, "user.created", false),
            told(5, 7, "user.activation_refused", false),
            // Let in, and out again by what has no number yet.
            told(6, 10, "user.suspended", false),
            told(7, 10, "user.activated", false),
            told(8, 11, "user.suspended", true),
            told(9, 11, "user.activated", true),
        ]);
        assert_eq!((back, ended), (vec![10, 11], vec![(7, 3)]));
    }

    #[test]
    fn who_was_back_in_between_is_proven_anew() {
        let (back, ended) = meaning(vec![
            told(1, 7, "user.activated", false),
            told(2, 7, "user.deactivated", false),
            told(3, 8, "user.deleted", false),
            restored(4, 8, "active"),
            told(5, 8, "user.suspended", false),
        ]);
        assert_eq!((back, ended), (vec![7, 8], vec![(7, 2), (8, 5)]));
    }

    #[test]
    fn who_is_restored_and_still_held_was_out_all_the_time() {
        let (back, ended) = meaning(vec![
            told(1, 7, "user.suspended", false),
            told(2, 7, "user.deleted", false),
            restored(3, 7, "suspended"),
            // The runs that are open for these go on.
            restored(4, 8, "deactivated_by_source"),
            Told {
                restored: json!({ "into": "u7" }).to_string(),
                ..told(5, 9, "user.restored", false)
            },
        ]);
        assert_eq!((back, ended), (Vec::new(), vec![(7, 2)]));
    }
}
