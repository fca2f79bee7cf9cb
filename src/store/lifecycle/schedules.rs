//! What is planned for people: until it is due, and what became of it.

use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// Plans of one tenant.
pub struct Schedules<R> {
    tenant: TenantId,
    source: R,
}

macro_rules! stored_words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $of:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $of])+ $variant,)+
        }

        impl $name {
            /// As it is stored and sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Reads what is stored or sent.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

stored_words! {
    /// What is to be done.
    Action {
        /// The account ends.
        Deactivate = "deactivate",
        /// A leave begins.
        Suspend = "suspend",
        /// A leave ends.
        Return = "return",
    }
}

stored_words! {
    /// Where a plan comes from: of each there is one at most for a user and an action.
    Source {
        /// Somebody set the end of an account.
        Api = "api",
        /// A leave of absence.
        Leave = "leave",
        /// An attribute in which provisioning says when somebody leaves.
        Attribute = "attribute",
    }
}

stored_words! {
    /// What has become of a plan.
    State {
        /// It is not due yet.
        Waiting = "waiting",
        /// It was done.
        Done = "done",
        /// Somebody decided against it, or there is nobody to do it to.
        Cancelled = "cancelled",
        /// It was refused when it was due.
        Failed = "failed",
    }
}

/// A plan as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchedule {
    /// Id on the wire.
    pub uid: String,
    /// For whom.
    pub user: Pk,
    /// What.
    pub action: Action,
    /// Where it comes from.
    pub source: Source,
    /// When.
    pub due: Timestamp,
    /// Why, in the words of whoever planned it.
    pub reason: Option<String>,
    /// What kind of caller that was.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: String,
    /// When it was planned.
    pub created: Timestamp,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Row number.
    pub number: i64,
    /// Id on the wire.
    pub uid: String,
    /// Id and name of the user; none when they are gone.
    pub user: Option<(ResourceId, String)>,
    /// What.
    pub action: Action,
    /// When.
    pub due: Timestamp,
    /// What has become of it.
    pub state: State,
    /// Why.
    pub reason: Option<String>,
    /// When it was planned.
    pub created: Timestamp,
}

impl FromRow for Schedule {
    fn from_row(row: &Row) -> Result<Self> {
        let id = row.get::<Option<String>>(2)?.map(ResourceId::new);
        Ok(Self {
            number: row.get(0)?,
            uid: row.get(1)?,
            user: id.zip(row.get::<Option<String>>(3)?),
            action: action(row, 4)?,
            due: Timestamp(row.get(5)?),
            state: State::parse(&row.get::<String>(6)?).ok_or(Error::Damaged("state of a schedule"))?,
            reason: row.get(7)?,
            created: Timestamp(row.get(8)?),
        })
    }
}

fn action(row: &Row, at: usize) -> Result<Action> {
    Action::parse(&row.get::<String>(at)?).ok_or(Error::Damaged("action of a schedule"))
}

/// Columns of [`Schedule`]: of the plan `s` and its user `r`.
macro_rules! columns {
    () => {
        "SELECT s.id, s.uid, r.id, r.label, s.action, s.due, s.state, s.reason, s.created FROM schedule s \
         LEFT JOIN resource r ON r.tenant_id = s.tenant_id AND r.pk = s.resource_pk "
    };
}

/// Which plans are asked for: those in a state, due within a time.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// What has become of them.
    pub state: State,
    /// Only this action.
    pub action: Option<Action>,
    /// Due then or later.
    pub from: Timestamp,
    /// Due before then.
    pub to: Timestamp,
}

impl<R: Read> Schedules<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The plan with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, uid: &str) -> Result<Option<Schedule>> {
        const FIND: &str = concat!(columns!(), "WHERE s.tenant_id = $1 AND s.uid = $2");
        let find = Statement::new(FIND).bind(self.tenant).bind(uid.to_owned());
        self.source.row(find).await
    }

    /// At most `limit` plans, in the order in which they are due, after the one that is due then and has this number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, wanted: &Wanted, after: (Timestamp, i64), limit: u32) -> Result<Vec<Schedule>> {
        const LIST: &str = concat!(
            columns!(),
            "WHERE s.tenant_id = $1 AND s.state = $2 AND s.due >= $3 AND s.due < $4 AND (s.due, s.id) > ($5, $6) ",
            "AND (CAST($7 AS TEXT) IS NULL OR s.action = $7) ORDER BY s.due, s.id LIMIT 0 + $8"
        );
        let list = Statement::new(LIST)
            .bind(self.tenant)
            .bind(wanted.state.as_str())
            .bind(wanted.from)
            .bind(wanted.to)
            .bind(after.0)
            .bind(after.1)
            .bind(wanted.action.map(|action| action.as_str().to_owned()));
        self.source.rows(list.bind(i64::from(limit))).await
    }
}

impl Schedules<&mut Tx> {
    /// Plans something, in the place of what was planned the same way. Gives the id it has then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set(&mut self, new: NewSchedule) -> Result<String> {
        const SET: &str = "INSERT INTO schedule (tenant_id, uid, resource_pk, action, source, due, state, reason, \
                           actor_kind, actor_id, created) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, $9, $10) \
                           ON CONFLICT (tenant_id, resource_pk, source, action) WHERE state = 'waiting' \
                           DO UPDATE SET due = excluded.due, reason = excluded.reason, actor_kind = excluded.actor_kind, \
                           actor_id = excluded.actor_id, created = excluded.created RETURNING uid";
        let set = Statement::new(SET)
            .bind(self.tenant)
            .bind(new.uid)
            .bind(new.user)
            .bind(new.action.as_str())
            .bind(new.source.as_str())
            .bind(new.due)
            .bind(new.reason)
            .bind(new.actor_kind)
            .bind(new.actor_id)
            .bind(new.created);
        let rows: Vec<(String,)> = self.source.write_rows(set).await?;
        let row = rows.into_iter().next();
        row.map(|(uid,)| uid).ok_or(Error::Damaged("new schedule"))
    }

    /// Says what has become of a plan that waits; false when it does not wait any more, or not for this instant where one
    /// is given. Of several who say so at once, one is told true.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&mut self, uid: &str, due: Option<Timestamp>, state: State, now: Timestamp) -> Result<bool> {
        const SETTLE: &str = "UPDATE schedule SET state = $3, settled = $4 WHERE tenant_id = $1 AND uid = $2 \
                              AND state = 'waiting' AND due = coalesce(CAST($5 AS BIGINT), due) RETURNING id";
        let settle = Statement::new(SETTLE).bind(self.tenant).bind(uid.to_owned());
        let settle = settle.bind(state.as_str()).bind(now).bind(due);
        let rows: Vec<(i64,)> = self.source.write_rows(settle).await?;
        Ok(!rows.is_empty())
    }

    /// Has what was due while a user was deleted, and was cancelled for that, wait again; a leave only where its end is still to
    /// come. Gives the ids, what is to be done, and when that was due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wait_again(&mut self, user: Pk, deleted: Timestamp) -> Result<Vec<(String, Action, Timestamp)>> {
        const AGAIN: &str = "UPDATE schedule SET state = 'waiting', settled = NULL WHERE tenant_id = $1 \
                             AND resource_pk = $2 AND state = 'cancelled' AND settled >= $3 AND due <= settled \
                             AND (action = 'deactivate' OR action = 'suspend' AND EXISTS (SELECT 1 FROM schedule b \
                             WHERE b.tenant_id = $1 AND b.resource_pk = $2 AND b.source = schedule.source \
                             AND b.action = 'return' AND b.state = 'waiting')) RETURNING uid, action, due";
        let again = Statement::new(AGAIN).bind(self.tenant).bind(user).bind(deleted);
        let rows: Vec<Again> = self.source.write_rows(again).await?;
        Ok(rows
            .into_iter()
            .map(|Again(uid, action, due)| (uid, action, due))
            .collect())
    }

    /// Decides against everything that is planned for a user in this way. Gives the ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel(&mut self, user: Pk, source: Source, now: Timestamp) -> Result<Vec<String>> {
        const CANCEL: &str = "UPDATE schedule SET state = 'cancelled', settled = $4 WHERE tenant_id = $1 \
                              AND resource_pk = $2 AND source = $3 AND state = 'waiting' RETURNING uid";
        let cancel = Statement::new(CANCEL).bind(self.tenant).bind(user);
        let rows: Vec<(String,)> = self.source.write_rows(cancel.bind(source.as_str()).bind(now)).await?;
        Ok(rows.into_iter().map(|(uid,)| uid).collect())
    }
}

/// A plan that waits again: its id, what is to be done, and when that was due.
struct Again(String, Action, Timestamp);

impl FromRow for Again {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(row.get(0)?, action(row, 1)?, Timestamp(row.get(2)?)))
    }
}

/// A plan that is due, of whatever tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose it is.
    pub tenant: TenantId,
    /// Short name of the tenant.
    pub slug: String,
    /// Id of the plan.
    pub uid: String,
    /// Id of the user; none when they are gone.
    pub user: Option<ResourceId>,
    /// What is to be done.
    pub action: Action,
    /// Why.
    pub reason: Option<String>,
    /// Of a leave that begins: when it ends.
    pub until: Option<Timestamp>,
    /// When it was due as it was read: it may have been moved since.
    pub at: Timestamp,
    /// Row number: orders what is due at the same instant.
    pub number: i64,
}

impl FromRow for Due {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            uid: row.get(2)?,
            user: row.get::<Option<String>>(3)?.map(ResourceId::new),
            action: action(row, 4)?,
            reason: row.get(5)?,
            until: row.get::<Option<i64>>(6)?.map(Timestamp),
            at: Timestamp(row.get(7)?),
            number: row.get(8)?,
        })
    }
}

/// At most `limit` plans of all tenants that are due, the longest due first, after the one that was due then and has this
/// number.
///
/// # Errors
/// When the database fails.
pub async fn due(mut db: &Db, now: Timestamp, after: (Timestamp, i64), limit: u32) -> Result<Vec<Due>> {
    const DUE: &str = "SELECT s.tenant_id, n.slug, s.uid, r.id, s.action, s.reason, (SELECT b.due FROM schedule b \
                       WHERE b.tenant_id = s.tenant_id AND b.resource_pk = s.resource_pk AND b.source = 'leave' \
                       AND b.action = 'return' AND b.state = 'waiting'), s.due, s.id FROM schedule s \
                       JOIN tenant n ON n.id = s.tenant_id \
                       LEFT JOIN resource r ON r.tenant_id = s.tenant_id AND r.pk = s.resource_pk \
                       WHERE s.state = 'waiting' AND s.due <= $1 AND s.due >= $2 AND (s.due, s.id) > ($2, $3) \
                       ORDER BY s.due, s.id LIMIT 0 + $4";
    let due = Statement::new(DUE).bind(now).bind(after.0).bind(after.1);
    db.rows(due.bind(i64::from(limit))).await
}
