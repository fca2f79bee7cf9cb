//! Who is in a group: rows, never part of the group's document, so that the cost of a change does not depend on the
//! size of the group.

mod by_rule;
mod closure;
mod copy;
mod list;
mod walk;

use serde_json::json;

use super::access::policy::bump_if_known;
use super::cause::Cause;
use super::error::{Error, Result};
use super::filter::{self, as_rows};
use super::kind::Kind;
use super::sql::{FromRow, Read, Row, Script, Statement, Tx};
use crate::base::id::{Pk, ResourceId, TenantId};
use crate::scim::filter::Checked;

pub use by_rule::ByRule;
pub(super) use closure::{after_delete, before_delete, reach_anew, with_delete};
pub use walk::Membership;

/// Members of the groups of one tenant.
pub struct Members<R> {
    tenant: TenantId,
    source: R,
}

/// A member as a group shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: ResourceId,
    /// User or group.
    pub kind: Kind,
    /// Its display name.
    pub display: String,
}

/// A member that joined or left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its id.
    pub id: ResourceId,
    /// User or group.
    pub kind: Kind,
    /// Its row number.
    pub pk: Pk,
}

/// What a change of members came to.
///
/// When `unknown`, `mistaken` or `itself` is set, nothing was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Members that were not there before.
    pub added: Vec<Moved>,
    /// Members that are there no more.
    pub removed: Vec<Moved>,
    /// How many were there already.
    pub already: usize,
    /// Ids that name no resource of the tenant.
    pub unknown: Vec<ResourceId>,
    /// Ids that name a resource of another kind than was said.
    pub mistaken: Vec<ResourceId>,
    /// Whether the group was to become a member of itself.
    pub itself: bool,
}

impl Change {
    /// Whether the change was refused as a whole.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.itself || !self.unknown.is_empty() || !self.mistaken.is_empty()
    }

    /// Whether anything is different now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

impl FromRow for Member {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: ResourceId::new(row.get::<String>(0)?),
            kind: Kind::from_code(row.get(1)?).ok_or(Error::Damaged("kind of a member"))?,
            display: row.get(2)?,
        })
    }
}

/// An id that names a resource: row number, kind, and whether it is a member already.
struct Known {
    id: String,
    pk: i64,
    kind: Kind,
    member: bool,
}

impl FromRow for Known {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            pk: row.get(1)?,
            kind: Kind::from_code(row.get(2)?).ok_or(Error::Damaged("kind of a member"))?,
            member: row.get::<i64>(3)? != 0,
        })
    }
}

struct Gone(ResourceId, Kind, i64);

impl FromRow for Gone {
    fn from_row(row: &Row) -> Result<Self> {
        let kind = Kind::from_code(row.get(1)?).ok_or(Error::Damaged("kind of a member"))?;
        Ok(Self(ResourceId::new(row.get::<String>(0)?), kind, row.get(2)?))
    }
}

impl From<Gone> for Moved {
    fn from(Gone(id, kind, pk): Gone) -> Self {
        Self { id, kind, pk: Pk(pk) }
    }
}

/// What every removal gives back: id, kind and row number of the member that went.
macro_rules! returning {
    () => {
        " RETURNING (SELECT r.id FROM resource r WHERE r.tenant_id = member.tenant_id AND r.pk = member.member_pk), \
         member_kind, member_pk"
    };
}

impl Members<&mut Tx> {
    /// Adds members; those that are members already stay as they are, with their cause. The group must be new in this
    /// unit, or held by [`find_for_update`](super::resources::Resources::find_for_update).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(
        &mut self,
        group: Pk,
        ids: &[(ResourceId, Option<Kind>)],
        cause: impl Into<Cause<'_>>,
    ) -> Result<Change> {
        let cause = cause.into();
        let (mut change, known) = self.look_up(group, ids).await?;
        if !change.is_refused() {
            self.insert(group, known, cause, &mut change).await?;
        }
        Ok(change)
    }

    /// Removes the members with these ids; ids of others change nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_values(&mut self, group: Pk, ids: &[ResourceId]) -> Result<Change> {
        const REMOVE: &str = concat!(
            "DELETE FROM member WHERE tenant_id = $1 AND group_pk = $2 AND member_pk [among] ",
            "SELECT r.pk FROM [each $3] AS j CROSS JOIN resource r WHERE r.tenant_id = $1 AND r.id = j.value ->> 0[end]",
            returning!()
        );
        let statement = Statement::new(REMOVE).bind(self.tenant).bind(group).bind(as_rows(ids));
        self.remove(group, statement).await
    }

    /// Removes the members that satisfy a filter over `members`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_where(&mut self, group: Pk, filter: &Checked) -> Result<Change> {
        let mut statement =
            Statement::new("DELETE FROM member WHERE tenant_id = $1 AND group_pk = $2 AND member_pk IN (")
                .bind(self.tenant)
                .bind(group);
        filter::members_of(&mut statement, filter);
        statement.push(concat!(")", returning!()));
        self.remove(group, statement).await
    }

    /// Removes all members.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear(&mut self, group: Pk) -> Result<Change> {
        const CLEAR: &str = concat!(
            "DELETE FROM member WHERE tenant_id = $1 AND group_pk = $2",
            returning!()
        );
        self.remove(group, Statement::new(CLEAR).bind(self.tenant).bind(group))
            .await
    }

    /// Makes these the members, and no others; those that stay are not touched.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace_all(
        &mut self,
        group: Pk,
        ids: &[(ResourceId, Option<Kind>)],
        cause: impl Into<Cause<'_>>,
    ) -> Result<Change> {
        const OTHERS: &str = concat!(
            "DELETE FROM member WHERE tenant_id = $1 AND group_pk = $2 ",
            "AND member_pk NOT IN (SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $3] AS j)",
            returning!()
        );
        let cause = cause.into();
        let (mut change, known) = self.look_up(group, ids).await?;
        if change.is_refused() {
            return Ok(change);
        }
        let keep = json!(known.iter().map(|known| [known.pk]).collect::<Vec<_>>()).to_string();
        let statement = Statement::new(OTHERS).bind(self.tenant).bind(group).bind(keep);
        change.removed = self.remove(group, statement).await?.removed;
        self.insert(group, known, cause, &mut change).await?;
        Ok(change)
    }

    /// Finds the resources that are to be members, and says why the change must be refused if it must.
    async fn look_up(&mut self, group: Pk, ids: &[(ResourceId, Option<Kind>)]) -> Result<(Change, Vec<Known>)> {
        // Only users and groups can be members. No join with the members: PostgreSQL, which expects a group of the usual size, would read all of them.
        const LOOK_UP: &str = "SELECT r.id, r.pk, r.kind, coalesce((SELECT CAST(1 AS BIGINT) FROM member m \
                               WHERE m.tenant_id = $1 AND m.group_pk = $2 AND m.member_pk = r.pk), 0) \
                               FROM [each $3] AS j CROSS JOIN resource r \
                               WHERE r.tenant_id = $1 AND r.id = j.value ->> 0 AND r.kind <= 2 ORDER BY r.pk";
        let mut texts: Vec<&str> = ids.iter().map(|(id, _)| id.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        let statement = Statement::new(LOOK_UP)
            .bind(self.tenant)
            .bind(group)
            .bind(as_rows(&texts));
        let known: Vec<Known> = self.source.rows(statement).await?;
        let by_id: std::collections::HashMap<&str, Kind> =
            known.iter().map(|known| (known.id.as_str(), known.kind)).collect();
        let mut change = Change {
            itself: known.iter().any(|known| known.pk == group.0),
            ..Change::default()
        };
        for (id, said) in ids {
            match by_id.get(id.as_str()) {
                None => change.unknown.push(id.clone()),
                Some(kind) if said.is_some_and(|said| said != *kind) => change.mistaken.push(id.clone()),
                Some(_) => {}
            }
        }
        Ok((change, known))
    }

    /// The group is held, so what was looked up is still so: nothing has to be given back.
    async fn insert(&mut self, group: Pk, known: Vec<Known>, cause: Cause<'_>, change: &mut Change) -> Result<()> {
        const INSERT: &str = "INSERT INTO member (tenant_id, group_pk, member_pk, member_kind, created, connection_id, \
                              request_id) SELECT $1, $2, CAST(j.value ->> 0 AS BIGINT), \
                              CAST(j.value ->> 1 AS BIGINT), $4, $5, $6 \
                              FROM [each $3] AS j WHERE 1 = 1 \
                              ON CONFLICT (tenant_id, group_pk, member_pk) DO NOTHING";
        let (there, new): (Vec<_>, Vec<_>) = known.into_iter().partition(|known| known.member);
        change.already = there.len();
        if new.is_empty() {
            return Ok(());
        }
        let rows = json!(
            new.iter()
                .map(|known| (known.pk, known.kind.code()))
                .collect::<Vec<_>>()
        )
        .to_string();
        let children: Vec<i64> = new
            .iter()
            .filter(|known| known.kind == Kind::Group)
            .map(|known| known.pk)
            .collect();
        change.added = new
            .into_iter()
            .map(|known| Moved {
                id: ResourceId::new(known.id),
                kind: known.kind,
                pk: Pk(known.pk),
            })
            .collect();
        if !children.is_empty() {
            closure::lock(self.source, self.tenant).await?;
        }
        self.source.later(
            Statement::new(INSERT)
                .bind(self.tenant)
                .bind(group)
                .bind(rows)
                .bind(cause.at)
                .bind(cause.connection)
                .bind(cause.request_id.map(str::to_owned)),
        );
        if !children.is_empty() {
            self.source.later(bump_if_known(self.tenant, &children));
            closure::add(self.source, self.tenant, group, &children).await?;
        }
        Ok(())
    }

    async fn remove(&mut self, group: Pk, statement: Statement) -> Result<Change> {
        let gone: Vec<Gone> = self.source.write_rows(Script::new(statement)).await?;
        let children: Vec<i64> = gone
            .iter()
            .filter(|gone| gone.1 == Kind::Group)
            .map(|gone| gone.2)
            .collect();
        if !children.is_empty() {
            closure::lock(self.source, self.tenant).await?;
            self.source.later(bump_if_known(self.tenant, &children));
            closure::remove(self.source, self.tenant, &children).await?;
        }
        tracing::trace!(group.pk = group.0, members.removed = gone.len(), "members removed");
        Ok(Change {
            removed: gone.into_iter().map(Moved::from).collect(),
            ..Change::default()
        })
    }
}
