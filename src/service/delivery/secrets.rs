//! The secrets of a receiver, or of an enforcer: several while one takes the place of another.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::secret::Secret;
use crate::event::Owner;
use crate::event::webhook::{SECRET_BYTES, WebhookSecret};
use crate::service::context::Services;
use crate::service::error::{Error, Result};

/// What kind of secret it is, as it is sealed.
pub(in crate::service) const RECEIVER: &str = "receiver";

/// How long a secret goes on counting beside its successor.
pub(in crate::service) const OVERLAP: Duration = Duration::from_hours(24);

/// Most secrets at once.
const MAX_SECRETS: usize = 5;

/// One of them.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::service) struct Kept {
    pub(in crate::service) id: String,
    secret: String,
    pub(in crate::service) created: i64,
    pub(in crate::service) ends: Option<i64>,
}

impl Kept {
    fn counts(&self, at: Timestamp) -> bool {
        self.ends.is_none_or(|end| at.0 < end)
    }
}

/// All of one receiver, oldest first.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::service) struct Secrets(Vec<Kept>);

/// Whose they are: public ids of the tenant, and of the receiver or enforcer.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Of<'a> {
    pub(in crate::service) tenant: &'a str,
    pub(in crate::service) receiver: &'a str,
}

impl<'a> Of<'a> {
    const fn owner(self) -> Owner<'a> {
        Owner {
            what: RECEIVER,
            tenant: self.tenant,
            id: self.receiver,
        }
    }
}

/// What a receiver knows this server by: the `Authorization` header that is sent, if any.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Authorization(Option<String>);

impl Authorization {
    /// This header, or none.
    pub(super) fn new(header: Option<Secret<String>>) -> Self {
        Self(header.map(Secret::into_exposed))
    }

    /// What is stored, opened.
    pub(super) fn open(services: &Services, of: Of<'_>, sealed: &str) -> Result<Self> {
        let bytes = services.sealer().unwrap(&of.owner(), sealed)?;
        serde_json::from_slice(bytes.expose()).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    /// As it is stored.
    pub(super) fn seal(&self, services: &Services, of: Of<'_>) -> Result<String> {
        let bytes = serde_json::to_vec(self).map_err(|fault| Error::Internal(Box::new(fault)))?;
        services.sealer().wrap(&of.owner(), &bytes)
    }

    /// The header.
    pub(super) fn header(&self) -> Option<String> {
        self.0.clone()
    }
}

impl Secrets {
    /// What is stored, opened.
    pub(in crate::service) fn open(services: &Services, of: Of<'_>, sealed: &str) -> Result<Self> {
        let bytes = services.sealer().unwrap(&of.owner(), sealed)?;
        serde_json::from_slice(bytes.expose()).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    /// As it is stored.
    pub(in crate::service) fn seal(&self, services: &Services, of: Of<'_>) -> Result<String> {
        let bytes = serde_json::to_vec(self).map_err(|fault| Error::Internal(Box::new(fault)))?;
        services.sealer().wrap(&of.owner(), &bytes)
    }

    /// Adds a new one, and has those before it end when the overlap is over; forgets those that have ended. Gives its
    /// id and itself.
    pub(in crate::service) fn add(&mut self, services: &Services, now: Timestamp) -> Result<(String, Secret<String>)> {
        self.0.retain(|one| one.counts(now));
        if self.0.len() >= MAX_SECRETS {
            let reason = format!("there are {MAX_SECRETS} secrets that count: end one of them first");
            return Err(Error::conflict(reason));
        }
        let end = now.plus(OVERLAP).0;
        for old in &mut self.0 {
            old.ends = Some(old.ends.map_or(end, |earlier| earlier.min(end)));
        }
        let secret = WebhookSecret::new(rand::random::<[u8; SECRET_BYTES]>()).text();
        let id = services.ids().next().into_string();
        self.0.push(Kept {
            id: id.clone(),
            secret: secret.expose().clone(),
            created: now.0,
            ends: None,
        });
        Ok((id, secret))
    }

    /// Ends one; the last that counts for longer than the overlap cannot be.
    pub(in crate::service) fn end(&mut self, id: &str, now: Timestamp) -> Result<()> {
        self.0.retain(|one| one.counts(now));
        let found = self.0.iter().find(|one| one.id == id).ok_or(Error::NotFound)?;
        if found.ends.is_none() {
            return Err(Error::conflict(
                "this secret is the newest one: make another, which takes its place, and then end this one",
            ));
        }
        self.0.retain(|one| one.id != id);
        Ok(())
    }

    /// Those that count at a time, without the secrets themselves.
    pub(in crate::service) fn shown(&self, at: Timestamp) -> impl Iterator<Item = &Kept> {
        self.0.iter().filter(move |one| one.counts(at))
    }

    /// What signs at a time.
    pub(in crate::service) fn signing(&self, at: Timestamp) -> Result<Vec<WebhookSecret>> {
        let secrets = self.shown(at).map(|one| WebhookSecret::read(&one.secret));
        let secrets: std::result::Result<_, _> = secrets.collect();
        secrets.map_err(|fault| Error::Internal(Box::new(fault)))
    }
}
