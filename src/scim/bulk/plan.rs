//! An order to do operations in: theirs, but that what is referred to is made first (RFC 7644 §3.7).

use std::collections::{BTreeSet, HashMap, HashSet};

use super::circles::Graph;
use super::reference::{Need, clipped};
use crate::scim::Error;

/// Most operations of a circle: all of it is one transaction, for which others wait (RFC 7644 §3.7.1 leaves that to the
/// server).
const MOST_IN_A_CIRCLE: usize = 50;

/// What is done one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One operation.
    One(usize),
    /// Creations of one type that have nothing to do with each other: they may be done side by side.
    Beside(Vec<usize>),
    /// Creations that refer to each other in a circle: all of them are made, or none.
    Circle(Vec<usize>),
}

/// What is done of a bulk request, in which order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Each operation once.
    pub steps: Vec<Step>,
    /// Operations that cannot be done whatever is there: they refer to what nobody makes, or in a circle that has no beginning.
    pub refused: HashMap<usize, Error>,
}

/// Finds an order. The one that was asked for stays, but that an operation waits for what it refers to; whatever comes
/// after it and has to do with the same resources, or with the same name, waits with it. Where both cannot be had, what is
/// referred to comes first.
#[must_use]
pub fn plan(needs: &[Need]) -> Plan {
    let made_by: HashMap<&str, usize> = needs
        .iter()
        .enumerate()
        .filter_map(|(at, need)| need.makes.as_deref().map(|name| (name, at)))
        .collect();
    let graph = Graph::of(needs, |name| made_by.get(name).copied());
    let mut refused = unknown(needs, &made_by);
    let sets = graph.sets();
    for set in &sets {
        if set.len() > MOST_IN_A_CIRCLE {
            let detail = format!(
                "the operation is part of a circle of {} references, and a circle has at most {MOST_IN_A_CIRCLE}",
                set.len()
            );
            refused.extend(set.iter().map(|at| (*at, Error::plain(409, detail.clone()))));
        } else if (set.len() > 1 || graph.is_own(set[0])) && graph.is_locked(set) {
            let detail = "the operation is part of a circle of references that nobody can begin: each must be there from the \
                          first and cannot be changed";
            refused.extend(set.iter().map(|at| (*at, Error::plain(409, detail))));
        }
    }
    let order = Order::of(needs, &graph, sets);
    let steps = steps(needs, &graph, &order, &refused);
    Plan { steps, refused }
}

/// Operations that refer to what no operation makes.
fn unknown(needs: &[Need], made_by: &HashMap<&str, usize>) -> HashMap<usize, Error> {
    let fault = |(at, need): (usize, &Need)| {
        let (name, _) = need
            .refers
            .iter()
            .find(|(name, _)| !made_by.contains_key(name.as_str()))?;
        let detail = format!(
            "no operation of the request creates what the `bulkId` `{}` stands for",
            clipped(name)
        );
        Some((at, Error::invalid_value(detail)))
    };
    needs.iter().enumerate().filter_map(fault).collect()
}

/// Sets of operations in the order in which they are done.
struct Order {
    sets: Vec<Vec<usize>>,
    /// Positions in `sets`, as they are done.
    turns: Vec<usize>,
    /// For each set, those that come after it because of what both have to do with.
    after: Vec<HashSet<usize>>,
}

impl Order {
    fn of(needs: &[Need], graph: &Graph, sets: Vec<Vec<usize>>) -> Self {
        let mut set_of = vec![0; needs.len()];
        for (number, set) in sets.iter().enumerate() {
            for at in set {
                set_of[*at] = number;
            }
        }
        let mut needed: Vec<HashSet<usize>> = vec![HashSet::new(); sets.len()];
        for (at, edges) in graph.0.iter().enumerate() {
            for (to, _) in edges {
                if set_of[*to] != set_of[at] {
                    needed[set_of[*to]].insert(set_of[at]);
                }
            }
        }
        let after = after(needs, &set_of, &needed);
        let turns = Queue::new(&sets, &needed, &after).run();
        Self { sets, turns, after }
    }
}

/// Who comes after whom: whoever changes something after those who spoke of it before, and the other way round. Not of
/// those of whom the second is needed by the first.
fn after(needs: &[Need], set_of: &[usize], needed: &[HashSet<usize>]) -> Vec<HashSet<usize>> {
    let mut after: Vec<HashSet<usize>> = vec![HashSet::new(); needed.len()];
    let mut link = |from: usize, to: usize| {
        if from != to && !needed[to].contains(&from) {
            after[from].insert(to);
        }
    };
    let mut written: HashMap<&str, usize> = HashMap::new();
    let mut read: HashMap<&str, Vec<usize>> = HashMap::new();
    for (need, set) in needs.iter().zip(set_of) {
        for key in &need.reads {
            if let Some(writer) = written.get(key.as_str()) {
                link(*writer, *set);
            }
            read.entry(key).or_default().push(*set);
        }
        for key in &need.writes {
            if let Some(writer) = written.insert(key, *set) {
                link(writer, *set);
            }
            for reader in read.remove(key.as_str()).unwrap_or_default() {
                link(reader, *set);
            }
        }
    }
    after
}

/// What is left to be put in order.
struct Queue<'p> {
    needed: &'p [HashSet<usize>],
    after: &'p [HashSet<usize>],
    /// The place that a set was asked for at: that of its last operation.
    place: Vec<usize>,
    /// How many sets come before it that it cannot be without, and that it should not be without.
    must: Vec<usize>,
    should: Vec<usize>,
    done: Vec<bool>,
    /// By place: sets that could come next, and among them those that should.
    can: BTreeSet<(usize, usize)>,
    ready: BTreeSet<(usize, usize)>,
}

impl<'p> Queue<'p> {
    fn new(sets: &[Vec<usize>], needed: &'p [HashSet<usize>], after: &'p [HashSet<usize>]) -> Self {
        let count = |edges: &[HashSet<usize>]| {
            let mut counts = vec![0; sets.len()];
            edges.iter().flatten().for_each(|to| counts[*to] += 1);
            counts
        };
        let mut queue = Self {
            needed,
            after,
            place: sets.iter().map(|set| set.last().copied().unwrap_or_default()).collect(),
            must: count(needed),
            should: count(after),
            done: vec![false; sets.len()],
            can: BTreeSet::new(),
            ready: BTreeSet::new(),
        };
        (0..sets.len()).for_each(|set| queue.look(set));
        queue
    }

    /// Enters a set where it can come next.
    fn look(&mut self, set: usize) {
        if self.done[set] || self.must[set] > 0 {
            return;
        }
        self.can.insert((self.place[set], set));
        if self.should[set] == 0 {
            self.ready.insert((self.place[set], set));
        }
    }

    fn run(mut self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.done.len());
        while let Some(next) = self.ready.first().or_else(|| self.can.first()).copied() {
            let set = next.1;
            self.ready.remove(&next);
            self.can.remove(&next);
            self.done[set] = true;
            order.push(set);
            for to in &self.needed[set] {
                self.must[*to] -= 1;
            }
            for to in &self.after[set] {
                self.should[*to] -= 1;
            }
            for to in self.needed[set].iter().chain(&self.after[set]) {
                self.look(*to);
            }
        }
        order
    }
}

fn steps(needs: &[Need], graph: &Graph, order: &Order, refused: &HashMap<usize, Error>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut run = Run::default();
    for number in &order.turns {
        let set = &order.sets[*number];
        let at = set[0];
        let alone = set.len() == 1 && !graph.is_own(at);
        if alone && needs[at].makes.is_some() && !refused.contains_key(&at) {
            if !run.takes(needs, graph, order, (*number, at)) {
                steps.extend(std::mem::take(&mut run).step());
            }
            run.operations.push(at);
            run.sets.push(*number);
            continue;
        }
        steps.extend(std::mem::take(&mut run).step());
        if alone || set.iter().any(|at| refused.contains_key(at)) {
            steps.extend(set.iter().map(|at| Step::One(*at)));
        } else {
            steps.push(Step::Circle(set.clone()));
        }
    }
    steps.extend(run.step());
    steps
}

/// Creations that have nothing to do with each other, as they gather.
#[derive(Default)]
struct Run {
    operations: Vec<usize>,
    sets: Vec<usize>,
}

impl Run {
    fn takes(&self, needs: &[Need], graph: &Graph, order: &Order, (set, at): (usize, usize)) -> bool {
        let same_type = self
            .operations
            .last()
            .is_none_or(|last| needs[*last].endpoint == needs[at].endpoint);
        let refers = || graph.0[at].iter().any(|(to, _)| self.operations.contains(to));
        let follows = || self.sets.iter().any(|before| order.after[*before].contains(&set));
        same_type && !refers() && !follows()
    }

    fn step(self) -> Option<Step> {
        match self.operations[..] {
            [] => None,
            [one] => Some(Step::One(one)),
            _ => Some(Step::Beside(self.operations)),
        }
    }
}
