//! Every secret in the database that is sealed under a key outside of it, wherever it stands.

use crate::base::id::TenantId;
use crate::store::error::Result;
use crate::store::sql::{Bind, Db, FromRow, Read as _, Row, Statement, Tx};

/// Where secrets stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Keys of people who are there.
    People,
    /// Keys of people who were deleted. After the others: who is deleted meanwhile moves here.
    Deleted,
    /// What is shared with receivers.
    Receivers,
    /// What is shared with enforcers.
    Enforcers,
    /// What waiting mail says that nobody else may read.
    Mail,
    /// Requests that their clients do not wait for, and why they were refused.
    Deferred,
    /// Secret halves of keys that sign.
    Signers,
}

/// A secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Whose it is; 0 of the installation.
    pub tenant: TenantId,
    /// Public id of the tenant; empty of the installation.
    pub tenant_uid: String,
    /// Row number.
    pub number: i64,
    /// Public id of the owner.
    pub id: String,
    /// The sealed text: the id of the key, a dot, and the rest.
    pub text: String,
}

impl FromRow for Sealed {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            tenant_uid: row.get(1)?,
            number: row.get(2)?,
            id: row.get(3)?,
            text: row.get(4)?,
        })
    }
}

impl Place {
    /// All of them, in the order in which they are sealed anew.
    pub const ALL: [Self; 7] = [
        Self::People,
        Self::Deleted,
        Self::Receivers,
        Self::Enforcers,
        Self::Mail,
        Self::Deferred,
        Self::Signers,
    ];

    const fn list(self) -> &'static str {
        const PEOPLE: &str = "SELECT r.tenant_id, t.uid, r.pk, r.id, r.seal FROM resource r JOIN tenant t ON t.id = r.tenant_id \
                              WHERE (r.tenant_id, r.pk) > ($1, $2) AND r.seal IS NOT NULL \
                              AND substr(r.seal, 1, length($3)) <> $3 ORDER BY r.tenant_id, r.pk LIMIT 0 + $4";
        const DELETED: &str = "SELECT r.tenant_id, t.uid, r.resource_pk, r.id, r.seal FROM tombstone r \
                               JOIN tenant t ON t.id = r.tenant_id WHERE (r.tenant_id, r.resource_pk) > ($1, $2) \
                               AND r.seal IS NOT NULL AND substr(r.seal, 1, length($3)) <> $3 \
                               ORDER BY r.tenant_id, r.resource_pk LIMIT 0 + $4";
        const RECEIVERS: &str = "SELECT r.tenant_id, t.uid, r.id, r.uid, r.sealed FROM receiver r \
                                 JOIN tenant t ON t.id = r.tenant_id WHERE (r.tenant_id, r.id) > ($1, $2) \
                                 AND substr(r.sealed, 1, length($3)) <> $3 ORDER BY r.tenant_id, r.id LIMIT 0 + $4";
        const ENFORCERS: &str = "SELECT r.tenant_id, t.uid, r.id, r.uid, r.sealed FROM enforcer r \
                                 JOIN tenant t ON t.id = r.tenant_id WHERE (r.tenant_id, r.id) > ($1, $2) \
                                 AND substr(r.sealed, 1, length($3)) <> $3 ORDER BY r.tenant_id, r.id LIMIT 0 + $4";
        const MAIL: &str = "SELECT r.tenant_id, t.uid, r.id, r.uid, r.secret FROM mail r \
                            JOIN tenant t ON t.id = r.tenant_id WHERE (r.tenant_id, r.id) > ($1, $2) \
                            AND r.secret IS NOT NULL AND substr(r.secret, 1, length($3)) <> $3 \
                            ORDER BY r.tenant_id, r.id LIMIT 0 + $4";
        const DEFERRED: &str = "SELECT r.tenant_id, t.uid, r.id, r.uid, r.sealed FROM deferred r \
                                JOIN tenant t ON t.id = r.tenant_id WHERE (r.tenant_id, r.id) > ($1, $2) \
                                AND r.sealed IS NOT NULL AND substr(r.sealed, 1, length($3)) <> $3 \
                                ORDER BY r.tenant_id, r.id LIMIT 0 + $4";
        const SIGNERS: &str = "SELECT CAST(0 AS BIGINT), '', k.id, k.kid, k.sealed FROM signing_key k \
                               WHERE (CAST(0 AS BIGINT), k.id) > ($1, $2) AND substr(k.sealed, 1, length($3)) <> $3 \
                               ORDER BY k.id LIMIT 0 + $4";
        match self {
            Self::People => PEOPLE,
            Self::Deleted => DELETED,
            Self::Receivers => RECEIVERS,
            Self::Enforcers => ENFORCERS,
            Self::Mail => MAIL,
            Self::Deferred => DEFERRED,
            Self::Signers => SIGNERS,
        }
    }

    const fn rewrite(self) -> &'static str {
        const PEOPLE: &str = "UPDATE resource SET seal = [text $1 3] [from $1] WHERE tenant_id = [int $1 0] \
                              AND pk = [int $1 1] AND seal = [text $1 2]";
        const DELETED: &str = "UPDATE tombstone SET seal = [text $1 3] [from $1] WHERE tenant_id = [int $1 0] \
                               AND resource_pk = [int $1 1] AND seal = [text $1 2]";
        const RECEIVERS: &str = "UPDATE receiver SET sealed = [text $1 3] [from $1] WHERE tenant_id = [int $1 0] \
                                 AND id = [int $1 1] AND sealed = [text $1 2]";
        const ENFORCERS: &str = "UPDATE enforcer SET sealed = [text $1 3] [from $1] WHERE tenant_id = [int $1 0] \
                                 AND id = [int $1 1] AND sealed = [text $1 2]";
        const MAIL: &str = "UPDATE mail SET secret = [text $1 3] [from $1] WHERE tenant_id = [int $1 0] \
                            AND id = [int $1 1] AND secret = [text $1 2]";
        const DEFERRED: &str = "UPDATE deferred SET sealed = [text $1 3] [from $1] WHERE tenant_id = [int $1 0] \
                                AND id = [int $1 1] AND sealed = [text $1 2]";
        const SIGNERS: &str = "UPDATE signing_key SET sealed = [text $1 3] [from $1] WHERE id = [int $1 1] \
                               AND sealed = [text $1 2] AND [int $1 0] = 0";
        match self {
            Self::People => PEOPLE,
            Self::Deleted => DELETED,
            Self::Receivers => RECEIVERS,
            Self::Enforcers => ENFORCERS,
            Self::Mail => MAIL,
            Self::Deferred => DEFERRED,
            Self::Signers => SIGNERS,
        }
    }
}

/// At most `limit` secrets of a place after one, or from the first, that are sealed under another key than this.
///
/// # Errors
/// When the database fails.
pub async fn under_others(
    mut db: &Db,
    place: Place,
    key: &str,
    after: Option<&Sealed>,
    limit: u32,
) -> Result<Vec<Sealed>> {
    let after = after.map_or((TenantId(0), 0), |last| (last.tenant, last.number));
    let list = Statement::new(place.list())
        .bind(after.0)
        .bind(after.1)
        .bind(format!("{key}."));
    db.rows(list.bind(i64::from(limit))).await
}

/// Puts other texts in the place of secrets, and resolves when they are on disk. What is another one by now stays.
///
/// # Errors
/// When the database fails.
pub async fn rewrite(db: &Db, place: Place, sealed: Vec<(Sealed, String)>) -> Result<()> {
    let row = |(old, new): (Sealed, String)| {
        let numbers = [Bind::from(old.tenant), Bind::from(old.number)];
        numbers.into_iter().chain([old.text.into(), new.into()]).collect()
    };
    let rows: Vec<Vec<Bind>> = sealed.into_iter().map(row).collect();
    let mut tx = Tx::begin(db).await?;
    tx.later(Statement::new(place.rewrite()).bind(rows));
    tx.save().await
}

/// How many secrets are sealed under each key, by its id; the check of the installation among them.
///
/// # Errors
/// When the database fails.
pub async fn count(mut db: &Db) -> Result<Vec<(String, i64)>> {
    const COUNT: &str = "SELECT x.k, CAST(sum(x.n) AS BIGINT) FROM (\
                         SELECT substr(r.seal, 1, [instr](r.seal, '.') - 1) AS k, count(*) AS n FROM resource r \
                         WHERE r.seal IS NOT NULL GROUP BY 1 UNION ALL \
                         SELECT substr(t.seal, 1, [instr](t.seal, '.') - 1), count(*) FROM tombstone t \
                         WHERE t.seal IS NOT NULL GROUP BY 1 UNION ALL \
                         SELECT substr(v.sealed, 1, [instr](v.sealed, '.') - 1), count(*) FROM receiver v GROUP BY 1 UNION ALL \
                         SELECT substr(e.sealed, 1, [instr](e.sealed, '.') - 1), count(*) FROM enforcer e GROUP BY 1 UNION ALL \
                         SELECT substr(m.secret, 1, [instr](m.secret, '.') - 1), count(*) FROM mail m \
                         WHERE m.secret IS NOT NULL GROUP BY 1 UNION ALL \
                         SELECT substr(d.sealed, 1, [instr](d.sealed, '.') - 1), count(*) FROM deferred d \
                         WHERE d.sealed IS NOT NULL GROUP BY 1 UNION ALL \
                         SELECT substr(s.sealed, 1, [instr](s.sealed, '.') - 1), count(*) FROM signing_key s GROUP BY 1 UNION ALL \
                         SELECT substr(i.key_check, 1, [instr](i.key_check, '.') - 1), count(*) FROM installation i GROUP BY 1\
                         ) x GROUP BY x.k ORDER BY x.k";
    db.rows(Statement::new(COUNT)).await
}
