//! Enforcers outside of Muster: who has to end what a person has open, when their account ends.

use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// Whether an enforcer is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is.
    Active,
    /// Not until somebody says so.
    Paused,
}

impl State {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
        }
    }

    fn read(text: &str) -> Result<Self> {
        match text {
            "active" => Ok(Self::Active),
            "paused" => Ok(Self::Paused),
            _ => Err(Error::Damaged("state of an enforcer")),
        }
    }
}

/// An enforcer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcer {
    /// Row number.
    pub id: i64,
    /// Id on the wire.
    pub uid: ResourceId,
    /// Unique in the tenant; the name of its steps.
    pub name: String,
    /// Where it is told to end everything of a person.
    pub url: String,
    /// Where it is asked what is still open; none where what it says is believed.
    pub probe: Option<String>,
    /// Its secrets, sealed.
    pub sealed: String,
    /// Whether it is called.
    pub state: State,
    /// When somebody wants it tried.
    pub test_due: Option<Timestamp>,
    /// What came of the last trial, as JSON text.
    pub tested: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// How long it is given, in seconds; none where it is as long as the organisation gives all of them.
    pub deadline_s: Option<i64>,
}

/// Columns of [`Enforcer`], of the table `f`.
macro_rules! columns {
    () => {
        "f.id, f.uid, f.name, f.url, f.probe, f.sealed, f.state, f.test_due, f.tested, f.created, f.deadline_s FROM enforcer f "
    };
}

impl FromRow for Enforcer {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            uid: ResourceId::new(row.get::<String>(1)?),
            name: row.get(2)?,
            url: row.get(3)?,
            probe: row.get(4)?,
            sealed: row.get(5)?,
            state: State::read(&row.get::<String>(6)?)?,
            test_due: row.get::<Option<i64>>(7)?.map(Timestamp),
            tested: row.get(8)?,
            created: Timestamp(row.get(9)?),
            deadline_s: row.get(10)?,
        })
    }
}

/// What is asked of an enforcer in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Name of the enforcer.
    pub name: String,
    /// Its row number; none of Muster itself.
    pub enforcer: Option<i64>,
    /// How long it is given, in seconds, where that is not as long as all are.
    pub deadline_s: Option<i64>,
}

impl FromRow for Part {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            enforcer: row.get(1)?,
            deadline_s: row.get(2)?,
        })
    }
}

impl Part {
    /// When it is late in a run that began to count then, with what is given to all.
    #[must_use]
    pub fn deadline(&self, begins: Timestamp, all: Timestamp) -> Timestamp {
        let own = self.deadline_s.and_then(|lasts| u64::try_from(lasts).ok());
        own.map_or(all, |lasts| begins.plus(Duration::from_secs(lasts)))
    }
}

/// The enforcers of one tenant.
pub struct Enforcers<R> {
    tenant: TenantId,
    source: R,
}

impl<R: Read> Enforcers<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The enforcer with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, uid: &ResourceId) -> Result<Option<Enforcer>> {
        const FIND: &str = concat!("SELECT ", columns!(), "WHERE f.tenant_id = $1 AND f.uid = $2");
        self.source.row(Statement::new(FIND).bind(self.tenant).bind(uid)).await
    }

    /// The enforcer with this row number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_id(&mut self, id: i64) -> Result<Option<Enforcer>> {
        const FIND: &str = concat!("SELECT ", columns!(), "WHERE f.tenant_id = $1 AND f.id = $2");
        self.source.row(Statement::new(FIND).bind(self.tenant).bind(id)).await
    }

    /// At most `limit` enforcers after the one with this number, oldest first; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: i64, limit: u32) -> Result<Vec<Enforcer>> {
        const LIST: &str = concat!(
            "SELECT ",
            columns!(),
            "WHERE f.tenant_id = $1 AND f.id > $2 ORDER BY f.id LIMIT 0 + $3"
        );
        let list = Statement::new(LIST).bind(self.tenant).bind(after);
        self.source.rows(list.bind(i64::from(limit))).await
    }

    /// How many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self) -> Result<i64> {
        const COUNT: &str = "SELECT COUNT(*) FROM enforcer f WHERE f.tenant_id = $1";
        let row: Option<(i64,)> = self.source.row(Statement::new(COUNT).bind(self.tenant)).await?;
        Ok(row.map_or(0, |row| row.0))
    }

    /// How many steps of runs under way wait for each enforcer, by row number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(&mut self) -> Result<Vec<(i64, i64)>> {
        const WAITING: &str = "SELECT s.enforcer_id, COUNT(*) FROM run_step s JOIN run r ON r.tenant_id = s.tenant_id \
                               AND r.id = s.run_id WHERE s.tenant_id = $1 AND s.enforcer_id IS NOT NULL \
                               AND s.state IN ('requested', 'acknowledged') AND r.state IN ('open', 'late') \
                               GROUP BY s.enforcer_id";
        self.source.rows(Statement::new(WAITING).bind(self.tenant)).await
    }
}

impl Enforcers<&mut Tx> {
    /// What is asked of each that is active. Until the end of the unit none of them is paused or removed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active(&mut self) -> Result<Vec<Part>> {
        const ACTIVE: &str = "SELECT f.name, f.id, f.deadline_s FROM enforcer f WHERE f.tenant_id = $1 AND f.state = 'active' \
                              ORDER BY f.id [share f]";
        self.source.rows(Statement::new(ACTIVE).bind(self.tenant)).await
    }

    /// Writes a new one; its row number is ignored.
    ///
    /// # Errors
    /// [`Error::Taken`] when the tenant has one of this name; the unit is lost then.
    pub async fn create(&mut self, new: &Enforcer) -> Result<Enforcer> {
        const CREATE: &str = "INSERT INTO enforcer (tenant_id, uid, name, url, probe, sealed, state, created, until, \
                              deadline_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9) RETURNING id, uid, name, url, \
                              probe, sealed, state, test_due, tested, created, deadline_s";
        let create = Statement::new(CREATE)
            .bind(self.tenant)
            .bind(&new.uid)
            .bind(new.name.clone())
            .bind(new.url.clone())
            .bind(new.probe.clone())
            .bind(new.sealed.clone())
            .bind(new.state.as_str())
            .bind(new.created)
            .bind(new.deadline_s);
        let rows = self.source.write_rows(create).await?;
        rows.into_iter().next().ok_or(Error::Damaged("new enforcer"))
    }

    /// Changes what an enforcer is: its name, where it is called, its secrets, how long it is given.
    ///
    /// Fails with [`Error::Stale`] when they are not those it was read with, or it is gone.
    ///
    /// # Errors
    /// [`Error::Taken`] when the tenant has another one of this name; the unit is lost then.
    pub async fn change(&mut self, before: &Enforcer, after: &Enforcer) -> Result<()> {
        const CHANGE: &str = "UPDATE enforcer SET name = $3, url = $4, probe = $5, sealed = $6, deadline_s = $11 \
                              WHERE tenant_id = $1 AND id = $2 AND name = $7 AND url = $8 AND COALESCE(probe, '') = $9 \
                              AND sealed = $10 AND COALESCE(deadline_s, 0) = $12 \
                              RETURNING id";
        let change = Statement::new(CHANGE)
            .bind(self.tenant)
            .bind(before.id)
            .bind(after.name.clone())
            .bind(after.url.clone())
            .bind(after.probe.clone())
            .bind(after.sealed.clone())
            .bind(before.name.clone())
            .bind(before.url.clone())
            .bind(before.probe.clone().unwrap_or_default())
            .bind(before.sealed.clone())
            .bind(after.deadline_s)
            .bind(before.deadline_s.unwrap_or(0));
        let rows: Vec<(i64,)> = self.source.write_rows(change).await?;
        if rows.is_empty() { Err(Error::Stale) } else { Ok(()) }
    }

    /// Has an enforcer be called or not; says whether that is new. Its steps that wait follow: none is due while it is
    /// paused, and all are when it goes on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn turn(&mut self, id: i64, state: State, now: Timestamp) -> Result<bool> {
        const TURN: &str =
            "UPDATE enforcer SET state = $3 WHERE tenant_id = $1 AND id = $2 AND state <> $3 RETURNING id";
        let turn = Statement::new(TURN).bind(self.tenant).bind(id).bind(state.as_str());
        let rows: Vec<(i64,)> = self.source.write_rows(turn).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        self.have_due(id, (state == State::Active).then_some(now));
        Ok(true)
    }

    /// When the steps that wait for an enforcer are due, from the save on.
    pub fn have_due(&mut self, id: i64, due: Option<Timestamp>) {
        const DUE: &str = "UPDATE run_step SET due = $3 WHERE tenant_id = $1 AND enforcer_id = $2 \
                           AND state IN ('requested', 'acknowledged') AND run_id [among] SELECT r.id FROM run r \
                           WHERE r.tenant_id = $1 AND r.state IN ('open', 'late')[end]";
        let due = Statement::new(DUE).bind(self.tenant).bind(id).bind(due);
        self.source.later(due);
    }

    /// Has what waits for an enforcer asked for where it is now, from the save on: what is on its way to the place before
    /// counts no more. `anew` is for another place, which knows nothing of what the one before was told.
    pub fn ask_elsewhere(&mut self, id: i64, anew: bool, now: Timestamp) {
        const ASK: &str = "UPDATE run_step SET due = $3, attempts = attempts + 1, \
                           state = CASE WHEN $4 = 1 THEN 'requested' ELSE state END, \
                           acknowledged = CASE WHEN $4 = 1 THEN NULL ELSE acknowledged END \
                           WHERE tenant_id = $1 AND enforcer_id = $2 \
                           AND state IN ('requested', 'acknowledged') AND run_id [among] SELECT r.id FROM run r \
                           WHERE r.tenant_id = $1 AND r.state IN ('open', 'late')[end]";
        let ask = Statement::new(ASK).bind(self.tenant).bind(id).bind(now);
        self.source.later(ask.bind(i64::from(anew)));
    }

    /// Has an enforcer tried at an instant, or says with what result it was; written with the save.
    pub fn test(&mut self, id: i64, due: Option<Timestamp>, tested: Option<String>) {
        const TEST: &str = "UPDATE enforcer SET test_due = $3, tested = $4 WHERE tenant_id = $1 AND id = $2";
        let test = Statement::new(TEST).bind(self.tenant).bind(id).bind(due).bind(tested);
        self.source.later(test);
    }

    /// Removes an enforcer; says whether it was there. What waits for it stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&mut self, id: i64) -> Result<bool> {
        const DELETE: &str = "DELETE FROM enforcer WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let delete = Statement::new(DELETE).bind(self.tenant).bind(id);
        let rows: Vec<(i64,)> = self.source.write_rows(delete).await?;
        Ok(!rows.is_empty())
    }
}
