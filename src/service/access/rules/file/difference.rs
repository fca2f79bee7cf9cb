//! What a file makes of the rules there are.

use std::fmt;

use crate::access::rule::text::Written;
use crate::store::access::rules::StoredRule;

/// What the file makes of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the rule.
    pub name: String,
    /// What is to be done.
    pub deed: Deed,
}

/// What is to be done about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It is in the file alone: it is made.
    Make,
    /// It says something else in the file: these parts of it change.
    Change(Vec<&'static str>),
    /// A change of it is coming into force: what is left to do is seen when it is there.
    Wait,
    /// It is not in the file: it stays as it is.
    Leave,
}

/// `+ name`, `~ name: when, state`, `* name`, `? name`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.deed {
            Deed::Make => write!(f, "+ {}", self.name),
            Deed::Change(parts) => write!(f, "~ {}: {}", self.name, parts.join(", ")),
            Deed::Wait => write!(
                f,
                "* {}: a change of it is coming into force, and waited for",
                self.name
            ),
            Deed::Leave => write!(f, "? {}: not in the file, stays as it is", self.name),
        }
    }
}

impl Deed {
    /// What is to be done about a rule of the file; none when it says all of it already.
    pub(super) fn about(rule: &Written, stored: Option<&StoredRule>) -> Option<Self> {
        let Some(stored) = stored else {
            return Some(Self::Make);
        };
        let parts = parts(rule, stored);
        (!parts.is_empty()).then_some(Self::Change(parts))
    }
}

/// The parts of a rule that the file has otherwise.
pub(super) fn parts(rule: &Written, stored: &StoredRule) -> Vec<&'static str> {
    let mut parts = Vec::new();
    for (differs, part) in [
        (rule.name != stored.name, "name"),
        (rule.state != stored.state, "state"),
        (rule.when.text() != stored.when, "when"),
        (rule.then != stored.then, "then"),
        (rule.validity != stored.validity, "validity"),
    ] {
        if differs {
            parts.push(part);
        }
    }
    parts
}
