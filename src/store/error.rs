//! Why the store could not do what it was asked.

use std::path::PathBuf;

/// Shorthand of this room.
pub type Result<T> = std::result::Result<T, Error>;

/// The source of a failure that is ours to mend.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// What must be unique, by the index that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unique {
    /// `userName`, or `displayName` of a group where that is unique.
    #[error("name")]
    Name,
    /// A value that the schema says must be unique.
    #[error("value")]
    Value,
    /// The id of a resource.
    #[error("id")]
    ResourceId,
    /// The public id of a tenant.
    #[error("tenant id")]
    TenantId,
    /// The short name of a tenant.
    #[error("tenant")]
    TenantSlug,
    /// The public id of a connection.
    #[error("connection id")]
    ConnectionId,
    /// The name of a connection in its tenant.
    #[error("connection")]
    ConnectionName,
    /// The public id of a token.
    #[error("token id")]
    TokenId,
    /// A token.
    #[error("token")]
    Token,
    /// The public id of a role, scope, grant, rule, preview, waiting request, receiver or enforcer.
    #[error("id")]
    AccessId,
    /// The name of a role in its tenant.
    #[error("name of a role")]
    RoleName,
    /// The name of a rule in its tenant.
    #[error("name of a rule")]
    RuleName,
    /// The name of an enforcer in its tenant.
    #[error("name of an enforcer")]
    EnforcerName,
    /// The name of a receiver in its tenant.
    #[error("name of a receiver")]
    ReceiverName,
    /// The place of the owner, of whom there is one.
    #[error("role of the owner")]
    Owner,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// Not `sqlite:PATH` or `postgres://…`. The text may hold a password, so it is not repeated.
    #[error("the database must be given as `sqlite:PATH` or `postgres://USER@HOST/NAME`: {0}")]
    BadUrl(&'static str),
    /// The folder the file should be in does not exist.
    #[error("the folder of the database file `{0}` does not exist")]
    NoFolder(PathBuf),
    /// The file or its folder may not be read or written.
    #[error("the database file `{0}` cannot be opened for writing; check the permissions of the file and its folder")]
    NotWritable(PathBuf),
    /// The file is something else.
    #[error("`{0}` is not a database file")]
    NotADatabase(PathBuf),
    /// Another process holds the file.
    #[error("the database file `{0}` is locked by another process")]
    InUse(PathBuf),
    /// The server does not answer, or refuses.
    #[error("cannot connect to the database server")]
    Connect(#[source] Source),
    /// A newer Muster made it.
    #[error(
        "the database was made by a newer version of muster (it has migration {0}); install that version or a newer one"
    )]
    Newer(i64),
    /// A migration that was run differs from the one this program knows.
    #[error("migration {0} of the database differs from the one this version of muster knows")]
    Altered(i64),
    /// A migration failed.
    #[error("the database could not be migrated")]
    Migrate(#[source] Source),
}

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Other work was in the way (busy, deadlock, serialisation): the whole attempt may be made again.
    #[error("the database is busy")]
    Retry,
    /// Another row holds the value. The unit is lost.
    #[error("the {0} is already in use")]
    Taken(Unique),
    /// The row is not at the expected version, or gone. The unit is lost.
    #[error("the resource has changed")]
    Stale,
    /// The connection that sent it, or the tenant, was suspended or deleted meanwhile. Nothing was kept.
    #[error("what sent it does not work any more")]
    Shut,
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenFault),
    /// More wanted a connection than there are, and none was free in time.
    #[error("too many wait for the database")]
    Crowded,
    /// The database was closed, or it, its disk or its memory failed.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// The question took longer to answer than is allowed.
    #[error("the question takes too long to answer")]
    TooLong,
    /// The disk is full.
    #[error("the disk of the database is full")]
    Full,
    /// The unit met an error before and cannot be saved.
    #[error("the unit of work was already lost")]
    Lost,
    /// The common commit of several units failed, and with it this one.
    #[error("the commit failed: {0}")]
    Commit(String),
    /// A row is not as this program writes them.
    #[error("a stored row is damaged: {0}")]
    Damaged(&'static str),
    /// Anything else the database reports.
    #[error("the database failed")]
    Database(#[source] Source),
}

impl Error {
    /// Whether it is sure that nothing was kept, so that the same may be done once more. An answer to a commit that got lost
    /// says nothing.
    #[must_use]
    pub const fn leaves_nothing(&self) -> bool {
        matches!(
            self,
            Self::Retry | Self::Taken(_) | Self::Stale | Self::Shut | Self::Crowded | Self::Full | Self::Lost
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_heard_no_answer_to_a_commit_is_not_sure() {
        for sure in [
            Error::Retry,
            Error::Taken(Unique::Name),
            Error::Stale,
            Error::Shut,
            Error::Full,
        ] {
            assert!(sure.leaves_nothing(), "{sure}");
        }
        for unsure in [
            Error::Unavailable("gone".into()),
            Error::Commit("failed".into()),
            Error::Database("odd".into()),
        ] {
            assert!(!unsure.leaves_nothing(), "{unsure}");
        }
    }
}
