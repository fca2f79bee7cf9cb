//! Whatever is sent in whatever order, also at once: what provisioning gives is what the stored `roles` name.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::admin::desk::Desk;
use crate::api::bodies::{patch_op, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::dice::{self, Dice};

/// Values that name roles, the same in other spellings, and values that name none.
const VALUES: &[&str] = &[
    "Manager",
    "MANAGER",
    "Analyst",
    "analyst",
    "Read-Only",
    "read-only",
    "Student",
    "Reader",
];
/// Requests of a sequence.
const STEPS: usize = 40;
/// Clients at once, and what each sends.
const CLIENTS: usize = 6;
const REQUESTS: usize = 6;

/// What the values are worth: ids of roles, sorted.
fn named(values: &[String]) -> Vec<String> {
    let folded = values.iter().map(|value| value.to_lowercase());
    let known = folded.filter(|value| ["manager", "analyst", "read-only"].contains(&value.as_str()));
    let mut known: Vec<_> = known.collect();
    known.sort();
    known.dedup();
    known
}

fn roles(dice: &mut Dice) -> Value {
    let count = dice.below(4);
    (0..count).map(|_| json!({"value": dice.pick(VALUES)})).collect()
}

/// Some request about roles, and one in five that is not.
async fn step(house: &TestHouse, id: &str, dice: &mut Dice) -> Answer {
    let path = format!("/Users/{id}");
    let value = *dice.pick(VALUES);
    let operation = match dice.below(6) {
        0 => return house.put(&path, user("ada", json!({"roles": roles(dice)}))).await,
        1 => json!({"op": "add", "path": "roles", "value": [{"value": value}]}),
        2 => json!({"op": "remove", "path": format!("roles[value eq \"{value}\"]")}),
        3 => json!({"op": "replace", "value": {"roles": roles(dice)}}),
        4 => json!({"op": "remove", "path": "roles"}),
        _ => json!({"op": "replace", "path": "title", "value": value}),
    };
    let operations = patch_op(&json!([operation]))["Operations"].clone();
    house.patch(&path, operations).await
}

async fn agrees(house: &TestHouse, desk: &Desk, id: &str) {
    let stored = house.get(&format!("/Users/{id}")).await.status(200).values_of("roles");
    let list = desk.get(&format!("/grants?subject={id}")).await.status(200).json;
    let items = list["items"].as_array().unwrap().iter();
    let mut given: Vec<_> = items.map(|one| one["role"].as_str().unwrap()).collect();
    given.sort_unstable();
    assert_eq!(given, named(&stored), "{stored:?}");
}

each_database! {
    async fn after_every_request_of_a_sequence(house: TestHouse) {
        let (desk, mut dice) = (Desk::admin(&house), Dice::new(dice::seed(), 0));
        let ada = house.post("/Users", user("ada", json!({"roles": roles(&mut dice)}))).await.status(201).id();
        for _ in 0..STEPS {
            let answer = step(&house, &ada, &mut dice).await;
            // What is not there cannot be removed.
            assert!(matches!(answer.status, 200 | 400), "{answer:?}");
            agrees(&house, &desk, &ada).await;
        }
    }

    async fn after_many_at_once(house: TestHouse) {
        let (desk, seed) = (Desk::admin(&house), dice::seed());
        let ada = house.user("ada").await;
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let (house, ada, mut dice) = (house.clone(), ada.clone(), Dice::new(seed, number));
            clients.spawn(async move {
                for _ in 0..REQUESTS {
                    let answer = step(&house, &ada, &mut dice).await;
                    assert!(matches!(answer.status, 200 | 400 | 503), "{answer:?}");
                }
            });
        }
        clients.join_all().await;
        agrees(&house, &desk, &ada).await;
    }
}
