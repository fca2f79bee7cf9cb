//! Which client habits were tolerated: counted in memory per request, written down by the sweep.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::context::{Authority, Caller, Services};
use super::error::Result;
use crate::base::id::{ConnectionId, TenantId};
use crate::scim::dialect::{Applied, Dialect};
use crate::store;

type Key = (TenantId, ConnectionId, &'static str);

/// Counts that are not on disk yet.
#[derive(Debug, Default)]
pub struct Tally(Mutex<HashMap<Key, u64>>);

impl Tally {
    fn add(&self, key: Key, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(key).or_default() += count;
    }

    fn take(&self) -> HashMap<Key, u64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Counts what a request needed.
pub(super) fn note(services: &Services, caller: &Caller, dialect: Dialect, applied: &Applied) {
    if caller.is_counted() {
        return;
    }
    for (rule, count) in applied.iter() {
        let client = dialect.client().name();
        metrics::counter!("muster_tolerances_total", "rule" => rule, "client" => client).increment(count.into());
        if let Some(connection) = caller.connection_id() {
            services.tally().add((caller.tenant(), connection, rule), count.into());
        }
    }
}

/// Under this name the counts show attributes that no schema knows.
const IGNORED: &str = "unknown-attribute-ignored";

/// Counts attributes of a body that mean nothing here; the answer names them.
pub(super) fn note_ignored(services: &Services, caller: &Caller, names: &[String]) {
    let nothing = names.is_empty() || caller.is_counted();
    if let (Authority::Connection(connection), false) = (caller.authority(), nothing) {
        services
            .tally()
            .add((caller.tenant(), connection.id, IGNORED), names.len() as u64);
    }
}

/// Writes the counts down.
///
/// # Errors
/// A database that does not answer; the counts are kept for the next time.
pub async fn write(services: &Services) -> Result<()> {
    let counts = services.tally().take();
    if counts.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = counts
        .iter()
        .map(|((tenant, connection, rule), count)| (*tenant, *connection, *rule, *count))
        .collect();
    let written = store::tolerances::flush(services.db(), &rows, services.clock().now()).await;
    if written.is_err() {
        for (key, count) in counts {
            services.tally().add(key, count);
        }
    }
    Ok(written?)
}
