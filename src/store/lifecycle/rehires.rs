//! Somebody new who may be somebody who was deleted: whom they may be, and what was decided about it.

use super::held::called;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{Bind, FromRow, Read, Row, Statement, Tx};

/// Most of those who were deleted that somebody new is compared with.
const MOST: i64 = 10;

/// Offers of one tenant.
pub struct Rehires<R> {
    tenant: TenantId,
    source: R,
}

/// By what somebody may be somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// The same connection calls them the same.
    ExternalId,
    /// They have the same employee number.
    EmployeeNumber,
}

impl Matched {
    /// As it is stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::EmployeeNumber => "employee_number",
        }
    }

    fn read(text: &str) -> Result<Self> {
        [Self::ExternalId, Self::EmployeeNumber]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or(Error::Damaged("rehire.matched"))
    }
}

/// What was decided about an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Waiting,
    /// They are the same person.
    Accepted,
    /// They are not.
    Dismissed,
}

impl State {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Dismissed => "dismissed",
        }
    }

    fn read(text: &str) -> Result<Self> {
        [Self::Waiting, Self::Accepted, Self::Dismissed]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or(Error::Damaged("rehire.state"))
    }
}

/// Somebody who was deleted and may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// The row number that they had.
    pub pk: Pk,
    /// Their id.
    pub id: ResourceId,
    /// By what.
    pub matched: Matched,
}

impl FromRow for Former {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            pk: Pk(row.get(0)?),
            id: ResourceId::new(row.get::<String>(1)?),
            matched: Matched::read(&row.get::<String>(2)?)?,
        })
    }
}

/// An offer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Orders them.
    pub number: i64,
    /// Id on the wire.
    pub uid: String,
    /// Id and name of who is new; none when they are gone.
    pub user: Option<(ResourceId, String)>,
    /// Id and name of who was deleted; none when nothing of them can be restored any more.
    pub former: Option<(ResourceId, String)>,
    /// By what they may be the same.
    pub matched: Matched,
    /// When it was made.
    pub created: Timestamp,
    /// What was decided.
    pub state: State,
    /// When.
    pub settled: Option<Timestamp>,
}

impl FromRow for Offer {
    fn from_row(row: &Row) -> Result<Self> {
        let named = |id: usize| -> Result<Option<(ResourceId, String)>> {
            let name = row.get::<Option<String>>(id + 1)?;
            Ok(row.get::<Option<String>>(id)?.map(ResourceId::new).zip(name))
        };
        Ok(Self {
            number: row.get(0)?,
            uid: row.get(1)?,
            user: named(2)?,
            former: named(4)?,
            matched: Matched::read(&row.get::<String>(6)?)?,
            created: Timestamp(row.get(7)?),
            state: State::read(&row.get::<String>(8)?)?,
            settled: row.get::<Option<i64>>(9)?.map(Timestamp),
        })
    }
}

/// Columns of [`Offer`]: of the offer `o`, the user `r` and the tombstone `t`.
macro_rules! columns {
    () => {
        "SELECT o.id, o.uid, r.id, r.label, t.id, t.label, o.matched, o.created, o.state, o.settled FROM rehire o \
         LEFT JOIN resource r ON r.tenant_id = o.tenant_id AND r.pk = o.user_pk \
         LEFT JOIN tombstone t ON t.tenant_id = o.tenant_id AND t.resource_pk = o.tomb_pk AND t.state = 'kept' "
    };
}

impl<R: Read> Rehires<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// Who was deleted since an instant and was called the same by this connection, or has this employee number, which is
    /// compared as it is: each once, the one who was deleted last first. By both is by what the connection calls them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn formers(
        &mut self,
        (connection, external_id): (ConnectionId, Option<&str>),
        employee: Option<&str>,
        since: Timestamp,
    ) -> Result<Vec<Former>> {
        const FORMERS: &str = "SELECT f.pk, f.id, max(f.matched) FROM (\
                               SELECT t.resource_pk AS pk, t.id, t.deleted, 'external_id' AS matched \
                               FROM tombstone_external x CROSS JOIN tombstone t WHERE x.tenant_id = $1 \
                               AND x.connection_id = $2 AND x.value = $3 AND x.rest = $4 AND t.tenant_id = $1 \
                               AND t.resource_pk = x.tomb_pk AND t.kind = 1 AND t.state = 'kept' AND t.deleted >= $6 \
                               UNION ALL SELECT t.resource_pk, t.id, t.deleted, 'employee_number' FROM tombstone t \
                               WHERE t.tenant_id = $1 AND t.employee = $5 AND t.kind = 1 AND t.state = 'kept' \
                               AND t.deleted >= $6) AS f GROUP BY f.pk, f.id, f.deleted \
                               ORDER BY f.deleted DESC, f.pk DESC LIMIT 0 + $7";
        let formers = Statement::new(FORMERS)
            .bind(self.tenant)
            .bind(connection)
            .bind_all(called(external_id))
            .bind(employee.map(str::to_owned))
            .bind(since);
        self.source.rows(formers.bind(MOST)).await
    }

    /// The offer with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, uid: &str) -> Result<Option<Offer>> {
        const FIND: &str = concat!(columns!(), "WHERE o.tenant_id = $1 AND o.uid = $2");
        let find = Statement::new(FIND).bind(self.tenant).bind(uid.to_owned());
        self.source.row(find).await
    }

    /// At most `limit` offers of which this was decided, after the one with this number, oldest first; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, state: State, after: i64, limit: u32) -> Result<Vec<Offer>> {
        const LIST: &str = concat!(
            columns!(),
            "WHERE o.tenant_id = $1 AND o.state = $2 AND o.id > $3 ORDER BY o.id LIMIT 0 + $4"
        );
        let list = Statement::new(LIST).bind(self.tenant).bind(state.as_str()).bind(after);
        self.source.rows(list.bind(i64::from(limit))).await
    }
}

impl Rehires<&mut Tx> {
    /// Offers that somebody new is one of these, each under an id; written with the save.
    pub fn offer(&mut self, user: Pk, formers: &[(String, Former)], now: Timestamp) {
        const OFFER: &str = "INSERT INTO rehire (tenant_id, uid, user_pk, tomb_pk, matched, created, state) \
                             SELECT $1, [text $4 0], $2, [int $4 1], [text $4 2], $3, 'waiting' [from $4] WHERE true \
                             ON CONFLICT (tenant_id, user_pk, tomb_pk) DO NOTHING";
        let row = |(uid, former): &(String, Former)| -> Vec<Bind> {
            vec![
                uid.clone().into(),
                former.pk.into(),
                former.matched.as_str().to_owned().into(),
            ]
        };
        let rows: Vec<Vec<Bind>> = formers.iter().map(row).collect();
        if !rows.is_empty() {
            let offer = Statement::new(OFFER).bind(self.tenant).bind(user).bind(now);
            self.source.later(offer.bind(rows));
        }
    }

    /// Decides about an offer that waits; false when it does not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&mut self, uid: &str, state: State, now: Timestamp) -> Result<bool> {
        const SETTLE: &str = "UPDATE rehire SET state = $3, settled = $4 WHERE tenant_id = $1 AND uid = $2 \
                              AND state = 'waiting' RETURNING id";
        let settle = Statement::new(SETTLE).bind(self.tenant).bind(uid.to_owned());
        let rows: Vec<(i64,)> = self.source.write_rows(settle.bind(state.as_str()).bind(now)).await?;
        Ok(!rows.is_empty())
    }
}
