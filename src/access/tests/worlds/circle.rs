//! The second reading of when smart groups go round in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use super::world::{Then, When, World};

/// Whether smart groups depend on each other in a circle.
pub fn has_circle(world: &World) -> bool {
    let below = |team: usize| -> BTreeSet<usize> {
        let mut all = BTreeSet::from([team]);
        for _ in 0..world.teams.len() {
            let more = world.teams.iter().enumerate();
            let more = more
                .filter(|(_, inner)| !inner.inside.is_disjoint(&all))
                .map(|(inner, _)| inner);
            let more: Vec<_> = more.collect();
            let before = all.len();
            all.extend(more);
            if all.len() == before {
                break;
            }
        }
        all
    };
    let active = || world.laws.iter().filter(|law| law.state == State::Active);
    let fills = |then: &Then| match then {
        Then::Team(team) => Some(*team),
        Then::Role(..) | Then::Member(_) => None,
    };
    let smart: BTreeSet<usize> = active().flat_map(|law| law.then.iter().filter_map(fills)).collect();
    let mut needs: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut known: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for law in active() {
        for filled in law.then.iter().filter_map(fills) {
            for read in reads(&law.when, world) {
                let below = known.entry(read).or_insert_with(|| below(read));
                needs.extend(below.intersection(&smart).map(|other| (filled, *other)));
            }
        }
    }
    for middle in &smart {
        for from in &smart {
            for to in &smart {
                if needs.contains(&(*from, *middle)) && needs.contains(&(*middle, *to)) {
                    needs.insert((*from, *to));
                }
            }
        }
    }
    smart.iter().any(|team| needs.contains(&(*team, *team)))
}

/// The teams a condition may look at.
fn reads(when: &When, world: &World) -> BTreeSet<usize> {
    let all = 0..world.teams.len();
    match when {
        When::All(parts) | When::Any(parts) => parts.iter().flat_map(|part| reads(part, world)).collect(),
        When::Not(part) => reads(part, world),
        When::Title(_) | When::Department(_) => BTreeSet::new(),
        When::Named(name) | When::Direct(name) => {
            let same = |team: &usize| world.teams[*team].name.to_lowercase() == name.to_lowercase();
            all.filter(same).collect()
        }
        When::Id(team) => BTreeSet::from([*team]),
        When::Other(_) | When::Like(_) | When::Indirect | When::SomeTeam => all.collect(),
    }
}
