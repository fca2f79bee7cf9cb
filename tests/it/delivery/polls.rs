//! Streams that fetch their tokens (RFC 8936).

use axum::http::Method;
use serde_json::{Value, json};

use super::token::{self, PROV, Set};
use crate::admin::desk::{Desk, Problems};
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// A stream of `acme` that is polled.
pub struct Stream {
    house: TestHouse,
    pub desk: Desk,
    pub id: String,
    pub token: String,
}

impl Stream {
    pub async fn new(house: &TestHouse, name: &str) -> Self {
        let desk = Desk::admin(house);
        let made = desk
            .post("/streams", json!({"name": name, "delivery": "poll"}))
            .await
            .status(201);
        assert_eq!(made.header("cache-control"), "no-store");
        let made = made.json;
        let stream = Self {
            house: house.clone(),
            desk,
            id: made["id"].as_str().unwrap().to_owned(),
            token: made["token"].as_str().unwrap().to_owned(),
        };
        assert_eq!(made["url"], format!("http://localhost{}", stream.address()));
        stream
    }

    pub fn path(&self, below: &str) -> String {
        format!("/streams/{}{below}", self.id)
    }

    pub fn address(&self) -> String {
        format!("/events/v1/streams/{}/poll", self.id)
    }

    pub async fn ask(&self, token: &str, body: Value) -> Answer {
        Desk::with(&self.house, token)
            .ask(Method::POST, &self.address(), Some(body), &[])
            .await
    }

    /// Polls; is answered at once.
    pub async fn poll(&self, mut body: Value) -> Value {
        body["returnImmediately"] = true.into();
        let answer = self.ask(&self.token, body).await.status(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.json
    }

    /// What a poll gives, proved.
    pub async fn fetch(&self, body: Value) -> Vec<Set> {
        let answer = self.poll(body).await;
        let mut sets = Vec::new();
        for (jti, token) in answer["sets"].as_object().unwrap() {
            let set = token::read(&self.house, token.as_str().unwrap()).await;
            assert_eq!(set.jti(), jti);
            sets.push(set);
        }
        sets
    }

    pub async fn shown(&self) -> Value {
        self.desk.get(&self.path("")).await.status(200).json
    }
}

pub fn jtis(sets: &[Set]) -> Vec<&str> {
    sets.iter().map(Set::jti).collect()
}

each_database! {
    async fn what_is_not_acknowledged_is_given_again_the_same(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        assert_eq!(stream.poll(json!({})).await, json!({"sets": {}}));
        let mia = house.user("mia").await;
        house.group("Sales").await;
        let first = stream.fetch(json!({})).await;
        assert_eq!(first.len(), 2);
        assert_eq!(first[0].events(), [format!("{PROV}create:notice")]);
        assert_eq!(first[0].claims["sub_id"]["uri"], format!("/Users/{mia}"));
        let again = stream.fetch(json!({})).await;
        assert_eq!(first.iter().map(|set| &set.claims).collect::<Vec<_>>(), again.iter().map(|set| &set.claims).collect::<Vec<_>>());
        let rest = stream.fetch(json!({"ack": [first[0].jti()]})).await;
        assert_eq!(jtis(&rest), [first[1].jti()], "a poll that acknowledges is not given that again");
        assert_eq!(stream.poll(json!({"ack": [first[1].jti()], "maxEvents": 0})).await, json!({"sets": {}}));
        assert_eq!(stream.fetch(json!({})).await, []);
        let last = stream.desk.get("/events?kind=group.created").await.status(200).json["items"][0]["seq"].clone();
        let shown = stream.shown().await;
        assert_eq!(shown["position"], last);
        assert_eq!(shown["last_success"], "2026-01-01T00:00:00.000000Z");
        // It has been acknowledged, and is so still.
        assert_eq!(stream.fetch(json!({"ack": jtis(&first)})).await, []);
    }

    async fn what_is_acknowledged_out_of_order_waits_for_what_is_missing(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        for name in ["mia", "bob", "eve"] {
            house.user(name).await;
        }
        let all = stream.fetch(json!({})).await;
        assert_eq!(jtis(&stream.fetch(json!({"ack": [all[2].jti(), all[1].jti()]})).await), [all[0].jti()]);
        let shown = stream.shown().await;
        let missing: i64 = all[0].jti().rsplit_once('-').unwrap().1.parse().unwrap();
        assert_eq!(shown["position"], missing - 1);
        assert_eq!(shown["deliveries"], json!({"waiting": 0, "behind": 0, "dead": 0}));
        assert_eq!(stream.desk.get(&stream.path("/deliveries")).await.status(200).json["items"], json!([]));
        house.user("ida").await;
        let rest = stream.fetch(json!({"ack": [all[0].jti()]})).await;
        assert_eq!(rest.len(), 1);
        assert!(!jtis(&all).contains(&rest[0].jti()));
    }

    async fn what_could_not_be_accepted_is_given_up_until_somebody_replays_it(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        let mia = house.user("mia").await;
        house.user("bob").await;
        let all = stream.fetch(json!({})).await;
        let body = json!({
            "ack": [all[1].jti()], "setErrs": {all[0].jti(): {"err": "invalid_key", "description": "mia@example.com"}},
        });
        assert_eq!(stream.fetch(body).await, []);
        let list = stream.desk.get(&stream.path("/deliveries")).await.status(200).json["items"].clone();
        assert_eq!(list.as_array().unwrap().len(), 1);
        assert_eq!((&list[0]["state"], &list[0]["error"]), (&json!("dead"), &json!("invalid_key")));
        assert_eq!(list[0]["subject"], json!({"kind": "user", "id": mia}));
        let dead = stream.desk.get("/events?kind=delivery.dead").await.status(200).json;
        assert_eq!(dead["items"][0]["data"]["positions"], json!([list[0]["seq"]]));
        stream.desk.post(&stream.path("/replay"), json!({"dead": true})).await.status(204);
        assert_eq!(jtis(&stream.fetch(json!({})).await), [all[0].jti()]);
        let made_up = json!({"setErrs": {all[0].jti(): {"err": "because I say so"}}});
        assert_eq!(stream.fetch(made_up).await, []);
        let list = stream.desk.get(&stream.path("/deliveries?state=dead")).await.status(200).json["items"].clone();
        assert_eq!(list[0]["error"], "refused", "nothing that a receiver says is kept");
        stream.desk.post(&stream.path("/replay"), json!({"dead": true})).await.status(204);
        assert_eq!(stream.fetch(json!({"ack": [all[0].jti()]})).await, []);
        let all_again = json!({"from": list[0]["seq"]});
        stream.desk.post(&stream.path("/replay"), all_again).await.status(204);
        assert_eq!(jtis(&stream.fetch(json!({})).await), jtis(&all));
    }

    async fn a_page_is_as_long_as_it_may_be_and_says_that_there_is_more(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        for name in ["mia", "bob", "eve"] {
            house.user(name).await;
        }
        let first = stream.poll(json!({"maxEvents": 2})).await;
        assert_eq!((first["sets"].as_object().unwrap().len(), &first["moreAvailable"]), (2, &json!(true)));
        let acks: Vec<&String> = first["sets"].as_object().unwrap().keys().collect();
        let second = stream.poll(json!({"maxEvents": 2, "ack": acks})).await;
        assert_eq!((second["sets"].as_object().unwrap().len(), second.get("moreAvailable")), (1, None));
        let many: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
        stream.ask(&stream.token, json!({"ack": many})).await.problem(400, "invalid-value");
        stream.ask(&stream.token, json!({"maxEvents": -1})).await.status(400);
    }

    async fn ids_of_others_mean_nothing(house: TestHouse) {
        let (one, other) = (Stream::new(&house, "one").await, Stream::new(&house, "other").await);
        house.user("mia").await;
        let (mine, theirs) = (one.fetch(json!({})).await, other.fetch(json!({})).await);
        let made_up = format!("{}-0{}", one.id, 9);
        let acks = json!([theirs[0].jti(), "nonsense", made_up, format!("{}-999999", one.id), format!("{}--1", one.id)]);
        assert_eq!(jtis(&one.fetch(json!({"ack": acks})).await), jtis(&mine));
    }

    async fn a_stream_is_polled_by_its_own_token_alone(house: TestHouse) {
        let (one, other) = (Stream::new(&house, "one").await, Stream::new(&house, "other").await);
        let bare = Desk::nobody(&house).ask(Method::POST, &one.address(), Some(json!({})), &[]).await;
        assert!(bare.header("www-authenticate").starts_with("Bearer"));
        bare.problem(401, "unauthorized");
        for wrong in [&other.token, "mst_wrong"] {
            one.ask(wrong, json!({})).await.problem(401, "unauthorized");
        }
        let admin = crate::admin::desk::token(&house, "acme", &["--admin"]);
        one.ask(&admin, json!({})).await.problem(403, "forbidden");
        let renewed = one.desk.post(&one.path("/token"), json!({})).await.status(201);
        assert_eq!(renewed.header("cache-control"), "no-store");
        one.ask(&one.token, json!({})).await.status(401);
        let body = json!({"returnImmediately": true});
        one.ask(renewed.json["token"].as_str().unwrap(), body).await.status(200);
        Desk::with(&house, &other.token).get("/events").await.status(401);
        house.logs.never_say(&other.token);
    }

    async fn who_waits_is_given_what_happens_meanwhile(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        stream.poll(json!({})).await;
        let waiting = async { stream.ask(&stream.token, json!({})).await.status(200).json };
        let meanwhile = async {
            tokio::task::yield_now().await;
            let mia = house.user("mia").await;
            house.turn().await;
            mia
        };
        let (answer, mia) = tokio::join!(waiting, meanwhile);
        let sets = answer["sets"].as_object().unwrap();
        assert_eq!(sets.len(), 1);
        let set = token::read(&house, sets.values().next().unwrap().as_str().unwrap()).await;
        assert_eq!(set.claims["sub_id"]["uri"], format!("/Users/{mia}"));
    }

    async fn two_who_poll_lose_nothing(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        for number in 0..8 {
            house.user(&format!("u{number}")).await;
        }
        let all = stream.fetch(json!({})).await;
        let (even, odd): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(at, _)| at % 2 == 0);
        let acks = |half: &[(usize, &Set)]| json!({"ack": half.iter().map(|(_, set)| set.jti()).collect::<Vec<_>>()});
        let (one, other) = tokio::join!(stream.poll(acks(&even)), stream.poll(acks(&odd)));
        assert!(one["sets"].is_object() && other["sets"].is_object());
        assert_eq!(stream.fetch(json!({})).await, []);
        assert_eq!(stream.shown().await["deliveries"]["dead"], 0);
    }

    async fn a_paused_stream_is_given_nothing_and_is_not_relayed(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        house.user("mia").await;
        let all = stream.fetch(json!({})).await;
        stream.desk.post(&stream.path("/pause"), json!({})).await.status(204);
        house.user("bob").await;
        house.turn().await;
        assert_eq!(stream.fetch(json!({"ack": jtis(&all)})).await, []);
        assert_eq!(stream.shown().await["state"], "paused");
        stream.desk.post(&stream.path("/resume"), json!({})).await.status(204);
        assert_eq!(stream.fetch(json!({})).await.len(), 1);
    }

    async fn who_may_not_read_the_log_has_nobody_told_what_it_says_of_people(house: TestHouse) {
        let (admin, mia) = (Desk::admin(&house), house.user("mia").await);
        admin.grant(&mia, "manager", "all").await;
        let manager = Desk::user(&house, &mia);
        let asked = |name: &str, way: &str| json!({"name": name, "delivery": "poll", "events": [format!("{PROV}create:{way}")]});
        manager.post("/streams", asked("whole", "full")).await.problem(403, "forbidden");
        let notice = manager.post("/streams", asked("told", "notice")).await.status(201).id();
        let full = json!({"events": [format!("{PROV}create:full")]});
        manager.patch(&format!("/streams/{notice}"), full).await.problem(403, "forbidden");
        let whole = admin.post("/streams", asked("whole", "full")).await.status(201).id();
        manager.patch(&format!("/streams/{whole}"), json!({"name": "mine"})).await.problem(403, "forbidden");
        manager.post(&format!("/streams/{whole}/token"), json!({})).await.problem(403, "forbidden");
        manager.post(&format!("/streams/{notice}/token"), json!({})).await.status(201);
    }
}
