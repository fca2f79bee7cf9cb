//! What is known of one user: all that a decision needs beside the policy, read in one statement.

use super::grant::Grant;
use crate::base::id::{GrantKey, Pk, RuleKey};

/// A group the user is in by stored memberships: directly, or because a group they are in is nested in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFact {
    /// Number inside.
    pub pk: Pk,
    /// Id on the wire.
    pub id: String,
    /// Its display name, now.
    pub display: String,
    /// Whether the user is a member of the group itself; true also where they are in it through another one, too.
    pub direct: bool,
    /// The groups it is directly nested in. For explanations only: a decision does not look at it, and where it was
    /// left out a path shows nothing between the user and the group.
    pub parents: Vec<Pk>,
}

/// Which parts of a rule's condition the user's document satisfies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleBits {
    /// Of which rule.
    pub rule: RuleKey,
    /// Of which condition it had: `matched` of the rule, bits of another version say nothing.
    pub version: i64,
    /// Bit *n* is document atom *n* of the condition (see [`Condition::bits`](super::rule::Condition::bits)).
    pub bits: u64,
}

/// One user as the engine sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Number inside.
    pub user: Pk,
    /// Id on the wire.
    pub id: String,
    /// Whether the account is active: if not, nothing else matters.
    pub active: bool,
    /// Groups by stored memberships, direct and through nesting, each once, in any order; not the smart groups, nor
    /// what they are nested in: the engine finds those.
    pub groups: Vec<GroupFact>,
    /// What the user's document says about rules; a rule without an entry has bits 0. In any order.
    pub bits: Vec<RuleBits>,
    /// Grants whose subject is the user, expired and future ones included, in any order.
    pub grants: Vec<Grant>,
    /// Everyone who reports to the user, directly or through others, when managers see what their reports see; else
    /// empty. The reports of a report are not looked at: whoever counts is listed here.
    pub reports: Vec<Facts>,
}

impl Facts {
    /// A user of whom nothing is known yet.
    #[must_use]
    pub fn new(user: Pk, id: impl Into<String>, active: bool) -> Self {
        Self {
            user,
            id: id.into(),
            active,
            groups: Vec::new(),
            bits: Vec::new(),
            grants: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// The user's own grant of this key.
    #[must_use]
    pub fn grant(&self, key: GrantKey) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.key == key)
    }
}
