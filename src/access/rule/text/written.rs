//! A rule between the file and the tenant.

use crate::access::grant::Validity;
use crate::access::rule::{Condition, Outcome, Rule, State};

/// A rule as it stands in a file: without key, id and version, which the tenant gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Its name; what it is recognised by when the file is read again.
    pub name: String,
    /// Whether it counts.
    pub state: State,
    /// For whom.
    pub when: Condition,
    /// What they have then; not empty.
    pub then: Vec<Outcome>,
    /// When it counts.
    pub validity: Validity,
}

impl From<&Rule> for Written {
    fn from(rule: &Rule) -> Self {
        Self {
            name: rule.name.clone(),
            state: rule.state,
            when: rule.when.clone(),
            then: rule.then.clone(),
            validity: rule.validity,
        }
    }
}
