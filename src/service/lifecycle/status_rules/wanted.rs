//! Which rule keeps somebody out, and what it is to be held by one.

use serde_json::Value;

use crate::access::StatusRule;
use crate::access::lifecycle::Hold;
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::scim::Document;
use crate::service::access::policy::Book;
use crate::store::lifecycle::statuses::{RULE, StoredHold};

/// The rule that keeps a user of this document out, if one does and nothing else does.
pub(in crate::service) fn wanted<'b>(book: &'b Book, id: &ResourceId, document: &Document) -> Option<&'b StatusRule> {
    if book.status_rules.is_empty() {
        return None;
    }
    let mut whole = document.as_map().clone();
    whole.insert("id".to_owned(), id.as_str().into());
    book.status_rules.strongest(&Value::Object(whole))
}

/// What holds somebody whom a rule keeps out. Provisioning takes them for active: of whom it does not no rule says anything.
pub(in crate::service) fn hold(rule: &StatusRule, now: Timestamp) -> StoredHold {
    StoredHold {
        hold: rule.keeps.status().hold().unwrap_or(Hold::Suspended),
        source_active: true,
        since: now,
        until: None,
        reason: None,
        actor_kind: RULE.to_owned(),
        actor_id: rule.name.clone(),
        closing: None,
    }
}
