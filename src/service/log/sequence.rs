//! The sequencer: entries of units of work that are committed become events, numbered without a gap and chained.
//!
//! Any number of them may run at once, on any node: the end of a log is moved only from where it was read, so the events of
//! who is late are thrown away. A lease lets one node do the work, and is not needed for it to be right.

use std::time::Duration;

use serde_json::json;

use super::signed::signature_of;
use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::{
    self, Actor, ActorKind, By, Cause, Chain, Checkpoint, Entry, Head, Kind, Origin, Record, Seq, SigningKey, Subject,
    SubjectKind, Text,
};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::keys::{self, Purpose};
use crate::service::mail::{self, Template};
use crate::service::setbacks::{Work, meets_all, takes_too_long};
use crate::store::log::entries::Written;
use crate::store::log::heads::{End, Growth};
use crate::store::log::leases;
use crate::store::log::waiting::{self, Most, Waiting};
use crate::store::{Unit, tenants};

/// Entries that one pass takes up: a few milliseconds of the writer.
const MOST_ENTRIES: usize = 512;

/// Bytes of their texts. A single entry may be larger.
const MOST_BYTES: usize = 4 << 20;

/// What is read for one pass.
const MOST: Most = Most {
    entries: MOST_ENTRIES,
    characters: MOST_BYTES,
};

/// Entries that are counted for the metric; how many more wait is not worth looking at all of them, several times a second.
const MOST_COUNTED: i64 = 100_000;

/// Events after which a signed end is kept.
const CHECKPOINT_EVENTS: i64 = 1_000;

/// Time after which it is, where there was any event.
const CHECKPOINT_EVERY: Duration = Duration::from_mins(1);

/// The lease of the sequencer.
const LEASE: &str = "sequence";

/// Who adds to a log what no unit of work did.
const NAME: &str = "log";

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

/// Numbers what waits, once. A tenant whose log cannot go on holds up no other one.
///
/// # Errors
/// A database that does not answer.
pub async fn pass(services: &Services) -> Result<Passed> {
    let broken = services.setbacks().left_alone(Work::Number, services.clock().now());
    let passed = number(services, waiting::oldest(services.db(), MOST, &broken).await?).await?;
    let left = if passed.more || !broken.is_empty() {
        waiting::count(services.db(), MOST_COUNTED).await?
    } else {
        0
    };
    metrics::gauge!("muster_log_waiting").set(f64::from(u32::try_from(left).unwrap_or(u32::MAX)));
    metrics::gauge!("muster_log_broken").set(f64::from(services.setbacks().count(Work::Number)));
    Ok(passed)
}

/// The same for one tenant. Where its log could not go on a moment ago, nothing is done.
pub(super) async fn pass_of(services: &Services, tenant: TenantId) -> Result<Passed> {
    if is_broken(services, tenant) {
        return Ok(Passed::default());
    }
    number(services, waiting::oldest_of(services.db(), tenant, MOST).await?).await
}

/// Whether the log of a tenant could not go on a moment ago, so that nobody need wait for it.
pub(super) fn is_broken(services: &Services, tenant: TenantId) -> bool {
    let now = services.clock().now();
    services.setbacks().leaves_alone(Work::Number, tenant.0, now)
}

/// Whether anything waits.
///
/// # Errors
/// A database that does not answer.
pub async fn is_behind(services: &Services) -> Result<bool> {
    let broken = services.setbacks().left_alone(Work::Number, services.clock().now());
    Ok(waiting::any(services.db(), &broken).await?)
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
    for (tenant, entries) in by_tenant(waiting) {
        match number_those_of(services, tenant, entries).await {
            Ok(events) => {
                passed.numbered += events;
                services.setbacks().done(Work::Number, tenant.0);
                services.grow();
            }
            // Somebody else numbers them, or is in the way.
            Err(Error::Stale | Error::Busy | Error::Crowded) => passed.more = true,
            Err(fault) if takes_too_long(&fault) => passed.more = true,
            Err(fault) if meets_all(&fault) => return Err(fault),
            Err(fault) => {
                let now = services.clock().now();
                services.setbacks().failed(Work::Number, tenant.0, now);
                tracing::error!(
                    tenant.id = tenant.0,
                    error = &fault as &dyn std::error::Error,
                    "the log of a tenant cannot go on: what happens there is kept and gets no numbers until it is mended"
                );
                if let Err(fault) = alert(services, tenant, now).await {
                    let error = &fault as &dyn std::error::Error;
                    tracing::warn!(
                        tenant.id = tenant.0,
                        error,
                        "nobody could be told that a log cannot go on"
                    );
                }
            }
        }
    }
    Ok(passed)
}

/// Has the administrators of a tenant told by mail that its log cannot go on: no event could.
async fn alert(services: &Services, tenant: TenantId, now: Timestamp) -> Result<()> {
    let all = tenants::list(services.db()).await?;
    let Some(found) = all.into_iter().find(|one| one.id == tenant) else {
        return Ok(());
    };
    let caller = Caller::system(services, tenant, &found.slug, "log");
    let mut unit = services.begin(&caller).await?;
    mail::alert_in(services, &mut unit, now, (Template::LogStopped, &json!({}))).await?;
    Ok(unit.save().await?)
}

/// Numbers entries of one tenant, at least one; gives how many events they were.
async fn number_those_of(services: &Services, tenant: TenantId, entries: Vec<Waiting>) -> Result<usize> {
    // A key that does not open is a setback of each tenant, of which its administrators are told.
    let signer = keys::signer(services, Purpose::Log).await?;
    let old = proven_end(services, &entries).await?;
    let before = old.as_ref().map(|(_, key)| key.clone());
    let changed = before.as_deref().is_some_and(|key| key != signer.public().kid());
    let (afresh, rotated) = if changed {
        // Another node may have changed the key since this one looked.
        let afresh = keys::signer_afresh(services, Purpose::Log).await?;
        let kid = afresh.public().kid().to_owned();
        let rotated = before.filter(|before| *before != kid);
        let rotated = rotated.map(|before| (services.ids().next_unit(), services.clock().now(), before, kid));
        (Some(afresh), rotated)
    } else {
        (None, None)
    };
    let growth = growth(
        entries,
        old.map(|(end, _)| end),
        afresh.as_deref().unwrap_or(&signer),
        rotated.and_then(|(txn, at, before, kid)| rotation(at, txn, &before, &kid)),
    )
    .map_err(|fault| Error::Internal(Box::new(fault)))?;
    let events = growth.events.len();
    let mut unit = Unit::begin(services.db(), tenant).await?;
    unit.heads().grow(growth);
    unit.save().await?;
    Ok(events)
}

/// Where the log of these entries ends, and the key that signed for it; none before its first event.
///
/// What no key of this installation has signed is not gone on from: it would be signed for with what comes after it.
async fn proven_end(services: &Services, entries: &[Waiting]) -> Result<Option<(End, String)>> {
    let Some((uid, standing)) = entries
        .first()
        .and_then(|first| Some((first.tenant_uid.as_str(), first.end.as_ref()?)))
    else {
        return Ok(None);
    };
    let signed = signature_of(uid, standing.claimed.clone());
    let flaw = match &signed {
        Some(signed) => keys::proven(services, signed).await?.err(),
        None => Some(event::Flaw::Signature),
    };
    match (flaw, standing.end(), signed) {
        (None, Some(end), Some(signed)) => Ok(Some((end, signed.key))),
        (flaw, _, _) => Err(Error::Internal(Box::new(event::Broken {
            at: standing.claimed.seq,
            line: None,
            flaw: flaw.unwrap_or(event::Flaw::Hash),
        }))),
    }
}

/// That signatures are made with another key from here on. The log itself says so, where it sees it.
fn rotation(at: Timestamp, txn: String, before: &str, kid: &str) -> Option<Entry> {
    let data = json!({ "purpose": Purpose::Log.as_str(), "key": kid, "before": before });
    let subject = Subject {
        kind: SubjectKind::Key,
        pk: None,
        id: kid.to_owned(),
    };
    let record = own_record(Kind::KeyRotated, Some(subject), &data)?;
    Some(own_entry(at, txn, vec![record]))
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
    // What has this size was read up to here, and there may be more.
    let cut = fits < waiting.len() || bytes >= MOST_BYTES;
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

/// What the entries of one tenant, at least one, add to its log; before them, what the log itself has to say.
fn growth(
    entries: Vec<Waiting>,
    old: Option<End>,
    signer: &SigningKey,
    own: Option<Entry>,
) -> std::result::Result<Growth, event::Error> {
    let first = entries.first();
    let uid = first.map(|first| first.tenant_uid.clone()).unwrap_or_default();
    let first = first.map_or(0, |first| first.entry.id);
    let mut chain = Chain::from(uid.as_str(), old.map_or_else(|| Head::genesis(&uid), |old| old.head));
    let mut highest = old.map_or(0, |old| old.entry);
    let (mut events, mut taken) = (Vec::new(), Vec::with_capacity(entries.len()));
    let placed = own.map(|own| chain.push(own)).unwrap_or_default();
    events.extend(placed.into_iter().map(|event| (first, event)));
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
    let data = json!({ "reason": "entry", "head": head, "records": records });
    let record = own_record(Kind::LogUnreadable, None, &data);
    own_entry(at, txn, record.into_iter().collect())
}

/// Something that the log says of itself.
fn own_record(kind: Kind, subject: Option<Subject>, data: &serde_json::Value) -> Option<Record> {
    Some(Record {
        kind: kind.into(),
        class: kind.class(),
        subject,
        about: Vec::new(),
        cause: Cause {
            by: By::System,
            reason: None,
            of: None,
        },
        data: Text::try_from(data).ok()?,
        sealed: None,
    })
}

fn own_entry(at: Timestamp, txn: String, records: Vec<Record>) -> Entry {
    Entry {
        at,
        txn,
        origin: Origin {
            actor: Actor {
                kind: ActorKind::System,
                id: NAME.to_owned(),
            },
            connection: None,
            request_id: None,
        },
        first: 0,
        records,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::event::{Algorithm, Class};

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
            None,
            &signer,
            None,
        )
        .unwrap();
        assert_eq!((grown.signed.seq, grown.signed.hash), (Seq(3), grown.new.head.hash));
        let kinds: Vec<_> = grown.events.iter().map(|(_, one)| one.event.kind.as_str()).collect();
        assert_eq!(kinds, ["role.created", "log.unreadable", "role.created"]);
        assert!(grown.events[1].1.event.data.contains("[{]"));
        assert_eq!(grown.events[1].1.class, Class::Policy, "it may have been anything");
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
