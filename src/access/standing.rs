//! Where a user stands at an instant: the groups they are in and the rules that hold for them.

use super::facts::Facts;
use super::groups::{GroupSet, Routes};
use super::path::Path;
use super::rule::Rule;
use super::rulebook::{Rulebook, SmartGroup};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;

/// One user under one policy at one instant, with smart groups worked out. Says nothing of whether they are active.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    facts: &'a Facts,
    rulebook: &'a Rulebook,
    now: Timestamp,
    /// By number of the rule in the rulebook, in order: of most rules nothing is known of most users.
    bits: Vec<(usize, u64)>,
    groups: GroupSet<'a>,
}

impl<'a> Standing<'a> {
    /// Works out the groups: the stored ones, then smart groups from the lowest stratum up, each with what it is
    /// nested in.
    #[must_use]
    pub fn of(facts: &'a Facts, rulebook: &'a Rulebook, now: Timestamp) -> Self {
        let known = facts.bits.iter().filter_map(|fact| {
            let number = rulebook.rule_number(fact.rule)?;
            (rulebook.rules()[number].matched == fact.version).then_some((number, fact.bits))
        });
        let mut bits: Vec<_> = known.collect();
        bits.sort_unstable();
        let mut standing = Self {
            facts,
            rulebook,
            now,
            bits,
            groups: GroupSet::stored(facts),
        };
        for smart in rulebook.smart_groups() {
            for number in &smart.rules {
                if standing.rule_holds(*number) {
                    standing.enter(smart, &rulebook.rules()[*number]);
                }
            }
        }
        standing
    }

    fn enter(&mut self, smart: &SmartGroup, rule: &Rule) {
        let known = |group: &Pk| self.rulebook.group(*group);
        if let Some(group) = known(&smart.group) {
            self.groups.enter_by_rule(group, rule.key, rule.version);
        }
        for above in smart.above.iter().filter_map(known) {
            self.groups.enter(above);
        }
    }

    /// The user.
    #[must_use]
    pub fn facts(&self) -> &'a Facts {
        self.facts
    }

    /// The policy.
    #[must_use]
    pub fn rulebook(&self) -> &'a Rulebook {
        self.rulebook
    }

    /// The instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// All groups the user is in.
    #[must_use]
    pub fn groups(&self) -> &GroupSet<'a> {
        &self.groups
    }

    /// Which document atoms of rule number `number` of [`Rulebook::rules`] hold.
    #[must_use]
    pub fn bits(&self, number: usize) -> u64 {
        let place = self.bits.binary_search_by_key(&number, |known| known.0);
        place.map_or(0, |place| self.bits[place].1)
    }

    /// Whether rule number `number` of [`Rulebook::rules`] is valid now and its condition holds.
    #[must_use]
    pub fn rule_holds(&self, number: usize) -> bool {
        let bits = self.bits(number);
        if bits == 0 && !self.rulebook.can_hold_without_bits(number) {
            return false;
        }
        let rule = &self.rulebook.rules()[number];
        rule.validity.contains(self.now) && rule.when.holds(bits, &self.groups)
    }

    /// The shortest way into each group.
    #[must_use]
    pub fn routes(&self) -> Routes<'_, 'a> {
        self.groups
            .routes(|group| self.rulebook.group(group).map_or(&[], |known| &known.parents))
    }

    /// The ways into the groups that satisfy tests of a rule's condition, each once, in order.
    #[must_use]
    pub fn ways(&self, rule: &Rule, routes: &Routes<'_, 'a>) -> Vec<Path> {
        let tests = rule.when.group_tests().iter();
        let mut found: Vec<_> = tests.flat_map(|test| test.witnesses(&self.groups)).collect();
        found.sort_unstable_by_key(|group| group.pk());
        found.dedup_by_key(|group| group.pk());
        found.into_iter().map(|group| routes.path(group.pk())).collect()
    }
}
