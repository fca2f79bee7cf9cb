//! Whether the keys that a program was started with are those of the database.

use super::sealer::Sealer;
use crate::base::id::Ids;
use crate::event::{self, Keyring, Owner};
use crate::service::error::Error;
use crate::store::log::installation::{self, Installation};
use crate::store::{self, Db};

/// What kind of secret the check of an installation is.
const CHECK: &str = "installation";

/// Why a database cannot be used with these keys.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// They are not those that it was begun with.
    #[error(
        "these keys are not those that the database was begun with; use the key file of the node that began it, \
         or the copy that was kept of it"
    )]
    Other(#[source] event::Error),
    /// The cryptographic library refused.
    #[error("nothing can be sealed")]
    Sealing(#[source] event::Error),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] store::Error),
}

/// Whether the database was begun with keys: then it cannot be used without them.
///
/// # Errors
/// A database that does not answer.
pub async fn is_bound(db: &Db) -> store::Result<bool> {
    Ok(installation::find(db).await?.is_some())
}

/// Begins a database with these keys, or sees that they are those that it was begun with. Of two nodes that begin one
/// database with different keys, one is refused.
///
/// # Errors
/// Other keys than those of the database.
pub async fn bind(db: &Db, ring: &Keyring) -> Result<(), Fault> {
    let found = match installation::find(db).await? {
        Some(found) => found,
        None => begun(db, ring).await?,
    };
    let opened = ring.open(&owner(&found.uid), &found.key_check).map_err(Fault::Other)?;
    let same = opened.expose() == found.uid.as_bytes();
    same.then_some(()).ok_or(Fault::Other(event::Error::Sealed))
}

/// The installation as it stands after this began it, or another node did.
async fn begun(db: &Db, ring: &Keyring) -> Result<Installation, Fault> {
    let uid = Ids::system().next().into_string();
    let key_check = check(ring, &uid).map_err(Fault::Sealing)?;
    let new = Installation { uid, key_check };
    installation::begin(db, new.clone()).await?;
    Ok(installation::find(db).await?.unwrap_or(new))
}

/// Whether the check of the installation is sealed under another key than the newest.
pub(super) async fn is_under_another(db: &Db, sealer: &Sealer) -> Result<bool, Error> {
    let found = installation::find(db).await?;
    let key = |check: &str| check.split_once('.').is_some_and(|(key, _)| key == sealer.newest());
    Ok(found.is_some_and(|found| !key(&found.key_check)))
}

/// Seals the check of the installation under the newest key; whether it was under another.
pub(super) async fn check_anew(db: &Db, sealer: &Sealer) -> Result<bool, Error> {
    let Some(found) = installation::find(db).await? else {
        return Ok(false);
    };
    let anew = sealer.rewrap(&owner(&found.uid), &found.key_check)?;
    if anew == found.key_check {
        return Ok(false);
    }
    installation::check_by(db, &found.key_check, anew).await?;
    Ok(true)
}

fn check(ring: &Keyring, uid: &str) -> Result<String, event::Error> {
    ring.seal(&owner(uid), rand::random(), uid.as_bytes())
}

fn owner(uid: &str) -> Owner<'_> {
    Owner {
        what: CHECK,
        tenant: "",
        id: uid,
    }
}
