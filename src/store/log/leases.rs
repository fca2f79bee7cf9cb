//! Who does a work that one node should do at a time.
//!
//! A lease saves work and guards nothing: whatever is done under one must stay right when two do it.

use crate::base::clock::Timestamp;
use crate::store::error::Result;
use crate::store::sql::{Db, Statement, Tx};

/// Takes or renews the lease of this name for the whole installation; says whether it is the holder's now. It is not
/// while somebody else has it. One that ends twice as far ahead as it can last was written by a clock that was ahead, and
/// keeps nobody off.
///
/// # Errors
/// When the database fails.
pub async fn take(db: &Db, name: &'static str, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool> {
    const TAKE: &str = "INSERT INTO lease (tenant_id, name, holder, epoch, until) VALUES (0, $1, $2, 1, $4) \
                        ON CONFLICT (tenant_id, name) DO UPDATE SET holder = excluded.holder, \
                        epoch = lease.epoch + 1, until = excluded.until \
                        WHERE lease.until <= $3 OR lease.until > $5 OR lease.holder = excluded.holder RETURNING epoch";
    let mut tx = Tx::begin(db).await?;
    let statement = Statement::new(TAKE)
        .bind(name)
        .bind(holder.to_owned())
        .bind(now)
        .bind(until)
        .bind(Timestamp(until.0.saturating_add(until.0 - now.0)));
    let taken: Vec<(i64,)> = tx.write_rows(statement).await?;
    if taken.is_empty() {
        tx.dismiss().await?;
        return Ok(false);
    }
    tx.save().await?;
    Ok(true)
}

/// Lets go of a lease, for whoever waits for it; nothing happens where it is somebody else's.
///
/// # Errors
/// When the database fails.
pub async fn give_up(db: &Db, name: &'static str, holder: &str) -> Result<()> {
    const GIVE_UP: &str = "UPDATE lease SET until = 0 WHERE tenant_id = 0 AND name = $1 AND holder = $2";
    let mut tx = Tx::begin(db).await?;
    tx.later(Statement::new(GIVE_UP).bind(name).bind(holder.to_owned()));
    tx.save().await
}
