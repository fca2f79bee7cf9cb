//! What the engines' error codes mean.

use rusqlite::ffi;
use sqlx::error::DatabaseError;

use crate::store::error::{Error, Unique};

/// Unique indexes: name (PostgreSQL), columns as SQLite's message lists them, meaning.
pub(super) const UNIQUE: [(&str, &str, Unique); 22] = [
    (
        "resource_name",
        "resource.tenant_id, resource.kind, resource.name_key, resource.twin",
        Unique::Name,
    ),
    (
        "unique_value_key",
        "unique_value.tenant_id, unique_value.path_id, unique_value.fold",
        Unique::Value,
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
    ("role_uid", "role.tenant_id, role.uid", Unique::AccessId),
    ("role_name", "role.tenant_id, role.name_fold", Unique::RoleName),
    ("scope_uid", "scope.tenant_id, scope.uid", Unique::AccessId),
    (
        "access_grant_uid",
        "access_grant.tenant_id, access_grant.uid",
        Unique::AccessId,
    ),
    ("access_grant_owner", "access_grant.tenant_id", Unique::Owner),
    ("rule_uid", "rule.tenant_id, rule.uid", Unique::AccessId),
    ("rule_name", "rule.tenant_id, rule.name_fold", Unique::RuleName),
    ("preview_uid", "preview.tenant_id, preview.uid", Unique::AccessId),
    ("pending_uid", "pending.tenant_id, pending.uid", Unique::AccessId),
    ("receiver_uid", "receiver.tenant_id, receiver.uid", Unique::AccessId),
    ("enforcer_uid", "enforcer.tenant_id, enforcer.uid", Unique::AccessId),
    (
        "enforcer_name",
        "enforcer.tenant_id, enforcer.name",
        Unique::EnforcerName,
    ),
    (
        "receiver_name",
        "receiver.tenant_id, receiver.name",
        Unique::ReceiverName,
    ),
];

/// The store's word for what PostgreSQL's driver reports.
pub(super) fn of(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(inner) => match postgres(inner.as_ref()) {
            Some(known) => known,
            None if inner.code().is_some_and(|code| is_the_servers(&code)) => Error::Unavailable(Box::new(error)),
            None => Error::Database(Box::new(error)),
        },
        sqlx::Error::PoolTimedOut => Error::Crowded,
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => {
            Error::Unavailable(Box::new(error))
        }
        _ => Error::Database(Box::new(error)),
    }
}

/// The store's word for what SQLite reports.
pub(super) fn of_sqlite(error: rusqlite::Error) -> Error {
    match sqlite(&error) {
        Some(known) => known,
        None if is_the_machines(&error) => Error::Unavailable(Box::new(error)),
        None => Error::Database(Box::new(error)),
    }
}

/// Whether the disk, the file or the memory failed, and no statement.
fn is_the_machines(error: &rusqlite::Error) -> bool {
    let codes = [
        ffi::SQLITE_IOERR,
        ffi::SQLITE_NOMEM,
        ffi::SQLITE_CANTOPEN,
        ffi::SQLITE_READONLY,
    ];
    codes.contains(&code(error))
}

/// SQLite's result code without its extension; 0 when the error is not SQLite's.
pub(super) fn code(error: &rusqlite::Error) -> i32 {
    extended(error) & 0xff
}

/// The same with its extension.
fn extended(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().map_or(0, |error| error.extended_code)
}

fn sqlite(error: &rusqlite::Error) -> Option<Error> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) {
        return Some(Error::Stale);
    }
    match code(error) {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Some(Error::Retry),
        // By the readers' deadline.
        ffi::SQLITE_INTERRUPT => Some(Error::TooLong),
        ffi::SQLITE_FULL => Some(Error::Full),
        // A row that was there a moment ago is gone.
        ffi::SQLITE_CONSTRAINT if extended(error) == ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Some(Error::Retry),
        ffi::SQLITE_CONSTRAINT => {
            let rusqlite::Error::SqliteFailure(_, Some(message)) = error else {
                return None;
            };
            let columns = message.strip_prefix("UNIQUE constraint failed: ")?;
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

/// Whether a code of PostgreSQL tells of the server or the way to it, and of no statement: it is stopped or starts, has no
/// memory or no place for another connection, or the connection broke.
fn is_the_servers(code: &str) -> bool {
    ["57P01", "57P02", "57P03", "53200", "53300"].contains(&code) || code.starts_with("08")
}

/// Whether SQLite undid no more than the statement: then the other units of the batch are unharmed. All codes that are
/// not named may have rolled the transaction back.
pub(super) fn is_local(error: &rusqlite::Error) -> bool {
    let harmless = [
        ffi::SQLITE_ERROR,
        ffi::SQLITE_TOOBIG,
        ffi::SQLITE_CONSTRAINT,
        ffi::SQLITE_MISMATCH,
        ffi::SQLITE_RANGE,
    ];
    harmless.contains(&code(error)) || matches!(error, rusqlite::Error::QueryReturnedNoRows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_stops_is_no_fault_of_a_statement() {
        for code in ["57P01", "57P03", "53300", "08006", "08P01"] {
            assert!(is_the_servers(code), "{code}");
        }
        for code in ["57014", "53100", "23505", "42P01", "XX000"] {
            assert!(!is_the_servers(code), "{code}");
        }
    }
}
