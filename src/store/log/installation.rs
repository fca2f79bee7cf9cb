//! Which installation this is, and which keys it was begun with.

use crate::store::error::Result;
use crate::store::sql::{Db, FromRow, Read as _, Row, Statement, Tx};

/// The one row about the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its id, drawn at its first start.
    pub uid: String,
    /// Something sealed that opens with the keys of the installation alone.
    pub key_check: String,
}

impl FromRow for Installation {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            uid: row.get(0)?,
            key_check: row.get(1)?,
        })
    }
}

/// The installation; none before its first start with keys.
///
/// # Errors
/// When the database fails.
pub async fn find(mut db: &Db) -> Result<Option<Installation>> {
    const FIND: &str = "SELECT uid, key_check FROM installation WHERE id = 1";
    db.row(Statement::new(FIND)).await
}

/// Writes it, and resolves when it is on disk. Where somebody was faster, theirs stays.
///
/// # Errors
/// When the database fails.
pub async fn begin(db: &Db, new: Installation) -> Result<()> {
    const BEGIN: &str = "INSERT INTO installation (id, uid, key_check) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING";
    let mut tx = Tx::begin(db).await?;
    tx.later(Statement::new(BEGIN).bind(new.uid).bind(new.key_check));
    tx.save().await
}

/// Puts another check in the place of one; nothing where it is another one already.
///
/// # Errors
/// When the database fails.
pub async fn check_by(db: &Db, old: &str, new: String) -> Result<()> {
    const CHECK: &str = "UPDATE installation SET key_check = $2 WHERE id = 1 AND key_check = $1";
    let mut tx = Tx::begin(db).await?;
    tx.later(Statement::new(CHECK).bind(old.to_owned()).bind(new));
    tx.save().await
}
