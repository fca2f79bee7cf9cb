//! The keys that sign: made when first needed, kept sealed, changed by hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::sealer::{Sealer, internal};
use crate::base::clock::Timestamp;
use crate::base::secret::Secret;
use crate::event::{Algorithm, Checkpoint, Flaw, Keys, Owner, SigningKey};
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::store::log::signers::{self, Signer};

/// What kind of secret the secret half of a signing key is.
pub(super) const SIGNING: &str = "signing-key";

/// How long a key is used before it is looked whether another node has changed it. What a retired key signs holds.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How long a new key of tokens is published before it signs: longer than receivers keep what was published before, which
/// is five minutes, and than it takes all nodes to take it up.
const PUBLISHED_BEFORE: Duration = Duration::from_mins(10);

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Ends and checkpoints of logs, exports, certificates.
    Log,
    /// Security event tokens.
    Set,
}

impl Purpose {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Set => "set",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Log, Self::Set]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }

    const fn algorithm(self) -> Algorithm {
        match self {
            Self::Log => Algorithm::Ed25519,
            Self::Set => Algorithm::Es256,
        }
    }
}

/// A key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub kid: String,
    /// What it signs: `log` or `set`.
    pub purpose: String,
    /// How.
    pub algorithm: String,
    /// When it was made.
    pub created: Timestamp,
    /// Since when another one signs.
    pub retired: Option<Timestamp>,
}

/// Keys that were opened.
#[derive(Debug, Default)]
pub(in crate::service) struct Signers {
    /// Those that sign, and when they were looked up.
    signing: Mutex<HashMap<Purpose, (Timestamp, Arc<SigningKey>)>>,
    /// Public halves of all that sign or signed.
    public: Mutex<HashMap<Purpose, Keys>>,
}

impl Signers {
    fn known(&self, purpose: Purpose, now: Timestamp) -> Option<Arc<SigningKey>> {
        let known = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, key) = known.get(&purpose)?;
        // What was looked up by a clock that was ahead is looked up again.
        (*since <= now && now < since.plus(LOOK_AGAIN)).then(|| Arc::clone(key))
    }

    fn learn(&self, purpose: Purpose, now: Timestamp, key: &Arc<SigningKey>) {
        let mut known = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(purpose, (now, Arc::clone(key)));
    }

    fn public(&self, purpose: Purpose) -> Keys {
        let known = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&purpose).cloned().unwrap_or_default()
    }

    fn learn_public(&self, purpose: Purpose, keys: &Keys) {
        let mut known = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(purpose, keys.clone());
    }
}

/// The key that signs for a purpose now. There is one from the first time that it is asked for.
///
/// # Errors
/// A database that does not answer, a key that does not open.
pub async fn signer(services: &Services, purpose: Purpose) -> Result<Arc<SigningKey>> {
    match services.signers().known(purpose, services.clock().now()) {
        Some(known) => Ok(known),
        None => signer_afresh(services, purpose).await,
    }
}

/// The same, looked up in the database: another node may have changed it a moment ago.
///
/// # Errors
/// As of [`signer`].
pub async fn signer_afresh(services: &Services, purpose: Purpose) -> Result<Arc<SigningKey>> {
    let now = services.clock().now();
    let stored = if let Some(stored) = current(services, purpose).await? {
        stored
    } else {
        signers::succeed(services.db(), None, made(services.sealer(), purpose, now)?).await?;
        let stored = current(services, purpose).await?;
        stored.ok_or_else(|| Error::Internal("a signing key that was written is not there".into()))?
    };
    let before = match purpose {
        Purpose::Set if is_fresh(&stored, now) => before(services, purpose).await?,
        _ => None,
    };
    // One that does not open any more is a reason for another, which then signs at once.
    let before = before.and_then(|before| opened(services.sealer(), purpose, &before).ok());
    let key = Arc::new(match before {
        Some(before) => before,
        None => opened(services.sealer(), purpose, &stored)?,
    });
    services.signers().learn(purpose, now, &key);
    Ok(key)
}

/// Whether a key was made so shortly before that not every receiver has it. What was made much later than now was made by a
/// clock that was ahead.
fn is_fresh(key: &Signer, now: Timestamp) -> bool {
    key.created <= now.plus(PUBLISHED_BEFORE) && now < key.created.plus(PUBLISHED_BEFORE)
}

/// The public halves of all keys that sign or signed for a purpose: those of the secret halves, which nobody can have
/// sealed who has only the database. What stands beside them proves nothing, and a row that does not open is no key.
///
/// # Errors
/// A database that does not answer.
pub async fn public(services: &Services, purpose: Purpose) -> Result<Keys> {
    let mut keys = Vec::new();
    for stored in signers::all(services.db()).await? {
        if stored.purpose != purpose.as_str() {
            continue;
        }
        match opened(services.sealer(), purpose, &stored) {
            Ok(key) => keys.push(key.public().clone()),
            Err(fault) => tracing::error!(
                key.id = stored.kid,
                error = &fault as &dyn std::error::Error,
                "a signing key in the database does not open: it was damaged, or put in by somebody else, and proves nothing"
            ),
        }
    }
    let keys: Keys = keys.into_iter().collect();
    services.signers().learn_public(purpose, &keys);
    Ok(keys)
}

/// Whether a key of this installation's logs signed a place in one.
///
/// # Errors
/// A database that does not answer.
pub async fn proven(services: &Services, place: &Checkpoint) -> Result<std::result::Result<(), Flaw>> {
    if place.proven(&services.signers().public(Purpose::Log)).is_ok() {
        return Ok(Ok(()));
    }
    Ok(place.proven(&public(services, Purpose::Log).await?))
}

/// All keys, newest first.
///
/// # Errors
/// A database that does not answer.
pub async fn list(services: &Services) -> Result<Vec<Listed>> {
    let all = signers::all(services.db()).await?;
    let listed = |key: Signer| Listed {
        kid: key.kid,
        purpose: key.purpose,
        algorithm: key.algorithm,
        created: key.created,
        retired: key.retired,
    };
    Ok(all.into_iter().map(listed).collect())
}

/// Makes another key that signs for a purpose: tokens as soon as every receiver can have it, all else from now on. Other
/// nodes take it up within a minute. Gives the ids of the key until now and of the new one.
///
/// # Errors
/// A database that does not answer.
pub(super) async fn succeed(services: &Services, purpose: Purpose) -> Result<(String, String)> {
    // It need not open: then it is high time for another.
    let old = match current(services, purpose).await? {
        Some(stored) => stored.kid,
        None => signer(services, purpose).await?.public().kid().to_owned(),
    };
    let now = services.clock().now();
    let new = made(services.sealer(), purpose, now)?;
    let kid = new.kid.clone();
    signers::succeed(services.db(), Some(&old), new).await?;
    match current(services, purpose).await? {
        Some(stored) if stored.kid == kid => {
            signer_afresh(services, purpose).await?;
            Ok((old, kid))
        }
        // Somebody else was faster.
        _ => Err(Error::Busy),
    }
}

async fn current(services: &Services, purpose: Purpose) -> Result<Option<Signer>> {
    let all = signers::all(services.db()).await?;
    let mut signing = all.into_iter().filter(|key| key.retired.is_none());
    Ok(signing.find(|key| key.purpose == purpose.as_str()))
}

/// The key that was retired last.
async fn before(services: &Services, purpose: Purpose) -> Result<Option<Signer>> {
    let all = signers::all(services.db()).await?;
    let retired = all
        .into_iter()
        .filter(|key| key.purpose == purpose.as_str() && key.retired.is_some());
    Ok(retired.max_by_key(|key| key.retired))
}

fn made(sealer: &Sealer, purpose: Purpose, now: Timestamp) -> Result<Signer> {
    // One draw in 2³² is no number of P-256: then the next one is.
    let drawn = (0..8).find_map(|_| {
        let secret = Secret::new(rand::random::<[u8; 32]>());
        let key = SigningKey::of(purpose.algorithm(), &secret).ok()?;
        Some((secret, key))
    });
    let (secret, key) = drawn.ok_or_else(|| Error::Internal("no signing key can be made".into()))?;
    let kid = key.public().kid().to_owned();
    Ok(Signer {
        sealed: sealer.wrap(&owner(&kid), secret.expose())?,
        purpose: purpose.as_str().to_owned(),
        algorithm: purpose.algorithm().as_str().to_owned(),
        public: key.public().jwk().to_string(),
        created: now,
        retired: None,
        kid,
    })
}

fn opened(sealer: &Sealer, purpose: Purpose, stored: &Signer) -> Result<SigningKey> {
    let secret = sealer.unwrap(&owner(&stored.kid), &stored.sealed)?;
    let secret: [u8; 32] = secret
        .expose()
        .as_slice()
        .try_into()
        .map_err(|_| Error::Internal("a stored signing key is damaged".into()))?;
    let key = SigningKey::of(purpose.algorithm(), &Secret::new(secret)).map_err(internal)?;
    if key.public().kid() == stored.kid {
        Ok(key)
    } else {
        Err(Error::Internal(
            "a stored signing key is not the one that it is called".into(),
        ))
    }
}

const fn owner(kid: &str) -> Owner<'_> {
    Owner {
        what: SIGNING,
        tenant: "",
        id: kid,
    }
}
