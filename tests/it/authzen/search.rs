//! `POST /access/v1/search/…`: pages, and who may search.

use serde_json::{Value, json};

use super::fixture::{Fixture, READ, WRITE, action, record, user};
use crate::admin::desk::Desk;
use crate::support::TestHouse;

fn readers(page: &Value) -> Value {
    json!({"subject": {"type": "user"}, "action": action(READ), "resource": record("record-1"), "page": page})
}

each_database! {
    async fn a_token_belongs_to_its_question_and_its_limit(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let first = fixture.desk.decide("/search/subject", readers(&json!({"limit": 1}))).await.status(200).json;
        assert_eq!(first["page"]["count"], 1);
        let token = &first["page"]["next_token"];
        let mut other = readers(&json!({"token": token}));
        other["action"]["name"] = json!(WRITE);
        fixture.desk.decide("/search/subject", other).await.status(400);
        for page in [json!({"token": token, "limit": 2}), json!({"token": "x"}), json!({"limit": 0})] {
            fixture.desk.decide("/search/subject", readers(&page)).await.status(400);
        }
        fixture.desk.decide("/search/subject", readers(&json!({"token": token, "limit": 1}))).await.status(200);
    }

    async fn a_subject_that_is_found_has_an_id_and_a_name_that_people_know(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let answer = fixture.desk.decide("/search/subject", readers(&json!({}))).await.status(200).json;
        let expected = [(&fixture.alice, "alice"), (&fixture.bob, "bob")];
        let expected = expected.map(|(id, name)| json!({"type": "user", "id": id, "properties": {"userName": name}}));
        assert_eq!(answer["results"], json!(expected));
        assert_eq!(answer["page"], json!({"next_token": "", "count": 2}));
        // Both can be asked about.
        for name in [fixture.bob.as_str(), "bob"] {
            let own = json!({"subject": user(name), "resource": record("record-1")});
            assert_eq!(fixture.desk.decide("/search/action", own).await.status(200).json["results"], json!([{"name": READ}]));
        }
    }

    async fn every_entity_of_a_question_is_bound_to_its_token(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let first = fixture.desk.decide("/search/subject", readers(&json!({"limit": 1}))).await.status(200).json;
        let page = json!({"token": first["page"]["next_token"]});
        for (pointer, value) in [
            ("/subject/type", json!("robot")),
            ("/action/name", json!(WRITE)),
            ("/resource/type", json!("lead")),
            ("/resource/id", json!("record-2")),
        ] {
            let mut other = readers(&page);
            *other.pointer_mut(pointer).unwrap() = value;
            let refused = fixture.desk.decide("/search/subject", other).await.status(400);
            assert!(refused.json.is_string(), "{pointer}: {}", refused.text);
        }
        // A context is no part of the question.
        let mut same = readers(&page);
        same["context"] = json!({"time": "2026-01-01T00:00:00Z"});
        assert_eq!(fixture.desk.decide("/search/subject", same).await.status(200).json["page"]["next_token"], "");
    }

    async fn pages_of_resources_make_up_the_list(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let (mut ids, mut page) = (Vec::new(), json!({"limit": 1}));
        loop {
            let body = json!({"subject": user("bob"), "action": action(READ), "resource": {"type": "record", "id": "ignored"}, "page": page});
            let answer = fixture.desk.decide("/search/resource", body).await.status(200).json;
            ids.extend(answer["results"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            match answer["page"]["next_token"].as_str().unwrap() {
                "" => break,
                token => page = json!({"token": token}),
            }
        }
        assert_eq!(ids, ["record-1", "record-2"]);
    }

    async fn a_user_searches_for_what_they_may_themselves(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let alice = Desk::user(&house, &fixture.alice);
        let own = json!({"subject": user(&fixture.alice), "resource": record("record-1")});
        alice.decide("/search/action", own).await.status(200);
        alice.decide("/search/subject", readers(&json!({}))).await.status(403);
    }
}
