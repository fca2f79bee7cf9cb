//! Runs of a tenant: opened, turned late, withdrawn, closed, shown.

use std::collections::HashMap;

use serde_json::json;

use super::due::late;
use super::enforcers::Part;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, TenantId};
use crate::store::error::Result;
use crate::store::sql::{Bind, FromRow, Read, Row, Statement, Tx};

/// The runs of one tenant.
pub struct Runs<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// A run to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its id.
    pub uid: String,
    /// Whose account ended: row number and public id.
    pub user: (Pk, String),
    /// Position of the event that ended it.
    pub seq: i64,
    /// Instant of that event.
    pub at: Timestamp,
    /// Who asked for it, as JSON text.
    pub asked_by: String,
    /// From when on the time counts that enforcers are given.
    pub begins: Timestamp,
    /// When those are late who have no time of their own.
    pub deadline: Timestamp,
}

/// A run, as it is told in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Row number.
    pub id: i64,
    /// Its id.
    pub uid: String,
    /// Public id of the person.
    pub user: String,
}

impl FromRow for Brief {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            uid: row.get(1)?,
            user: row.get(2)?,
        })
    }
}

/// A run in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Row number.
    pub id: i64,
    /// Its id.
    pub uid: String,
    /// Public id of the person.
    pub user: String,
    /// What the person is called, while there is one.
    pub name: Option<String>,
    /// Position of the event that opened it.
    pub opened_seq: i64,
    /// Instant of that event.
    pub opened: Timestamp,
    /// Who asked for it, as JSON text.
    pub asked_by: String,
    /// Until when everything has to be confirmed.
    pub deadline: Timestamp,
    /// `open`, `late`, `confirmed` or `withdrawn`.
    pub state: String,
    /// When it turned late.
    pub late: Option<Timestamp>,
    /// When it was confirmed or withdrawn.
    pub closed: Option<Timestamp>,
}

impl FromRow for Run {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            uid: row.get(1)?,
            user: row.get(2)?,
            name: row.get(3)?,
            opened_seq: row.get(4)?,
            opened: Timestamp(row.get(5)?),
            asked_by: row.get(6)?,
            deadline: Timestamp(row.get(7)?),
            state: row.get(8)?,
            late: row.get::<Option<i64>>(9)?.map(Timestamp),
            closed: row.get::<Option<i64>>(10)?.map(Timestamp),
        })
    }
}

/// Which runs are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Of the person with this id.
    pub user: Option<String>,
    /// In this state.
    pub state: Option<String>,
}

macro_rules! columns {
    () => {
        "SELECT r.id, r.uid, r.user_id, u.label, r.opened_seq, r.opened, r.asked_by, r.deadline, r.state, r.late, \
         r.closed FROM run r LEFT JOIN resource u ON u.tenant_id = r.tenant_id AND u.pk = r.user_pk WHERE r.tenant_id = $1"
    };
}

impl<R: Read> Runs<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// At most `limit` runs before the one with this row number, newest first; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(&mut self, before: i64, limit: u32, which: &Which) -> Result<Vec<Run>> {
        let mut page = Statement::new(columns!()).bind(self.tenant);
        if before > 0 {
            page.push(" AND r.id < ").push_bind(before);
        }
        if let Some(user) = &which.user {
            page.push(" AND r.user_id = ").push_bind(user.clone());
        }
        if let Some(state) = &which.state {
            page.push(" AND r.state = ").push_bind(state.clone());
        }
        page.push(" ORDER BY r.id DESC LIMIT 0 + ").push_bind(i64::from(limit));
        self.source.rows(page).await
    }

    /// The run with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, uid: &str) -> Result<Option<Run>> {
        let mut find = Statement::new(columns!()).bind(self.tenant);
        find.push(" AND r.uid = ").push_bind(uid.to_owned());
        self.source.row(find).await
    }

    /// The certificate of a run; none before it has one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn certificate(&mut self, run: i64) -> Result<Option<String>> {
        const FIND: &str = "SELECT c.body FROM certificate c WHERE c.tenant_id = $1 AND c.run_id = $2";
        let found: Option<(String,)> = self
            .source
            .row(Statement::new(FIND).bind(self.tenant).bind(run))
            .await?;
        Ok(found.map(|row| row.0))
    }
}

impl Runs<&mut Tx> {
    /// Opens runs, each with a step for each enforcer; gives those that are new.
    ///
    /// A run has as long as the one of them who has longest. What was opened by the same event, or is open for the same
    /// person, stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&mut self, openings: Vec<Opening>, enforcers: &[Part], now: Timestamp) -> Result<Vec<Brief>> {
        const OPEN: &str = "INSERT INTO run (tenant_id, uid, user_pk, user_id, opened_seq, opened, asked_by, deadline, \
                            state, certified) SELECT $1, [text $2 0], [int $2 1], [text $2 2], [int $2 3], [int $2 4], \
                            [text $2 5], [int $2 6], 'open', 0 [from $2] WHERE true ON CONFLICT DO NOTHING \
                            RETURNING id, uid, user_id";
        const STEPS: &str = "INSERT INTO run_step (tenant_id, run_id, name, enforcer_id, deadline, state, attempts, due, \
                             requested) SELECT $1, [int $3 0], [text $3 1], [int $3 2], [int $3 3], 'requested', 0, $2, $2 \
                             [from $3]";
        if openings.is_empty() {
            return Ok(Vec::new());
        }
        let longest = |opening: &Opening| {
            let own = enforcers
                .iter()
                .map(|part| part.deadline(opening.begins, opening.deadline));
            own.max().unwrap_or(opening.deadline)
        };
        let counts: HashMap<String, (Timestamp, Timestamp)> = openings
            .iter()
            .map(|opening| (opening.uid.clone(), (opening.begins, opening.deadline)))
            .collect();
        let row = |opening: Opening| -> Vec<Bind> {
            let deadline = longest(&opening);
            vec![
                opening.uid.into(),
                opening.user.0.into(),
                opening.user.1.into(),
                opening.seq.into(),
                opening.at.into(),
                opening.asked_by.into(),
                deadline.into(),
            ]
        };
        let rows: Vec<Vec<Bind>> = openings.into_iter().map(row).collect();
        let opened: Vec<Brief> = self
            .source
            .write_rows(Statement::new(OPEN).bind(self.tenant).bind(rows))
            .await?;
        let step = |run: &Brief, part: &Part| -> Vec<Bind> {
            let counts = counts.get(&run.uid);
            let deadline = counts.map(|(begins, all)| part.deadline(*begins, *all));
            vec![
                run.id.into(),
                part.name.clone().into(),
                part.enforcer.into(),
                deadline.into(),
            ]
        };
        let steps: Vec<Vec<Bind>> = opened
            .iter()
            .flat_map(|run| enforcers.iter().map(move |enforcer| step(run, enforcer)))
            .collect();
        if !steps.is_empty() {
            self.source
                .write(Statement::new(STEPS).bind(self.tenant).bind(now).bind(steps))
                .await?;
        }
        Ok(opened)
    }

    /// Ends the runs that are under way for these people, who may come in again. Gives them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw(&mut self, users: &[Pk], now: Timestamp) -> Result<Vec<Brief>> {
        const WITHDRAW: &str = "UPDATE run SET state = 'withdrawn', closed = $2 WHERE tenant_id = $1 \
                                AND state IN ('open', 'late') AND user_pk [among] \
                                SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $3] AS j[end] RETURNING id, uid, user_id";
        const STEPS: &str = "UPDATE run_step SET due = NULL WHERE tenant_id = $1 AND run_id [among] \
                             SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end]";
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let users = json!(users.iter().map(|pk| [pk.0]).collect::<Vec<_>>()).to_string();
        let withdraw = Statement::new(WITHDRAW).bind(self.tenant).bind(now).bind(users);
        let withdrawn: Vec<Brief> = self.source.write_rows(withdraw).await?;
        if !withdrawn.is_empty() {
            let runs = json!(withdrawn.iter().map(|run| [run.id]).collect::<Vec<_>>()).to_string();
            self.source
                .write(Statement::new(STEPS).bind(self.tenant).bind(runs))
                .await?;
        }
        Ok(withdrawn)
    }

    /// Turns open runs late in which somebody is late, or was when they confirmed: all of them or one. Gives them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn turn_late(&mut self, only: Option<i64>, now: Timestamp) -> Result<Vec<Brief>> {
        // In the order in which whoever removes an enforcer holds them.
        const ALL: &str = concat!(
            "UPDATE run SET state = 'late', late = $2 WHERE tenant_id = $1 AND id IN (SELECT r.id FROM run r ",
            "WHERE r.tenant_id = $1 AND r.state = 'open' AND r.id IN (",
            late!("r.id", "$2", " AND r.tenant_id = $1"),
            ") ORDER BY r.id [lock r]) RETURNING id, uid, user_id"
        );
        const ONE: &str = "UPDATE run SET state = 'late', late = $2 WHERE tenant_id = $1 AND id IN (SELECT r.id FROM run r \
                           WHERE r.tenant_id = $1 AND r.id = $3 AND r.state = 'open' AND EXISTS (SELECT 1 FROM run_step s \
                           WHERE s.tenant_id = $1 AND s.run_id = r.id \
                           AND COALESCE(s.deadline, r.deadline) <= COALESCE(s.confirmed, s.removed, $2)) [lock r]) \
                           RETURNING id, uid, user_id";
        let late = match only {
            None => Statement::new(ALL).bind(self.tenant).bind(now),
            Some(run) => Statement::new(ONE).bind(self.tenant).bind(now).bind(run),
        };
        self.source.write_rows(late).await
    }

    /// Keeps the certificate of a run that is confirmed. The first one stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn certify(&mut self, run: i64, body: String) -> Result<()> {
        const CERTIFY: &str = "INSERT INTO certificate (tenant_id, run_id, body) VALUES ($1, $2, $3) \
                               ON CONFLICT (tenant_id, run_id) DO NOTHING";
        const MARK: &str = "UPDATE run SET certified = 1 WHERE tenant_id = $1 AND id = $2";
        let of = |text| Statement::new(text).bind(self.tenant).bind(run);
        self.source.write(of(CERTIFY).bind(body)).await?;
        self.source.write(of(MARK)).await
    }
}
