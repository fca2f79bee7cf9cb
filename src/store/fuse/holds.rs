//! What is held beyond a budget, about which an administrator decides as one.

use crate::access::fuse::Harm;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// The holds of one tenant.
pub struct Holds<R> {
    tenant: TenantId,
    source: R,
}

/// What a hold is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided.
    Waiting,
    /// It is approved, and its changes are being made.
    Applying,
    /// Its changes are made, as far as they could be.
    Approved,
    /// Nothing of it is done.
    Rejected,
}

impl State {
    /// As it stands in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Applying => "applying",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Reads what is stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Waiting, Self::Applying, Self::Approved, Self::Rejected];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// Changes by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Nobody has decided, or they are about to be made.
    pub waiting: u64,
    /// Made.
    pub applied: u64,
    /// Could not be made any more.
    pub failed: u64,
    /// Thrown away.
    pub dismissed: u64,
}

/// What goes beyond a budget, or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Orders them.
    pub number: i64,
    /// Id on the wire.
    pub id: String,
    /// Whose it is.
    pub connection: ConnectionId,
    /// Name of the connection; none when it is gone.
    pub name: Option<String>,
    /// What there was too much of.
    pub harm: Harm,
    /// When the fuse tripped.
    pub opened: Timestamp,
    /// The budget that was used up.
    pub budget: u64,
    /// What has become of it.
    pub state: State,
    /// When somebody decided.
    pub decided: Option<Timestamp>,
    /// The requests that are kept.
    pub changes: Tally,
}

impl FromRow for Hold {
    fn from_row(row: &Row) -> Result<Self> {
        let number = |at| row.get::<i64>(at).map(|number| u64::try_from(number).unwrap_or(0));
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            connection: ConnectionId(row.get(2)?),
            name: row.get(3)?,
            harm: Harm::parse(&row.get::<String>(4)?).ok_or(Error::Damaged("hold.what"))?,
            opened: Timestamp(row.get(5)?),
            budget: number(6)?,
            state: State::parse(&row.get::<String>(7)?).ok_or(Error::Damaged("hold.state"))?,
            decided: row.get::<Option<i64>>(8)?.map(Timestamp),
            changes: Tally {
                waiting: number(9)?,
                applied: number(10)?,
                failed: number(11)?,
                dismissed: number(12)?,
            },
        })
    }
}

/// How far a hold is, without its changes, of which there may be very many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Orders them.
    pub number: i64,
    /// What has become of it.
    pub state: State,
    /// When somebody decided.
    pub decided: Option<Timestamp>,
    /// Row number of the connection that it is about.
    pub connection: ConnectionId,
}

impl FromRow for Standing {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            state: State::parse(&row.get::<String>(1)?).ok_or(Error::Damaged("hold.state"))?,
            decided: row.get::<Option<i64>>(2)?.map(Timestamp),
            connection: ConnectionId(row.get(3)?),
        })
    }
}

/// A hold whose changes are being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applying {
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug of the tenant.
    pub slug: String,
    /// Id on the wire.
    pub id: String,
}

impl FromRow for Applying {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            id: row.get(2)?,
        })
    }
}

/// How many requests of a hold `h` are in a state.
macro_rules! changes {
    ($state:literal) => {
        concat!(
            "(SELECT count(*) FROM pending p WHERE p.tenant_id = $1 AND p.hold_id = h.id AND p.state = '",
            $state,
            "')"
        )
    };
}

/// Columns of [`Hold`].
macro_rules! columns {
    () => {
        concat!(
            "SELECT h.id, h.uid, h.connection_id, c.name, h.what, h.opened, h.budget, h.state, h.decided, ",
            changes!("waiting"),
            ", ",
            changes!("applied"),
            ", ",
            changes!("failed"),
            ", ",
            changes!("dismissed"),
            " FROM hold h LEFT JOIN connection c ON c.tenant_id = h.tenant_id AND c.id = h.connection_id "
        )
    };
}

impl<R: Read> Holds<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The hold with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<Hold>> {
        const FIND: &str = concat!(columns!(), "WHERE h.tenant_id = $1 AND h.uid = $2");
        let find = Statement::new(FIND).bind(self.tenant).bind(id.to_owned());
        self.source.row(find).await
    }

    /// How far the hold with this id is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&mut self, id: &str) -> Result<Option<Standing>> {
        const STANDING: &str = "SELECT h.id, h.state, h.decided, h.connection_id FROM hold h \
                                WHERE h.tenant_id = $1 AND h.uid = $2";
        let standing = Statement::new(STANDING).bind(self.tenant).bind(id.to_owned());
        self.source.row(standing).await
    }

    /// At most `limit` holds after the one with this number, oldest first; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: i64, limit: u32) -> Result<Vec<Hold>> {
        const LIST: &str = concat!(
            columns!(),
            "WHERE h.tenant_id = $1 AND h.id > $2 ORDER BY h.id LIMIT 0 + $3"
        );
        let list = Statement::new(LIST).bind(self.tenant).bind(after);
        self.source.rows(list.bind(i64::from(limit))).await
    }

    /// Id on the wire of the hold with this number.
    ///
    /// # Errors
    /// When the database fails, or there is none.
    pub async fn name(&mut self, number: i64) -> Result<String> {
        const NAME: &str = "SELECT h.uid FROM hold h WHERE h.tenant_id = $1 AND h.id = $2";
        let name = Statement::new(NAME).bind(self.tenant).bind(number);
        let row: Option<(String,)> = self.source.row(name).await?;
        row.map(|row| row.0).ok_or(Error::Damaged("fuse.hold_id"))
    }
}

impl Holds<&mut Tx> {
    /// Begins one; gives its number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(
        &mut self,
        id: &str,
        (connection, harm): (ConnectionId, Harm),
        budget: u64,
        now: Timestamp,
    ) -> Result<i64> {
        const OPEN: &str = "INSERT INTO hold (tenant_id, uid, connection_id, what, opened, budget, state, held) \
                            VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0) RETURNING id";
        let open = Statement::new(OPEN)
            .bind(self.tenant)
            .bind(id.to_owned())
            .bind(connection)
            .bind(harm.as_str())
            .bind(now)
            .bind(i64::try_from(budget).unwrap_or(i64::MAX));
        let rows: Vec<(i64,)> = self.source.write_rows(open).await?;
        rows.first().map(|row| row.0).ok_or(Error::Damaged("new hold"))
    }

    /// Makes room for one more request; false when so many are held already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn room(&mut self, number: i64, most: i64) -> Result<bool> {
        const ROOM: &str =
            "UPDATE hold SET held = held + 1 WHERE tenant_id = $1 AND id = $2 AND held < $3 RETURNING held";
        let room = Statement::new(ROOM).bind(self.tenant).bind(number).bind(most);
        let rows: Vec<(i64,)> = self.source.write_rows(room).await?;
        Ok(!rows.is_empty())
    }

    /// Moves it on from a state; false when it is in another one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn advance(&mut self, number: i64, (from, to): (State, State), now: Timestamp) -> Result<bool> {
        const ADVANCE: &str = "UPDATE hold SET state = $4, decided = coalesce(decided, $5) \
                               WHERE tenant_id = $1 AND id = $2 AND state = $3 RETURNING id";
        let advance = Statement::new(ADVANCE)
            .bind(self.tenant)
            .bind(number)
            .bind(from.as_str())
            .bind(to.as_str())
            .bind(now);
        let rows: Vec<(i64,)> = self.source.write_rows(advance).await?;
        Ok(!rows.is_empty())
    }
}

/// At most `limit` holds of all tenants whose changes are being made, oldest first; but for those of connections and
/// tenants that do not work for now.
///
/// # Errors
/// When the database fails.
pub async fn applying(mut db: &Db, limit: u32) -> Result<Vec<Applying>> {
    const APPLYING: &str = "SELECT h.tenant_id, t.slug, h.uid FROM hold h CROSS JOIN tenant t \
                            WHERE h.state = 'applying' AND t.id = h.tenant_id AND t.state = 'active' AND NOT EXISTS (SELECT 1 FROM connection c \
                            WHERE c.tenant_id = h.tenant_id AND c.id = h.connection_id AND c.state = 'suspended') \
                            ORDER BY h.id LIMIT 0 + $1";
    db.rows(Statement::new(APPLYING).bind(i64::from(limit))).await
}
