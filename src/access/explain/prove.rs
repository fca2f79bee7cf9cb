//! Every way into a group and every reason for a condition to hold, each without anything that could be left out.

use std::collections::{BTreeSet, HashMap};

use super::explanation::{Label, Proof, Reason, Way, WayIn};
use super::leaf::Leaf;
use crate::access::facts::{Facts, GroupFact};
use crate::access::groups::{GroupSet, Member};
use crate::access::rule::{GroupTest, Rule, Tree};
use crate::access::standing::Standing;
use crate::base::id::Pk;

/// Most ways into one group that are listed. In a chart of groups one person has a handful.
pub const MAX_WAYS: usize = 50;

/// Most reasons for one condition that are listed: more than anyone reads.
pub const MAX_PROOFS: usize = 30;

/// Most candidates that are compared with each other to find the minimal ones; comparing takes the square of it.
const MAX_CANDIDATES: usize = 1_000;

/// Most steps a search for ways into one group takes: groups nested crosswise have more ways than there is time for.
const MAX_STEPS: usize = 5_000;

/// Finds ways and proofs for one user.
pub(super) struct Prover<'s, 'a> {
    standing: &'s Standing<'a>,
    /// By group: those groups of the user that are directly nested in it.
    inside: HashMap<Pk, Vec<Pk>>,
    /// By number of the rule; none while it is being worked out.
    proofs: HashMap<usize, Option<Vec<Proof>>>,
    ways: HashMap<Pk, Vec<Way>>,
    /// Whether something was left out because of a limit.
    pub cut: bool,
}

/// Parts of a proof, and the facts they stand on.
#[derive(Clone, Default)]
struct Case {
    leaves: BTreeSet<Leaf>,
    reasons: Vec<Reason>,
}

impl<'s, 'a> Prover<'s, 'a> {
    pub fn new(standing: &'s Standing<'a>) -> Self {
        let mut inside: HashMap<Pk, Vec<Pk>> = HashMap::new();
        for member in standing.groups() {
            for parent in parents(standing, member) {
                inside.entry(*parent).or_default().push(member.pk());
            }
        }
        Self {
            standing,
            inside,
            proofs: HashMap::new(),
            ways: HashMap::new(),
            cut: false,
        }
    }

    /// The ways into a group, the shortest first; none if the user is not in it.
    pub fn ways(&mut self, group: Pk) -> Vec<Way> {
        if let Some(known) = self.ways.get(&group) {
            return known.clone();
        }
        let Some(member) = self.standing.groups().get(group) else {
            return Vec::new();
        };
        let (mut found, mut steps) = (Vec::new(), 0);
        self.walk(&mut vec![group], &mut found, &mut steps);
        let mut ways = minimal(found, Way::leaves);
        if ways.is_empty() {
            ways.push(Way {
                entry: WayIn::Unknown,
                groups: vec![label(member)],
            });
        }
        ways.sort_by_key(|way| way.groups.len());
        self.cut |= ways.len() > MAX_WAYS;
        ways.truncate(MAX_WAYS);
        self.ways.insert(group, ways.clone());
        ways
    }

    /// Goes on from the last of a chain of groups, each of which is nested in the one before, to where the user enters.
    fn walk(&mut self, chain: &mut Vec<Pk>, found: &mut Vec<Way>, steps: &mut usize) {
        *steps += 1;
        if *steps > MAX_STEPS || found.len() >= MAX_CANDIDATES {
            self.cut = true;
            return;
        }
        let Some(member) = chain.last().and_then(|group| self.standing.groups().get(*group)) else {
            return;
        };
        for entry in self.entries(member) {
            let known = chain
                .iter()
                .rev()
                .filter_map(|group| self.standing.groups().get(*group));
            found.push(Way {
                entry,
                groups: known.map(label).collect(),
            });
        }
        for next in self.inside.get(&member.pk()).cloned().unwrap_or_default() {
            if !chain.contains(&next) {
                chain.push(next);
                self.walk(chain, found, steps);
                chain.pop();
            }
        }
    }

    fn entries(&mut self, member: &Member<'_>) -> Vec<WayIn> {
        let mut entries = Vec::new();
        if member.is_stored() {
            entries.push(WayIn::Member);
        }
        for (rule, _) in member.rules() {
            let number = self.standing.rulebook().rule_number(*rule);
            let proofs = number.map_or_else(Vec::new, |number| self.proofs(number));
            entries.extend(proofs.into_iter().map(|proof| WayIn::Rule(Box::new(proof))));
        }
        entries
    }

    /// Why a rule holds, by its number; none if it does not.
    pub fn proofs(&mut self, number: usize) -> Vec<Proof> {
        match self.proofs.get(&number) {
            Some(Some(known)) => return known.clone(),
            // A rule that is its own reason is none; strata keep that from happening.
            Some(None) => return Vec::new(),
            None => {}
        }
        self.proofs.insert(number, None);
        let rule = &self.standing.rulebook().rules()[number];
        let cases = if self.standing.rule_holds(number) {
            self.cases(rule, self.standing.bits(number), rule.when.tree(), true)
        } else {
            Vec::new()
        };
        let proofs: Vec<_> = cases
            .into_iter()
            .map(|case| Proof {
                rule: rule_label(rule),
                version: rule.version,
                reasons: case.reasons,
            })
            .collect();
        self.proofs.insert(number, Some(proofs.clone()));
        proofs
    }

    /// The minimal reasons for a branch of a condition to hold or not, as wanted; none if it is otherwise.
    fn cases(&mut self, rule: &Rule, bits: u64, branch: &Tree, wanted: bool) -> Vec<Case> {
        let found = match branch {
            Tree::Not(part) => return self.cases(rule, bits, part, !wanted),
            Tree::Atom(atom) => {
                let holds = bits >> atom & 1 == 1;
                let reason = || Reason::Profile {
                    atom: *atom,
                    filter: rule.when.atoms()[*atom].filter().to_string(),
                    holds,
                };
                return (holds == wanted).then(|| case(rule, reason())).into_iter().collect();
            }
            Tree::Groups(test) => return self.group_cases(rule, *test, wanted),
            Tree::All(parts) if wanted => self.together(rule, bits, parts, wanted),
            Tree::Any(parts) if !wanted => self.together(rule, bits, parts, wanted),
            Tree::All(parts) | Tree::Any(parts) => parts
                .iter()
                .flat_map(|part| self.cases(rule, bits, part, wanted))
                .collect(),
        };
        self.limited(found)
    }

    /// One case of each part, in every combination.
    fn together(&mut self, rule: &Rule, bits: u64, parts: &[Tree], wanted: bool) -> Vec<Case> {
        let mut all = vec![Case::default()];
        for part in parts {
            let more = self.cases(rule, bits, part, wanted);
            let joined = all.iter().flat_map(|one| more.iter().map(|other| one.join(other)));
            all = joined.collect();
            all = self.limited(all);
        }
        all
    }

    fn limited(&mut self, mut cases: Vec<Case>) -> Vec<Case> {
        self.cut |= cases.len() > MAX_CANDIDATES;
        cases.truncate(MAX_CANDIDATES);
        let mut cases = minimal(cases, |case| case.leaves.clone());
        self.cut |= cases.len() > MAX_PROOFS;
        cases.truncate(MAX_PROOFS);
        cases
    }

    /// Why a test of groups holds or not, as wanted. The test itself is asked: about no group, and about each alone.
    fn group_cases(&mut self, rule: &Rule, number: usize, wanted: bool) -> Vec<Case> {
        let test = &rule.when.group_tests()[number];
        let standing = self.standing;
        if test.holds(standing.groups()) != wanted {
            return Vec::new();
        }
        let filter = test.filter().to_string();
        if test.holds(&GroupSet::default()) == wanted {
            let reason = Reason::NoGroup {
                test: number,
                filter,
                holds: wanted,
            };
            return vec![case(rule, reason)];
        }
        let mut cases = Vec::new();
        for member in standing.groups() {
            if cases.len() > MAX_CANDIDATES || !decides(test, member, member.is_direct(), wanted) {
                continue;
            }
            for way in self.ways(member.pk()) {
                // A test may ask how one is in the group: then only ways of that kind are reasons.
                if decides(
                    test,
                    member,
                    way.groups.len() == 1 && way.entry != WayIn::Unknown,
                    wanted,
                ) {
                    let reason = Reason::Group {
                        test: number,
                        filter: filter.clone(),
                        holds: wanted,
                        way,
                    };
                    cases.push(case(rule, reason));
                }
            }
        }
        self.limited(cases)
    }
}

/// Whether a test turns out as wanted for a user who is in this one group only.
fn decides(test: &GroupTest, member: &Member<'_>, direct: bool, wanted: bool) -> bool {
    let mut facts = Facts::new(Pk(0), "", true);
    facts.groups.push(GroupFact {
        pk: member.pk(),
        id: member.id().to_owned(),
        display: member.display().to_owned(),
        direct,
        parents: Vec::new(),
    });
    test.holds(&GroupSet::stored(&facts)) == wanted
}

/// What a group is directly nested in: as the facts say, else as the policy says.
fn parents<'s>(standing: &'s Standing<'_>, member: &'s Member<'_>) -> &'s [Pk] {
    if member.parents().is_empty() {
        standing
            .rulebook()
            .group(member.pk())
            .map_or(&[], |known| &known.parents)
    } else {
        member.parents()
    }
}

impl Case {
    fn join(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.leaves.extend(other.leaves.iter().copied());
        for reason in &other.reasons {
            if !joined.reasons.contains(reason) {
                joined.reasons.push(reason.clone());
            }
        }
        joined
    }
}

fn case(rule: &Rule, reason: Reason) -> Case {
    Case {
        leaves: reason.leaves(rule.key),
        reasons: vec![reason],
    }
}

/// Those that do not stand on all the facts of another and more; of equal ones the first. Fewest facts first.
fn minimal<T>(items: Vec<T>, leaves: impl Fn(&T) -> BTreeSet<Leaf>) -> Vec<T> {
    let mut sorted: Vec<_> = items.into_iter().map(|item| (leaves(&item), item)).collect();
    sorted.sort_by_key(|(leaves, _)| leaves.len());
    let mut kept: Vec<(BTreeSet<Leaf>, T)> = Vec::new();
    for (leaves, item) in sorted {
        if !kept.iter().any(|(fewer, _)| fewer.is_subset(&leaves)) {
            kept.push((leaves, item));
        }
    }
    kept.into_iter().map(|(_, item)| item).collect()
}

pub(super) fn label(member: &Member<'_>) -> Label<Pk> {
    Label {
        key: member.pk(),
        id: member.id().to_owned(),
        name: member.display().to_owned(),
    }
}

pub(super) fn rule_label(rule: &Rule) -> Label<crate::base::id::RuleKey> {
    Label {
        key: rule.key,
        id: rule.id.clone(),
        name: rule.name.clone(),
    }
}
