//! How large an organisation is: what is proved on small ones is not proved.

use super::ScopeKind;
use super::drawn::world::{Span, World};

/// Fails where an organisation is smaller than every one of them shall be.
pub fn is_large(world: &World) {
    assert!(world.people.len() >= 50, "{} people", world.people.len());
    assert!(world.teams.len() >= 20, "{} groups", world.teams.len());
    let deep = (0..world.teams.len()).map(|team| depth(world, team)).max();
    assert!(deep >= Some(4), "groups nest {deep:?} deep");
    assert!(world.laws.len() >= 30, "{} rules", world.laws.len());
    let tall = (0..world.places.len()).map(|place| height(world, place)).max();
    assert!(tall >= Some(3), "territories lie {tall:?} deep");
    let dated = |span: Span| span.0.is_some() || span.1.is_some();
    assert!(world.gifts.iter().any(|gift| dated(gift.span)), "no grant has a date");
    assert!(world.laws.iter().any(|law| dated(law.span)), "no rule has a date");
}

/// Groups from this one to the outermost.
fn depth(world: &World, team: usize) -> usize {
    let outer = world.teams[team].inside.iter();
    1 + outer.map(|outer| depth(world, *outer)).max().unwrap_or_default()
}

/// Territories from this place up.
fn height(world: &World, place: usize) -> usize {
    let here = &world.places[place];
    usize::from(here.kind == ScopeKind::Territory) + here.parent.map_or(0, |parent| height(world, parent))
}
