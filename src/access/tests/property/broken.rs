//! Each way to get the words wrong is noticed.
//!
//! The flaw sits in the model: a world in which the engine differs from the flawed model is one in which an engine with
//! that flaw differs from the model. So the code that ships carries no switch.

use std::collections::BTreeSet;

use super::agree::rounds;
use super::dice::Dice;
use super::flaw::Flaw;
use super::generate::{Style, world};
use super::model::{Model, Spot};
use super::stored::{Asked, Stored, numbers};
use super::world::World;
use crate::access::permissions;

/// Worlds to look at before a flaw counts as unnoticed.
const MOST_WORLDS: u64 = 40;

/// What the engine answers: person, spot, permissions.
type Answers = Vec<(usize, Spot, BTreeSet<usize>)>;

fn answers(world: &World, seed: u64) -> Answers {
    let mut dice = Dice::new(seed);
    let stored = Stored::of(world, &mut dice);
    let spots = Spot::some(world, &mut dice);
    let mut all = Vec::new();
    for (person, facts) in stored.facts.iter().enumerate() {
        for spot in &spots {
            let asked = Asked::new(world, *spot);
            let found = permissions(facts, &stored.rulebook, stored.now, &asked.target());
            all.push((person, *spot, numbers(&stored.rulebook, found)));
        }
    }
    all
}

fn notices(world: &World, answers: &Answers, flaw: Flaw) -> bool {
    let model = Model {
        world,
        flaw: Some(flaw),
    };
    let accesses: Vec<_> = (0..world.people.len()).map(|person| model.access(person)).collect();
    answers
        .iter()
        .any(|(person, spot, found)| model.permitted(&accesses[*person], *spot) != *found)
}

#[test]
fn every_flaw_is_noticed() {
    let mut left: Vec<_> = Flaw::ALL.to_vec();
    for seed in 0..MOST_WORLDS.max(rounds()) {
        let world = world(seed, Style::Free);
        let answers = answers(&world, seed);
        left.retain(|flaw| !notices(&world, &answers, *flaw));
        if left.is_empty() {
            println!("all noticed in {} worlds", seed + 1);
            return;
        }
    }
    panic!("unnoticed: {left:?}");
}
