//! What a preview says a set of changes would come to is what comes of making them.

use muster::access::diff::{Access, Differ};
use muster::access::{Reach, Restriction, evaluate};
use muster::base::id::ScopeKey;
use muster::service::access::Place;
use muster::service::access::preview::{self, Asked, Delta, What};

use super::change::Change;
use super::drawn::dice::Dice;
use super::drawn::generate::Style;
use super::drawn::world::World;
use super::sheet::Sheet;
use super::town::{Town, renumber};

/// Most changes of one preview.
const MOST: usize = 4;

/// Changes that a preview can be asked for, none of them about another.
pub fn draw(world: &World, dice: &mut Dice, style: Style) -> Vec<Change> {
    let mut after = world.clone();
    let mut changes: Vec<Change> = Vec::new();
    for _ in 0..=dice.roll(MOST) {
        let change = Change::of_the_policy(&after, dice, style);
        let there = match &change {
            Change::Take(number) => world.gifts.iter().any(|gift| gift.number == *number),
            Change::Repeal(number) => world.laws.iter().any(|law| law.number == *number),
            _ => true,
        };
        if there {
            change.make(&mut after);
            changes.push(change);
        }
    }
    changes
}

/// Previews changes, makes them by the preview, and fails where the one says something else than came of the other.
pub async fn come_true(town: &mut Town, world: &mut World, before: &Sheet, changes: &[Change]) -> Sheet {
    let asked: Vec<Asked> = changes.iter().map(|change| asked(town, change)).collect();
    let told = preview::preview(&town.services, &town.caller, &asked, "[]").await;
    let told = told.unwrap_or_else(|fault| panic!("{fault:?}: {changes:?}"));
    preview::apply(&town.services, &town.caller, &told.id, &asked)
        .await
        .unwrap();
    for change in changes {
        change.make(world);
        match change {
            Change::Take(number) => drop(town.gifts.remove(number)),
            Change::Repeal(number) => drop(town.laws.remove(number)),
            _ => {}
        }
    }
    let after = Sheet::of(town, world).await;
    learn(town, world, &after, changes);
    let (gains, losses) = differences(before, &after);
    assert_eq!(told.counts.users, town.people.len() as u64);
    let (gained, lost) = (told.counts.gains, told.counts.losses);
    assert_eq!((gained, lost), (gains.len() as u64, losses.len() as u64), "{told:#?}");
    assert_eq!(lines(&told.gains), cut(gains), "gains of {changes:?}");
    assert_eq!(lines(&told.losses), cut(losses), "losses of {changes:?}");
    after
}

fn asked(town: &Town, change: &Change) -> Asked {
    match change {
        Change::Give(gift) => Asked::Grant(town.new_grant(gift)),
        Change::Enact(law) => Asked::Rule(town.new_rule(law)),
        Change::Take(number) => Asked::Delete(What::Grant, town.gifts[number].clone()),
        Change::Repeal(number) => Asked::Delete(What::Rule, town.laws[number].clone()),
        other => panic!("{other:?}"),
    }
}

/// The ids that new grants and rules were given: keys are given in the order of the changes.
fn learn(town: &mut Town, world: &mut World, after: &Sheet, changes: &[Change]) {
    let known = |id: &str| town.gifts.values().any(|other| other == id);
    let mut new: Vec<_> = after.grants().filter(|grant| !known(&grant.id)).collect();
    new.sort_by_key(|grant| grant.key);
    let mut new_grants = new.into_iter();
    let known = |id: &str| town.laws.values().any(|other| other == id);
    let rules = after.book.policy().rules.iter();
    let mut new: Vec<_> = rules.filter(|rule| !known(&rule.id)).collect();
    new.sort_by_key(|rule| rule.key);
    let mut new_rules = new.into_iter();
    for change in changes {
        match change {
            Change::Give(gift) => {
                let id = new_grants.next().unwrap().id.clone();
                town.gifts.insert(gift.number, id);
            }
            Change::Enact(law) => {
                let rule = new_rules.next().unwrap();
                town.laws.insert(law.number, rule.id.clone());
                renumber(world, law.number, rule.version);
            }
            _ => {}
        }
    }
    assert!(new_grants.next().is_none() && new_rules.next().is_none());
}

/// User, where, how restricted, what.
type Line = (String, String, Restriction, Vec<String>);

fn lines(deltas: &[Delta]) -> Vec<Line> {
    let place = |place: &Place| match place {
        Place::All => "all".to_owned(),
        Place::Scope(scope) => scope.id.clone(),
        Place::Record { kind, id } => format!("{kind}:{id}"),
    };
    let line = |delta: &Delta| {
        (
            delta.user.clone(),
            place(&delta.place),
            delta.restrict.clone(),
            delta.permissions.clone(),
        )
    };
    sorted(deltas.iter().map(line).collect())
}

fn sorted(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort();
    lines
}

/// A preview lists so many, and counts the rest.
fn cut(lines: Vec<Line>) -> Vec<Line> {
    assert!(
        lines.len() <= preview::MAX_DELTAS,
        "{} lines are too many for this test",
        lines.len()
    );
    sorted(lines)
}

/// What everybody gained and lost between two sheets.
fn differences(before: &Sheet, after: &Sheet) -> (Vec<Line>, Vec<Line>) {
    let differ = Differ::new(before.moment(), after.moment());
    let (mut gains, mut losses) = (Vec::new(), Vec::new());
    for (had, have) in before.facts.iter().zip(&after.facts) {
        let diff = differ.diff(
            &evaluate(had, &before.book, before.now),
            &evaluate(have, &after.book, after.now),
        );
        let gained = diff.gained.iter().map(|access| held(after, &had.id, access));
        gains.extend(gained.chain(diff.joined.iter().map(|scope| bare(after, &had.id, *scope))));
        let lost = diff.lost.iter().map(|access| held(before, &had.id, access));
        losses.extend(lost.chain(diff.left.iter().map(|scope| bare(before, &had.id, *scope))));
    }
    (gains, losses)
}

fn held(sheet: &Sheet, user: &str, access: &Access) -> Line {
    let place = match &access.reach {
        Reach::All => "all".to_owned(),
        Reach::Scope(scope) => sheet.book.scope(*scope).unwrap().id.clone(),
        Reach::Record(record) => record.to_string(),
    };
    let keys = sheet.book.catalogue().keys(access.permissions);
    (
        user.to_owned(),
        place,
        access.restriction.clone(),
        keys.map(str::to_owned).collect(),
    )
}

fn bare(sheet: &Sheet, user: &str, scope: ScopeKey) -> Line {
    let id = sheet.book.scope(scope).unwrap().id.clone();
    (user.to_owned(), id, Restriction::NONE, Vec::new())
}
