//! A permission hangs on the leaves of its supports, and on nothing else: taking away one fact takes it away exactly
//! when no support is left without that fact.

use std::collections::BTreeSet;

use muster::access::explain::{Explanation, Leaf, Support, explain};
use muster::base::id::{GrantKey, Pk, RuleKey, ScopeKey};
use muster::store::access::facts::Detail;

use super::State;
use super::change::Change;
use super::drawn::dice::Dice;
use super::drawn::generate::Style;
use super::drawn::model::Spot;
use super::drawn::world::{KEYS, World};
use super::sheet::Sheet;
use super::town::Town;

/// A permission of somebody, why they have it, and one fact that will go.
pub struct Trial {
    person: usize,
    spot: Spot,
    permission: usize,
    supports: Vec<BTreeSet<Leaf>>,
    gone: Gone,
    pub change: Change,
}

/// The leaves that a change takes away.
#[derive(Debug, Clone, Copy)]
enum Gone {
    One(Leaf),
    /// Every version of a rule.
    Rule(RuleKey),
    /// All that a profile satisfies.
    Profile,
}

impl Gone {
    fn takes(self, leaf: Leaf) -> bool {
        match (self, leaf) {
            (Self::One(gone), leaf) => gone == leaf,
            (Self::Rule(gone), Leaf::Rule { rule, .. }) => gone == rule,
            (Self::Profile, Leaf::Profile { holds, .. }) => holds,
            (Self::Rule(_) | Self::Profile, _) => false,
        }
    }
}

impl Trial {
    /// A permission that somebody has, and a fact: mostly a leaf of one of its supports, else any fact at all. None
    /// when nobody has one of those that were looked at.
    pub async fn draw(town: &Town, world: &World, sheet: &Sheet, spots: &[Spot], dice: &mut Dice) -> Option<Self> {
        let (person, spot, permission) = held(town, world, sheet, spots, dice)?;
        let found = explained(town, world, sheet, (person, spot, permission)).await;
        assert!(found.allowed() && !found.supports.is_empty(), "{found}");
        if found.cut {
            return None;
        }
        let supports: Vec<_> = found.supports.iter().map(Support::leaves).collect();
        let (gone, change) = if dice.chance(70) {
            let leaves: Vec<Leaf> = dice.pick(&supports).iter().copied().collect();
            let leaf = dice.pick(&leaves);
            fact(town, sheet, (person, spot), leaf)?
        } else {
            let leaf = any_leaf(town, world, sheet, person, dice);
            fact(town, sheet, (person, spot), leaf)?
        };
        Some(Self {
            person,
            spot,
            permission,
            supports,
            gone,
            change,
        })
    }

    /// What must be so when the change is made. More groups make no condition of these organisations untrue, so fewer
    /// facts give no new access.
    pub fn holds(&self, town: &Town, world: &World, after: &Sheet, style: Style) -> bool {
        let left = |support: &&BTreeSet<Leaf>| !support.iter().any(|leaf| self.gone.takes(*leaf));
        let expected = self.supports.iter().any(|support| left(&support));
        let found = after
            .permitted(town, world, self.person, self.spot)
            .contains(&self.permission);
        style == Style::Free || found == expected
    }

    pub fn about(&self) -> String {
        format!(
            "{} of person {} on {:?} without {:?}: {:#?}",
            KEYS[self.permission], self.person, self.spot, self.gone, self.supports
        )
    }
}

/// Of a few tries, a permission somebody has.
fn held(town: &Town, world: &World, sheet: &Sheet, spots: &[Spot], dice: &mut Dice) -> Option<(usize, Spot, usize)> {
    for _ in 0..20 {
        let (person, spot) = (dice.roll(world.people.len()), dice.pick(spots));
        let found: Vec<_> = sheet.permitted(town, world, person, spot).into_iter().collect();
        if !found.is_empty() {
            return Some((person, spot, dice.pick(&found)));
        }
    }
    None
}

async fn explained(
    town: &Town,
    world: &World,
    sheet: &Sheet,
    (person, spot, permission): (usize, Spot, usize),
) -> Explanation {
    let user = sheet.facts[person].user;
    let rows = town.reader.facts().of(&[user], Detail::Paths).await.unwrap();
    let permission = sheet.book.catalogue().find(KEYS[permission]);
    sheet.at(town, world, spot, |target| {
        explain(&rows[0].facts, &sheet.book, sheet.now, permission, target)
    })
}

/// The change that makes a leaf untrue; none where there is no such change.
fn fact(town: &Town, sheet: &Sheet, (person, spot): (usize, Spot), leaf: Leaf) -> Option<(Gone, Change)> {
    let place = |key: ScopeKey| {
        let scope = sheet.book.scope(key).unwrap();
        town.places.iter().position(|id| *id == scope.id).unwrap()
    };
    let one = Gone::One(leaf);
    match leaf {
        Leaf::Grant(key) => Some((one, Change::Take(gift(town, sheet, key)))),
        Leaf::Member(team) => Some((one, Change::Leave(person, town.team_of[&team]))),
        Leaf::Nested { group, parent } => Some((one, Change::Unnest(town.team_of[&group], town.team_of[&parent]))),
        Leaf::Rule { rule, .. } => {
            let id = &sheet.book.rule(rule).unwrap().id;
            let (number, _) = town.laws.iter().find(|(_, other)| *other == id).unwrap();
            Some((Gone::Rule(rule), Change::LawState(*number, State::Retired)))
        }
        Leaf::Profile { holds: true, .. } => Some((Gone::Profile, Change::Profile(person, "nobody", "Nowhere"))),
        Leaf::LiesIn(scope) => match spot {
            Spot::Record(record) => Some((one, Change::TakeOut(record, place(scope)))),
            Spot::Organisation | Spot::Place(_) => None,
        },
        Leaf::Below { scope, .. } => Some((one, Change::Move(place(scope), None))),
        Leaf::Profile { holds: false, .. } | Leaf::NoGroup { .. } | Leaf::SomeNesting(_) | Leaf::Report(_) => None,
    }
}

fn gift(town: &Town, sheet: &Sheet, key: GrantKey) -> i64 {
    let grant = sheet.grants().find(|grant| grant.key == key).unwrap();
    let (number, _) = town.gifts.iter().find(|(_, id)| **id == grant.id).unwrap();
    *number
}

/// Some fact of the organisation that access of the person could hang on.
fn any_leaf(town: &Town, world: &World, sheet: &Sheet, person: usize, dice: &mut Dice) -> Leaf {
    let key = |team: usize| -> Pk { *town.team_of.iter().find(|(_, number)| **number == team).unwrap().0 };
    let mut leaves: Vec<Leaf> = sheet.grants().map(|grant| Leaf::Grant(grant.key)).collect();
    leaves.extend(world.people[person].teams.iter().map(|team| Leaf::Member(key(*team))));
    for (number, team) in world.teams.iter().enumerate() {
        leaves.extend(team.inside.iter().map(|outer| Leaf::Nested {
            group: key(number),
            parent: key(*outer),
        }));
    }
    leaves.extend(sheet.book.rules().iter().map(|rule| Leaf::Rule {
        rule: rule.key,
        version: rule.version,
    }));
    leaves.extend(sheet.book.policy().scopes.iter().filter_map(|scope| {
        Some(Leaf::Below {
            scope: scope.key,
            parent: scope.parent?,
        })
    }));
    dice.pick(&leaves)
}
