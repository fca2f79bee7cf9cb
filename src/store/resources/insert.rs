//! Writing resources that are new, or come back.

use super::{New, Resources, columns};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, Version};
use crate::store::document::Content;
use crate::store::error::Result;
use crate::store::filter::{Leaves, Rows};
use crate::store::lifecycle::held::{called, held_when_deleted};
use crate::store::lifecycle::tombstones::Tombstone;
use crate::store::sql::{Script, Statement, Tx};

/// Who may be meant by a new user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// Whoever it is.
    Anybody,
    /// Nobody who is held though they were deleted, by the same name or what the connection calls them.
    NobodyHeld,
}

impl Resources<&mut Tx> {
    /// Writes a new resource at version 1.
    ///
    /// # Errors
    /// [`Error::Taken`](crate::store::Error::Taken) when another resource has the name or the id; the unit is lost then.
    pub async fn insert(&mut self, new: New<'_>) -> Result<Pk> {
        let (pk, script) = self.inserted(new, Meant::Anybody).await?;
        self.source.write(script).await?;
        Ok(pk)
    }

    /// The same, but written with the next statement of the unit or its save, which then gives the error. Half the
    /// time of the writer, so for a resource that is all there is to write.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_later(&mut self, new: New<'_>) -> Result<Pk> {
        let (pk, script) = self.inserted(new, Meant::Anybody).await?;
        self.source.later(script);
        Ok(pk)
    }

    /// The same of a user, unless somebody is meant who was deleted and is held: see
    /// [`Statuses::of_deleted`](crate::store::lifecycle::statuses::Statuses::of_deleted). Then the error is
    /// [`Error::Stale`](crate::store::Error::Stale).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_unless_held(&mut self, new: New<'_>) -> Result<Pk> {
        let (pk, script) = self.inserted(new, Meant::NobodyHeld).await?;
        self.source.later(script);
        Ok(pk)
    }

    /// Writes a resource again that was deleted, with its row number and id, at the version after its last. Connections
    /// do not call it anything yet.
    ///
    /// # Errors
    /// [`Error::Taken`](crate::store::Error::Taken) when another resource has the name; the unit is lost then.
    pub async fn revive(&mut self, tomb: &Tombstone, content: &Content, now: Timestamp) -> Result<Version> {
        const REVIVE: &str = "INSERT INTO resource (tenant_id, pk, kind, id, connection_id, name_key, name_rest, twin, \
                              label, label_fold, active, version, created, modified, doc, seal) \
                              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
                              RETURNING pk";
        let rows = Rows::between(self.source, &Leaves::default(), &content.leaves).await?;
        let version = Version(tomb.version.0 + 1);
        let statement = Statement::new(REVIVE)
            .bind(self.tenant)
            .bind(tomb.pk)
            .bind(tomb.kind.code())
            .bind(&tomb.id)
            .bind(tomb.connection)
            .bind_all(columns(tomb.pk, content))
            .bind(version)
            .bind(tomb.created)
            .bind(now)
            .bind(content.document.clone())
            .bind(tomb.seal.clone());
        let script = Script::new(statement.expecting_row())
            .after_some(rows.written.map(|rows| self.add_leaves(tomb.pk, rows)))
            .after_some(rows.taken.map(|rows| self.take(tomb.pk, rows)))
            .after(self.tally(tomb.kind, tomb.pk, 1));
        self.source.write(script).await?;
        Ok(version)
    }

    async fn inserted(&mut self, new: New<'_>, meant: Meant) -> Result<(Pk, Script)> {
        const INSERT: &str = "INSERT INTO resource (tenant_id, pk, kind, id, connection_id, name_key, name_rest, twin, \
                              label, label_fold, active, version, created, modified, doc, seal) \
                              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12, $13, $14) \
                              RETURNING pk";
        const UNLESS_HELD: &str = concat!(
            "INSERT INTO resource (tenant_id, pk, kind, id, connection_id, name_key, name_rest, twin, label, label_fold, ",
            "active, version, created, modified, doc, seal) ",
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12, $13, $14 ",
            "WHERE NOT EXISTS (SELECT 1 FROM user_status s WHERE ",
            held_when_deleted!(name: "$6", called: "$5" "$15" "$16", now: "$12"),
            ") RETURNING pk"
        );
        let rows = Rows::between(self.source, &Leaves::default(), &new.content.leaves).await?;
        let pk = Pk(self.source.next_pk().await?);
        let text = match meant {
            Meant::Anybody => INSERT,
            Meant::NobodyHeld => UNLESS_HELD,
        };
        let statement = Statement::new(text)
            .bind(self.tenant)
            .bind(pk)
            .bind(new.kind.code())
            .bind(new.id)
            .bind(new.connection)
            .bind_all(columns(pk, new.content))
            .bind(new.now)
            .bind(new.content.document.clone())
            .bind(new.seal.map(str::to_owned));
        let statement = match meant {
            Meant::Anybody => statement,
            Meant::NobodyHeld => statement.bind_all(called(new.external_id)),
        };
        let external = match (new.connection, new.external_id) {
            (Some(connection), Some(external_id)) => Some(self.set_external_id(pk, connection, external_id)),
            _ => None,
        };
        let script = Script::new(statement.expecting_row())
            .after_some(rows.written.map(|rows| self.add_leaves(pk, rows)))
            .after_some(rows.taken.map(|rows| self.take(pk, rows)))
            .after_some(external)
            .after(self.tally(new.kind, pk, 1));
        Ok((pk, script))
    }
}
