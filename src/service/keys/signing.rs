//! The keys that sign: made when first needed, kept sealed, changed by hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::sealer::{Sealer, internal};
use crate::base::clock::Timestamp;
use crate::base::secret::Secret;
use crate::event::{Algorithm, Keys, Owner, PublicKey, SigningKey};
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::store::log::signers::{self, Signer};

/// What kind of secret the secret half of a signing key is.
const SIGNING: &str = "signing-key";

/// How long a key is used before it is looked whether another node has changed it. What a retired key signs holds.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

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

/// Keys that were opened, and when.
#[derive(Debug, Default)]
pub(in crate::service) struct Signers(Mutex<HashMap<Purpose, (Timestamp, Arc<SigningKey>)>>);

impl Signers {
    fn known(&self, purpose: Purpose, now: Timestamp) -> Option<Arc<SigningKey>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, key) = known.get(&purpose)?;
        (now < since.plus(LOOK_AGAIN)).then(|| Arc::clone(key))
    }

    fn learn(&self, purpose: Purpose, now: Timestamp, key: &Arc<SigningKey>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(purpose, (now, Arc::clone(key)));
    }
}

/// The key that signs for a purpose now. There is one from the first time that it is asked for.
///
/// # Errors
/// A database that does not answer, a key that does not open.
pub async fn signer(services: &Services, purpose: Purpose) -> Result<Arc<SigningKey>> {
    let now = services.clock().now();
    if let Some(known) = services.signers().known(purpose, now) {
        return Ok(known);
    }
    let stored = if let Some(stored) = current(services, purpose).await? {
        stored
    } else {
        signers::succeed(services.db(), None, made(services.sealer(), purpose, now)?).await?;
        let stored = current(services, purpose).await?;
        stored.ok_or_else(|| Error::Internal("a signing key that was written is not there".into()))?
    };
    let key = Arc::new(opened(services.sealer(), purpose, &stored)?);
    services.signers().learn(purpose, now, &key);
    Ok(key)
}

/// The public halves of all keys that sign or signed for a purpose.
///
/// # Errors
/// A database that does not answer, a key that is damaged.
pub async fn public(services: &Services, purpose: Purpose) -> Result<Keys> {
    let of_purpose = |key: &Signer| key.purpose == purpose.as_str();
    let all = signers::all(services.db()).await?;
    let keys = all.iter().filter(|key| of_purpose(key)).map(|key| {
        let jwk = serde_json::from_str(&key.public).map_err(|fault| Error::Internal(Box::new(fault)))?;
        PublicKey::from_jwk(&jwk).map_err(internal)
    });
    keys.collect()
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

/// Makes another key that signs for a purpose from now on; other nodes take it up within a minute. Gives the ids of the
/// key until now and of the new one.
///
/// # Errors
/// A database that does not answer.
pub(super) async fn succeed(services: &Services, purpose: Purpose) -> Result<(String, String)> {
    let before = signer(services, purpose).await?;
    let stored = current(services, purpose).await?;
    let old = stored.map_or_else(|| before.public().kid().to_owned(), |stored| stored.kid);
    let now = services.clock().now();
    let new = made(services.sealer(), purpose, now)?;
    let kid = new.kid.clone();
    signers::succeed(services.db(), Some(&old), new).await?;
    match current(services, purpose).await? {
        Some(stored) if stored.kid == kid => {
            let key = Arc::new(opened(services.sealer(), purpose, &stored)?);
            services.signers().learn(purpose, now, &key);
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
    SigningKey::of(purpose.algorithm(), &Secret::new(secret)).map_err(internal)
}

const fn owner(kid: &str) -> Owner<'_> {
    Owner {
        what: SIGNING,
        tenant: "",
        id: kid,
    }
}
