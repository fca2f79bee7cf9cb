//! An attribute says when somebody leaves; leaves that are decided against; leavers as a table and as a calendar.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems, texts};
use crate::api::bodies::{ENTERPRISE, USER, user};
use crate::support::TestHouse;

/// The attribute that says it in these tests.
fn path() -> String {
    format!("{ENTERPRISE}:costCenter")
}

async fn decide(desk: &Desk) {
    let by = json!([{"path": format!("{}:COSTCENTER", ENTERPRISE.to_lowercase()), "zone": "Europe/Berlin"}]);
    let settings = desk.patch("/settings", json!({"leaving": by})).await.status(200).json;
    let expected = json!([{"path": path(), "zone": "Europe/Berlin", "at": "end-of-day"}]);
    assert_eq!(settings["leaving"], expected, "as the schema spells it");
}

/// Somebody whose attribute says this.
fn leaving(name: &str, when: &str) -> Value {
    user(
        name,
        json!({"schemas": [USER, ENTERPRISE], "active": true, ENTERPRISE: {"costCenter": when}}),
    )
}

/// When each of those leaves whose end is planned.
async fn due(desk: &Desk) -> Vec<String> {
    texts(&desk.get("/leavers").await.status(200).json, "due")
}

async fn says(house: &TestHouse, id: &str, when: Value) -> String {
    let operation = match when {
        Value::Null => json!([{"op": "remove", "path": path()}]),
        when => json!([{"op": "replace", "path": path(), "value": when}]),
    };
    let answer = house.patch(&format!("/Users/{id}"), operation).await.status(200);
    answer.header("muster-ignored-attributes").to_owned()
}

async fn kinds(desk: &Desk, kind: &str) -> usize {
    let found = desk.get(&format!("/events?kind={kind}")).await.status(200).json;
    found["items"].as_array().unwrap().len()
}

async fn pass(house: &TestHouse, seconds: u64) {
    house.clock().advance(Duration::from_secs(seconds));
    house.turn().await;
}

each_database! {
    async fn a_date_plans_the_end_and_a_change_moves_and_cancels_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk).await;
        let ada = house.post("/Users", leaving("ada", "2026-01-02")).await.status(201).id();
        assert_eq!(due(&desk).await, ["2026-01-02T22:59:59.000000Z"], "the end of that day in Berlin");
        assert_eq!(says(&house, &ada, json!("2026-01-02T12:00:00")).await, "");
        assert_eq!(due(&desk).await, ["2026-01-02T11:00:00.000000Z"]);
        says(&house, &ada, json!("2026-01-02T12:00:00Z")).await;
        assert_eq!(due(&desk).await, ["2026-01-02T12:00:00.000000Z"]);
        assert_eq!(kinds(&desk, "schedule.set").await, 3);
        let title = json!([{"op": "replace", "path": "title", "value": "Chief"}]);
        house.patch(&format!("/Users/{ada}"), title).await.status(200);
        assert_eq!(kinds(&desk, "schedule.set").await, 3, "nothing is said anew");
        says(&house, &ada, Value::Null).await;
        assert_eq!((due(&desk).await, kinds(&desk, "schedule.cancelled").await), (Vec::<String>::new(), 1));
        house.put(&format!("/Users/{ada}"), leaving("ada", "2026-01-01")).await.status(200);
        pass(&house, 22 * 3600 + 59 * 60 + 58).await;
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], true);
        pass(&house, 1).await;
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], false);
        let events = desk.get(&format!("/events?subject={ada}&kind=user.deactivated")).await.json;
        assert_eq!(events["items"][0]["cause"]["by"], "schedule");
    }

    async fn a_date_that_has_passed_is_due_now(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk).await;
        let ada = house.post("/Users", leaving("ada", "2025-06-30")).await.status(201).id();
        house.turn().await;
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], false);
        assert_eq!(desk.get(&format!("/users/{ada}/status")).await.json["status"], "deactivated");
    }

    async fn what_cannot_be_read_is_told_and_decides_nothing(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk).await;
        let answer = house.post("/Users", leaving("eve", "soon")).await.status(201);
        assert_eq!(answer.header("muster-ignored-attributes"), path());
        assert_eq!(answer.json[ENTERPRISE]["costCenter"], "soon", "it is kept as it was said");
        let ada = house.post("/Users", leaving("ada", "2026-01-02")).await.status(201).id();
        assert_eq!(says(&house, &ada, json!("31.01.2026")).await, path());
        assert_eq!(due(&desk).await, ["2026-01-02T22:59:59.000000Z"], "it stays as it was");
        let told = desk.get(&format!("/events?subject={ada}&kind=schedule.unreadable")).await.status(200).json;
        assert_eq!(told["items"][0]["data"], json!({"path": path()}));
        assert_eq!(kinds(&desk, "schedule.unreadable").await, 2);
        says(&house, &ada, Value::Null).await;
        assert_eq!(due(&desk).await, Vec::<String>::new());
    }

    async fn of_several_dates_the_first_counts_and_without_a_decision_none(house: TestHouse) {
        let desk = Desk::admin(&house);
        house.post("/Users", leaving("eve", "2026-01-02")).await.status(201);
        assert_eq!(due(&desk).await, Vec::<String>::new());
        let by = json!([{"path": path()}, {"path": "title", "zone": "UTC", "at": "start-of-day"}]);
        desk.patch("/settings", json!({"leaving": by})).await.status(200);
        let mut body = leaving("ada", "2026-01-05");
        body["title"] = json!("2026-01-04");
        house.post("/Users", body).await.status(201);
        assert_eq!(due(&desk).await, ["2026-01-04T00:00:00.000000Z"]);
    }

    async fn whoever_is_made_after_somebody_who_leaves_does_not_leave_with_them(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk).await;
        let ada = house.post("/Users", leaving("ada", "2026-01-02")).await.status(201).id();
        let lin = desk.post(&format!("/users/{ada}/clone"), json!({"userName": "lin"})).await.status(201).id();
        let lin = house.get(&format!("/Users/{lin}")).await.status(200).json;
        assert_eq!(lin[ENTERPRISE]["costCenter"], Value::Null);
        assert_eq!(due(&desk).await.len(), 1);
    }

    async fn what_is_planned_for_the_owner_fails_when_it_is_due(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&desk).await;
        let ada = house.post("/Users", user("ada", json!({"active": true}))).await.status(201).id();
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        says(&house, &ada, json!("2026-01-01T00:00:10Z")).await;
        assert_eq!(due(&desk).await, ["2026-01-01T00:00:10.000000Z"]);
        pass(&house, 10).await;
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], true);
        assert_eq!(texts(&desk.get("/schedules?state=failed").await.json, "action"), ["deactivate"]);
    }

    async fn a_decision_names_attributes_that_can_say_it_and_zones_that_are(house: TestHouse) {
        let desk = Desk::admin(&house);
        for (by, pointer) in [
            (json!({"path": "emails"}), "/leaving/0/path"),
            (json!({"path": "emails.value"}), "/leaving/0/path"),
            (json!({"path": "active"}), "/leaving/0/path"),
            (json!({"path": "nothing"}), "/leaving/0/path"),
            (json!({"path": "title", "zone": "Europe/Atlantis"}), "/leaving/0/zone"),
        ] {
            let problem = desk.patch("/settings", json!({"leaving": [by]})).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer);
        }
        let many: Vec<Value> = (0..11).map(|_| json!({"path": "title"})).collect();
        desk.patch("/settings", json!({"leaving": many})).await.problem(400, "invalid-value");
    }

    async fn a_leave_is_decided_against_before_it_begins_and_while_it_lasts(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, eve, bob) = (house.user("ada").await, house.user("eve").await, house.user("bob").await);
        let plan = async |id: &str, from: &str| {
            let body = json!({"from": from, "until": "2026-01-01T01:00:00Z"});
            let path = format!("/api/v1/users/{id}/leave");
            desk.ask(Method::PUT, &path, Some(body), &[]).await.status(200);
        };
        plan(&ada, "2026-01-01T00:30:00Z").await;
        plan(&eve, "2026-01-01T00:00:10Z").await;
        pass(&house, 10).await;
        let status = async |id: &str| desk.get(&format!("/users/{id}/status")).await.json["status"].clone();
        assert_eq!(status(&eve).await, "suspended");
        for id in [&ada, &eve] {
            desk.delete(&format!("/users/{id}/leave")).await.no_content();
            assert_eq!(status(id).await, "active");
            desk.delete(&format!("/users/{id}/leave")).await.problem(404, "not-found");
        }
        desk.post(&format!("/users/{bob}/suspend"), json!({})).await.status(200);
        desk.delete(&format!("/users/{bob}/leave")).await.problem(404, "not-found");
        pass(&house, 7200).await;
        assert_eq!((status(&ada).await, status(&bob).await), (json!("active"), json!("suspended")));
        assert_eq!(texts(&desk.get("/schedules?state=cancelled").await.json, "action").len(), 3);
    }

    async fn leavers_come_as_a_table_and_as_a_calendar(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.post("/Users", user("ada", json!({"displayName": "=Ada, \"A\""}))).await.status(201).id();
        let body = json!({"deactivate_at": "2026-01-31T22:59:59Z", "reason": "end; of\nterm"});
        let path = format!("/api/v1/users/{ada}/schedule");
        let plan = desk.ask(Method::PUT, &path, Some(body), &[]).await.status(200).id();
        let accept = [("accept", "text/csv")];
        let table = desk.ask(Method::GET, "/api/v1/leavers", None, &accept).await.status(200);
        assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
        let row = format!("\"{plan}\",\"{ada}\",\"'=Ada, \"\"A\"\"\",\"2026-01-31T22:59:59.000000Z\",\"end; of\nterm\"\r\n");
        assert_eq!(table.text, format!("id,user,name,due,reason\r\n{row}"));
        assert_eq!(desk.get("/leavers?format=csv").await.status(200).text, table.text);
        let calendar = desk.get("/leavers?format=ics").await.status(200);
        assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
        for line in ["BEGIN:VCALENDAR", "DTSTART:20260131T225959Z", "SUMMARY:=Ada\\, \"A\" leaves", "DESCRIPTION:end\\; of\\nterm", "END:VCALENDAR"] {
            assert!(calendar.text.split("\r\n").any(|one| one == line), "{line} is not in {}", calendar.text);
        }
        assert!(calendar.text.contains(&format!("UID:{plan}\r\n")));
        desk.get("/leavers?format=pdf").await.problem(400, "invalid-parameter");
        assert_eq!(texts(&desk.get("/leavers?format=json").await.json, "id"), [plan]);
        let other = house.user("bob").await;
        let path = format!("/api/v1/users/{other}/schedule");
        desk.ask(Method::PUT, &path, Some(json!({"deactivate_at": "2026-02-01T00:00:00Z"})), &[]).await.status(200);
        let first = desk.get("/leavers?format=csv&limit=1").await.status(200);
        assert!(first.header("link").contains("rel=\"next\"") && first.header("link").contains("format=csv"));
    }
}
