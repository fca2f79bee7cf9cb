//! The sequencer: entries of units of work that are committed become events, numbered without a gap and chained.
//!
//! Any number of them may run at once, on any node: the end of a log is moved only from where it was read, so the events of
//! who is late are thrown away. A lease lets one node do the work, and is not needed for it to be right.

use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::{
    self, Actor, ActorKind, By, Cause, Chain, Checkpoint, Class, Entry, Head, Kind, Origin, Record, Seq, SigningKey,
    Text,
};
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::service::keys::{self, Purpose};
use crate::store::log::entries::Written;
use crate::store::log::heads::{End, Growth};
use crate::store::log::leases;
use crate::store::log::waiting::{self, Waiting};
use crate::store::{self, Unit};

/// Entries that one pass takes up: a few milliseconds of the writer.
const MOST_ENTRIES: usize = 512;

/// Bytes of their texts. A single entry may be larger.
const MOST_BYTES: usize = 4 << 20;

/// Events after which a signed end is kept.
const CHECKPOINT_EVENTS: i64 = 1_000;

/// Time after which it is, where there was any event.
const CHECKPOINT_EVERY: Duration = Duration::from_mins(1);

/// The lease of the sequencer.
const LEASE: &str = "sequence";

/// How long a node that stops in mid-work keeps the others from it.
pub const LEASE_LASTS: Duration = Duration::from_secs(10);

/// What a pass came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Events that got their numbers.
    pub numbered: usize,
    /// Whether more may wait than one pass takes up, or somebody else was faster.
    pub more: bool,
}

/// Numbers what waits, once.
///
/// # Errors
/// A database that does not answer.
pub async fn pass(services: &Services) -> Result<Passed> {
    let passed = number(services, waiting::oldest(services.db(), MOST_ENTRIES).await?).await?;
    let left = if passed.more {
        waiting::count(services.db()).await?
    } else {
        0
    };
    metrics::gauge!("muster_log_waiting").set(f64::from(u32::try_from(left).unwrap_or(u32::MAX)));
    Ok(passed)
}

/// The same for one tenant.
pub(super) async fn pass_of(services: &Services, tenant: TenantId) -> Result<Passed> {
    number(services, waiting::oldest_of(services.db(), tenant, MOST_ENTRIES).await?).await
}

/// Whether anything waits for its number.
///
/// # Errors
/// A database that does not answer.
pub async fn is_behind(services: &Services) -> Result<bool> {
    Ok(!waiting::oldest(services.db(), 1).await?.is_empty())
}

/// Takes or renews the lease; says whether this holder has it now.
///
/// # Errors
/// A database that does not answer.
pub async fn lease(services: &Services, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    Ok(leases::take(services.db(), LEASE, holder, now, now.plus(LEASE_LASTS)).await?)
}

/// Resolves when this process has added to the log.
pub async fn rung(services: &Services) {
    services.db().logged().await;
}

async fn number(services: &Services, waiting: Vec<Waiting>) -> Result<Passed> {
    let full = waiting.len() >= MOST_ENTRIES;
    let (waiting, cut) = within_bytes(waiting);
    let mut passed = Passed {
        numbered: 0,
        more: full || cut,
    };
    if waiting.is_empty() {
        return Ok(passed);
    }
    let signer = keys::signer(services, Purpose::Log).await?;
    for (tenant, entries) in by_tenant(waiting) {
        let growth = growth(entries, &signer).map_err(|fault| Error::Internal(Box::new(fault)))?;
        let events = growth.events.len();
        let mut unit = Unit::begin(services.db(), tenant).await?;
        unit.heads().grow(growth);
        match unit.save().await {
            Ok(()) => {
                passed.numbered += events;
                services.grow();
            }
            // Somebody else numbers them.
            Err(store::Error::Stale) => passed.more = true,
            Err(fault) => match Error::from(fault) {
                Error::Busy => passed.more = true,
                error => return Err(error),
            },
        }
    }
    Ok(passed)
}

/// The first of them, as many as one pass takes up; and whether there are others.
fn within_bytes(mut waiting: Vec<Waiting>) -> (Vec<Waiting>, bool) {
    let mut bytes = 0;
    let fits = waiting.iter().take_while(|one| {
        let before = bytes;
        bytes += one.entry.head.len() + one.entry.records.len();
        before == 0 || bytes <= MOST_BYTES
    });
    let fits = fits.count();
    let cut = fits < waiting.len();
    waiting.truncate(fits);
    (waiting, cut)
}

/// Those of each tenant, in order.
fn by_tenant(waiting: Vec<Waiting>) -> Vec<(TenantId, Vec<Waiting>)> {
    let mut tenants: Vec<(TenantId, Vec<Waiting>)> = Vec::new();
    for one in waiting {
        match tenants.iter_mut().find(|(tenant, _)| *tenant == one.tenant) {
            Some((_, entries)) => entries.push(one),
            None => tenants.push((one.tenant, vec![one])),
        }
    }
    tenants
}

/// What the entries of one tenant, at least one, add to its log.
fn growth(entries: Vec<Waiting>, signer: &SigningKey) -> std::result::Result<Growth, event::Error> {
    let uid = entries
        .first()
        .map(|first| first.tenant_uid.clone())
        .unwrap_or_default();
    let old = entries.first().and_then(|first| first.end);
    let mut chain = Chain::from(uid.as_str(), old.map_or_else(|| Head::genesis(&uid), |old| old.head));
    let mut highest = old.map_or(0, |old| old.entry);
    let (mut events, mut taken) = (Vec::new(), Vec::with_capacity(entries.len()));
    for Waiting { entry, .. } in entries {
        let id = entry.id;
        let placed = chain.push(understood(entry));
        events.extend(placed.into_iter().map(|event| (id, event)));
        taken.push(id);
        highest = highest.max(id);
    }
    let head = *chain.head();
    let newest = old.map_or((Seq(0), Timestamp(0)), |old| old.checkpoint);
    let keeps = head.seq.0 - newest.0.0 >= CHECKPOINT_EVENTS || head.at >= newest.1.plus(CHECKPOINT_EVERY);
    Ok(Growth {
        old,
        new: End {
            head,
            entry: highest,
            checkpoint: if keeps { (head.seq, head.at) } else { newest },
        },
        signed: Checkpoint::sign(&uid, &head, signer)?,
        keeps,
        events,
        entries: taken,
    })
}

/// What an entry says. One that cannot be read must not stop the log of its tenant: it becomes an event that says so, with
/// its texts, which hold no personal value in clear.
fn understood(written: Written) -> Entry {
    let Written {
        id,
        at,
        txn,
        head,
        records,
    } = written;
    match Entry::read(at, txn.clone(), &head, &records) {
        Ok(entry) => entry,
        Err(fault) => {
            tracing::error!(entry.id = id, error = %fault, "an entry of the log cannot be read; it is kept as it is");
            unreadable(at, txn, &head, &records)
        }
    }
}

fn unreadable(at: Timestamp, txn: String, head: &str, records: &str) -> Entry {
    let data = serde_json::json!({ "reason": "entry", "head": head, "records": records });
    let record = Text::try_from(&data).ok().map(|data| Record {
        kind: Kind::LogUnreadable,
        class: Class::Acts,
        subject: None,
        about: Vec::new(),
        cause: Cause {
            by: By::System,
            reason: None,
            of: None,
        },
        data,
        sealed: None,
    });
    Entry {
        at,
        txn,
        origin: Origin {
            actor: Actor {
                kind: ActorKind::System,
                id: "log".to_owned(),
            },
            connection: None,
            request_id: None,
        },
        first: 0,
        records: record.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::event::Algorithm;

    fn waiting(tenant: i64, id: i64, records: &str) -> Waiting {
        Waiting {
            tenant: TenantId(tenant),
            tenant_uid: format!("u{tenant}"),
            end: None,
            entry: Written {
                id,
                at: Timestamp(7),
                txn: format!("t{id}"),
                head: r#"{"actor":{"kind":"admin","id":"a"},"connection":null,"request_id":null}"#.to_owned(),
                records: records.to_owned(),
            },
        }
    }

    const ROLE: &str = r#"[{"kind":"role.created","class":1,"subject":null,"about":[],"cause":{"by":"admin"},"data":{},"sealed":null}]"#;

    #[test]
    fn an_entry_that_cannot_be_read_is_an_event_and_the_log_goes_on() {
        let signer = SigningKey::of(Algorithm::Ed25519, &Secret::new([1; 32])).unwrap();
        let grown = growth(
            vec![waiting(1, 4, ROLE), waiting(1, 9, "[{]"), waiting(1, 11, ROLE)],
            &signer,
        )
        .unwrap();
        assert_eq!((grown.signed.seq, grown.signed.hash), (Seq(3), grown.new.head.hash));
        let kinds: Vec<_> = grown.events.iter().map(|(_, one)| one.event.kind.as_str()).collect();
        assert_eq!(kinds, ["role.created", "log.unreadable", "role.created"]);
        assert!(grown.events[1].1.event.data.contains("[{]"));
        assert_eq!(grown.entries, [4, 9, 11]);
        assert_eq!((grown.new.entry, grown.new.head.seq.0, grown.old), (11, 3, None));
    }

    #[test]
    fn entries_keep_their_order_within_a_tenant() {
        let sorted = by_tenant(vec![waiting(2, 1, ""), waiting(1, 2, ""), waiting(2, 3, "")]);
        let ids: Vec<Vec<i64>> = sorted
            .iter()
            .map(|(_, all)| all.iter().map(|one| one.entry.id).collect())
            .collect();
        assert_eq!(ids, [vec![1, 3], vec![2]]);
    }

    #[test]
    fn a_pass_takes_one_large_entry_at_least() {
        let large = "x".repeat(MOST_BYTES);
        let (taken, cut) = within_bytes(vec![waiting(1, 1, &large), waiting(1, 2, ROLE)]);
        assert_eq!((taken.len(), cut), (1, true));
        let (taken, cut) = within_bytes(vec![waiting(1, 1, ROLE), waiting(1, 2, ROLE)]);
        assert_eq!((taken.len(), cut), (2, false));
    }
}
