//! The password of somebody who is written: hashed before a unit begins, as that takes longer than the unit.

use super::write::Target;
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::base::secret::Secret;
use crate::service::context::Services;
use crate::service::error::Result;
use crate::service::passwords;
use crate::store::Unit;

/// Under this name the log says that one was set.
pub(super) const ATTRIBUTE: &str = "password";

/// What is kept of a password.
pub(super) async fn kept(services: &Services, password: Option<&Secret<String>>) -> Result<Option<String>> {
    match password {
        Some(password) => passwords::hash(services, password).await.map(Some),
        None => Ok(None),
    }
}

/// The same for a request that may need several attempts: all of them set the same one.
pub(super) async fn once(target: &Target, password: Option<&Secret<String>>) -> Result<Option<String>> {
    let Some(password) = password else { return Ok(None) };
    let hash = target
        .hash
        .get_or_try_init(|| passwords::hash(&target.services, password))
        .await?;
    Ok(Some(hash.clone()))
}

/// Writes it with the user.
pub(super) fn keep(unit: &mut Unit, user: Pk, hash: Option<&String>, now: Timestamp) {
    if let Some(hash) = hash {
        unit.credentials().set(user, hash.clone(), now);
    }
}
