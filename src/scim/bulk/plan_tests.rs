//! Orders of operations: some by hand, and what holds of any.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::plan::{Plan, Step, plan};
use super::reference::Need;

fn makes(name: &str, refers: &[&str]) -> Need {
    Need {
        makes: Some(name.to_owned()),
        endpoint: "Users".to_owned(),
        refers: refers.iter().map(|name| ((*name).to_owned(), false)).collect(),
        writes: vec![format!("bulkId:{name}")],
        reads: refers.iter().map(|name| format!("bulkId:{name}")).collect(),
    }
}

fn changes(target: &str, refers: &[&str]) -> Need {
    Need {
        makes: None,
        writes: vec![target.to_owned()],
        ..makes("", refers)
    }
}

fn lasting(name: &str, refers: &[&str]) -> Need {
    let mut need = makes(name, refers);
    need.refers.iter_mut().for_each(|(_, lasts)| *lasts = true);
    need
}

fn order(plan: &Plan) -> Vec<usize> {
    let operations = |step: &Step| match step {
        Step::One(one) => vec![*one],
        Step::Beside(many) | Step::Circle(many) => many.clone(),
    };
    plan.steps.iter().flat_map(operations).collect()
}

#[test]
fn what_refers_forward_waits_and_nothing_else_does() {
    let plan = plan(&[
        makes("g", &["u"]),
        changes("7", &[]),
        makes("u", &[]),
        changes("8", &[]),
    ]);
    assert_eq!(plan.steps, [Step::One(1), Step::One(2), Step::One(0), Step::One(3)]);
}

#[test]
fn what_has_to_do_with_the_same_keeps_its_order() {
    let clears = plan(&[changes("g", &["u"]), changes("g", &[]), makes("u", &[])]);
    assert_eq!(order(&clears), [2, 0, 1]);
    let mut speaks = changes("g", &["u"]);
    speaks.reads.push("7".to_owned());
    let ends = plan(&[speaks, changes("7", &[]), makes("u", &[])]);
    assert_eq!(order(&ends), [2, 0, 1]);
    let twice = plan(&[
        makes("a", &[]),
        changes("bulkId:a", &["a"]),
        changes("bulkId:a", &["a"]),
    ]);
    assert_eq!(order(&twice), [0, 1, 2]);
}

#[test]
fn creations_that_know_nothing_of_each_other_are_side_by_side() {
    let mut taken = makes("c", &[]);
    taken.writes.push("Users userName ada".to_owned());
    let mut again = makes("d", &[]);
    again.writes.push("Users userName ada".to_owned());
    let plan = plan(&[makes("a", &[]), makes("b", &[]), taken, again, makes("e", &["d"])]);
    assert_eq!(plan.steps, [Step::Beside(vec![0, 1, 2]), Step::One(3), Step::One(4)]);
}

#[test]
fn a_circle_is_made_at_once_and_what_refers_to_it_after_it() {
    let plan = plan(&[
        makes("a", &["b"]),
        changes("9", &["a"]),
        makes("b", &["a"]),
        makes("c", &["c"]),
    ]);
    assert_eq!(
        plan.steps,
        [Step::Circle(vec![0, 2]), Step::One(1), Step::Circle(vec![3])]
    );
    assert!(plan.refused.is_empty());
}

#[test]
fn a_circle_without_a_beginning_is_refused_with_409_for_each() {
    let locked = plan(&[lasting("a", &["b"]), lasting("b", &["a"]), makes("c", &["a"])]);
    let refused: HashMap<usize, u16> = locked.refused.iter().map(|(at, fault)| (*at, fault.status)).collect();
    assert_eq!(refused, HashMap::from([(0, 409), (1, 409)]));
    assert_eq!(plan(&[lasting("a", &["a"])]).refused[&0].status, 409);
    // One that can be changed later is where it begins.
    assert!(plan(&[lasting("a", &["b"]), makes("b", &["a"])]).refused.is_empty());
}

#[test]
fn what_nobody_makes_is_refused_by_name() {
    let plan = plan(&[makes("g", &["ghost"])]);
    assert_eq!(plan.refused[&0].status, 400);
    assert!(plan.refused[&0].detail.contains("`ghost`"));
    assert_eq!(plan.steps, [Step::One(0)]);
}

/// Whether it makes something, what it changes else, and what it speaks of.
type Drawn = (bool, usize, Vec<(usize, bool)>);

/// Any operations: each makes something or changes one of four things, and speaks of some others.
fn needs() -> impl Strategy<Value = Vec<Need>> {
    let one = (
        any::<bool>(),
        0..4_usize,
        prop::collection::vec((0..14_usize, any::<bool>()), 0..3),
    );
    prop::collection::vec(one, 0..12).prop_map(|drawn| {
        let need = |(at, (creates, target, refers)): (usize, Drawn)| {
            let names: Vec<String> = refers.iter().map(|(to, _)| to.to_string()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut need = if creates {
                makes(&at.to_string(), &names)
            } else {
                changes(&format!("thing {target}"), &names)
            };
            for (refers, (_, lasts)) in need.refers.iter_mut().zip(refers) {
                refers.1 = creates && lasts;
            }
            need
        };
        drawn.into_iter().enumerate().map(need).collect()
    })
}

/// Which operations speak of which others, directly or by way of others.
fn reach(needs: &[Need]) -> Vec<HashSet<usize>> {
    let made: HashMap<&str, usize> = (0..needs.len())
        .filter_map(|at| needs[at].makes.as_deref().map(|name| (name, at)))
        .collect();
    let mut reach: Vec<HashSet<usize>> = needs
        .iter()
        .map(|need| {
            need.refers
                .iter()
                .filter_map(|(name, _)| made.get(name.as_str()).copied())
                .collect()
        })
        .collect();
    for by in 0..needs.len() {
        for from in 0..needs.len() {
            if reach[from].contains(&by) {
                let more = reach[by].clone();
                reach[from].extend(more);
            }
        }
    }
    reach
}

proptest! {
    #[test]
    fn each_is_done_once_and_after_what_it_refers_to(needs in needs()) {
        let (plan, reach) = (plan(&needs), reach(&needs));
        let order = order(&plan);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..needs.len()).collect::<Vec<_>>());
        let place = |at: usize| order.iter().position(|one| *one == at).unwrap();
        for (at, to) in reach.iter().enumerate().flat_map(|(at, to)| to.iter().map(move |to| (at, *to))) {
            prop_assert!(reach[to].contains(&at) || place(to) < place(at), "{} before {}", at, to);
        }
    }

    #[test]
    fn what_is_done_at_once_is_a_circle_or_has_nothing_in_common(needs in needs()) {
        let (plan, reach) = (plan(&needs), reach(&needs));
        for step in &plan.steps {
            match step {
                Step::One(at) => {
                    let beside = |other: &usize| reach[*at].contains(other) && reach[*other].contains(at);
                    prop_assert!(!reach[*at].contains(at) || plan.refused.keys().any(beside));
                }
                Step::Circle(set) => {
                    prop_assert!(set.iter().all(|at| set.iter().all(|to| reach[*at].contains(to))));
                    prop_assert!(!set.iter().any(|at| plan.refused.contains_key(at)));
                }
                Step::Beside(many) => for (index, at) in many.iter().enumerate() {
                    for to in &many[index + 1..] {
                        prop_assert!(!reach[*at].contains(to) && !reach[*to].contains(at));
                        prop_assert!(needs[*at].writes.iter().all(|key| !needs[*to].writes.contains(key)));
                    }
                },
            }
        }
    }

    #[test]
    fn without_references_the_order_is_the_one_asked_for(mut needs in needs()) {
        for need in &mut needs {
            need.refers.clear();
            need.reads.clear();
        }
        prop_assert_eq!(order(&plan(&needs)), (0..needs.len()).collect::<Vec<_>>());
    }
}
