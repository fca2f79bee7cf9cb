//! What a preview says a set of changes would come to is what comes of making them.

use muster::access::diff::{Access, Differ};
use muster::access::{Reach, Restriction, evaluate};
use muster::base::id::ScopeKey;
use muster::service::access::Place;
use muster::service::access::preview::{self, Delta};

use super::change::Change;
use super::drawn::dice::Dice;
use super::drawn::generate::Style;
use super::drawn::world::World;
use super::sheet::Sheet;
use super::town::Town;

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
    let told = town.make_together(world, changes).await;
    let after = Sheet::of(town, world).await;
    let (gains, losses) = differences(before, &after);
    assert_eq!(told.counts.users, town.people.len() as u64);
    let (gained, lost) = (told.counts.gains, told.counts.losses);
    assert_eq!((gained, lost), (gains.len() as u64, losses.len() as u64), "{told:#?}");
    assert_eq!(lines(&told.gains), cut(gains), "gains of {changes:?}");
    assert_eq!(lines(&told.losses), cut(losses), "losses of {changes:?}");
    after
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
