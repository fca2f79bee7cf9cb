//! Who else has values that no two resources may have.

use super::Resources;
use crate::base::id::Pk;
use crate::store::error::Result;
use crate::store::filter::Claims;
use crate::store::sql::{Read, Statement};

impl<R: Read> Resources<R> {
    /// Under which keys other resources have one of these values; `own` is the resource that claims them, where there is
    /// one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn collisions(&mut self, claims: &Claims, own: Option<Pk>) -> Result<Vec<String>> {
        const COLLISIONS: &str = "SELECT DISTINCT p.name FROM [each $2] AS j CROSS JOIN attribute_path p CROSS JOIN \
                                  unique_value u WHERE p.name = j.value ->> 0 AND u.tenant_id = $1 \
                                  AND u.path_id = p.id AND u.fold = j.value ->> 1 AND u.resource_pk <> $3 ORDER BY p.name";
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        // No row has the number 0.
        let statement = Statement::new(COLLISIONS).bind(self.tenant).bind(claims.to_text());
        let rows: Vec<(String,)> = self.source.rows(statement.bind(own.unwrap_or(Pk(0)))).await?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }
}
