//! Somebody who was deleted comes again: they are somebody new, are offered to administrators, or are who they were.

use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems, texts};
use crate::api::bodies::{ENTERPRISE, USER, user};
use crate::support::TestHouse;
use crate::support::program::run_json;

async fn decide(desk: &Desk, rehire: &str) {
    let settings = desk
        .patch("/settings", json!({"rehire": rehire}))
        .await
        .status(200)
        .json;
    assert_eq!(settings["rehire"], rehire);
}

/// Somebody as an HR system knows them.
fn person(name: &str, called: &str, number: &str) -> Value {
    let mut body = user(
        name,
        json!({"schemas": [USER, ENTERPRISE], "active": true, ENTERPRISE: {"employeeNumber": number}}),
    );
    if !called.is_empty() {
        body["externalId"] = json!(called);
    }
    body
}

async fn create(house: &TestHouse, body: Value) -> String {
    house.post("/Users", body).await.status(201).id()
}

/// Somebody who was in a group, held a role, and was deleted; gives their id.
async fn gone(house: &TestHouse, desk: &Desk, body: Value, group: &str) -> String {
    let id = create(house, body).await;
    house.join(group, &id).await;
    desk.grant(&id, "analyst", "all").await;
    house.delete(&format!("/Users/{id}")).await.no_content();
    id
}

async fn offers(desk: &Desk) -> Vec<Value> {
    let list = desk.get("/rehires").await.status(200).json;
    list["items"].as_array().unwrap().clone()
}

async fn roles(desk: &Desk, user: &str) -> Vec<String> {
    let access = desk.get(&format!("/users/{user}/access")).await.status(200).json;
    texts(&json!({"items": access["assignments"]}), "role")
}

async fn groups(house: &TestHouse, user: &str) -> Vec<String> {
    house
        .get(&format!("/Users/{user}"))
        .await
        .status(200)
        .values_of("groups")
}

each_database! {
    async fn whoever_is_called_the_same_is_offered_and_given_what_they_had(house: TestHouse) {
        let desk = Desk::admin(&house);
        let sales = house.group("Sales").await;
        let old = gone(&house, &desk, person("lin", "hr-7", "12"), &sales).await;
        let new = create(&house, person("lin", "hr-7", "12")).await;
        assert_ne!(new, old);
        assert_eq!((groups(&house, &new).await.len(), roles(&desk, &new).await.len()), (0, 0));
        let [offer] = &offers(&desk).await[..] else { panic!("one offer, though they match twice") };
        assert_eq!((&offer["user"]["id"], &offer["former"]["id"], &offer["matched"]), (&json!(new), &json!(old), &json!("external_id")));
        let told = desk.get(&format!("/events?subject={new}&kind=rehire.offered")).await.status(200).json;
        assert_eq!(told["items"][0]["data"], json!({"rehire": offer["id"], "former": old, "matched": "external_id"}));
        let path = format!("/rehires/{}", offer["id"].as_str().unwrap());
        let given = desk.post(&format!("{path}/accept"), json!({})).await.status(200).json;
        assert_eq!(given, json!({"id": new, "left_out": []}));
        assert_eq!((groups(&house, &new).await, roles(&desk, &new).await), (vec![sales], vec!["analyst".to_owned()]));
        assert_eq!(texts(&desk.get("/tombstones").await.json, "state"), ["superseded"]);
        for verb in ["accept", "dismiss"] {
            desk.post(&format!("{path}/{verb}"), json!({})).await.problem(409, "conflict");
        }
        assert_eq!(offers(&desk).await, Vec::<Value>::new());
        assert_eq!(texts(&desk.get("/rehires?state=accepted").await.json, "state"), ["accepted"]);
        let told = desk.get("/events?kind=rehire.accepted").await.status(200).json;
        assert_eq!(told["items"][0]["data"]["former"], json!(old));
    }

    async fn an_offer_is_dismissed_or_overtaken(house: TestHouse) {
        let desk = Desk::admin(&house);
        let sales = house.group("Sales").await;
        let old = gone(&house, &desk, person("lin", "", " N-12 "), &sales).await;
        let new = create(&house, person("linda", "", "n-12")).await;
        let offer = offers(&desk).await.remove(0);
        assert_eq!(offer["matched"], "employee_number");
        let path = format!("/rehires/{}", offer["id"].as_str().unwrap());
        desk.post(&format!("{path}/dismiss"), json!({})).await.no_content();
        assert_eq!(offers(&desk).await, Vec::<Value>::new());
        desk.post(&format!("{path}/accept"), json!({})).await.problem(409, "conflict");
        house.delete(&format!("/Users/{new}")).await.no_content();
        create(&house, person("lina", "", "n-12")).await;
        assert_eq!(offers(&desk).await.len(), 2, "of who came first, and who came in between");
        desk.post(&format!("/users/{old}/restore"), json!({})).await.status(200);
        assert_eq!(texts(&desk.get("/rehires").await.json, "state").iter().filter(|state| *state == "overtaken").count(), 1);
        let overtaken = offers(&desk).await.into_iter().find(|offer| offer["state"] == "overtaken").unwrap();
        let path = format!("/rehires/{}/accept", overtaken["id"].as_str().unwrap());
        desk.post(&path, json!({})).await.problem(409, "conflict");
    }

    async fn nobody_accepts_what_gives_more_than_they_hold(house: TestHouse) {
        let desk = Desk::admin(&house);
        let lin = create(&house, person("lin", "hr-7", "12")).await;
        desk.grant(&house.user("root").await, "admin", "all").await;
        desk.grant(&lin, "admin", "all").await;
        house.delete(&format!("/Users/{lin}")).await.no_content();
        let new = create(&house, person("lin", "hr-7", "12")).await;
        let keeper = json!({"name": "Keeper", "permissions": ["org.users.manage"]});
        let keeper = desk.post("/roles", keeper).await.status(201).id();
        let mia = house.user("mia").await;
        desk.grant(&mia, &keeper, "all").await;
        let as_mia = Desk::user(&house, &mia);
        let offer = offers(&desk).await.remove(0);
        let path = format!("/rehires/{}/accept", offer["id"].as_str().unwrap());
        as_mia.post(&path, json!({})).await.problem(403, "forbidden");
        as_mia.patch("/settings", json!({"rehire": "link"})).await.problem(403, "forbidden");
        assert_eq!((roles(&desk, &new).await.len(), offers(&desk).await.len()), (0, 1));
        Desk::neighbour(&house).post(&path, json!({})).await.problem(404, "not-found");
    }

    async fn linked_they_are_who_they_were_with_the_document_of_now_and_without_grants(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk, "link").await;
        let sales = house.group("Sales").await;
        let mut first = person("lin", "hr-7", "12");
        first["title"] = json!("Chief");
        let old = gone(&house, &desk, first, &sales).await;
        house.turn().await;
        let answer = house.post("/Users", person("linda", "hr-7", "12")).await.status(201);
        assert_eq!(answer.id(), old);
        assert!(answer.header("location").ends_with(&format!("/Users/{old}")));
        let seen = house.get(&format!("/Users/{old}")).await.status(200);
        assert_eq!((&seen.json, seen.header("etag")), (&answer.json, answer.header("etag")));
        assert_eq!((&seen.json["userName"], &seen.json["title"], &seen.json["externalId"]), (&json!("linda"), &Value::Null, &json!("hr-7")));
        assert_eq!((groups(&house, &old).await, roles(&desk, &old).await.len()), (vec![sales], 0));
        assert_eq!(house.find("/Users", "externalId eq \"hr-7\"").await.ids(), std::slice::from_ref(&old));
        assert_eq!(house.find("/Users", "userName eq \"lin\"").await.total(), 0);
        let told = desk.get(&format!("/events?subject={old}&kind=user.restored")).await.status(200).json;
        let data = &told["items"][0]["data"];
        assert_eq!((&data["via"], &data["matched"], &data["grants"], &data["status"]), (&json!("rehire"), &json!("external_id"), &json!(false), &json!("active")));
        assert_eq!((desk.get("/tombstones").await.json["items"].clone(), offers(&desk).await.len()), (json!([]), 0));
        house.turn().await;
        let runs = desk.get(&format!("/offboarding-runs?user={old}")).await.status(200).json;
        assert_eq!(texts(&runs, "state"), ["withdrawn"], "there is nothing to prove of who is back");
        house.post("/Users", person("linda", "hr-7", "12")).await.error(409, Some("uniqueness"));
    }

    async fn grants_come_back_where_that_is_decided_and_provisioning_could_give_them(house: TestHouse) {
        let desk = Desk::admin(&house);
        desk.patch("/settings", json!({"rehire": "link", "rehire_grants": true})).await.status(200);
        let sales = house.group("Sales").await;
        let lin = gone(&house, &desk, person("lin", "hr-7", "12"), &sales).await;
        assert_eq!(create(&house, person("lin", "hr-7", "12")).await, lin);
        assert_eq!(roles(&desk, &lin).await, ["analyst"]);
        desk.grant(&house.user("root").await, "admin", "all").await;
        desk.grant(&lin, "admin", "all").await;
        house.delete(&format!("/Users/{lin}")).await.no_content();
        assert_eq!(create(&house, person("lin", "hr-7", "12")).await, lin);
        assert_eq!(roles(&desk, &lin).await.len(), 0, "not by provisioning, which may not give one of them");
    }

    async fn in_doubt_nobody_is_linked_and_everybody_is_offered(house: TestHouse) {
        let desk = Desk::admin(&house);
        let sales = house.group("Sales").await;
        let one = gone(&house, &desk, person("lin", "hr-7", "12"), &sales).await;
        let other = gone(&house, &desk, person("tom", "hr-8", "13"), &sales).await;
        decide(&desk, "link").await;
        let new = create(&house, person("pia", "hr-7", "13")).await;
        assert!(new != one && new != other);
        let mut former: Vec<(String, String)> = offers(&desk).await.iter().map(|offer| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&offer["former"]["id"]), text(&offer["matched"]))
        }).collect();
        former.sort();
        let mut expected = [(one, "external_id".to_owned()), (other, "employee_number".to_owned())];
        expected.sort();
        assert_eq!(former, expected);
    }

    async fn whom_an_administrator_keeps_out_stays_out(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk, "link").await;
        let lin = create(&house, person("lin", "hr-7", "12")).await;
        desk.post(&format!("/users/{lin}/suspend"), json!({})).await.status(200);
        house.delete(&format!("/Users/{lin}")).await.no_content();
        let answer = house.post("/Users", person("linda", "hr-7", "12")).await.status(201);
        assert_eq!((answer.id(), &answer.json["active"]), (lin.clone(), &json!(false)));
        assert_eq!(answer.header("muster-ignored-attributes"), "active");
        let status = desk.get(&format!("/users/{lin}/status")).await.status(200).json;
        assert_eq!((&status["status"], &status["hold"]["source_active"]), (&json!("suspended"), &json!(true)));
        // Somebody else, who has the name of somebody who is kept out, is not let in as another one.
        house.delete(&format!("/Users/{lin}")).await.no_content();
        let tom = create(&house, person("tom", "hr-8", "13")).await;
        house.delete(&format!("/Users/{tom}")).await.no_content();
        let answer = house.post("/Users", person("linda", "hr-8", "13")).await.status(201);
        assert!(answer.id() != tom && answer.id() != lin);
        assert_eq!((&answer.json["active"], offers(&desk).await.len()), (&json!(false), 1));
    }

    async fn a_name_that_is_taken_is_refused_and_nothing_is_lost(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk, "link").await;
        let sales = house.group("Sales").await;
        let lin = gone(&house, &desk, person("lin", "hr-7", "12"), &sales).await;
        house.user("lin").await;
        house.post("/Users", person("lin", "hr-7", "12")).await.error(409, Some("uniqueness"));
        assert_eq!(create(&house, person("linda", "hr-7", "12")).await, lin, "their own name was taken meanwhile");
        assert_eq!(groups(&house, &lin).await, [sales]);
    }

    async fn created_twice_at_once_they_come_back_once(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk, "link").await;
        let sales = house.group("Sales").await;
        let lin = gone(&house, &desk, person("lin", "hr-7", "12"), &sales).await;
        let again = || house.post("/Users", person("lin", "hr-7", "12"));
        let (one, two, three) = tokio::join!(again(), again(), again());
        let mut statuses = [one.status, two.status, three.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409]);
        assert_eq!(house.find("/Users", "userName eq \"lin\"").await.ids(), [lin]);
    }

    async fn whoever_is_purged_or_not_kept_any_more_is_nobody_who_could_come_again(house: TestHouse) {
        let desk = Desk::admin(&house);
        let sales = house.group("Sales").await;
        let one = gone(&house, &desk, person("lin", "hr-7", "employee-twelve"), &sales).await;
        create(&house, person("lin", "hr-7", "employee-twelve")).await;
        assert_eq!(offers(&desk).await.len(), 1);
        desk.post(&format!("/users/{one}/purge"), json!({})).await.status(202);
        assert_eq!(offers(&desk).await.len(), 0);
        gone(&house, &desk, person("tom", "hr-8", "13"), &sales).await;
        house.clock().advance(Duration::from_hours(24 * 91));
        create(&house, person("tom", "hr-8", "13")).await;
        assert_eq!(offers(&desk).await.len(), 0, "longer ago than anybody is kept");
        decide(&desk, "off").await;
        gone(&house, &desk, person("pia", "hr-9", "14"), &sales).await;
        create(&house, person("pia", "hr-9", "14")).await;
        assert_eq!(offers(&desk).await.len(), 0);
    }

    async fn an_attribute_plans_anew_when_they_leave(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk, "link").await;
        let by = json!([{"path": format!("{ENTERPRISE}:costCenter")}]);
        desk.patch("/settings", json!({"leaving": by})).await.status(200);
        let until = |when: &str| {
            let mut body = person("lin", "hr-7", "12");
            body[ENTERPRISE]["costCenter"] = json!(when);
            body
        };
        let lin = create(&house, until("2026-03-31")).await;
        house.delete(&format!("/Users/{lin}")).await.no_content();
        assert_eq!(create(&house, person("lin", "hr-7", "12")).await, lin);
        assert_eq!(texts(&desk.get("/leavers").await.json, "due"), Vec::<String>::new());
        house.delete(&format!("/Users/{lin}")).await.no_content();
        assert_eq!(create(&house, until("2026-06-30")).await, lin);
        assert_eq!(texts(&desk.get("/leavers").await.json, "due"), ["2026-06-30T23:59:59.000000Z"]);
    }
    async fn who_comes_again_is_remembered_as_what_they_are_called_now(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk, "link").await;
        let ada = create(&house, person("ada", "hr-1", "12")).await;
        house.delete(&format!("/Users/{ada}")).await.no_content();
        assert_eq!(create(&house, person("ada", "hr-2", "12")).await, ada);
        let past = desk.get(&format!("/users/{ada}")).await.status(200).json;
        assert_eq!((&past["external_ids"], past.get("incomplete")), (&json!({"test": "hr-2"}), None));
        // By another connection, which never called them anything.
        let other = run_json(&house.database, &["connection", "create", "--tenant", "acme", "--name", "other", "--json"]);
        assert!(other["id"].is_string());
        let made = run_json(&house.database, &["token", "create", "--tenant", "acme", "--connection", "other", "--json"]);
        let theirs = house.with_token(made["token"].as_str());
        house.delete(&format!("/Users/{ada}")).await.no_content();
        assert_eq!(create(&theirs, person("ada", "o-7", "12")).await, ada);
        let past = desk.get(&format!("/users/{ada}")).await.status(200).json;
        assert_eq!((&past["external_ids"], past.get("incomplete")), (&json!({"other": "o-7", "test": "hr-2"}), None));
    }
}
