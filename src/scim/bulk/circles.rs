//! Operations that refer to each other in a circle.

use super::reference::Need;

/// Who refers to whom: for each operation the ones that make what it speaks of, and whether it must speak of that from the
/// first and for good.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph(pub(super) Vec<Vec<(usize, bool)>>);

impl Graph {
    /// References between operations; those to what nobody makes are left out.
    pub(super) fn of(needs: &[Need], made_by: impl Fn(&str) -> Option<usize>) -> Self {
        let edges = |need: &Need| -> Vec<(usize, bool)> {
            let refers = need.refers.iter();
            refers
                .filter_map(|(name, lasts)| made_by(name).map(|to| (to, *lasts)))
                .collect()
        };
        Self(needs.iter().map(edges).collect())
    }

    /// Whether an operation speaks of what it makes itself.
    pub(super) fn is_own(&self, at: usize) -> bool {
        self.0[at].iter().any(|(to, _)| *to == at)
    }

    /// The operations in sets, each of one, or of all that refer to each other in circles; in each in order.
    pub(super) fn sets(&self) -> Vec<Vec<usize>> {
        let mut walk = Walk {
            graph: self,
            seen: vec![0; self.0.len()],
            low: vec![0; self.0.len()],
            count: 0,
            path: Vec::new(),
            sets: Vec::new(),
        };
        for at in 0..self.0.len() {
            if walk.seen[at] == 0 {
                walk.visit(at);
            }
        }
        walk.sets
    }

    /// Whether some of a set refer to each other in a circle in which nobody can be made first: each must refer to the next
    /// from the first, and for good.
    pub(super) fn is_locked(&self, set: &[usize]) -> bool {
        let mut left: Vec<usize> = set.to_vec();
        loop {
            let waits = |at: usize| self.0[at].iter().any(|(to, lasts)| *lasts && left.contains(to));
            let (still, free): (Vec<usize>, Vec<usize>) = left.iter().copied().partition(|at| waits(*at));
            if free.is_empty() {
                return !still.is_empty();
            }
            left = still;
        }
    }
}

/// Tarjan's search for strongly connected components. The number of operations bounds its depth.
struct Walk<'g> {
    graph: &'g Graph,
    /// When an operation was come to, from 1.
    seen: Vec<usize>,
    /// The earliest on the path that it leads to; the largest number of all when it is in a set.
    low: Vec<usize>,
    count: usize,
    path: Vec<usize>,
    sets: Vec<Vec<usize>>,
}

impl Walk<'_> {
    fn visit(&mut self, at: usize) {
        self.count += 1;
        (self.seen[at], self.low[at]) = (self.count, self.count);
        self.path.push(at);
        for (to, _) in &self.graph.0[at] {
            if self.seen[*to] == 0 {
                self.visit(*to);
            }
            self.low[at] = self.low[at].min(self.low[*to]);
        }
        if self.low[at] < self.seen[at] {
            return;
        }
        let from = self.path.iter().rposition(|one| *one == at).unwrap_or_default();
        let mut set = self.path.split_off(from);
        set.sort_unstable();
        for one in &set {
            self.low[*one] = usize::MAX;
        }
        self.sets.push(set);
    }
}
