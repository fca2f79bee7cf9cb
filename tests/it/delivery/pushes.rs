//! Streams that tokens are posted to (RFC 8935).

use std::time::Duration;

use serde_json::{Value, json};

use super::token::{self, PROV, Set};
use crate::admin::desk::{Desk, Problems};
use crate::support::TestHouse;
use crate::support::program::run;
use crate::support::receiver::{Receiver, Reply};
use crate::support::seam;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";

/// A stream of `acme`, with its receiver.
pub struct Stream {
    house: TestHouse,
    pub desk: Desk,
    pub receiver: Receiver,
    pub id: String,
}

impl Stream {
    /// One that is told these events; the usual ones where there are none.
    pub async fn of(house: &TestHouse, events: &[&str]) -> Self {
        let (desk, receiver) = (Desk::admin(house), Receiver::open().await);
        receiver.answers(|_| Reply::Status(202));
        let mut body = json!({
            "name": receiver.url(), "delivery": "push", "url": receiver.url(), "authorization": "Bearer receivers-own",
        });
        if !events.is_empty() {
            body["events"] = json!(events);
        }
        let made = desk.post("/streams", body).await.status(201).json;
        house.turn().await;
        assert_eq!(receiver.got().len(), 0, "what was before is of no interest");
        Self {
            house: house.clone(),
            desk,
            receiver,
            id: made["id"].as_str().unwrap().to_owned(),
        }
    }

    pub fn path(&self, below: &str) -> String {
        format!("/streams/{}{below}", self.id)
    }

    /// What came since the last time.
    pub async fn told(&self) -> Vec<Set> {
        self.house.turn().await;
        let mut told = Vec::new();
        for got in self.receiver.take() {
            told.push(token::read(&self.house, &got.text).await);
        }
        told
    }

    /// The one token that came since the last time.
    pub async fn one(&self) -> Set {
        let mut told = self.told().await;
        assert_eq!(told.len(), 1, "{told:?}");
        told.remove(0)
    }

    pub async fn troubles(&self) -> Vec<(String, Value)> {
        let list = self.desk.get(&self.path("/deliveries")).await.status(200).json;
        let of = |one: &Value| (one["state"].as_str().unwrap().to_owned(), one["error"].clone());
        list["items"].as_array().unwrap().iter().map(of).collect()
    }
}

async fn replace(house: &TestHouse, path: &str, attribute: &str, value: Value) {
    let operations = json!([{"op": "replace", "path": attribute, "value": value}]);
    house.patch(path, operations).await.status(200);
}

each_database! {
    async fn what_happens_is_posted_as_a_token_that_the_published_key_proves(house: TestHouse) {
        let stream = Stream::of(&house, &[]).await;
        let mia = house.user("mia-of-the-stream").await;
        house.turn().await;
        let got = stream.receiver.got().remove(0);
        assert_eq!(got.header("content-type"), "application/secevent+jwt");
        assert_eq!(got.header("accept"), "application/json");
        assert_eq!(got.header("authorization"), "Bearer receivers-own");
        let set = stream.one().await;
        assert_eq!((&set.header["typ"], &set.header["alg"]), (&json!("secevent+jwt"), &json!("ES256")));
        let shown = stream.desk.get(&stream.path("")).await.status(200).json;
        let event = stream.desk.get("/events?kind=user.created").await.status(200).json["items"][0].clone();
        assert!(set.claims["iat"].is_i64());
        assert_eq!(set.claims, json!({
            "iss": "http://localhost", "aud": [stream.receiver.url()], "iat": set.claims["iat"], "toe": set.claims["iat"],
            "jti": format!("{}-{}", stream.id, event["seq"]), "txn": event["txn"],
            "sub_id": {"format": "scim", "uri": format!("/Users/{mia}")},
            "events": {format!("{PROV}create:notice"): {"attributes": ["userName"], "version": "W/\"1\""}},
        }));
        assert_eq!((&shown["issuer"], &shown["audience"]), (&set.claims["iss"], &set.claims["aud"][0]));
        assert_eq!(shown["position"], event["seq"]);
        assert_eq!(shown["authorized"], true);
        assert_eq!(shown.as_object().unwrap().get("authorization"), None);
        assert_eq!(stream.told().await, [], "once");
        house.logs.never_say("receivers-own");
    }

    async fn each_change_is_told_by_the_event_that_it_is(house: TestHouse) {
        let stream = Stream::of(&house, &[]).await;
        let (mia, sales) = (house.user("mia").await, house.group("Sales").await);
        stream.told().await;
        let path = format!("/Users/{mia}");
        replace(&house, &path, "title", json!("Countess")).await;
        let patched = stream.one().await;
        assert_eq!(patched.events(), [format!("{PROV}patch:notice")]);
        assert_eq!(*patched.payload(), json!({"attributes": ["title"], "version": "W/\"2\""}));
        let whole = json!({"schemas": [USER, ENTERPRISE], "userName": "mia", ENTERPRISE: {"department": "Sales"}});
        house.put(&path, whole).await.status(200);
        let put = stream.one().await;
        assert_eq!(put.events(), [format!("{PROV}put:notice")]);
        let department = format!("{ENTERPRISE}:department");
        assert_eq!(put.payload()["attributes"], json!(["title", department]));
        assert_eq!(put.payload()["version"], "W/\"3\"");
        house.join(&sales, &mia).await;
        let joined = stream.one().await;
        assert_eq!(joined.claims["sub_id"], json!({"format": "scim", "uri": format!("/Groups/{sales}")}));
        assert_eq!(joined.payload()["attributes"], json!(["members"]));
        replace(&house, &path, "active", json!(false)).await;
        let told = stream.told().await;
        let events: Vec<_> = told.iter().map(Set::events).collect();
        assert_eq!(events, [[format!("{PROV}patch:notice")], [format!("{PROV}deactivate")]]);
        assert_eq!(*told[1].payload(), json!({}));
        assert_eq!(told[0].claims["txn"], told[1].claims["txn"], "what was saved as one");
        replace(&house, &path, "active", json!(true)).await;
        assert_eq!(stream.told().await[1].events(), [format!("{PROV}activate")]);
        house.delete(&format!("/Groups/{sales}")).await.no_content();
        let deleted = stream.one().await;
        assert_eq!((deleted.events(), deleted.payload()), (vec![format!("{PROV}delete").as_str()], &json!({})));
    }

    async fn with_values_a_token_says_all_of_it(house: TestHouse) {
        let full = ["create:full", "patch:full", "put:full"].map(|event| format!("{PROV}{event}"));
        let stream = Stream::of(&house, &full.each_ref().map(String::as_str)).await;
        let made = json!({
            "schemas": [USER, ENTERPRISE], "userName": "mia", "externalId": "E-7", "password": "Tr0ub4dor&3",
            "emails": [{"value": "mia@example.com"}], ENTERPRISE: {"department": "Sales"},
        });
        let mia = house.post("/Users", made).await.status(201).id();
        let path = format!("/Users/{mia}");
        let is = async || {
            let mut is = house.get(&path).await.status(200).json;
            // The log tells who changed what when, and not what the times of the row are.
            is["meta"].as_object_mut().unwrap().retain(|name, _| !matches!(name.as_str(), "created" | "lastModified"));
            is
        };
        let created = stream.one().await;
        assert_eq!(created.claims["sub_id"]["externalId"], "E-7");
        assert_eq!(created.events(), [&full[0]]);
        assert_eq!(created.payload()["data"], is().await);
        house.clock().advance(Duration::from_secs(1));
        house.patch(&path, json!([
            {"op": "add", "path": "title", "value": "Countess"},
            {"op": "remove", "path": "emails"},
            {"op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "North"},
        ])).await.status(200);
        let patched = stream.one().await;
        assert_eq!(patched.events(), [&full[1]]);
        // What it says does the same to somebody who was the same.
        let twin = json!({
            "schemas": [USER, ENTERPRISE], "userName": "twin", "emails": [{"value": "mia@example.com"}],
            ENTERPRISE: {"department": "Sales"},
        });
        let twin = house.post("/Users", twin).await.status(201).id();
        let operations = patched.payload()["data"]["Operations"].clone();
        let after = house.patch(&format!("/Users/{twin}"), operations).await.status(200).json;
        for name in ["title", "emails", ENTERPRISE] {
            assert_eq!(after[name], is().await[name], "{name}");
        }
        stream.told().await;
        house.clock().advance(Duration::from_secs(1));
        let whole = json!({"schemas": [USER], "userName": "mia", "nickName": "Mimi"});
        house.put(&path, whole).await.status(200);
        let put = stream.one().await;
        assert_eq!(put.events(), [&full[2]]);
        assert_eq!(put.payload()["data"], is().await);
        let said = [created, patched, put].map(|set| set.claims.to_string()).concat();
        assert!(!said.contains("Tr0ub4dor"), "{said}");
    }

    async fn the_end_of_an_account_is_told_in_the_words_of_caep_and_risc(house: TestHouse) {
        let stream = Stream::of(&house, &[REVOKED, DISABLED]).await;
        let (mia, bob) = (house.user("mia").await, house.user("bob").await);
        assert_eq!(stream.told().await, [], "nothing has ended");
        replace(&house, &format!("/Users/{mia}"), "active", json!(false)).await;
        let ended = stream.one().await;
        assert_eq!(ended.claims["sub_id"], json!({"format": "iss_sub", "iss": "http://localhost", "sub": mia}));
        assert_eq!(ended.claims["events"], json!({
            REVOKED: {"event_timestamp": ended.claims["iat"], "initiating_entity": "policy"}, DISABLED: {},
        }));
        stream.desk.post(&format!("/users/{bob}/suspend"), json!({"reason": "x"})).await.status(200);
        let suspended = stream.one().await;
        assert_eq!(suspended.claims["events"][REVOKED]["initiating_entity"], "admin");
        stream.desk.post(&format!("/users/{bob}/deactivate"), json!({})).await.status(200);
        assert_eq!(stream.told().await, [], "nothing of theirs was open any more");
        let eve = house.user("eve").await;
        house.delete(&format!("/Users/{eve}")).await.no_content();
        assert_eq!(stream.one().await.claims["sub_id"]["sub"], eve.as_str());
    }

    async fn what_is_refused_is_not_sent_again_and_what_fails_is_with_the_same_claims(house: TestHouse) {
        let stream = Stream::of(&house, &[]).await;
        stream.receiver.answers(|_| Reply::Json(400, json!({"err": "invalid_request", "description": "no"})));
        house.user("mia").await;
        assert_eq!(stream.told().await.len(), 1);
        assert_eq!(stream.troubles().await, [("dead".to_owned(), json!("refused"))]);
        house.clock().advance(Duration::from_hours(2));
        assert_eq!(stream.told().await, []);
        // A refusal is one only in the words of the standard.
        for status in [400, 401, 404, 500] {
            stream.receiver.answers(move |_| Reply::Status(status));
            house.user(&format!("u{status}")).await;
            let first = stream.one().await;
            house.clock().advance(Duration::from_hours(2));
            stream.receiver.answers(|_| Reply::Status(202));
            let again = stream.one().await;
            assert_eq!(first.claims, again.claims, "{status}");
        }
        assert_eq!(stream.troubles().await.len(), 1);
        stream.desk.post(&stream.path("/replay"), json!({"dead": true})).await.status(204);
        assert_eq!(stream.told().await.len(), 1);
        assert_eq!(stream.troubles().await, []);
    }

    async fn a_receiver_that_does_not_know_this_server_any_more_gives_no_token_up(house: TestHouse) {
        let stream = Stream::of(&house, &[]).await;
        for word in ["authentication_failed", "access_denied", "invalid_key"] {
            stream.receiver.answers(move |_| Reply::Json(400, json!({"err": word})));
            for number in 0..30 {
                house.user(&format!("{word}-{number}")).await;
            }
            let sent = stream.told().await.len();
            assert!((20..30).contains(&sent), "{sent} of {word}: it is left alone soon");
            assert_eq!(stream.desk.get(&stream.path("")).await.status(200).json["state"], "failing", "{word}");
            assert!(stream.troubles().await.iter().all(|(state, _)| state != "dead"), "{word}");
            stream.receiver.answers(|_| Reply::Status(202));
            let mut told = Vec::new();
            for _ in 0..4 {
                house.clock().advance(Duration::from_hours(1));
                told.extend(stream.told().await);
            }
            told.sort_by(|one, other| one.jti().cmp(other.jti()));
            told.dedup_by(|one, other| one.jti() == other.jti());
            assert_eq!((told.len(), stream.troubles().await), (30, Vec::new()), "{word}");
        }
    }

    async fn a_verification_goes_to_that_stream_alone(house: TestHouse) {
        let (one, other) = (Stream::of(&house, &[DISABLED]).await, Stream::of(&house, &[]).await);
        one.desk.post(&one.path("/verify"), json!({"state": "known again"})).await.status(204);
        let set = one.one().await;
        assert_eq!(set.claims["sub_id"], json!({"format": "opaque", "id": one.id}));
        assert_eq!(set.claims["events"], json!({
            "https://schemas.openid.net/secevent/ssf/event-type/verification": {"state": "known again"},
        }));
        assert_eq!(other.told().await, []);
        other.desk.post(&other.path("/verify"), json!({})).await.status(204);
        assert_eq!(*other.one().await.payload(), json!({}));
        for wrong in ["", "\u{e9}", &"x".repeat(256)] {
            let problem = one.desk.post(&one.path("/verify"), json!({"state": wrong})).await;
            assert_eq!(problem.problem(400, "invalid-value")["pointer"], "/state");
        }
    }

    async fn another_key_signs_and_the_old_one_stays_known_for_a_week(house: TestHouse) {
        let stream = Stream::of(&house, &[]).await;
        house.user("mia").await;
        let before = stream.one().await.header["kid"].clone();
        seam::rotate_set(house.rooms()).await;
        let kids = async || token::keys(&house).await.iter().map(|key| key["kid"].clone()).collect::<Vec<_>>();
        assert_eq!(kids().await.len(), 2, "it is published at once");
        for (name, minutes) in [("eve", 0), ("ida", 9)] {
            house.clock().advance(Duration::from_mins(minutes));
            house.user(name).await;
            assert_eq!(stream.one().await.header["kid"], before, "not everybody can have the new one");
        }
        house.clock().advance(Duration::from_mins(1));
        house.user("bob").await;
        let after = stream.one().await.header["kid"].clone();
        assert_ne!(before, after);
        for key in token::keys(&house).await {
            assert_eq!((&key["alg"], &key["use"], &key["d"]), (&json!("ES256"), &json!("sig"), &Value::Null));
        }
        house.clock().advance(Duration::from_hours(24 * 8));
        assert_eq!(kids().await, [after]);
        // By a program whose clock is the real one, and far ahead: it signs at once.
        assert!(run(&house.database, &["keys", "rotate", "set"]).status.success());
        house.clock().advance(Duration::from_mins(1));
        house.user("kim").await;
        assert_ne!(stream.one().await.header["kid"], before);
    }

    async fn what_cannot_be_a_stream_is_refused_with_its_place(house: TestHouse) {
        let desk = Desk::admin(&house);
        let create = format!("{PROV}create:");
        let of = |name: &str, value: Value| {
            let mut body = json!({"name": "x", "delivery": "push", "url": "https://example.com/"});
            body[name] = value;
            body
        };
        for (body, pointer) in [
            (of("name", json!("")), "/name"),
            (of("url", json!("https://10.0.0.1/")), "/url"),
            (of("audience", json!("")), "/audience"),
            (of("authorization", json!("two\nlines")), "/authorization"),
            (of("events", json!([])), "/events"),
            (of("events", json!(["user.created"])), "/events/0"),
            (of("events", json!([format!("{PROV}delete"), format!("{PROV}delete")])), "/events/1"),
            (of("events", json!([format!("{create}full"), format!("{create}notice")])), "/events/1"),
            (of("delivery", json!("poll")), "/url"),
            (json!({"name": "x", "delivery": "push"}), "/url"),
            (json!({"name": "x", "delivery": "poll", "authorization": "Bearer x"}), "/authorization"),
        ] {
            let problem = desk.post("/streams", body.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer, "{body}");
        }
        let made = desk.post("/streams", of("name", json!("x"))).await.status(201).json;
        assert_eq!(made.get("token"), None, "one that is pushed to has none");
        assert_eq!(desk.post("/streams", of("name", json!("x"))).await.problem(409, "conflict")["pointer"], "/name");
        let path = format!("/streams/{}", made["id"].as_str().unwrap());
        desk.post(&format!("{path}/token"), json!({})).await.problem(409, "conflict");
        let changed = json!({"audience": "https://other.example", "authorization": null, "events": [DISABLED]});
        let changed = desk.patch(&path, changed).await.status(200).json;
        assert_eq!((&changed["audience"], &changed["events"]), (&json!("https://other.example"), &json!([DISABLED])));
        desk.get(&path.replace("streams", "webhooks")).await.problem(404, "not-found");
        desk.delete(&path.replace("streams", "webhooks")).await.problem(404, "not-found");
        desk.delete(&path).await.status(204);
        assert_eq!(desk.get("/streams").await.status(200).json["items"], json!([]));
    }
}
