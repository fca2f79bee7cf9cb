//! The password of somebody who is written: hashed before a unit begins, as that takes longer than the unit. And how the
//! log names what is never returned.

use serde_json::Value;

use super::write::Target;
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::base::secret::Secret;
use crate::scim::dialect::Dialect;
use crate::scim::schema::ResourceType;
use crate::scim::validate;
use crate::service::context::Services;
use crate::service::error::Result;
use crate::service::passwords;
use crate::store::Unit;

/// Under this name the log says that one was set.
pub(super) const ATTRIBUTE: &str = "password";

/// What is kept of a password; `ready` is the same where that was made before.
pub(super) async fn kept(
    services: &Services,
    password: Option<&Secret<String>>,
    ready: Option<String>,
) -> Result<Option<String>> {
    match (password, ready) {
        (None, _) => Ok(None),
        (Some(_), Some(ready)) => Ok(Some(ready)),
        (Some(password), None) => passwords::hash(services, password).await.map(Some),
    }
}

/// What is to be kept of the password in a body that creates, for whoever begins the unit before it is read. There is none
/// in a body that will be refused.
///
/// # Errors
/// The operating system has no randomness.
pub(in crate::service) async fn hashed(
    services: &Services,
    dialect: &Dialect,
    kind: &ResourceType,
    body: Value,
) -> Result<Option<String>> {
    let (body, _) = dialect.create(kind, body);
    match validate::create(kind, &body) {
        Ok(incoming) => kept(services, incoming.password.as_ref(), None).await,
        Err(_) => Ok(None),
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

/// The attributes that these paths lead to or into, but for those that are named already.
pub(super) fn named(secrets: &[String], names: &[String]) -> Vec<String> {
    let mut new: Vec<String> = Vec::new();
    for path in secrets {
        let name = path.rfind(':').map_or(0, |at| at + 1);
        let end = path[name..].find('.').map_or(path.len(), |at| name + at);
        if !names.iter().chain(&new).any(|known| known == &path[..end]) {
            new.push(path[..end].to_owned());
        }
    }
    new
}

/// Writes it with the user.
pub(super) fn keep(unit: &mut Unit, user: Pk, hash: Option<&String>, now: Timestamp) {
    if let Some(hash) = hash {
        unit.credentials().set(user, hash.clone(), now);
    }
}
