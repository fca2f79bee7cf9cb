//! An organisation's facts in the words of the use cases.

use std::collections::BTreeSet;
use std::time::Duration;

use muster::access::Restriction;
use muster::base::clock::Timestamp;
use muster::service::access::decide::Resource;
use muster::service::access::grants::{NewGrant, SubjectKind, Where};
use muster::service::access::records::RecordShown;
use muster::service::access::rules::{NewRule, OutcomeAsked};
use muster::service::access::{State, Validity};
use serde_json::{Map, Value};

use super::drawn::model::Spot;
use super::drawn::world::{At, Gift, KEYS, Law, Span, Terms, Then, To, World};
use super::town::Town;
use crate::access::house::START;

/// Kind of every record.
pub const ACCOUNT: &str = "account";

impl Town {
    pub fn new_grant(&self, gift: &Gift) -> NewGrant {
        let (subject_kind, subject) = match gift.to {
            To::Person(person) => (SubjectKind::User, &self.people[person]),
            To::Team(team) => (SubjectKind::Group, &self.teams[team]),
        };
        NewGrant {
            subject_kind,
            subject: subject.clone(),
            role: self.roles[gift.role].clone(),
            place: match gift.at {
                At::All => Where::Scope("all".to_owned()),
                At::Place(place) => Where::Scope(self.places[place].clone()),
                At::Record(record) => Where::Record {
                    kind: ACCOUNT.to_owned(),
                    id: record.to_string(),
                },
            },
            validity: validity(gift.span),
            restrict: restriction(&gift.terms)
                .0
                .into_iter()
                .map(|(name, values)| (name, values.into_iter().collect()))
                .collect(),
        }
    }

    pub fn new_rule(&self, law: &Law) -> NewRule {
        NewRule {
            name: rule_name(law.number),
            when: law.when.text(&|team| self.teams[team].clone()),
            then: law.then.iter().map(|then| self.outcome(then)).collect(),
            state: if law.state == State::Active {
                State::Active
            } else {
                State::Draft
            },
            validity: validity(law.span),
            examples: Vec::new(),
        }
    }

    fn outcome(&self, then: &Then) -> OutcomeAsked {
        let nothing = OutcomeAsked::default();
        match then {
            Then::Role(role, at) => {
                let role = Some(self.roles[*role].clone());
                let (scope, record) = match at {
                    At::All => (Some("all".to_owned()), None),
                    At::Place(place) => (Some(self.places[*place].clone()), None),
                    At::Record(record) => (None, Some((ACCOUNT.to_owned(), record.to_string()))),
                };
                OutcomeAsked {
                    role,
                    scope,
                    record,
                    ..nothing
                }
            }
            Then::Member(place) => OutcomeAsked {
                scope: Some(self.places[*place].clone()),
                ..nothing
            },
            Then::Team(team) => OutcomeAsked {
                group: Some(self.teams[*team].clone()),
                ..nothing
            },
        }
    }

    /// What a question is about.
    pub fn resource(&self, world: &World, spot: Spot) -> Resource {
        match spot {
            Spot::Organisation => Resource::Scope("all".to_owned()),
            Spot::Place(place) => Resource::Scope(self.places[place].clone()),
            Spot::Record(record) => Resource::Record {
                kind: ACCOUNT.to_owned(),
                id: record.to_string(),
                properties: properties(world, record),
            },
        }
    }
}

pub fn rule_name(number: i64) -> String {
    format!("Rule {number}")
}

/// What a product says of a record when it asks.
pub fn properties(world: &World, record: usize) -> Map<String, Value> {
    let of = &world.records[record].properties;
    of.iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect()
}

pub fn shown(record: usize) -> RecordShown {
    RecordShown {
        kind: ACCOUNT.to_owned(),
        id: record.to_string(),
    }
}

pub fn keys(permissions: &BTreeSet<usize>) -> Vec<String> {
    permissions.iter().map(|key| KEYS[*key].to_owned()).collect()
}

pub fn restriction(terms: &Terms) -> Restriction {
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Restriction(
        terms
            .iter()
            .map(|(name, of)| ((*name).to_owned(), values(of)))
            .collect(),
    )
}

/// Instants of the list of facts are seconds.
pub fn instant(at: i64) -> Timestamp {
    START.plus(Duration::from_secs(u64::try_from(at).unwrap()))
}

pub fn validity((from, to): Span) -> Validity {
    Validity {
        from: from.map(instant),
        to: to.map(instant),
    }
}
