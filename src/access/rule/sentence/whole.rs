//! The sentence as a whole: who, what, when.

use super::condition::condition;
use super::outcome::phrase;
use crate::access::grant::Validity;
use crate::access::rule::names::Names;
use crate::access::rule::{Condition, Outcome, Rule};
use crate::access::wording::{list, span};
use crate::scim::schema::ResourceType;

/// The sentence of a rule.
#[must_use]
pub fn sentence(rule: &Rule, names: &dyn Names, user: &ResourceType) -> String {
    said(&rule.when, &rule.then, &rule.validity, names, user)
}

/// The sentence of what a rule says.
pub(in crate::access::rule) fn said(
    when: &Condition,
    then: &[Outcome],
    validity: &Validity,
    names: &dyn Names,
    user: &ResourceType,
) -> String {
    let who = condition(when.filter(), names, user);
    let outcomes: Vec<_> = then.iter().map(|one| phrase(one, names)).collect();
    let gets = if outcomes.is_empty() {
        "gets nothing".to_owned()
    } else {
        list(&outcomes, "and")
    };
    let during = span(validity);
    let comma = if during.is_empty() { "" } else { ", " };
    format!("Whoever {who} {gets}{comma}{during}.")
}
