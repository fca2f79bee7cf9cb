//! What a document says about rules, kept with it in the same unit.
//!
//! Worked out before the unit begins, by the policy in memory; the unit shares the policy, and is stale when it is
//! another by now. Then the attempt is made again.

use serde_json::{Value, json};
use std::sync::Arc;

use super::access::policy::{self, Book};
use super::access::smart;
use super::context::{Caller, Services};
use super::error::Result;
use super::ledger;
use crate::access::{Facts, Permissions, RuleBits, evaluate};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, RuleKey};
use crate::scim::Document;
use crate::store::Unit;
use crate::store::document::GroupOf;

/// The matches of one user, and the policy they were worked out by.
pub(super) struct Derived {
    book: Arc<Book>,
    known: Vec<(RuleKey, i64, u64)>,
}

/// What conditions can ask of a user beside the document.
pub(super) struct Meta<'a> {
    pub(super) id: &'a ResourceId,
    pub(super) version: i64,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
}

/// Whether the user is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is new in this unit.
    New,
    /// It was there before.
    Before,
}

/// Works out which conditions a document satisfies.
pub(super) async fn of(services: &Services, caller: &Caller, document: &Document, meta: &Meta<'_>) -> Result<Derived> {
    let book = policy::latest(services, caller).await?;
    let known = if book.watched.is_empty() {
        Vec::new()
    } else {
        matches(&book, &whole(document, meta))
    };
    Ok(Derived { book, known })
}

/// The representation that conditions are asked of: as a client sees it, without groups.
pub(super) fn whole(document: &Document, meta: &Meta<'_>) -> Value {
    let mut whole = document.as_map().clone();
    whole.insert("id".to_owned(), meta.id.as_str().into());
    whole.insert(
        "meta".to_owned(),
        json!({
            "resourceType": "User",
            "created": meta.created.rfc3339(),
            "lastModified": meta.modified.rfc3339(),
            "version": format!("W/\"{}\"", meta.version),
        }),
    );
    Value::Object(whole)
}

fn matches(book: &Book, whole: &Value) -> Vec<(RuleKey, i64, u64)> {
    let bits = book
        .watched
        .iter()
        .map(|watched| (watched.rule, watched.version, watched.condition.bits(whole)));
    bits.filter(|(_, _, bits)| *bits != 0).collect()
}

/// Has the policy read again: a save that relied on it was stale.
pub(super) fn forget(services: &Services, caller: &Caller) {
    services.policies().forget(caller.tenant());
}

impl Derived {
    /// The policy it was worked out by, which the unit is going to share.
    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// The groups of a user who is new, whom nobody but rules can have put into any.
    pub(super) fn groups(&self, (user, id): (Pk, &ResourceId), now: Timestamp) -> Vec<GroupOf> {
        if !self.book.has_smart_groups() {
            return Vec::new();
        }
        smart::groups(&self.facts(user, id), &self.book, now)
    }

    /// What a user who is new and has nothing of their own comes to permit by their document alone, wherever.
    pub(super) fn permits(&self, (user, id): (Pk, &ResourceId), now: Timestamp) -> Permissions {
        let rulebook = &self.book.rulebook;
        let assignments = evaluate(&self.facts(user, id), rulebook, now);
        let roles = assignments.iter().filter_map(|assignment| assignment.role);
        roles.fold(Permissions::NONE, |all, role| all | rulebook.permissions(role))
    }

    fn facts(&self, user: Pk, id: &ResourceId) -> Facts {
        let mut facts = Facts::new(user, id.as_str(), true);
        let known = self.known.iter();
        facts.bits = known
            .map(|(rule, version, bits)| RuleBits {
                rule: *rule,
                version: *version,
                bits: *bits,
            })
            .collect();
        facts
    }

    /// Shares the policy with the save, which is stale when it is not the one the matches were worked out by.
    pub(super) fn share(&self, unit: &mut Unit) {
        unit.policy().expect(self.book.rulebook.version());
    }

    /// Keeps the matches; they are written with the save. The policy must be shared.
    pub(super) fn write(&self, caller: &Caller, unit: &mut Unit, (user, known): (Pk, Known), now: Timestamp) {
        let cause = ledger::cause(caller, now);
        match known {
            Known::New => unit.matches().set_first(user, &self.known, cause),
            // Without rules there is nothing, and what was left of earlier ones counts for nothing.
            Known::Before if self.book.watched.is_empty() => {}
            Known::Before => unit.matches().set(user, &self.known, cause),
        }
    }
}
