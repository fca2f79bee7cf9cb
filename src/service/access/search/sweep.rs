//! Candidates looked at until a page is full.

use super::lead::{Candidate, Lead};
use crate::base::id::Pk;
use crate::service::access::page::{Page, Paging, cursor};
use crate::service::access::policy::Book;
use crate::service::access::reports;
use crate::service::error::Result;
use crate::store::Reader;
use crate::store::access::facts::Detail;

/// Users that are read in one statement.
const AT_ONCE: u32 = 500;
/// Users that are looked at for one page; then it is given as it is, perhaps short.
const MOST_LOOKED_AT: u32 = 10_000;
/// Looks at candidates until the page is full. None when the policy moved: then it is to be begun again.
///
/// A full page says that it is the last where that is known without looking further than at those already read.
pub(in crate::service::access) async fn sweep<T>(
    reader: &Reader,
    book: &Book,
    lead: &Lead,
    paging: &Paging,
    keep: impl Fn(&Candidate) -> Option<T> + Send,
) -> Result<Option<Page<T>>>
where
    T: Send,
{
    let mut after = Pk(paging.after()?);
    let most = paging.items() as usize;
    let mut items = Vec::new();
    let mut looked_at = 0;
    let at_once = if book.managers_see_reports() {
        reports::MANAGERS_AT_ONCE
    } else {
        AT_ONCE
    };
    loop {
        let (mut candidates, last) = lead.read(reader, after, at_once).await?;
        let moved = |candidate: &Candidate| candidate.row.policy_version != book.rulebook.version();
        let mut rows = candidates
            .iter_mut()
            .map(|candidate| &mut candidate.row)
            .collect::<Vec<_>>();
        if !reports::add(reader, book, Detail::Paths, &mut rows).await? || candidates.iter().any(moved) {
            return Ok(None);
        }
        for candidate in &candidates {
            let kept = keep(candidate);
            if items.len() == most && kept.is_some() {
                let next = Some(cursor(after.0));
                return Ok(Some(Page { items, next }));
            }
            after = candidate.row.facts.user;
            items.extend(kept);
        }
        looked_at += at_once;
        if last {
            return Ok(Some(Page { items, next: None }));
        }
        if items.len() == most || looked_at >= MOST_LOOKED_AT {
            let next = Some(cursor(after.0));
            return Ok(Some(Page { items, next }));
        }
    }
}
