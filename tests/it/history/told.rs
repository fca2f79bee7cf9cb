//! The log says all there is to say of what changes, and the page on the log says what that is.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};

use super::naive::Naive;
use super::town::Town;
use crate::admin::desk::Desk;
use crate::log::folded::events;
use crate::support::TestHouse;
use crate::support::dice::{Dice, seed};

/// Things that happen in a town.
const STEPS: usize = 160;

/// Rows of the table of events whose members are compared with what is written.
const COMPARED: [&str; 9] = [
    "user",
    "group",
    "grant",
    "role",
    "scope",
    "records",
    "rule",
    "settings",
    "ownership",
];

/// What the page says of the members of `data`: those that are always there, of which each may be one of several, and
/// all that may be there.
struct Row {
    always: Vec<Vec<String>>,
    may: BTreeSet<String>,
}

/// Words in backticks.
fn words(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The table of docs/log.md.
fn page() -> BTreeMap<String, Row> {
    let page = include_str!("../../../docs/log.md");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [kind, _, _, data] = cells[..] else { return None };
        let kind = kind.strip_prefix('`')?.strip_suffix('`')?;
        let noun = kind.split('.').next()?;
        COMPARED.contains(&noun).then(|| (kind.to_owned(), data.to_owned()))
    });
    rows.map(|(kind, data)| {
        let clear = data.split("sealed:").next().unwrap();
        let always = clear.split('[').next().unwrap();
        let always = always.split(',').map(words).filter(|one| !one.is_empty()).collect();
        let may = words(clear).into_iter().collect();
        (kind, Row { always, may })
    })
    .collect()
}

/// Each event against its row; gives the kinds that there were.
fn compare(events: &[Value]) -> BTreeSet<String> {
    let page = page();
    let mut seen = BTreeSet::new();
    for event in events {
        let kind = event["kind"].as_str().unwrap();
        let Some(row) = page.get(kind) else {
            assert!(
                !COMPARED.contains(&kind.split('.').next().unwrap()),
                "{kind} has no row"
            );
            continue;
        };
        let members: BTreeSet<String> = event["data"].as_object().unwrap().keys().cloned().collect();
        assert!(members.is_subset(&row.may), "the page does not know all of {event}");
        for one in &row.always {
            let there = one.iter().filter(|name| members.contains(*name)).count();
            assert_eq!(there, 1, "one of {one:?} belongs into {event}");
        }
        seen.insert(kind.to_owned());
    }
    seen
}

/// Everything of a list, by id.
async fn all(desk: &Desk, path: &str) -> BTreeMap<String, Value> {
    let list = desk.get(&format!("{path}?limit=500")).await.status(200).json;
    assert!(list.get("next").is_none(), "there are more");
    let items = list["items"].as_array().unwrap().clone();
    items
        .into_iter()
        .map(|item| (item["id"].as_str().unwrap().to_owned(), item))
        .collect()
}

/// Members of a value, without what there is not.
fn of(value: &Value, names: &[&str]) -> Value {
    let there = names.iter().filter(|name| !value[**name].is_null());
    there
        .map(|name| ((*name).to_owned(), value[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn resources(house: &TestHouse, endpoint: &str) -> BTreeMap<String, Value> {
    let list = house.get(&format!("{endpoint}?count=500")).await.status(200).json;
    let list = list["Resources"].as_array().cloned().unwrap_or_default();
    list.into_iter()
        .map(|one| (one["id"].as_str().unwrap().to_owned(), one))
        .collect()
}

/// These members of each value.
fn each(of_each: &BTreeMap<String, Value>, names: &[&str]) -> BTreeMap<String, Value> {
    of_each
        .iter()
        .map(|(id, value)| (id.clone(), of(value, names)))
        .collect()
}

/// What the log says of the policy is what is served.
async fn assert_policy(desk: &Desk, told: &Naive) {
    let mut roles = all(desk, "/roles").await;
    roles.retain(|id, _| id.len() == 36);
    assert_eq!(
        each(&told.roles, &["name", "permissions"]),
        each(&roles, &["name", "permissions"])
    );

    let mut scopes = all(desk, "/scopes").await;
    scopes.remove("all");
    let mut records = BTreeSet::new();
    for id in scopes.keys() {
        let list = desk
            .get(&format!("/scopes/{id}/records?limit=500"))
            .await
            .status(200)
            .json;
        for one in list["items"].as_array().unwrap() {
            records.insert((
                id.clone(),
                format!("{}:{}", one["kind"].as_str().unwrap(), one["id"].as_str().unwrap()),
            ));
        }
    }
    assert_eq!(
        each(&told.scopes, &["kind", "name", "parent"]),
        each(&scopes, &["kind", "name", "parent"])
    );
    assert_eq!(told.records, records);

    let rule = ["name", "state", "when", "version"];
    let laws = all(desk, "/rules").await;
    assert_eq!(each(&told.rules, &rule), each(&laws, &rule));
    let outcomes = |rules: &BTreeMap<String, Value>| -> Vec<Vec<Value>> {
        let one = |outcome: &Value| of(outcome, &["role", "scope", "record", "group"]);
        // A draft keeps nothing from being deleted, and what is gone since is not shown.
        let is_there = |outcome: &&Value| {
            let given = outcome["role"].as_str();
            let (scope, group) = (outcome["scope"].as_str(), outcome["group"].as_str());
            given.is_none_or(|id| id.len() != 36 || told.roles.contains_key(id))
                && scope.is_none_or(|id| id == "all" || told.scopes.contains_key(id))
                && group.is_none_or(|id| told.groups.contains_key(id))
        };
        let then = |rule: &Value| {
            rule["then"]
                .as_array()
                .unwrap()
                .iter()
                .filter(is_there)
                .map(one)
                .collect()
        };
        rules.values().map(then).collect()
    };
    assert_eq!(outcomes(&told.rules), outcomes(&laws));
}

/// What the log says of grants is what is served.
async fn assert_grants(desk: &Desk, told: &Naive) {
    let grant = [
        "role",
        "scope",
        "record",
        "valid_from",
        "valid_to",
        "restrict",
        "origin",
    ];
    let grants = all(desk, "/grants").await;
    let holders = |(kind, id, image): &(String, String, Value)| (kind.clone(), id.clone(), of(image, &grant));
    let told: BTreeMap<_, _> = told
        .grants
        .iter()
        .map(|(id, told)| (id.clone(), holders(told)))
        .collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let served = |served: &Value| {
        (
            text(&served["subject"]["type"]),
            text(&served["subject"]["id"]),
            of(served, &grant),
        )
    };
    assert_eq!(told, grants.iter().map(|(id, one)| (id.clone(), served(one))).collect());
}

/// What the log says of people and groups is what is served.
async fn assert_people(house: &TestHouse, told: &Naive) {
    let active = told.rules.values().filter(|rule| rule["state"] == "active");
    let outcomes = active.flat_map(|rule| rule["then"].as_array().unwrap());
    let filled: BTreeSet<&str> = outcomes.filter_map(|outcome| outcome["group"].as_str()).collect();
    for (endpoint, told_ones) in [("/Users", &told.users), ("/Groups", &told.groups)] {
        let mut served = BTreeMap::new();
        for (id, mut resource) in resources(house, endpoint).await {
            let members = resource["members"].as_array().cloned().unwrap_or_default();
            let members: BTreeSet<String> = members
                .iter()
                .map(|one| one["value"].as_str().unwrap().to_owned())
                .collect();
            if endpoint == "/Groups" {
                let known = told.members.get(&id).cloned().unwrap_or_default();
                // Whom rules put into a group is shown as a member, and stored nowhere.
                if filled.contains(id.as_str()) {
                    assert!(known.is_subset(&members), "members of {id}: {known:?} {members:?}");
                } else {
                    assert_eq!(known, members, "members of {id}");
                }
            }
            let document = resource.as_object_mut().unwrap();
            for derived in ["id", "meta", "members", "groups", "externalId"] {
                document.remove(derived);
            }
            served.insert(id, document.clone());
        }
        assert_eq!(*told_ones, served);
    }
}

each_database! {
    async fn whoever_reads_the_log_alone_knows_everything(house: TestHouse) {
        let mut town = Town::founded(house, Dice::new(seed(), 0)).await;
        for _ in 0..STEPS {
            town.step().await;
        }
        let events = events(&town.desk).await;
        let told = Naive::told(&events);
        assert_policy(&town.desk, &told).await;
        assert_grants(&town.desk, &told).await;
        assert_people(&town.house, &told).await;
        assert!(compare(&events).len() > 12, "too little happened");
    }

    async fn every_kind_says_what_the_page_says(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let group = house.group("Sales").await;
        house.join(&group, &ada).await;
        let role = desk.post("/roles", json!({ "name": "Seller", "permissions": ["record.edit"] })).await.status(201).id();
        desk.patch(&format!("/roles/{role}"), json!({ "name": "Buyer" })).await.status(200);
        let copy = desk.post(&format!("/roles/{role}/copy"), json!({ "name": "Copy" })).await.status(201).id();
        let scope = desk.scope("territory", "North").await;
        let below = desk.post("/scopes", json!({ "kind": "territory", "name": "Kiel", "parent": scope })).await.status(201).id();
        desk.patch(&format!("/scopes/{scope}"), json!({ "name": "South" })).await.status(200);
        desk.place(&scope, "lead", "1").await;
        desk.place(&scope, "lead", "2").await;
        desk.delete(&format!("/scopes/{scope}/records/lead/2")).await.status(204);
        let mut reads = json!({
            "name": "Reads", "when": "groups.display eq \"Sales\"", "state": "active",
            "then": [{ "role": role, "scope": scope }, { "group": group }, { "scope": below }],
        });
        // A rule that reads the group it fills is refused.
        desk.post("/rules", reads.clone()).await.status(400);
        reads["then"].as_array_mut().unwrap().remove(1);
        let id = desk.post("/rules", reads).await.status(201).id();
        let draft = json!({ "name": "Draft", "when": "title pr", "then": [{ "role": copy, "scope": "all" }] });
        let draft = desk.post("/rules", draft).await.status(201).id();
        desk.delete(&format!("/rules/{draft}")).await.status(204);
        let grant = desk.grant(&ada, &role, &scope).await;
        let to_group = desk.grant_to("group", &group, &copy, "all").await;
        let until = Some(json!({ "valid_to": "2999-01-01T00:00:00Z" }));
        desk.ask(Method::PUT, &format!("/api/v1/grants/{grant}/validity"), until, &[]).await.status(200);
        desk.patch("/settings", json!({ "managers_see_reports": true })).await.status(200);
        desk.post("/ownership", json!({ "to": bob })).await.status(200);
        desk.post("/ownership", json!({ "to": ada, "break_glass": "because" })).await.status(200);
        house.patch(&format!("/Users/{bob}"), json!([{ "op": "replace", "path": "title", "value": "T" }])).await.status(200);
        for verb in ["suspend", "activate", "deactivate"] {
            desk.post(&format!("/users/{bob}/{verb}"), json!({})).await.status(200);
        }
        house.patch(&format!("/Users/{bob}"), json!([{ "op": "replace", "path": "active", "value": true }])).await;
        desk.delete(&format!("/scopes/{scope}?force=true")).await.status(204);
        desk.delete(&format!("/grants/{to_group}")).await.status(204);
        desk.delete(&format!("/roles/{copy}?force=true")).await.status(204);
        desk.patch(&format!("/rules/{id}"), json!({ "state": "retired" })).await;
        house.delete(&format!("/Users/{bob}")).await.no_content();
        house.delete(&format!("/Groups/{group}")).await.no_content();
        desk.post(&format!("/users/{bob}/restore"), json!({})).await.status(200);
        desk.post(&format!("/groups/{group}/restore"), json!({})).await.status(200);
        let seen = compare(&events(&desk).await);
        let page = page();
        // What happens to users has tests of its own, and so have the other ends of the road.
        let elsewhere = |kind: &str| {
            kind.starts_with("user.") || ["ownership.transfer_needed", "rule.abandoned", "rule.retired"].contains(&kind)
        };
        let missing: Vec<&String> = page.keys().filter(|kind| !seen.contains(*kind) && !elsewhere(kind)).collect();
        assert!(missing.is_empty(), "{missing:?} did not happen");
    }

    async fn what_goes_with_a_scope_is_told_one_by_one(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let scope = desk.scope("territory", "North").await;
        let below = json!({ "kind": "territory", "name": "Kiel", "parent": scope });
        let below = desk.post("/scopes", below).await.status(201).id();
        let grants = BTreeSet::from([desk.grant(&ada, "analyst", &scope).await, desk.grant(&bob, "manager", &scope).await]);
        desk.place(&scope, "lead", "1").await;
        desk.place(&scope, "lead", "1").await;
        desk.delete(&format!("/scopes/{scope}?force=true")).await.status(204);
        let events = events(&desk).await;
        let of = |kind: &str| events.iter().filter(|event| event["kind"] == kind).cloned().collect::<Vec<_>>();
        let placed = of("records.added");
        assert_eq!(placed.len(), 1, "what was there already does not move");
        assert_eq!(placed[0]["data"], json!({ "scope": scope, "records": ["lead:1"] }));
        let gone = of("grant.deleted");
        assert_eq!(gone.iter().map(|event| event["data"]["grant"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(), grants);
        for event in &gone {
            let expected = if event["subject"]["id"] == ada.as_str() { "analyst" } else { "manager" };
            assert_eq!((&event["data"]["role"], &event["data"]["scope"]), (&json!(expected), &json!(scope)));
        }
        let moved = of("scope.updated");
        assert_eq!(moved.len(), 1);
        assert_eq!(moved[0]["subject"]["id"], below.as_str());
        assert_eq!((&moved[0]["data"]["before"]["parent"], &moved[0]["data"]["after"]["parent"]), (&json!(scope), &Value::Null));
    }
}
