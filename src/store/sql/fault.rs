//! What the engines' error codes mean.

use sqlx::error::DatabaseError;
use std::sync::Arc;

use crate::store::error::{Error, Unique};

/// Unique indexes: name (PostgreSQL), columns as SQLite's message lists them, meaning.
pub(super) const UNIQUE: [(&str, &str, Unique); 8] = [
    (
        "resource_name",
        "resource.tenant_id, resource.kind, resource.name_key, resource.twin",
        Unique::Name,
    ),
    ("resource_id", "resource.tenant_id, resource.id", Unique::ResourceId),
    ("tenant_uid", "tenant.uid", Unique::TenantId),
    ("tenant_slug", "tenant.slug", Unique::TenantSlug),
    (
        "connection_uid",
        "connection.tenant_id, connection.uid",
        Unique::ConnectionId,
    ),
    (
        "connection_name",
        "connection.tenant_id, connection.name",
        Unique::ConnectionName,
    ),
    ("token_uid", "token.tenant_id, token.uid", Unique::TokenId),
    ("token_hash", "token.hash", Unique::Token),
];

/// The store's word for what `sqlx` reports.
pub(super) fn of(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(inner) => match known(inner.as_ref()) {
            Some(known) => known,
            None => Error::Database(Box::new(error)),
        },
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => {
            Error::Unavailable(Box::new(error))
        }
        _ => Error::Database(Box::new(error)),
    }
}

/// The same for an error that several learn of.
pub(super) fn of_shared(error: Arc<sqlx::Error>) -> Error {
    match &*error {
        sqlx::Error::Database(inner) => known(inner.as_ref()),
        _ => None,
    }
    .unwrap_or_else(|| Error::Database(Box::new(error)))
}

fn known(error: &dyn DatabaseError) -> Option<Error> {
    match error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
        Some(_) => sqlite(error),
        None => postgres(error),
    }
}

/// The primary result code of SQLite, without its extension.
fn primary(error: &dyn DatabaseError) -> i64 {
    error.code().and_then(|code| code.parse::<i64>().ok()).unwrap_or(0) & 0xff
}

fn sqlite(error: &dyn DatabaseError) -> Option<Error> {
    match primary(error) {
        // BUSY, LOCKED
        5 | 6 => Some(Error::Retry),
        // INTERRUPT, by the readers' deadline
        9 => Some(Error::TooLong),
        // FULL
        13 => Some(Error::Full),
        // CONSTRAINT
        19 => {
            let columns = error.message().strip_prefix("UNIQUE constraint failed: ")?;
            UNIQUE
                .iter()
                .find(|known| known.1 == columns)
                .map(|known| Error::Taken(known.2))
        }
        _ => None,
    }
}

fn postgres(error: &dyn DatabaseError) -> Option<Error> {
    match error.code()?.as_ref() {
        // serialization_failure, deadlock_detected, lock_not_available; foreign_key_violation: a row that was there a
        // moment ago is gone
        "40001" | "40P01" | "55P03" | "23503" => Some(Error::Retry),
        // query_canceled, by statement_timeout
        "57014" => Some(Error::TooLong),
        // disk_full
        "53100" => Some(Error::Full),
        // unique_violation
        "23505" => {
            let name = error.constraint()?;
            UNIQUE
                .iter()
                .find(|known| known.0 == name)
                .map(|known| Error::Taken(known.2))
        }
        _ => None,
    }
}

/// Whether SQLite undid no more than the statement: then the other units of the batch are unharmed.
pub(super) fn is_local(error: &sqlx::Error) -> bool {
    match error {
        // ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE; all others may have rolled the transaction back.
        sqlx::Error::Database(inner) => matches!(primary(inner.as_ref()), 1 | 18 | 19 | 20 | 25),
        _ => false,
    }
}

/// Whether SQLite says that there is no such savepoint.
pub(super) fn is_no_savepoint(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(inner) if inner.message().starts_with("no such savepoint"))
}
