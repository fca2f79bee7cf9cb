//! The certification scenario: Basic Core, Batch Core, Search Core and Discovery, test by test under its numbers.

use axum::http::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, READ, WRITE, action, question, record, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// The ids, or names, of what a search found.
fn found(answer: &Answer, member: &str) -> Vec<String> {
    let results = answer.json["results"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", answer.text));
    results
        .iter()
        .map(|one| one[member].as_str().unwrap().to_owned())
        .collect()
}

fn without(mut body: Value, member: &str) -> Value {
    body.as_object_mut().unwrap().remove(member);
    body
}

each_database! {
    async fn basic_core_c_2_2_requests_are_accepted_and_decided(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        // Rules 1 to 4.
        assert!(fixture.decision(question("alice", READ, "record-1")).await);
        assert!(fixture.decision(question("alice", WRITE, "record-1")).await);
        assert!(fixture.decision(question("bob", READ, "record-1")).await);
        assert!(!fixture.decision(question("bob", WRITE, "record-1")).await);
        // C.2.2.3: a context changes nothing.
        let mut more = question("alice", READ, "record-1");
        more["context"] = json!({"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"});
        assert!(fixture.decision(more.clone()).await);
        // C.2.2.8: nor do properties that nothing asks about.
        more["subject"]["properties"] = json!({"department": "Sales", "role": "manager"});
        more["action"]["properties"] = json!({"method": "GET"});
        more["resource"]["properties"] = json!({"status": "active", "owner": "bob"});
        assert!(fixture.decision(more.clone()).await);
        // C.2.2.9: unknown members are ignored.
        more["foo"] = json!("bar");
        more["futureField"] = json!({"nested": true});
        assert!(fixture.decision(more).await);
    }

    async fn basic_core_c_2_4_what_cannot_be_read_is_400(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let whole = || question("alice", READ, "record-1");
        let mut broken: Vec<Value> = ["subject", "action", "resource"].map(|member| without(whole(), member)).into();
        for (entity, member) in [("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id")] {
            let mut body = whole();
            body[entity].as_object_mut().unwrap().remove(member);
            broken.push(body);
        }
        let mut text_for_subject = whole();
        text_for_subject["subject"] = json!("alice");
        let mut number_for_name = whole();
        number_for_name["action"]["name"] = json!(123);
        broken.extend([text_for_subject, number_for_name]);
        for body in broken {
            let answer = fixture.desk.decide("/evaluation", body.clone()).await.status(400);
            assert!(answer.json.is_string(), "{body}: {}", answer.text);
        }
        let path = "/access/v1/evaluation";
        for (body, media) in [(whole().to_string(), "text/plain"), ("{".to_owned(), "application/json"), (String::new(), "application/json")] {
            fixture.desk.raw(Method::POST, path, Some(body), &[("content-type", media)]).await.status(400);
        }
    }

    async fn basic_core_c_2_5_and_c_2_6_request_ids_come_back_and_answers_repeat(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let ask = |headers: &'static [(&str, &str)]| {
            let body = Some(question("alice", READ, "record-1"));
            fixture.desk.ask(Method::POST, "/access/v1/evaluation", body, headers)
        };
        assert_eq!(ask(&[("x-request-id", "cert-7")]).await.status(200).header("x-request-id"), "cert-7");
        for _ in 0..3 {
            assert_eq!(ask(&[]).await.status(200).json["decision"], true);
        }
    }

    async fn batch_core_c_3_questions_share_what_they_leave_out(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        // C.3.2.1 and C.3.2.6
        let body = json!({
            "subject": user("alice"), "action": action(READ), "context": {"time": "2025-06-27T18:03-07:00"},
            "evaluations": [{"resource": record("record-1")}, {"resource": record("record-2"), "context": {"source": "x"}}],
        });
        assert_eq!(fixture.decisions(body).await, [true, true]);
        // C.3.2.2
        let body = json!({
            "subject": user("bob"), "resource": record("record-1"),
            "evaluations": [{"action": action(READ)}, {"action": action(WRITE)}],
        });
        assert_eq!(fixture.decisions(body).await, [true, false]);
        // C.3.2.5
        let body = json!({"evaluations": [question("alice", READ, "record-1"), question("bob", WRITE, "record-1")]});
        assert_eq!(fixture.decisions(body).await, [true, false]);
    }

    async fn batch_core_c_3_4_one_broken_question_spoils_no_other(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let body = json!({
            "subject": user("alice"), "action": action(READ),
            "evaluations": [{"resource": record("record-1")}, {}],
        });
        assert_eq!(fixture.decisions(body).await, [true, false]);
        // C.3.4.2 and C.3.4.3: without questions in it, it is one itself.
        let mut single = question("alice", READ, "record-1");
        for _ in 0..2 {
            let answer = fixture.desk.decide("/evaluations", single.clone()).await.status(200);
            assert_eq!(answer.json["decision"], true);
            assert_eq!(answer.json.get("evaluations"), None);
            single["evaluations"] = json!([]);
        }
    }

    async fn search_core_c_4_finds_subjects_resources_and_actions(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let subjects = json!({"subject": {"type": "user"}, "action": action(READ), "resource": record("record-1"), "context": {"a": 1}});
        let answer = fixture.desk.decide("/search/subject", subjects).await.status(200);
        assert_eq!(found(&answer, "id"), [fixture.alice.as_str(), &fixture.bob]);
        assert_eq!(found(&answer, "type"), ["user", "user"]);
        let resources = json!({"subject": user("alice"), "action": action(READ), "resource": {"type": "record"}});
        let answer = fixture.desk.decide("/search/resource", resources).await.status(200);
        assert_eq!(found(&answer, "id"), ["record-1", "record-2"]);
        assert_eq!(found(&answer, "type"), ["record", "record"]);
        let actions = json!({"subject": user("alice"), "resource": record("record-1"), "context": {"a": 1}});
        let answer = fixture.desk.decide("/search/action", actions).await.status(200);
        let names = found(&answer, "name");
        assert!([READ, WRITE].iter().all(|name| names.iter().any(|one| one == name)), "{names:?}");
    }

    async fn search_core_c_4_5_pages_end_with_an_empty_token(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let mut body = json!({
            "subject": {"type": "user"}, "action": action(READ), "resource": record("record-1"), "page": {"limit": 1},
        });
        let (mut ids, mut pages) = (Vec::new(), 0);
        loop {
            let answer = fixture.desk.decide("/search/subject", body.clone()).await.status(200);
            ids.extend(found(&answer, "id"));
            pages += 1;
            match answer.json["page"]["next_token"].as_str().unwrap() {
                "" => break,
                token => body["page"] = json!({"token": token}),
            }
        }
        // C.4.5.2: the last page says that it is the last.
        assert_eq!((ids, pages), (vec![fixture.alice, fixture.bob], 2));
    }

    async fn search_core_c_4_6_what_is_unknown_is_found_nowhere(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let unknown = [
            ("/search/action", json!({"subject": user("nonexistent-user"), "resource": record("record-1")})),
            ("/search/subject", json!({"subject": {"type": "spaceship"}, "action": action(READ), "resource": record("record-1")})),
            ("/search/resource", json!({"subject": user("alice"), "action": action(READ), "resource": {"type": "spaceship"}})),
            ("/search/subject", json!({"subject": {"type": "user"}, "action": action("fly"), "resource": record("record-1")})),
        ];
        for (path, body) in unknown {
            let answer = fixture.desk.decide(path, body).await.status(200);
            assert_eq!(found(&answer, "id"), Vec::<String>::new(), "{path}");
        }
    }

    async fn search_core_c_4_7_what_is_missing_is_400(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let broken = [
            ("/search/subject", json!({"subject": {"type": "user"}, "resource": record("record-1")})),
            ("/search/resource", json!({"action": action(READ), "resource": {"type": "record"}})),
            ("/search/action", json!({"subject": user("alice")})),
            ("/search/subject", json!({"subject": {"type": "user"}, "action": action(READ), "resource": {"type": "record"}})),
            ("/search/resource", json!({"subject": {"type": "user"}, "action": action(READ), "resource": {"type": "record"}})),
        ];
        for (path, body) in broken {
            let answer = fixture.desk.decide(path, body).await.status(400);
            assert!(answer.json.is_string(), "{path}: {}", answer.text);
        }
    }
}
