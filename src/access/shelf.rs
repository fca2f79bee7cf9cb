//! What is offered to users, found by where it counts.

use std::collections::HashMap;

use super::grant::{Grant, Restriction, Validity};
use super::permission::Permissions;
use super::scope::{Reach, RecordRef};
use super::target::{Hold, Located};
use crate::base::id::ScopeKey;

/// Things by reach.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    everywhere: Vec<T>,
    scopes: HashMap<ScopeKey, Vec<T>>,
    records: HashMap<RecordRef, Vec<T>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            everywhere: Vec::new(),
            scopes: HashMap::new(),
            records: HashMap::new(),
        }
    }
}

impl<T> Shelf<T> {
    /// What has this reach.
    pub fn at(&mut self, reach: &Reach) -> &mut Vec<T> {
        match reach {
            Reach::All => &mut self.everywhere,
            Reach::Scope(scope) => self.scopes.entry(*scope).or_default(),
            Reach::Record(record) => self.records.entry(record.clone()).or_default(),
        }
    }

    /// What counts on a target: a look-up for each scope that the target lies in, however much is on the shelf.
    pub fn covering(&self, target: &Located<'_>) -> impl Iterator<Item = (&T, Hold)> {
        let everywhere = self.everywhere.iter().map(|thing| (thing, Hold::Everywhere));
        let scoped = target
            .scopes()
            .iter()
            .filter_map(|scope| self.scopes.get(scope))
            .flatten();
        let single = target
            .record()
            .and_then(|record| self.records.get(record))
            .into_iter()
            .flatten();
        everywhere.chain(scoped.chain(single).map(|thing| (thing, Hold::Here)))
    }
}

/// What a group offers while it is valid: the permissions of all its grants of one reach, validity and restriction.
#[derive(Debug)]
pub(super) struct Offer {
    pub permissions: Permissions,
    pub validity: Validity,
    pub restriction: Restriction,
}

impl Offer {
    /// Adds what a grant permits.
    pub fn add(offers: &mut Vec<Self>, permissions: Permissions, grant: &Grant) {
        let alike = |offer: &&mut Self| offer.validity == grant.validity && offer.restriction == grant.restriction;
        match offers.iter_mut().find(alike) {
            Some(offer) => offer.permissions |= permissions,
            None => offers.push(Self {
                permissions,
                validity: grant.validity,
                restriction: grant.restriction.clone(),
            }),
        }
    }
}
