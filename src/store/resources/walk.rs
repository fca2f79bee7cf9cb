//! Everything there is, in the order in which it was made, some at a time.

use super::Resources;
use crate::base::id::Pk;
use crate::store::document::{Stored, no_groups, stored_columns};
use crate::store::error::Result;
use crate::store::kind::Kind;
use crate::store::sql::{Read, Statement};

impl<R: Read> Resources<R> {
    /// At most `limit` resources of a kind after the one with this row number, without their groups; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(&mut self, kind: Kind, pk: Pk, limit: u32) -> Result<Vec<Stored>> {
        const AFTER: &str = concat!(
            "SELECT ",
            stored_columns!(),
            ", NULL, ",
            no_groups!(),
            " FROM resource r WHERE r.tenant_id = $1 AND r.kind = $2 AND r.pk > $3 ORDER BY r.pk LIMIT 0 + $4"
        );
        let after = Statement::new(AFTER).bind(self.tenant).bind(kind.code()).bind(pk);
        self.source.rows(after.bind(i64::from(limit))).await
    }
}
