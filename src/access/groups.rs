//! The groups a user is in: stored memberships, smart groups, and what these are nested in.

use std::borrow::Cow;

use super::facts::{Facts, GroupFact};
use super::path::{Entry, GroupStep, Path};
use super::policy::PolicyGroup;
use crate::base::fold;
use crate::base::id::{Pk, RuleKey};
use crate::scim::filter::Kind;

/// A group the user is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    pk: Pk,
    id: &'a str,
    display: &'a str,
    stored: bool,
    rules: Vec<(RuleKey, i64)>,
    parents: &'a [Pk],
    value_key: Cow<'a, str>,
    display_key: Cow<'a, str>,
}

impl<'a> Member<'a> {
    fn new(pk: Pk, id: &'a str, display: &'a str, parents: &'a [Pk]) -> Self {
        Self {
            pk,
            id,
            display,
            stored: false,
            rules: Vec::new(),
            parents,
            value_key: exact(id),
            display_key: folded(display),
        }
    }

    /// The group.
    #[must_use]
    pub fn pk(&self) -> Pk {
        self.pk
    }

    /// Its id on the wire.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Its display name.
    #[must_use]
    pub fn display(&self) -> &'a str {
        self.display
    }

    /// Whether the user is a member of the group itself, stored or by a rule.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.stored || !self.rules.is_empty()
    }

    /// Whether the membership of the group itself is stored.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.stored
    }

    /// The rules that make the user a member, with their versions, in order of their keys.
    #[must_use]
    pub fn rules(&self) -> &[(RuleKey, i64)] {
        &self.rules
    }

    /// The groups it is directly nested in, as far as they are known.
    #[must_use]
    pub fn parents(&self) -> &'a [Pk] {
        self.parents
    }

    /// `groups.type`: `direct` or `indirect`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.is_direct() { "direct" } else { "indirect" }
    }

    /// `groups.value` as comparison text.
    #[must_use]
    pub fn value_key(&self) -> &str {
        &self.value_key
    }

    /// `groups.display` as comparison text.
    #[must_use]
    pub fn display_key(&self) -> &str {
        &self.display_key
    }

    /// `groups.$ref` as comparison text.
    #[must_use]
    pub fn reference_key(&self) -> String {
        let url = format!("/Groups/{}", self.id);
        Kind::Reference.fold_text("groups.$ref", &url).unwrap_or(url)
    }

    /// How the user is a member of the group itself; a stored membership comes first.
    fn entry(&self) -> Option<Entry> {
        let by_rule = || {
            self.rules.first().map(|(rule, version)| Entry::Rule {
                rule: *rule,
                version: *version,
            })
        };
        if self.stored { Some(Entry::Direct) } else { by_rule() }
    }
}

/// As [`fold::fold`], without a copy where there is nothing to do.
fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(fold::fold(text))
    }
}

/// As [`fold::exact`], without a copy where there is nothing to do.
fn exact(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(fold::exact(text))
    }
}

/// All groups of one user, each once, in order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupSet<'a>(Vec<Member<'a>>);

impl<'a> GroupSet<'a> {
    /// The groups by stored memberships alone.
    #[must_use]
    pub fn stored(facts: &'a Facts) -> Self {
        let mut members: Vec<_> = facts.groups.iter().map(of_fact).collect();
        members.sort_unstable_by_key(|member| member.pk);
        Self(members)
    }

    /// Whether the user is in none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Member<'a>> {
        self.0.iter()
    }

    /// Whether the user is in the group.
    #[must_use]
    pub fn contains(&self, group: Pk) -> bool {
        self.get(group).is_some()
    }

    /// The group, if the user is in it.
    #[must_use]
    pub fn get(&self, group: Pk) -> Option<&Member<'a>> {
        self.place(group).ok().map(|place| &self.0[place])
    }

    fn place(&self, group: Pk) -> Result<usize, usize> {
        self.0.binary_search_by_key(&group, |member| member.pk)
    }

    /// The member of this group, which is added if the user was not in it.
    pub(super) fn enter(&mut self, group: &'a PolicyGroup) -> &mut Member<'a> {
        let place = self.place(group.pk).unwrap_or_else(|place| {
            let member = Member::new(group.pk, &group.id, &group.display, &group.parents);
            self.0.insert(place, member);
            place
        });
        &mut self.0[place]
    }

    /// Makes the user a member of a smart group by a rule. What the group is nested in is for the caller to enter.
    pub(super) fn enter_by_rule(&mut self, group: &'a PolicyGroup, rule: RuleKey, version: i64) {
        let rules = &mut self.enter(group).rules;
        if let Err(place) = rules.binary_search(&(rule, version)) {
            rules.insert(place, (rule, version));
        }
    }

    /// The shortest way into each group. `parents` knows of a group what it is nested in, where its member does not.
    #[must_use]
    pub fn routes<'k>(&self, parents: impl Fn(Pk) -> &'k [Pk]) -> Routes<'_, 'a> {
        Routes::new(self, parents)
    }
}

impl<'g, 'a> IntoIterator for &'g GroupSet<'a> {
    type Item = &'g Member<'a>;
    type IntoIter = std::slice::Iter<'g, Member<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn of_fact(fact: &GroupFact) -> Member<'_> {
    Member {
        stored: fact.direct,
        ..Member::new(fact.pk, &fact.id, &fact.display, &fact.parents)
    }
}

/// The shortest way into each group of a set; of several as short, the one through the smallest keys.
#[derive(Debug, Clone)]
pub struct Routes<'g, 'a> {
    groups: &'g GroupSet<'a>,
    /// By place in the set: the place of the group before, none where the way begins.
    before: Vec<Option<usize>>,
}

impl<'g, 'a> Routes<'g, 'a> {
    fn new<'k>(groups: &'g GroupSet<'a>, parents: impl Fn(Pk) -> &'k [Pk]) -> Self {
        let mut before = vec![None; groups.len()];
        let mut reached: Vec<_> = groups.iter().map(Member::is_direct).collect();
        // A rank at a time in order of keys: the first to arrive is the nearest, then the smallest.
        let mut rank: Vec<_> = (0..groups.len()).filter(|place| reached[*place]).collect();
        while !rank.is_empty() {
            let mut next = Vec::new();
            for place in rank {
                let member = &groups.0[place];
                let known = if member.parents.is_empty() {
                    parents(member.pk)
                } else {
                    member.parents
                };
                for parent in known.iter().filter_map(|parent| groups.place(*parent).ok()) {
                    if !std::mem::replace(&mut reached[parent], true) {
                        before[parent] = Some(place);
                        next.push(parent);
                    }
                }
            }
            next.sort_unstable();
            rank = next;
        }
        Self { groups, before }
    }

    /// The way to a group; empty if the user is not in it.
    #[must_use]
    pub fn path(&self, group: Pk) -> Path {
        let mut steps = Vec::new();
        let mut next = self.groups.place(group).ok();
        while let Some(place) = next {
            let member = &self.groups.0[place];
            steps.push(GroupStep {
                group: member.pk,
                entry: member.entry().unwrap_or(Entry::Nested),
            });
            next = self.before[place];
        }
        steps.reverse();
        Path(steps)
    }
}
