//! What nobody may have at the same time as somebody else: names, and what a connection calls them.
//!
//! Whoever is to have one again comes after the one who has it now. Where these go round in a circle, one of them steps
//! aside first, and has none of it for a moment.

use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;

use super::plan::{Step, Verb};
use super::walk::EXTERNAL_ID;
use crate::base::fold::{fold, user_name_key};
use crate::event::Changes;
use crate::service::provision::{Back, Called};
use crate::store::Kind;

/// The attribute of which nobody has the same value as somebody else.
pub(super) const fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "userName",
        Kind::Group | Kind::Own(_) => "displayName",
    }
}

/// A step in its turn.
#[derive(Debug, PartialEq)]
pub(super) struct Turn<'a> {
    pub(super) step: Cow<'a, Step>,
    /// What was given up for a moment by it, if it makes room for others: a path.
    pub(super) aside: Option<&'static str>,
}

/// Of what kind a name is, and the name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name(&'static str, String);

/// What a step lets go of, and what it takes.
#[derive(Debug, Default)]
struct Moves {
    lets_go: Vec<Name>,
    takes: Vec<Name>,
}

impl Moves {
    fn of(step: &Step) -> Self {
        let Verb::PutBack { back, called, .. } = &step.verb else {
            return Self::default();
        };
        let mut moves = Self::default();
        let name = name_of(step.kind);
        let key = |value: Option<&Value>| {
            let text = value?.as_str()?;
            Some(Name(
                name,
                match step.kind {
                    Kind::User => user_name_key(text),
                    Kind::Group | Kind::Own(_) => fold(text),
                },
            ))
        };
        if let Some(change) = back.changes.iter().find(|change| change.path == name) {
            moves.lets_go.extend(key(change.after.as_ref()));
            moves.takes.extend(key(change.before.as_ref()));
        }
        if let Called::Again(before) = &back.called {
            let external = |text: &str| Name(EXTERNAL_ID, format!("{name} {text}"));
            moves.takes.extend(before.as_deref().map(external));
            moves.lets_go.extend(called.as_deref().map(external));
        }
        moves
    }
}

/// How far the walk is with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Ahead,
    Open,
    Done,
}

/// Brings steps into an order in which each finds free what it takes, as far as others of them have it; otherwise they stay
/// in theirs.
pub(super) fn in_order(steps: &[Step]) -> Vec<Turn<'_>> {
    let moves: Vec<Moves> = steps.iter().map(Moves::of).collect();
    let owners = owners(&moves);
    let mut at = vec![At::Ahead; steps.len()];
    let mut asides: HashMap<usize, Vec<&'static str>> = HashMap::new();
    let mut turns = Vec::with_capacity(steps.len());
    for start in 0..steps.len() {
        // The way to where the walk is: steps, and how many of what they take has been seen to.
        let mut way = vec![(start, 0)];
        while let Some((number, seen)) = way.pop() {
            if at[number] == At::Done {
                continue;
            }
            at[number] = At::Open;
            let Some(name) = moves[number].takes.get(seen) else {
                at[number] = At::Done;
                turns.push(last(&steps[number], asides.get(&number)));
                continue;
            };
            way.push((number, seen + 1));
            match owners.get(name).filter(|owner| **owner != number) {
                Some(owner) if at[*owner] == At::Ahead => way.push((*owner, 0)),
                Some(owner) if at[*owner] == At::Open => {
                    turns.extend(aside(&steps[*owner], name.0));
                    asides.entry(*owner).or_default().push(name.0);
                }
                _ => {}
            }
        }
    }
    turns
}

/// Who has a name that somebody may be waiting for.
fn owners(moves: &[Moves]) -> HashMap<&Name, usize> {
    let numbered = moves.iter().enumerate();
    numbered
        .flat_map(|(number, moves)| moves.lets_go.iter().map(move |name| (name, number)))
        .collect()
}

/// A step that makes room: whoever it is about is called by their id for a moment, or has no name of the connection.
fn aside<'a>(step: &Step, what: &'static str) -> Option<Turn<'a>> {
    let Verb::PutBack { back, .. } = &step.verb else {
        return None;
    };
    let back = if what == EXTERNAL_ID {
        Back {
            called: Called::Again(None),
            ..Back::default()
        }
    } else {
        let change = back.changes.iter().find(|change| change.path == what)?;
        let aside = json!({ "before": { what: step.id.as_str() }, "after": { what: change.after } });
        Back {
            changes: Changes::read(&aside).ok()?,
            ..Back::default()
        }
    };
    Some(Turn {
        step: Cow::Owned(step.with(back)),
        aside: Some(what),
    })
}

/// The step itself, for whoever may have stepped aside.
fn last<'a>(step: &'a Step, asides: Option<&Vec<&'static str>>) -> Turn<'a> {
    let name = name_of(step.kind);
    let stepped = asides.is_some_and(|asides| asides.contains(&name));
    let step = match &step.verb {
        Verb::PutBack { back, .. } if stepped => {
            let mut changes = back.changes.value();
            changes["after"][name] = step.id.as_str().into();
            let changes = Changes::read(&changes).unwrap_or_default();
            let back = Back {
                changes,
                ..back.clone()
            };
            Cow::Owned(step.with(back))
        }
        _ => Cow::Borrowed(step),
    };
    Turn { step, aside: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{ResourceId, Version};

    fn step(id: &str, now: &str, then: &str) -> Step {
        let changes = json!({ "before": { "userName": then }, "after": { "userName": now } });
        put_back(
            id,
            Back {
                changes: Changes::read(&changes).unwrap(),
                ..Back::default()
            },
        )
    }

    fn put_back(id: &str, back: Back) -> Step {
        Step {
            kind: Kind::User,
            id: ResourceId::new(id),
            version: Version(1),
            verb: Verb::PutBack {
                order: 1,
                back,
                called: None,
            },
        }
    }

    /// Carries turns out by hand: every name must be free when it is taken. Gives who has which at the end.
    fn carried(steps: &[Step]) -> (HashMap<String, String>, usize) {
        let value = |step: &Step| match &step.verb {
            Verb::PutBack { back, .. } => back.changes.value(),
            _ => panic!("it puts back"),
        };
        let mut has: HashMap<String, String> = steps
            .iter()
            .map(|step| {
                (
                    step.id.to_string(),
                    value(step)["after"]["userName"].as_str().unwrap().to_lowercase(),
                )
            })
            .collect();
        let mut asides = 0;
        for turn in in_order(steps) {
            let (id, change) = (turn.step.id.to_string(), value(&turn.step));
            assert_eq!(
                change["after"]["userName"].as_str().unwrap().to_lowercase(),
                has[&id],
                "it is as it was left"
            );
            let then = change["before"]["userName"].as_str().unwrap().to_lowercase();
            let holder = has.iter().find(|(_, name)| **name == then).map(|(id, _)| id);
            assert!(holder.is_none_or(|holder| *holder == id), "{then} is taken");
            has.insert(id, then);
            asides += usize::from(turn.aside.is_some());
        }
        (has, asides)
    }

    #[test]
    fn names_that_moved_along_a_line_go_back_from_its_end() {
        let line: Vec<Step> = (0..500)
            .map(|n| step(&format!("u{n}"), &format!("n{n}"), &format!("n{}", n + 1)))
            .collect();
        let (has, asides) = carried(&line);
        assert_eq!((has["u0"].as_str(), has["u499"].as_str(), asides), ("n1", "n500", 0));
    }

    #[test]
    fn every_circle_is_opened_at_one_place() {
        let mut steps = vec![step("x", "other", "free"), step("same", "a", "A")];
        for n in 0..5 {
            let name = |at| format!("{n}-{at}");
            steps.push(step(&format!("{n}x"), &name(1), &name(2)));
            steps.push(step(&format!("{n}y"), &name(2).to_uppercase(), &name(3)));
            steps.push(step(&format!("{n}z"), &name(3), &name(1)));
        }
        let (has, asides) = carried(&steps);
        assert_eq!(asides, 5);
        assert!(has.iter().all(|(id, name)| id != name));
        assert_eq!((has["0x"].as_str(), has["same"].as_str()), ("0-2", "a"));
    }

    #[test]
    fn what_a_connection_calls_them_goes_round_in_circles_as_well() {
        let called = |id: &str, now: &str, before: &str| {
            let again = Called::Again(Some(before.to_owned()));
            let mut step = put_back(
                id,
                Back {
                    called: again,
                    ..Back::default()
                },
            );
            if let Verb::PutBack { called, .. } = &mut step.verb {
                *called = Some(now.to_owned());
            }
            step
        };
        let steps = [called("1", "one", "two"), called("2", "two", "one")];
        let turns = in_order(&steps);
        let order: Vec<(&str, Option<&str>)> = turns.iter().map(|turn| (turn.step.id.as_str(), turn.aside)).collect();
        assert_eq!(order, [("1", Some(EXTERNAL_ID)), ("2", None), ("1", None)]);
    }
}
