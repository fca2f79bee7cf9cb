//! What connections have taken away, counted in the unit that takes it.

use super::settings;
use crate::access::fuse::{Fuse, Harm};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// The fuses of one tenant.
pub struct Fuses<R> {
    tenant: TenantId,
    source: R,
}

/// What a connection has taken away in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// When the window began.
    pub opened: Timestamp,
    /// How much it may take in the window; `None` where an administrator has lifted the budget.
    pub budget: Option<u64>,
    /// How much it has taken.
    pub used: u64,
    /// Number of the hold that is to be decided about; nothing more is taken until then.
    pub hold: Option<i64>,
}

/// The budgets of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fused {
    /// Row number of the connection.
    pub connection: ConnectionId,
    /// Its name.
    pub name: String,
    /// Its budgets.
    pub fuse: Fuse,
}

/// The window that a count falls in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Now.
    pub now: Timestamp,
    /// A window that began at this instant or earlier is over.
    pub over: Timestamp,
    /// One that began after this instant was begun by a clock that ran ahead, and is over too.
    pub ahead: Timestamp,
    /// The budget of a window that begins now.
    pub budget: u64,
}

/// What becomes of a fuse about which an administrator has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Nothing is too much for one window.
    Lifted,
    /// Nothing is left for one window.
    Spent,
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Counter {
    /// Reads four columns from this one on; `None` where there is no row.
    fn read(row: &Row, at: usize) -> Result<Option<Self>> {
        let Some(opened) = row.get::<Option<i64>>(at)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            opened: Timestamp(opened),
            budget: row.get::<Option<i64>>(at + 1)?.map(unsigned),
            used: unsigned(row.get(at + 2)?),
            hold: row.get(at + 3)?,
        }))
    }
}

impl FromRow for Fused {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            connection: ConnectionId(row.get(0)?),
            name: row.get(1)?,
            fuse: settings::read(row.get::<Option<String>>(2)?.as_deref())?,
        })
    }
}

/// A way of taking away, and what was counted of it.
struct Counted(Harm, Counter);

impl FromRow for Counted {
    fn from_row(row: &Row) -> Result<Self> {
        let harm = Harm::parse(&row.get::<String>(0)?).ok_or(Error::Damaged("fuse.what"))?;
        Ok(Self(harm, Counter::read(row, 1)?.ok_or(Error::Damaged("fuse"))?))
    }
}

/// Budgets of a connection and what it has used of one of them.
struct Standing(Fuse, Option<Counter>);

impl FromRow for Standing {
    fn from_row(row: &Row) -> Result<Self> {
        let fuse = settings::read(row.get::<Option<String>>(0)?.as_deref())?;
        Ok(Self(fuse, Counter::read(row, 1)?))
    }
}

impl<R: Read> Fuses<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The budgets of the connection with this id on the wire.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, connection: &str) -> Result<Option<Fused>> {
        const OF: &str = "SELECT c.id, c.name, c.fuse FROM connection c WHERE c.tenant_id = $1 AND c.uid = $2";
        let of = Statement::new(OF).bind(self.tenant).bind(connection.to_owned());
        self.source.row(of).await
    }

    /// The budgets of a connection, and what it has used of one of them; `None` where the connection is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&mut self, connection: ConnectionId, harm: Harm) -> Result<Option<(Fuse, Option<Counter>)>> {
        const STANDING: &str = "SELECT c.fuse, f.opened, f.budget, f.used, f.hold_id FROM connection c LEFT JOIN fuse f \
                                ON f.tenant_id = c.tenant_id AND f.connection_id = c.id AND f.what = $3 \
                                WHERE c.tenant_id = $1 AND c.id = $2";
        let standing = Statement::new(STANDING).bind(self.tenant).bind(connection);
        let row: Option<Standing> = self.source.row(standing.bind(harm.as_str())).await?;
        Ok(row.map(|Standing(fuse, counter)| (fuse, counter)))
    }

    /// What a connection has used of each budget that it ever touched.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counters(&mut self, connection: ConnectionId) -> Result<Vec<(Harm, Counter)>> {
        const COUNTERS: &str = "SELECT f.what, f.opened, f.budget, f.used, f.hold_id FROM fuse f \
                                WHERE f.tenant_id = $1 AND f.connection_id = $2 ORDER BY f.what";
        let counters = Statement::new(COUNTERS).bind(self.tenant).bind(connection);
        let rows: Vec<Counted> = self.source.rows(counters).await?;
        Ok(rows.into_iter().map(|Counted(harm, counter)| (harm, counter)).collect())
    }

    /// How many resources there are, of any type: what shares are shares of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn everybody(&mut self) -> Result<u64> {
        const EVERYBODY: &str = "SELECT CAST(coalesce(sum(t.n), 0) AS BIGINT) FROM tally t WHERE t.tenant_id = $1";
        let everybody = Statement::new(EVERYBODY).bind(self.tenant);
        let row: Option<(i64,)> = self.source.row(everybody).await?;
        Ok(row.map_or(0, |row| unsigned(row.0)))
    }
}

impl Fuses<&mut Tx> {
    /// The same as [`Self::of`], and nobody else decides about them until the unit ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_for_update(&mut self, connection: &str) -> Result<Option<Fused>> {
        const LOCKED: &str =
            "SELECT c.id, c.name, c.fuse FROM connection c WHERE c.tenant_id = $1 AND c.uid = $2 [lock c]";
        let of = Statement::new(LOCKED).bind(self.tenant).bind(connection.to_owned());
        self.source.row(of).await
    }

    /// Says which budgets a connection has from now on.
    pub fn decide(&mut self, connection: ConnectionId, fuse: &Fuse) {
        const DECIDE: &str = "UPDATE connection SET fuse = $3 WHERE tenant_id = $1 AND id = $2";
        let decide = Statement::new(DECIDE).bind(self.tenant).bind(connection);
        self.source.later(decide.bind(settings::write(fuse)));
    }

    /// Counts `n` more; false, and nothing is counted, where that is beyond the budget, or the fuse has tripped. The row
    /// of the counter is held until the unit ends, so that what is counted is what is done: exact, however many ask at
    /// once. It is the last that a unit holds, so two that wait for each other are not brought about here.
    ///
    /// The caller knows that `n` is within the budget of a window that begins now.
    ///
    /// # Errors
    /// When the database fails; whatever is wrong with what the unit wrote before.
    pub async fn count(&mut self, (connection, harm): (ConnectionId, Harm), n: u64, window: Window) -> Result<bool> {
        const COUNT: &str = "INSERT INTO fuse (tenant_id, connection_id, what, opened, budget, used) \
                             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, connection_id, what) DO UPDATE SET \
                             opened = CASE WHEN fuse.opened <= $7 OR fuse.opened > $8 THEN excluded.opened \
                             ELSE fuse.opened END, \
                             budget = CASE WHEN fuse.opened <= $7 OR fuse.opened > $8 THEN excluded.budget \
                             ELSE fuse.budget END, \
                             used = CASE WHEN fuse.opened <= $7 OR fuse.opened > $8 THEN excluded.used \
                             ELSE fuse.used + excluded.used END \
                             WHERE fuse.hold_id IS NULL AND (fuse.opened <= $7 OR fuse.opened > $8 OR fuse.budget IS NULL \
                             OR fuse.used + excluded.used <= fuse.budget) RETURNING used";
        let count = Statement::new(COUNT)
            .bind(self.tenant)
            .bind(connection)
            .bind(harm.as_str())
            .bind(window.now)
            .bind(signed(window.budget))
            .bind(signed(n))
            .bind(window.over)
            .bind(window.ahead);
        let rows: Vec<(i64,)> = self.source.write_rows(count).await?;
        Ok(!rows.is_empty())
    }

    /// Remembers who was counted in the window that is open, so that they can be given back; written with the save.
    pub fn remember(&mut self, (connection, harm): (ConnectionId, Harm), who: Pk) {
        const REMEMBER: &str = "INSERT INTO fuse_counted (tenant_id, connection_id, what, resource_pk, opened) \
                                SELECT f.tenant_id, f.connection_id, f.what, $4, f.opened FROM fuse f \
                                WHERE f.tenant_id = $1 AND f.connection_id = $2 AND f.what = $3 \
                                ON CONFLICT (tenant_id, connection_id, what, resource_pk) \
                                DO UPDATE SET opened = excluded.opened";
        let remember = Statement::new(REMEMBER).bind(self.tenant).bind(connection);
        self.source.later(remember.bind(harm.as_str()).bind(who));
    }

    /// Forgets who was counted in windows that are over; written with the save.
    pub fn forget(&mut self, (connection, harm): (ConnectionId, Harm)) {
        const FORGET: &str = "DELETE FROM fuse_counted WHERE tenant_id = $1 AND connection_id = $2 AND what = $3";
        let forget = Statement::new(FORGET).bind(self.tenant).bind(connection);
        self.source.later(forget.bind(harm.as_str()));
    }

    /// Takes one back who was counted in the window that is open; nothing for anybody else. Written with the save.
    pub fn give_back(&mut self, (connection, harm): (ConnectionId, Harm), who: Pk) {
        const BACK: &str = "UPDATE fuse SET used = used - 1 WHERE tenant_id = $1 AND connection_id = $2 AND what = $3 \
                            AND used > 0 AND hold_id IS NULL AND EXISTS (SELECT 1 FROM fuse_counted c \
                            WHERE c.tenant_id = fuse.tenant_id AND c.connection_id = fuse.connection_id \
                            AND c.what = fuse.what AND c.resource_pk = $4 AND c.opened = fuse.opened)";
        const ONCE: &str = "DELETE FROM fuse_counted WHERE tenant_id = $1 AND connection_id = $2 AND what = $3 \
                            AND resource_pk = $4";
        for text in [BACK, ONCE] {
            let back = Statement::new(text).bind(self.tenant).bind(connection);
            self.source.later(back.bind(harm.as_str()).bind(who));
        }
    }

    /// The counter, held until the unit ends, so that nobody decides meanwhile; made where there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold(&mut self, (connection, harm): (ConnectionId, Harm), window: Window) -> Result<Counter> {
        const HOLD: &str = "INSERT INTO fuse (tenant_id, connection_id, what, opened, budget, used) \
                            VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (tenant_id, connection_id, what) \
                            DO UPDATE SET what = excluded.what RETURNING what, opened, budget, used, hold_id";
        let hold = Statement::new(HOLD)
            .bind(self.tenant)
            .bind(connection)
            .bind(harm.as_str())
            .bind(window.now)
            .bind(signed(window.budget));
        let rows: Vec<Counted> = self.source.write_rows(hold).await?;
        let counted = rows.into_iter().next();
        counted.map(|Counted(_, counter)| counter).ok_or(Error::Damaged("fuse"))
    }

    /// Has a fuse stay tripped until somebody decides about this hold; written with the save.
    pub fn trip(&mut self, (connection, harm): (ConnectionId, Harm), hold: i64) {
        const TRIP: &str = "UPDATE fuse SET hold_id = $4 WHERE tenant_id = $1 AND connection_id = $2 AND what = $3";
        let trip = Statement::new(TRIP).bind(self.tenant).bind(connection);
        self.source.later(trip.bind(harm.as_str()).bind(hold));
    }

    /// Ends what a hold stands for: a window begins in which everything is allowed, or nothing. Waits for units that are
    /// about to add to the hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&mut self, hold: i64, release: Release, now: Timestamp) -> Result<()> {
        const LIFT: &str = "UPDATE fuse SET opened = $3, budget = NULL, used = 0, hold_id = NULL \
                            WHERE tenant_id = $1 AND hold_id = $2";
        const SPEND: &str = "UPDATE fuse SET opened = $3, budget = coalesce(budget, 0), \
                             used = coalesce(budget, 0), hold_id = NULL \
                             WHERE tenant_id = $1 AND hold_id = $2";
        let text = match release {
            Release::Lifted => LIFT,
            Release::Spent => SPEND,
        };
        self.source
            .write(Statement::new(text).bind(self.tenant).bind(hold).bind(now))
            .await
    }
}

/// How many fuses of all tenants have tripped and nobody has decided about.
///
/// # Errors
/// When the database fails.
pub async fn tripped(mut db: &Db) -> Result<u64> {
    const TRIPPED: &str = "SELECT count(*) FROM fuse f WHERE f.hold_id IS NOT NULL";
    let row: Option<(i64,)> = db.row(Statement::new(TRIPPED)).await?;
    Ok(row.map_or(0, |row| unsigned(row.0)))
}
