//! `GET /api/v1/live`: the log as it grows.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::admin::desk::{Desk, Problems, token};
use crate::support::TestHouse;

/// Nothing that comes at all takes this long, even on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers that go on at once, of one organisation.
const MOST: usize = 64;

/// Somebody who listens.
struct Listener {
    body: Body,
    text: String,
}

/// What they are told.
#[derive(Debug, PartialEq)]
struct Told {
    id: i64,
    kind: String,
    data: Value,
}

impl Listener {
    async fn open(house: &TestHouse, token: &str, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = Request::get(format!("/api/v1/live{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::ACCEPT_ENCODING, "gzip");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = house.open(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert!(
            !response.headers().contains_key(header::CONTENT_ENCODING),
            "it would wait for more"
        );
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next message; none when the answer ends.
    async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some((message, rest)) = self.text.split_once("\n\n") {
                let (message, rest) = (message.to_owned(), rest.to_owned());
                self.text = rest;
                if message != ":" {
                    return Some(read(&message));
                }
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("nothing came");
            let bytes = frame?.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

fn read(message: &str) -> Told {
    let line = |name: &str| {
        let mut found = message
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found
            .next()
            .unwrap_or_else(|| panic!("no {name} in {message}"))
            .to_owned()
    };
    Told {
        id: line("id").parse().unwrap(),
        kind: line("event"),
        data: serde_json::from_str(&line("data")).unwrap(),
    }
}

fn admin(house: &TestHouse) -> String {
    token(house, "acme", &["--admin"])
}

each_database! {
    async fn what_happens_is_told_as_it_happens(house: TestHouse) {
        let admin = admin(&house);
        let before = house.user("before").await;
        let mut listener = Listener::open(&house, &admin, "", &[]).await;
        let mia = house.user("mia").await;
        house.turn().await;
        let told = listener.next().await.unwrap();
        let events = Desk::with(&house, &admin).get(&format!("/events?subject={mia}")).await.status(200).json;
        assert_eq!(told.kind, "user.created");
        assert_eq!(told.data, events["items"][0], "an item of the list");
        assert_eq!(told.id, told.data["seq"].as_i64().unwrap());
        assert_eq!(told.data["after"]["userName"], "mia", "opened for who may read it");
        house.group("Sales").await;
        house.turn().await;
        let next = listener.next().await.unwrap();
        assert_eq!((next.id, next.kind.as_str()), (told.id + 1, "group.created"));
        assert_ne!(told.data["subject"]["id"], before.as_str());
    }

    async fn who_lost_the_connection_goes_on_where_it_broke(house: TestHouse) {
        let admin = admin(&house);
        house.user("mia").await;
        house.turn().await;
        let desk = Desk::with(&house, &admin);
        let all = desk.get("/events?limit=500").await.status(200).json["items"].as_array().unwrap().clone();
        let last = all[all.len() - 1]["seq"].as_i64().unwrap();
        let told = async |query: &str, headers: &[(&str, &str)]| {
            let mut listener = Listener::open(&house, &admin, query, headers).await;
            let mut told = Vec::new();
            while told.last().is_none_or(|one: &Told| one.id < last) {
                told.push(listener.next().await.unwrap());
            }
            told.into_iter().map(|one| one.data).collect::<Vec<_>>()
        };
        assert_eq!(told("?after=0", &[]).await, all);
        let at = (last - 2).to_string();
        assert_eq!(told("?after=0", &[("last-event-id", &at)]).await, all[all.len() - 2..]);
        for (query, parameter) in [("?after=-1", "after"), ("?after=x", "after"), ("?since=1", "since")] {
            assert_eq!(desk.get(&format!("/live{query}")).await.status(400).json["parameter"], parameter);
        }
        desk.get(&format!("/live?after={}", last + 1)).await.problem(400, "invalid-value");
    }

    async fn nothing_is_told_after_the_token_has_ended(house: TestHouse) {
        let made = Desk::admin(&house).post("/tokens", json!({"admin": true})).await.status(201).json;
        let mut listener = Listener::open(&house, made["token"].as_str().unwrap(), "", &[]).await;
        house.user("mia").await;
        house.turn().await;
        assert_eq!(listener.next().await.unwrap().kind, "user.created");
        let id = made["id"].as_str().unwrap();
        Desk::admin(&house).delete(&format!("/tokens/{id}")).await.status(204);
        house.user("bob").await;
        house.turn().await;
        assert_eq!(listener.next().await, None);
    }

    async fn nothing_is_told_after_the_permission_is_lost(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ida = house.user("ida").await;
        let role = desk.post("/roles", json!({"name": "Auditor", "permissions": ["org.audit.view"]})).await.status(201).id();
        let grant = desk.grant(&ida, &role, "all").await;
        house.turn().await;
        let mut listener = Listener::open(&house, &token(&house, "acme", &["--user", &ida]), "", &[]).await;
        house.user("mia").await;
        house.turn().await;
        assert_eq!(listener.next().await.unwrap().kind, "user.created");
        desk.delete(&format!("/grants/{grant}")).await.status(204);
        house.turn().await;
        assert_eq!(listener.next().await, None, "not even that it was taken away");
    }

    async fn a_neighbour_is_told_of_what_is_theirs(house: TestHouse) {
        let theirs = token(&house, "neighbour", &["--admin"]);
        let mut listener = Listener::open(&house, &theirs, "", &[]).await;
        house.user("mia").await;
        let eve = house.second_tenant().user("eve").await;
        house.turn().await;
        assert_eq!(listener.next().await.unwrap().data["subject"]["id"], eve.as_str());
    }

    async fn so_many_follow_the_log_and_no_more(house: TestHouse) {
        let admin = admin(&house);
        let mut listeners = Vec::new();
        for _ in 0..MOST {
            listeners.push(Listener::open(&house, &admin, "", &[]).await);
        }
        let refused = Desk::with(&house, &admin).get("/live").await;
        assert_eq!(refused.header("retry-after"), "10");
        refused.problem(503, "unavailable");
        // Others have their own places.
        let theirs = token(&house, "neighbour", &["--admin"]);
        Listener::open(&house, &theirs, "", &[]).await;
        let mut waiting = Vec::new();
        for number in 0..MOST {
            waiting.push(super::polls::Stream::new(&house, &format!("stream-{number}")).await);
        }
        assert_eq!(waiting[0].fetch(json!({})).await, [], "pollers are not counted with them");
        listeners.pop();
        // Who has left is missed with the next message.
        house.user("mia").await;
        house.turn().await;
        for listener in &mut listeners {
            listener.next().await.unwrap();
        }
        Desk::with(&house, &admin).get("/live?after=x").await.status(400);
        let again = async {
            while Desk::with(&house, &admin).get("/live?after=1000000").await.status != 400 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, again).await.expect("there is a place again");
    }
}
