//! What a decision is about, and the scopes it lies in.

use serde_json::{Map, Value};

use super::grant::Restriction;
use super::permission::Permissions;
use super::scope::{Reach, RecordRef};
use crate::base::id::ScopeKey;

/// What a permission is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'a> {
    /// The organisation as a whole: only what is held on *All* counts here.
    Organisation,
    /// A territory, program or record group.
    Scope(ScopeKey),
    /// One record.
    Record {
        /// Which.
        record: &'a RecordRef,
        /// The scopes it belongs to, in any order.
        scopes: &'a [ScopeKey],
        /// What restrictions ask about: property → text, number, boolean or list of these.
        properties: &'a Map<String, Value>,
    },
}

/// Why something that is held counts on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It is held on *All*.
    Everywhere,
    /// It is held on the record, or on a scope that the target lies in.
    Here,
}

/// A target with every scope it lies in at an instant; made by [`Rulebook::locate`](super::Rulebook::locate).
#[derive(Debug, Clone)]
pub struct Located<'a> {
    target: Target<'a>,
    /// The scope itself or those of the record, and all above them, as far as programs on the way run; each once.
    scopes: Vec<ScopeKey>,
    /// Permissions that count only when held on *All*.
    organisation: Permissions,
}

impl<'a> Located<'a> {
    pub(super) fn new(target: Target<'a>, scopes: Vec<ScopeKey>, organisation: Permissions) -> Self {
        Self {
            target,
            scopes,
            organisation,
        }
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> Target<'a> {
        self.target
    }

    /// The record, where the target is one.
    #[must_use]
    pub fn record(&self) -> Option<&'a RecordRef> {
        match self.target {
            Target::Record { record, .. } => Some(record),
            Target::Organisation | Target::Scope(_) => None,
        }
    }

    /// The scopes it lies in: what is held on one of them is held here.
    #[must_use]
    pub fn scopes(&self) -> &[ScopeKey] {
        &self.scopes
    }

    /// Whether what is held with this reach is held here, and why.
    #[must_use]
    pub fn hold(&self, reach: &Reach) -> Option<Hold> {
        match reach {
            Reach::All => Some(Hold::Everywhere),
            Reach::Scope(scope) => self.scopes.contains(scope).then_some(Hold::Here),
            Reach::Record(record) => (self.record() == Some(record)).then_some(Hold::Here),
        }
    }

    /// Whether what is held with this restriction counts here; with any, it does not where there is no record.
    #[must_use]
    pub fn admits(&self, restriction: &Restriction) -> bool {
        match self.target {
            _ if restriction.is_empty() => true,
            Target::Record { properties, .. } => restriction.admits(properties),
            Target::Organisation | Target::Scope(_) => false,
        }
    }

    /// What is left of permissions that are held here.
    ///
    /// Organisation-level ones count only when held on *All* without restriction, and then for every target alike:
    /// they are not about a scope or a record.
    #[must_use]
    pub fn effective(&self, permissions: Permissions, hold: Hold, restriction: &Restriction) -> Permissions {
        let mut left = Permissions::NONE;
        if self.admits(restriction) {
            left |= permissions - self.organisation;
        }
        if hold == Hold::Everywhere && restriction.is_empty() {
            left |= permissions & self.organisation;
        }
        left
    }
}
