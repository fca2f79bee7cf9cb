//! Seals what is secret in the database.

use crate::base::secret::Secret;
use crate::event::{self, Keyring, Owner, PersonKey};
use crate::service::error::{Error, Result};

/// What kind of secret the key of a person is.
pub(super) const PERSON: &str = "person";

/// Seals and opens by the keys of the installation.
#[derive(Debug, Clone)]
pub struct Sealer(Keyring);

impl Sealer {
    /// By these keys.
    #[must_use]
    pub const fn new(ring: Keyring) -> Self {
        Self(ring)
    }

    /// A secret as the database may hold it. It opens for this owner alone.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn wrap(&self, owner: &Owner<'_>, secret: &[u8]) -> Result<String> {
        self.0.seal(owner, rand::random(), secret).map_err(internal)
    }

    /// The secret that was wrapped for this owner.
    ///
    /// # Errors
    /// A wrapping key that is not there any more, another owner, changed bytes.
    pub fn unwrap(&self, owner: &Owner<'_>, wrapped: &str) -> Result<Secret<Vec<u8>>> {
        self.0.open(owner, wrapped).map_err(internal)
    }

    /// The same secret under the newest key.
    ///
    /// # Errors
    /// As [`Self::unwrap`].
    pub fn rewrap(&self, owner: &Owner<'_>, wrapped: &str) -> Result<String> {
        let anew = self.0.rewrap(owner, rand::random(), wrapped).map_err(internal)?;
        Ok(anew.unwrap_or_else(|| wrapped.to_owned()))
    }

    /// Seals what a client holds and brings back. It opens for this owner alone.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn hand_out(&self, owner: &Owner<'_>, plain: &[u8]) -> Result<String> {
        self.0.hand_out(owner, rand::random(), plain).map_err(internal)
    }

    /// What was handed out to this owner; none for whatever else a client brings.
    #[must_use]
    pub fn take_back(&self, owner: &Owner<'_>, text: &str) -> Option<Vec<u8>> {
        self.0.take_back(owner, text).ok()
    }

    /// Ids of the keys, newest first.
    pub fn wraps(&self) -> impl Iterator<Item = &str> {
        self.0.ids()
    }

    /// Id of the key under which everything new is sealed.
    #[must_use]
    pub fn newest(&self) -> &str {
        self.0.ids().next().unwrap_or_default()
    }

    /// A key for a new person, and the same as it is stored.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn person(&self, tenant: &str, id: &str) -> Result<(PersonKey, String)> {
        let key = PersonKey::new(rand::random());
        let seal = key
            .wrap(&self.0, &person(tenant, id), rand::random())
            .map_err(internal)?;
        Ok((key, seal))
    }

    /// The key of a person, of what is stored.
    ///
    /// # Errors
    /// A wrapping key that is not there any more, another person, changed bytes.
    pub fn person_of(&self, tenant: &str, id: &str, seal: &str) -> Result<PersonKey> {
        PersonKey::unwrap(&self.0, &person(tenant, id), seal).map_err(internal)
    }
}

const fn person<'a>(tenant: &'a str, id: &'a str) -> Owner<'a> {
    Owner {
        what: PERSON,
        tenant,
        id,
    }
}

/// No fault of a caller's: what is sealed was sealed here.
pub(super) fn internal(fault: event::Error) -> Error {
    Error::Internal(Box::new(fault))
}
