//! What managers see through those who report to them, where the organisation has decided that they do.

use std::collections::{BTreeSet, HashMap};

use super::policy::Book;
use crate::access::Facts;
use crate::base::id::Pk;
use crate::service::error::Result;
use crate::store::Reader;
use crate::store::access::facts::{DecisionRow, Detail};

/// Users whose facts are read in one statement.
const AT_ONCE: usize = 500;
/// Users who are looked at together where those who report to them count: each may bring
/// [`MOST_REPORTS`](crate::store::access::facts::MOST_REPORTS) others, and all of those are held at once.
pub(super) const MANAGERS_AT_ONCE: u32 = 50;

/// Adds to each user who reports to them, if that counts. False when the policy is another by now.
pub(super) async fn add(reader: &Reader, book: &Book, detail: Detail, rows: &mut [&mut DecisionRow]) -> Result<bool> {
    if !book.managers_see_reports() {
        return Ok(true);
    }
    for some in rows.chunks_mut(MANAGERS_AT_ONCE as usize) {
        if !add_to(reader, book, detail, some).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn add_to(reader: &Reader, book: &Book, detail: Detail, rows: &mut [&mut DecisionRow]) -> Result<bool> {
    // Somebody can be here twice, who was asked about in two ways.
    let managers: BTreeSet<Pk> = rows.iter().map(|row| row.facts.user).collect();
    let managers: Vec<Pk> = managers.into_iter().collect();
    let found = reader.facts().reports_of(&managers).await?;
    let wanted: BTreeSet<Pk> = found.iter().flat_map(|(_, reports)| reports).copied().collect();
    let wanted: Vec<Pk> = wanted.into_iter().collect();
    let mut known: HashMap<Pk, Facts> = HashMap::with_capacity(wanted.len());
    for some in wanted.chunks(AT_ONCE) {
        for row in reader.facts().of(some, detail).await? {
            if row.policy_version != book.rulebook.version() {
                return Ok(false);
            }
            known.insert(row.facts.user, row.facts);
        }
    }
    let reports: HashMap<Pk, Vec<Pk>> = found.into_iter().collect();
    for row in rows {
        let theirs = reports.get(&row.facts.user).into_iter().flatten();
        row.facts.reports = theirs.filter_map(|report| known.get(report).cloned()).collect();
        row.facts.reports.sort_unstable_by_key(|report| report.user);
    }
    Ok(true)
}
