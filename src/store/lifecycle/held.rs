//! Whom an administrator kept out when they were deleted: provisioning that creates them again does not end that.

use super::statuses::{Statuses, StoredHold};
use crate::base::clock::Timestamp;
use crate::base::fold::exact;
use crate::base::id::{ConnectionId, ResourceId};
use crate::store::document::split;
use crate::store::error::Result;
use crate::store::sql::{Bind, FromRow, Read, Row, Statement};

/// Holds `s` that somebody still has who was deleted, and who comes again under this name or under what the connection
/// calls them: of several who had the name, the one who was deleted last counts. Names are compared as far as they are
/// indexed: 256 characters.
macro_rules! held_when_deleted {
    (name: $name:literal, called: $connection:literal $value:literal $rest:literal, now: $now:literal) => {
        concat!(
            "s.tenant_id = $1 AND s.state <> 'invited' AND s.actor_kind <> 'rule' ",
            "AND (s.closing_id IS NOT NULL OR s.until IS NULL OR s.until > ",
            $now,
            ") AND s.resource_pk IN ((SELECT t.resource_pk FROM tombstone t WHERE t.tenant_id = $1 AND t.kind = 1 AND t.name_key = ",
            $name,
            " ORDER BY t.deleted DESC, t.resource_pk DESC LIMIT 1), (SELECT t.resource_pk FROM tombstone_external x ",
            "CROSS JOIN tombstone t WHERE x.tenant_id = $1 AND x.connection_id = ",
            $connection,
            " AND x.value = ",
            $value,
            " AND x.rest = ",
            $rest,
            " AND t.tenant_id = $1 AND t.resource_pk = x.tomb_pk ORDER BY t.deleted DESC, t.resource_pk DESC LIMIT 1))"
        )
    };
}

pub(in crate::store) use held_when_deleted;

/// What a connection calls somebody, as it is compared: the indexed part and the rest; twice nothing where it does not.
pub(in crate::store) fn called(external_id: Option<&str>) -> [Bind; 2] {
    let compared = external_id.map(exact);
    let parts = compared.as_deref().map(split);
    [
        parts.map(|(value, _)| value.to_owned()).into(),
        parts.map(|(_, rest)| rest.to_owned()).into(),
    ]
}

/// Somebody who was deleted and is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldWhenDeleted {
    /// The id that they had.
    pub id: ResourceId,
    /// What holds them.
    pub held: StoredHold,
}

impl FromRow for HeldWhenDeleted {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            held: StoredHold::from_row(row)?,
            id: ResourceId::new(row.get::<String>(8)?),
        })
    }
}

impl<R: Read> Statuses<R> {
    /// Who is held though they were deleted, of this name or so called by a connection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_deleted(
        &mut self,
        name_key: &str,
        (connection, external_id): (Option<ConnectionId>, Option<&str>),
        now: Timestamp,
    ) -> Result<Option<HeldWhenDeleted>> {
        const HELD: &str = concat!(
            "SELECT s.state, s.source_active, s.since, s.until, s.reason, s.actor_kind, s.actor_id, s.closing_id, o.id ",
            "FROM user_status s JOIN tombstone o ON o.tenant_id = $1 AND o.resource_pk = s.resource_pk WHERE ",
            held_when_deleted!(name: "$2", called: "$3" "$4" "$5", now: "$6"),
            " ORDER BY o.deleted DESC, o.resource_pk DESC LIMIT 1"
        );
        let held = Statement::new(HELD)
            .bind(self.tenant)
            .bind(split(name_key).0.to_owned())
            .bind(connection)
            .bind_all(called(external_id))
            .bind(now);
        self.source.row(held).await
    }
}
