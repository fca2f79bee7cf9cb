//! Answers about the past are the answers that were given then, and what a plain reading of the log comes to.

use std::collections::{BTreeMap, BTreeSet};

use muster::base::clock::Timestamp;
use serde_json::{Value, json};

use super::naive::{Had, Naive};
use super::town::Town;
use crate::log::folded::events;
use crate::support::TestHouse;
use crate::support::dice::{Dice, seed};

/// Things that happen in a town.
const STEPS: usize = 60;
/// Instants that are asked about afterwards.
const INSTANTS: usize = 25;

const PERMISSION: &str = "record.edit";

/// What was answered at an instant.
struct Moment {
    at: Timestamp,
    /// What each user had, by id; nothing where they were not there.
    access: BTreeMap<String, Option<Value>>,
    /// The SCIM representation of each.
    document: BTreeMap<String, Option<Value>>,
    /// Who could, in the organisation and on each scope.
    able: BTreeMap<String, BTreeSet<String>>,
}

/// An answer without what it says of the present alone, in one order.
fn plain(mut access: Value) -> Value {
    let of_now = ["policy_version", "pending", "as_of", "position"];
    for name in of_now {
        access.as_object_mut().unwrap().remove(name);
    }
    for assignment in access["assignments"].as_array_mut().unwrap() {
        let why = assignment["why"].as_array_mut().unwrap();
        why.sort_by_key(ToString::to_string);
    }
    for list in ["assignments", "scopes"] {
        access[list].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    }
    access
}

/// What is there of an answer.
fn there(status: u16, json: &Value) -> Option<Value> {
    assert!(matches!(status, 200 | 404), "{status} {json}");
    (status == 200).then(|| json.clone())
}

async fn look(town: &Town) -> Moment {
    let mut moment = Moment {
        at: town.house.clock().now(),
        access: BTreeMap::new(),
        document: BTreeMap::new(),
        able: BTreeMap::new(),
    };
    for user in &town.users {
        let access = town.desk.get(&format!("/users/{user}/access")).await;
        let access = there(access.status, &access.json).map(plain);
        moment.access.insert(user.clone(), access);
        let document = town.house.get(&format!("/Users/{user}")).await;
        moment
            .document
            .insert(user.clone(), there(document.status, &document.json));
    }
    for scope in &town.scopes {
        let search = json!({
            "subject": { "type": "user" }, "action": { "name": PERMISSION }, "resource": { "type": "scope", "id": scope },
        });
        let found = town.desk.decide("/search/subject", search).await.status(200).json;
        let users = found["results"].as_array().unwrap().iter();
        let users = users.map(|user| user["id"].as_str().unwrap().to_owned());
        moment.able.insert(scope.clone(), users.collect());
    }
    moment
}

/// Roles and places of an answer.
fn had(access: &Value) -> Had {
    let assignments = access["assignments"].as_array().unwrap().iter();
    assignments
        .map(|one| {
            let record = || {
                format!(
                    "{}:{}",
                    one["record"]["kind"].as_str().unwrap(),
                    one["record"]["id"].as_str().unwrap()
                )
            };
            let place = one["scope"].as_str().map_or_else(record, str::to_owned);
            (one["role"].as_str().map(str::to_owned), place)
        })
        .collect()
}

/// Everything that is asked about one instant, against what was answered last before it.
async fn compare(town: &Town, at: Timestamp, moment: &Moment, told: &Naive) {
    let as_of = at.rfc3339();
    for (user, expected) in &moment.access {
        let answer = town.desk.get(&format!("/users/{user}/access?as_of={as_of}")).await;
        let answer = there(answer.status, &answer.json);
        assert!(
            answer.as_ref().is_none_or(|answer| answer.get("incomplete").is_none()),
            "{answer:?}"
        );
        let naive = answer.as_ref().map(had).unwrap_or_default();
        assert_eq!(
            naive,
            told.access(user, &as_of),
            "{user} as of {as_of}, by the log alone"
        );
        if at == moment.at {
            assert_eq!(answer.map(plain), *expected, "{user} as of {as_of}");
        }
        let profile = town.desk.get(&format!("/users/{user}?as_of={as_of}")).await;
        let profile = there(profile.status, &profile.json);
        match (&profile, &moment.document[user]) {
            (None, None) => {}
            (Some(profile), Some(document)) => assert_profile(profile, document),
            (profile, document) => panic!("{profile:?} as of {as_of}, and it was {document:?}"),
        }
        let plainly = told.users.get(user).map(|document| Value::Object(document.clone()));
        assert_eq!(profile.map(|profile| profile["attributes"].clone()), plainly);
    }
    if at == moment.at {
        for (scope, expected) in &moment.able {
            let path = format!("/who-could?permission={PERMISSION}&scope={scope}&as_of={as_of}");
            let found = town.desk.get(&path).await;
            let able: BTreeSet<String> = if found.status == 400 {
                BTreeSet::new()
            } else {
                let items = found.status(200).json["items"].as_array().unwrap().clone();
                items
                    .iter()
                    .map(|able| able["user"].as_str().unwrap().to_owned())
                    .collect()
            };
            assert_eq!(able, *expected, "{PERMISSION} on {scope} as of {as_of}");
        }
    }
}

/// A profile against the representation of then.
fn assert_profile(profile: &Value, document: &Value) {
    let mut expected = document.as_object().unwrap().clone();
    let groups = expected.remove("groups").unwrap_or(json!([]));
    let called = expected.remove("externalId");
    let meta = expected.remove("meta").unwrap();
    expected.remove("id");
    assert_eq!(profile["attributes"].as_object().unwrap(), &expected);
    assert_eq!(
        profile["external_ids"]["test"].as_str(),
        called.as_ref().and_then(Value::as_str)
    );
    assert_eq!(meta["version"], format!("W/\"{}\"", profile["version"]));
    let direct = groups
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["type"] == "direct");
    let direct: BTreeSet<&str> = direct.map(|group| group["value"].as_str().unwrap()).collect();
    let listed = profile["groups"].as_array().unwrap().iter();
    let listed: BTreeSet<&str> = listed.map(|group| group["id"].as_str().unwrap()).collect();
    // Whom rules put into a group is a member of it, too, as SCIM shows it.
    assert!(listed.is_subset(&direct), "{listed:?} {direct:?}");
}

each_database! {
    async fn an_answer_about_the_past_is_the_answer_of_then(house: TestHouse) {
        let mut dice = Dice::new(seed(), 1);
        let mut town = Town::founded(house, Dice::new(dice.throw(), 0)).await;
        let mut moments = vec![look(&town).await];
        for _ in 0..STEPS {
            town.step().await;
            moments.push(look(&town).await);
        }
        let events = events(&town.desk).await;
        for _ in 0..INSTANTS {
            let number = dice.below(moments.len());
            let moment = &moments[number];
            // Also somewhere before the next thing happened: nothing did, but what has an end may have ended.
            let later = dice.below(2) * dice.below(990_000);
            let at = Timestamp(moment.at.0 + i64::try_from(later).unwrap()).min(town.house.clock().now());
            let before = |event: &&Value| event["at"].as_str().unwrap() <= at.rfc3339().as_str();
            let told = Naive::told(events.iter().filter(before));
            compare(&town, at, moment, &told).await;
        }
    }
}
