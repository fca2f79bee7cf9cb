//! Keys that sign for the installation, their secret halves sealed.

use crate::base::clock::Timestamp;
use crate::store::error::Result;
use crate::store::sql::{Db, FromRow, Read as _, Row, Statement, Tx};

/// A key that signs, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Its id: the thumbprint of its public half.
    pub kid: String,
    /// What it signs: `log` or `set`.
    pub purpose: String,
    /// How it signs.
    pub algorithm: String,
    /// Its public half, as a JWK.
    pub public: String,
    /// Its secret half, sealed.
    pub sealed: String,
    /// When it was made.
    pub created: Timestamp,
    /// Since when another one signs.
    pub retired: Option<Timestamp>,
}

impl FromRow for Signer {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            kid: row.get(0)?,
            purpose: row.get(1)?,
            algorithm: row.get(2)?,
            public: row.get(3)?,
            sealed: row.get(4)?,
            created: Timestamp(row.get(5)?),
            retired: row.get::<Option<i64>>(6)?.map(Timestamp),
        })
    }
}

/// All keys, newest first.
///
/// # Errors
/// When the database fails.
pub async fn all(mut db: &Db) -> Result<Vec<Signer>> {
    const ALL: &str = "SELECT k.kid, k.purpose, k.algorithm, k.public, k.sealed, k.created, k.retired \
                       FROM signing_key k ORDER BY k.id DESC";
    db.rows(Statement::new(ALL)).await
}

/// Writes a key in the place of the one that signs for its purpose now, and resolves when it is on disk. Where there is
/// another one than `old` meanwhile, nothing is written.
///
/// # Errors
/// When the database fails.
pub async fn succeed(db: &Db, old: Option<&str>, new: Signer) -> Result<()> {
    const RETIRE: &str = "UPDATE signing_key SET retired = $2 WHERE kid = $1 AND retired IS NULL RETURNING kid";
    const ADD: &str = "INSERT INTO signing_key (kid, purpose, algorithm, public, sealed, created) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let mut tx = Tx::begin(db).await?;
    if let Some(old) = old {
        let retire = Statement::new(RETIRE).bind(old.to_owned()).bind(new.created);
        let retired: Vec<(String,)> = tx.write_rows(retire).await?;
        if retired.is_empty() {
            return tx.dismiss().await;
        }
    }
    let add = Statement::new(ADD)
        .bind(new.kid)
        .bind(new.purpose)
        .bind(new.algorithm)
        .bind(new.public)
        .bind(new.sealed);
    tx.later(add.bind(new.created));
    tx.save().await
}
