//! The queue: rows go when their mail is sent or given up.

use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, TenantId};
use crate::store::error::Result;
use crate::store::sql::{Bind, Db, FromRow, Read, Row, Statement, Tx};

/// The mail of one tenant.
pub struct Mails<R> {
    tenant: TenantId,
    source: R,
}

/// A mail to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// Id of the mail; it stays the same however often it is tried.
    pub id: String,
    /// The user.
    pub to: Pk,
    /// What it says that nobody else may read, sealed.
    pub secret: Option<String>,
}

/// A mail that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug of the tenant.
    pub slug: String,
    /// Row number.
    pub number: i64,
    /// Id of the mail.
    pub id: String,
    /// Name of its template.
    pub template: String,
    /// What the template says, as JSON text.
    pub data: String,
    /// What it says that nobody else may read, sealed.
    pub secret: Option<String>,
    /// How often it was tried.
    pub attempt: i64,
    /// Id and document of the user; none when they are gone.
    pub to: Option<(Pk, ResourceId, String)>,
}

impl FromRow for Due {
    fn from_row(row: &Row) -> Result<Self> {
        let (pk, id) = (row.get::<Option<i64>>(7)?, row.get::<Option<String>>(8)?);
        let document = row.get::<Option<String>>(9)?;
        let to = pk.zip(id).zip(document);
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            number: row.get(2)?,
            id: row.get(3)?,
            template: row.get(4)?,
            data: row.get(5)?,
            attempt: row.get(6)?,
            secret: row.get(10)?,
            to: to.map(|((pk, id), document)| (Pk(pk), ResourceId::new(id), document)),
        })
    }
}

impl<R: Read> Mails<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }
}

impl Mails<&mut Tx> {
    /// Has mail of one template sent; written with the save.
    pub fn post(&mut self, mails: &[NewMail], template: &'static str, data: &str, now: Timestamp) {
        const POST: &str = "INSERT INTO mail (tenant_id, uid, resource_pk, template, data, attempt, due, secret) \
                            SELECT $1, [text $5 0], [int $5 1], $2, $3, 0, $4, [text $5 2] [from $5]";
        let row = |mail: &NewMail| {
            vec![
                Bind::from(mail.id.clone()),
                Bind::from(mail.to),
                Bind::from(mail.secret.clone()),
            ]
        };
        let post = Statement::new(POST)
            .bind(self.tenant)
            .bind(template)
            .bind(data.to_owned())
            .bind(now)
            .bind(mails.iter().map(row).collect::<Vec<_>>());
        self.source.later(post);
    }

    /// Whether nobody was told of something since an instant; then they are told now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert(&mut self, kind: &'static str, since: Timestamp, now: Timestamp) -> Result<bool> {
        const ALERT: &str = "INSERT INTO alert (tenant_id, kind, at) VALUES ($1, $2, $3) \
                             ON CONFLICT (tenant_id, kind) DO UPDATE SET at = excluded.at WHERE alert.at <= $4 RETURNING at";
        let alert = Statement::new(ALERT).bind(self.tenant).bind(kind).bind(now).bind(since);
        let rows: Vec<(i64,)> = self.source.write_rows(alert).await?;
        Ok(!rows.is_empty())
    }

    /// Takes a mail for one attempt, which is due again later unless it is removed; false when somebody else has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(&mut self, number: i64, attempt: i64, again: Timestamp) -> Result<bool> {
        const TAKE: &str = "UPDATE mail SET attempt = attempt + 1, due = $4 WHERE tenant_id = $1 AND id = $2 \
                            AND attempt = $3 RETURNING id";
        let take = Statement::new(TAKE)
            .bind(self.tenant)
            .bind(number)
            .bind(attempt)
            .bind(again);
        let rows: Vec<(i64,)> = self.source.write_rows(take).await?;
        Ok(!rows.is_empty())
    }

    /// Removes a mail that is sent or given up; false when it is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&mut self, number: i64) -> Result<bool> {
        const REMOVE: &str = "DELETE FROM mail WHERE tenant_id = $1 AND id = $2 RETURNING id";
        let remove = Statement::new(REMOVE).bind(self.tenant).bind(number);
        let rows: Vec<(i64,)> = self.source.write_rows(remove).await?;
        Ok(!rows.is_empty())
    }
}

/// At most `limit` mails of all tenants that are due, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn due(mut db: &Db, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
    const DUE: &str = "SELECT m.tenant_id, t.slug, m.id, m.uid, m.template, m.data, m.attempt, r.pk, r.id, r.doc, \
                       m.secret \
                       FROM mail m JOIN tenant t ON t.id = m.tenant_id LEFT JOIN resource r \
                       ON r.tenant_id = m.tenant_id AND r.pk = m.resource_pk WHERE m.due <= $1 ORDER BY m.due LIMIT 0 + $2";
    db.rows(Statement::new(DUE).bind(now).bind(i64::from(limit))).await
}
