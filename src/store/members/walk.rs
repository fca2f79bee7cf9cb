//! Every stored membership, some at a time.

use super::Members;
use crate::base::id::{Pk, ResourceId};
use crate::store::error::{Error, Result};
use crate::store::kind::Kind;
use crate::store::sql::{FromRow, Read, Row, Statement};

/// A stored membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Row numbers of the group and the member, by which memberships are ordered.
    pub at: (Pk, Pk),
    /// The group.
    pub group: ResourceId,
    /// Who is in it.
    pub member: ResourceId,
    /// What the member is.
    pub kind: Kind,
}

impl FromRow for Membership {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            at: (Pk(row.get(0)?), Pk(row.get(1)?)),
            group: ResourceId::new(row.get::<String>(2)?),
            member: ResourceId::new(row.get::<String>(3)?),
            kind: Kind::from_code(row.get(4)?).ok_or(Error::Damaged("kind of a resource"))?,
        })
    }
}

impl<R: Read> Members<R> {
    /// At most `limit` memberships after the one of these row numbers; 0 and 0 begin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(&mut self, (group, member): (Pk, Pk), limit: u32) -> Result<Vec<Membership>> {
        const AFTER: &str = "SELECT m.group_pk, m.member_pk, g.id, r.id, m.member_kind FROM member m \
                             JOIN resource g ON g.tenant_id = m.tenant_id AND g.pk = m.group_pk \
                             JOIN resource r ON r.tenant_id = m.tenant_id AND r.pk = m.member_pk \
                             WHERE m.tenant_id = $1 AND (m.group_pk, m.member_pk) > ($2, $3) \
                             ORDER BY m.group_pk, m.member_pk LIMIT 0 + $4";
        let after = Statement::new(AFTER).bind(self.tenant).bind(group).bind(member);
        self.source.rows(after.bind(i64::from(limit))).await
    }
}
