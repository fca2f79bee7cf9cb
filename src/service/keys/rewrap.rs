//! Everything that is sealed is sealed anew under the newest key, so that older ones can be destroyed.
//!
//! It goes by chunks, each on disk before the next begins, and what is done says so itself: whoever stops in the middle
//! begins again and does the rest. Servers that know both keys go on meanwhile.

use serde_json::json;

use super::bind;
use super::sealer::{PERSON, Sealer};
use super::signing::SIGNING;
use crate::event::Owner;
use crate::service::connections;
use crate::service::context::{Caller, Services};
use crate::service::deferred::DEFERRED;
use crate::service::delivery::RECEIVER;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::mail::MAIL;
use crate::service::provision::attempt::attempts;
use crate::store::log::sealed::{self, Place, Sealed};

/// Secrets that are sealed anew in one transaction.
const CHUNK: u32 = 500;

/// How often all is gone through: the last time finds nothing, unless a server seals under an older key meanwhile.
const MOST_ROUNDS: usize = 4;

/// A key outside the database, and what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrap {
    /// Its id in the key file.
    pub id: String,
    /// Whether everything new is sealed under it.
    pub newest: bool,
    /// Whether it is in the key file.
    pub known: bool,
    /// Secrets that nothing else opens.
    pub secrets: u64,
}

/// The keys of the key file, newest first, and what is sealed under each; then keys that are not there and should be.
///
/// # Errors
/// A database that does not answer.
pub async fn wraps(services: &Services) -> Result<Vec<Wrap>> {
    let mut counted = sealed::count(services.db()).await?;
    let mut wraps = Vec::new();
    for (at, id) in services.sealer().wraps().enumerate() {
        let found = counted.iter().position(|(key, _)| key == id);
        let secrets = found.map_or(0, |at| counted.remove(at).1);
        wraps.push(wrap(id.to_owned(), (at == 0, true), secrets));
    }
    wraps.extend(
        counted
            .into_iter()
            .map(|(id, secrets)| wrap(id, (false, false), secrets)),
    );
    Ok(wraps)
}

fn wrap(id: String, (newest, known): (bool, bool), secrets: i64) -> Wrap {
    Wrap {
        id,
        newest,
        known,
        secrets: u64::try_from(secrets).unwrap_or_default(),
    }
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Secrets that are sealed under the newest key now, and were not.
    pub done: u64,
    /// Secrets that do not open, each with where it stands: they stay as they are.
    pub damaged: Vec<Damaged>,
}

/// A secret that does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// What it is: `person`, `receiver`, `mail`, `deferred`, `signing-key`.
    pub what: &'static str,
    /// Public id of the tenant; empty of the installation.
    pub tenant: String,
    /// Public id of whose it is.
    pub id: String,
}

/// Seals everything anew that is not sealed under the newest key; says how many secrets are done so far whenever some
/// are. What does not open is that one's alone: all others are done.
///
/// # Errors
/// A database that does not answer; a check of the installation that does not open; `Busy` when a server goes on sealing
/// under an older key.
pub async fn rewrap(services: &Services, mut told: impl FnMut(u64)) -> Result<Rewrapped> {
    let older = wraps(services).await?;
    let older = older.into_iter().filter(|wrap| !wrap.newest && wrap.secrets > 0);
    let before: Vec<String> = older.map(|wrap| wrap.id).collect();
    let mut rewrapped = Rewrapped::default();
    for _ in 0..MOST_ROUNDS {
        rewrapped.damaged.clear();
        for place in Place::ALL {
            place_anew(services, place, &mut rewrapped, &mut told).await?;
        }
        if left(services).await? > rewrapped.damaged.len() as u64 {
            continue;
        }
        // The check goes last, and the logs are told before it: whoever stops in between tells them again.
        let check = bind::is_under_another(services.db(), services.sealer()).await?;
        if check || rewrapped.done > 0 {
            tell(services, services.sealer().newest(), &before).await?;
        }
        rewrapped.done += u64::from(bind::check_anew(services.db(), services.sealer()).await?);
        return Ok(rewrapped);
    }
    Err(Error::Busy)
}

/// How many secrets are not under the newest key, but for the check of the installation. All places are counted at once:
/// who moves from one to another is not missed.
async fn left(services: &Services) -> Result<u64> {
    let wraps = wraps(services).await?;
    let others: u64 = wraps.iter().filter(|wrap| !wrap.newest).map(|wrap| wrap.secrets).sum();
    let check = bind::is_under_another(services.db(), services.sealer()).await?;
    Ok(others.saturating_sub(u64::from(check)))
}

/// Goes through one place.
async fn place_anew(
    services: &Services,
    place: Place,
    rewrapped: &mut Rewrapped,
    told: &mut impl FnMut(u64),
) -> Result<()> {
    let sealer = services.sealer();
    let mut last: Option<Sealed> = None;
    loop {
        let found = sealed::under_others(services.db(), place, sealer.newest(), last.as_ref(), CHUNK).await?;
        let Some(end) = found.last().cloned() else {
            return Ok(());
        };
        let mut texts = Vec::with_capacity(found.len());
        for old in found {
            match anew(sealer, place, &old) {
                Ok(text) => texts.push((old, text)),
                Err(fault) => {
                    tracing::error!(
                        tenant.uid = old.tenant_uid,
                        owner.id = old.id,
                        secret.kind = what(place),
                        error = &fault as &dyn std::error::Error,
                        "what is sealed does not open, and cannot be sealed anew"
                    );
                    rewrapped.damaged.push(Damaged {
                        what: what(place),
                        tenant: old.tenant_uid,
                        id: old.id,
                    });
                }
            }
        }
        if !texts.is_empty() {
            rewrapped.done += texts.len() as u64;
            sealed::rewrite(services.db(), place, texts).await?;
            told(rewrapped.done);
        }
        last = Some(end);
    }
}

const fn what(place: Place) -> &'static str {
    match place {
        Place::People | Place::Deleted => PERSON,
        Place::Receivers | Place::Enforcers => RECEIVER,
        Place::Mail => MAIL,
        Place::Deferred => DEFERRED,
        Place::Signers => SIGNING,
    }
}

fn anew(sealer: &Sealer, place: Place, old: &Sealed) -> Result<String> {
    let owner = Owner {
        what: what(place),
        tenant: &old.tenant_uid,
        id: &old.id,
    };
    sealer.rewrap(&owner, &old.text)
}

/// Says so in the log of every tenant.
async fn tell(services: &Services, key: &str, before: &[String]) -> Result<()> {
    let data = json!({ "purpose": "wrap", "key": key, "before": before });
    for tenant in connections::list_tenants(services).await? {
        let operator = Caller::operator(services, &tenant.slug, "cli").await?;
        attempts(|| {
            let (services, operator, data) = (services.clone(), operator.clone(), data.clone());
            let subject = ledger::thing(Thing::Key, key);
            async move {
                let mut unit = services.begin(&operator).await?;
                let now = services.clock().now();
                ledger::note(&mut unit, &operator, now, (What::KeyRotated, subject), &data);
                Ok(unit.save().await?)
            }
        })
        .await?;
    }
    Ok(())
}
