//! Which tolerances a request needed.

use super::Rule;

/// Names of the rules that fired, in the order of the first time, each with how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied(Vec<(&'static str, u32)>);

impl Applied {
    /// Adds `count` firings of a rule; 0 leaves no trace.
    pub(super) fn add(&mut self, rule: &Rule, count: u32) {
        if count > 0 {
            self.count(rule.name, count);
        }
    }

    fn count(&mut self, rule: &'static str, count: u32) {
        match self.0.iter_mut().find(|(name, _)| *name == rule) {
            Some((_, total)) => *total = total.saturating_add(count),
            None => self.0.push((rule, count)),
        }
    }

    /// Adds what another request needed.
    pub fn join(&mut self, other: &Self) {
        for (rule, count) in other.iter() {
            self.count(rule, count);
        }
    }

    /// Rule names with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        self.0.iter().copied()
    }

    /// Whether the request was clean.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this rule fired, so that what it reported is to be let through.
    ///
    /// Needed for rules that rewrite nothing because the clean form cannot be known, such as `country-as-sent`.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }
}
