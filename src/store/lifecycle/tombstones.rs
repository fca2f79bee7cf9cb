//! What was deleted, and what it can be restored from.

use super::held::called;
use super::restore::Heir;
use crate::access::Origin;
use crate::base::clock::Timestamp;
use crate::base::fold::exact;
use crate::base::id::{ConnectionId, Pk, ResourceId, RoleKey, TenantId, Version};
use crate::store::error::{Error, Result};
use crate::store::kind::Kind;
use crate::store::sql::{FromRow, Read, Row, Script, Statement, Tx};

/// Tombstones of one tenant.
pub struct Tombstones<R> {
    pub(super) tenant: TenantId,
    pub(super) source: R,
}

/// What becomes of a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can be restored.
    Kept,
    /// Somebody else was given what it had.
    Superseded,
    /// It is empty: everything that it held is destroyed, and may still be on disk.
    Purging,
}

impl State {
    /// As it is stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Superseded => "superseded",
            Self::Purging => "purging",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Kept, Self::Superseded, Self::Purging]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// A user or group that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The row number that it had, and gets again.
    pub pk: Pk,
    /// User or group.
    pub kind: Kind,
    /// Its id.
    pub id: ResourceId,
    /// The connection that created it.
    pub connection: Option<ConnectionId>,
    /// Its display name.
    pub label: String,
    /// Its document as JSON text.
    pub document: String,
    /// The version at which it was deleted.
    pub version: Version,
    /// When it was created.
    pub created: Timestamp,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// What has become of it.
    pub state: State,
    /// The key of the person, sealed; none of a group.
    pub seal: Option<String>,
}

impl FromRow for Tombstone {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            pk: Pk(row.get(0)?),
            kind: Kind::from_code(row.get(1)?).ok_or(Error::Damaged("kind of a tombstone"))?,
            id: ResourceId::new(row.get::<String>(2)?),
            connection: row.get::<Option<i64>>(3)?.map(ConnectionId),
            label: row.get(4)?,
            document: row.get(5)?,
            version: Version(row.get(6)?),
            created: Timestamp(row.get(7)?),
            deleted: Timestamp(row.get(8)?),
            state: State::parse(&row.get::<String>(9)?).ok_or(Error::Damaged("state of a tombstone"))?,
            seal: row.get(10)?,
        })
    }
}

/// Columns of [`Tombstone`], of the tombstone `t`.
macro_rules! columns {
    () => {
        "SELECT t.resource_pk, t.kind, t.id, t.connection_id, t.label, t.doc, t.version, t.created, t.deleted, t.state, \
         t.seal FROM tombstone t "
    };
}

impl<R: Read> Tombstones<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The tombstone of this kind with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, kind: Kind, id: &ResourceId) -> Result<Option<Tombstone>> {
        const FIND: &str = concat!(columns!(), "WHERE t.tenant_id = $1 AND t.id = $2 AND t.kind = $3");
        let find = Statement::new(FIND).bind(self.tenant).bind(id);
        self.source.row(find.bind(kind.code())).await
    }

    /// At most `limit` tombstones after the one with this row number, in the order in which they were created.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, kind: Option<Kind>, after: i64, limit: u32) -> Result<Vec<Tombstone>> {
        const LIST: &str = concat!(
            columns!(),
            "WHERE t.tenant_id = $1 AND t.resource_pk > $2 AND (CAST($3 AS BIGINT) IS NULL OR t.kind = $3) ",
            "ORDER BY t.resource_pk LIMIT 0 + $4"
        );
        let list = Statement::new(LIST)
            .bind(self.tenant)
            .bind(after)
            .bind(kind.map(Kind::code));
        self.source.rows(list.bind(i64::from(limit))).await
    }

    /// The groups that it was a direct member of, whatever has become of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn groups(&mut self, tomb: Pk) -> Result<Vec<Pk>> {
        const GROUPS: &str = "SELECT t.group_pk FROM tombstone_member t WHERE t.tenant_id = $1 AND t.tomb_pk = $2 \
                              AND t.member_pk = $2";
        let groups = Statement::new(GROUPS).bind(self.tenant).bind(tomb);
        let rows: Vec<(i64,)> = self.source.rows(groups).await?;
        Ok(rows.into_iter().map(|(pk,)| Pk(pk)).collect())
    }

    /// The roles that its grants give, each once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roles(&mut self, tomb: Pk) -> Result<Vec<RoleKey>> {
        const ROLES: &str =
            "SELECT DISTINCT t.role_id FROM tombstone_grant t WHERE t.tenant_id = $1 AND t.tomb_pk = $2";
        let roles = Statement::new(ROLES).bind(self.tenant).bind(tomb);
        let rows: Vec<(i64,)> = self.source.rows(roles).await?;
        Ok(rows.into_iter().map(|(role,)| RoleKey(role)).collect())
    }
}

impl Tombstones<&mut Tx> {
    /// The same as [`Self::find`], and nobody else restores it until the unit ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_for_update(&mut self, kind: Kind, id: &ResourceId) -> Result<Option<Tombstone>> {
        const LOCKED: &str = concat!(
            columns!(),
            "WHERE t.tenant_id = $1 AND t.id = $2 AND t.kind = $3 [lock t]"
        );
        let find = Statement::new(LOCKED).bind(self.tenant).bind(id);
        self.source.row(find.bind(kind.code())).await
    }

    /// Forgets what a resource was restored from; written with the save. Memberships whose other end is deleted, too, are
    /// kept there: they come back with it.
    pub fn forget(&mut self, heir: Heir) {
        const FORGET: &str = "DELETE FROM tombstone WHERE tenant_id = $1 AND resource_pk = $2";
        self.hand_over(heir);
        let main = Statement::new(FORGET).bind(self.tenant).bind(heir.tomb);
        let script = self.without_parts(heir.tomb, main);
        self.source.later(script);
    }

    /// Keeps that somebody else was given what it had; written with the save. Memberships are handed over as by
    /// [`Self::forget`].
    pub fn supersede(&mut self, heir: Heir) {
        const SUPERSEDE: &str = "UPDATE tombstone SET state = $3 WHERE tenant_id = $1 AND resource_pk = $2";
        self.hand_over(heir);
        let main = Statement::new(SUPERSEDE).bind(self.tenant).bind(heir.tomb);
        let script = self.without_parts(heir.tomb, main.bind(State::Superseded.as_str()));
        self.source.later(script);
    }

    /// Has somebody who was deleted in this unit be found by their employee number, as it is compared; written with the
    /// save.
    pub fn be_numbered(&mut self, tomb: Pk, employee: &str) {
        const NUMBER: &str = "UPDATE tombstone SET employee = $3 WHERE tenant_id = $1 AND resource_pk = $2";
        let number = Statement::new(NUMBER).bind(self.tenant).bind(tomb);
        self.source.later(number.bind(employee.to_owned()));
    }

    /// Has a connection call it this from when it comes back, or nothing, whatever it did before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn be_called(&mut self, tomb: Pk, connection: ConnectionId, external_id: Option<&str>) -> Result<()> {
        const FORGET: &str =
            "DELETE FROM tombstone_external WHERE tenant_id = $1 AND tomb_pk = $2 AND connection_id = $3";
        const CALL: &str = "INSERT INTO tombstone_external (tenant_id, tomb_pk, connection_id, value, rest, sent) \
                            VALUES ($1, $2, $3, $4, $5, $6)";
        let of = |text| Statement::new(text).bind(self.tenant).bind(tomb).bind(connection);
        self.source.write(of(FORGET)).await?;
        let Some(value) = external_id else { return Ok(()) };
        let sent = (exact(value) != value).then(|| value.to_owned());
        self.source
            .write(of(CALL).bind_all(called(external_id)).bind(sent))
            .await
    }

    /// Forgets the grants that its document asked for: another document asks for others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_asked_for(&mut self, tomb: Pk) -> Result<()> {
        const FORGET: &str = "DELETE FROM tombstone_grant WHERE tenant_id = $1 AND tomb_pk = $2 AND origin = $3";
        let forget = Statement::new(FORGET).bind(self.tenant).bind(tomb);
        self.source.write(forget.bind(Origin::Provisioned.as_str())).await
    }

    fn hand_over(&mut self, heir: Heir) {
        const HAND_OVER: &str = "INSERT INTO tombstone_member (tenant_id, tomb_pk, group_pk, member_pk, member_kind, \
                                 created, connection_id, request_id) SELECT t.tenant_id, o.resource_pk, \
                                 CASE WHEN t.group_pk = $2 THEN CAST($3 AS BIGINT) ELSE t.group_pk END, \
                                 CASE WHEN t.member_pk = $2 THEN CAST($3 AS BIGINT) ELSE t.member_pk END, t.member_kind, \
                                 t.created, t.connection_id, t.request_id FROM tombstone_member t CROSS JOIN tombstone o \
                                 WHERE t.tenant_id = $1 AND t.tomb_pk = $2 AND o.tenant_id = $1 AND o.state = 'kept' \
                                 AND o.resource_pk = CASE WHEN t.member_pk = $2 THEN t.group_pk ELSE t.member_pk END \
                                 ON CONFLICT (tenant_id, tomb_pk, group_pk, member_pk) DO NOTHING";
        let hand_over = Statement::new(HAND_OVER).bind(self.tenant);
        self.source.later(hand_over.bind(heir.tomb).bind(heir.to));
    }

    pub(super) fn without_parts(&self, tomb: Pk, main: Statement) -> Script {
        const MEMBERS: &str = "DELETE FROM tombstone_member WHERE tenant_id = $1 AND tomb_pk = $2";
        const GRANTS: &str = "DELETE FROM tombstone_grant WHERE tenant_id = $1 AND tomb_pk = $2";
        const EXTERNAL: &str = "DELETE FROM tombstone_external WHERE tenant_id = $1 AND tomb_pk = $2";
        let of = |text| Statement::new(text).bind(self.tenant).bind(tomb);
        Script::new(main)
            .after(of(MEMBERS))
            .after(of(GRANTS))
            .after(of(EXTERNAL))
    }
}

/// Adds to the script that deletes a resource what keeps it: before everything else, as that takes away what is read.
pub(in crate::store) fn kept(script: Script, tenant: TenantId, (kind, pk): (Kind, Pk), now: Timestamp) -> Script {
    const KEEP: &str = "INSERT INTO tombstone (tenant_id, resource_pk, kind, id, connection_id, name_key, label, doc, \
                        version, created, deleted, state, seal) SELECT r.tenant_id, r.pk, r.kind, r.id, r.connection_id, \
                        r.name_key, r.label, r.doc, r.version, r.created, CAST($3 AS BIGINT), 'kept', r.seal FROM resource r \
                        WHERE r.tenant_id = $1 AND r.pk = $2";
    const JOINED: &str = "INSERT INTO tombstone_member (tenant_id, tomb_pk, group_pk, member_pk, member_kind, created, \
                          connection_id, request_id) SELECT m.tenant_id, m.member_pk, m.group_pk, m.member_pk, \
                          m.member_kind, m.created, m.connection_id, m.request_id FROM member m \
                          WHERE m.tenant_id = $1 AND m.member_pk = $2";
    const MEMBERS: &str = "INSERT INTO tombstone_member (tenant_id, tomb_pk, group_pk, member_pk, member_kind, created, \
                           connection_id, request_id) SELECT m.tenant_id, m.group_pk, m.group_pk, m.member_pk, \
                           m.member_kind, m.created, m.connection_id, m.request_id FROM member m \
                           WHERE m.tenant_id = $1 AND m.group_pk = $2";
    const GRANTS: &str = "INSERT INTO tombstone_grant (tenant_id, tomb_pk, id, uid, role_id, reach, scope_id, record_kind, \
                          record_id, valid_from, valid_to, restriction, origin, created, actor_kind, actor_name, \
                          connection_id, request_id) SELECT g.tenant_id, g.subject_pk, g.id, g.uid, g.role_id, g.reach, \
                          g.scope_id, g.record_kind, g.record_id, g.valid_from, g.valid_to, g.restriction, g.origin, \
                          g.created, g.actor_kind, g.actor_name, g.connection_id, g.request_id FROM access_grant g \
                          WHERE g.tenant_id = $1 AND g.subject_pk = $2";
    const EXTERNAL: &str = "INSERT INTO tombstone_external (tenant_id, tomb_pk, connection_id, value, rest, sent) \
                            SELECT e.tenant_id, e.resource_pk, e.connection_id, e.value, e.rest, e.sent \
                            FROM external_id e WHERE e.tenant_id = $1 AND e.resource_pk = $2";
    let of = |text| Statement::new(text).bind(tenant).bind(pk);
    let script = script
        .before(of(KEEP).bind(now))
        .before(of(JOINED))
        .before(of(GRANTS))
        .before(of(EXTERNAL));
    match kind {
        Kind::User | Kind::Own(_) => script,
        Kind::Group => script.before(of(MEMBERS)),
    }
}
