//! What the admin API says of a rule that takes long to come into force.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt as _;
use muster::service::Waits;
use muster::service::credentials::{self, Holder};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tower::ServiceExt as _;

use super::activation::crowd;
use super::house::{AccessHouse, gives};
use crate::support::answer::Answer;
use crate::support::seam::{self, Rooms, WAITS};

/// Users enough for several pieces of work.
const SEVERAL_PIECES: i64 = 12_000;
/// How often a rule that was faster than the test is tried again with another one.
const TRIES: usize = 10;

/// The server as an administrator asks it.
#[derive(Clone)]
struct Web {
    rooms: Rooms,
    token: String,
}

impl Web {
    async fn open(house: &AccessHouse) -> Self {
        Self::of(house, WAITS).await
    }

    /// One whose requests do not wait for rules.
    async fn hasty(house: &AccessHouse) -> Self {
        let rule = Duration::ZERO;
        Self::of(house, Waits { rule, ..WAITS }).await
    }

    async fn of(house: &AccessHouse, waits: Waits) -> Self {
        let issued = credentials::issue(&house.services, "acme", &Holder::Admin, None)
            .await
            .unwrap();
        Self {
            rooms: seam::open_waiting(house.database.url(), waits).await,
            token: issued.token.into_exposed(),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.rooms.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer::new(head.status.as_u16(), head.headers, &body)
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).await.status(200).json
    }

    /// The rule when nothing of it is being prepared any more.
    async fn settled(&self, path: &str) -> Value {
        loop {
            let rule = self.get(path).await;
            if rule["progress"].is_null() {
                return rule;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn partners(name: &str) -> Value {
    json!({
        "name": name,
        "when": "userType eq \"partner\"",
        "then": [{"role": "analyst", "scope": "all"}],
        "state": "active",
    })
}

each_database! {
    async fn what_takes_long_is_answered_with_where_to_look(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        crowd(&house, SEVERAL_PIECES).await;
        let web = Web::hasty(&house).await;
        let mut seen = None;
        for number in 0..TRIES {
            let name = format!("Partners {number}");
            let answer = web.ask(Method::POST, "/api/v1/rules", Some(partners(&name))).await;
            let path = format!("/api/v1/rules/{}", answer.json["id"].as_str().unwrap());
            let may = house.may(&ada, "data.act", "all").await;
            let after = web.get(&path).await["progress"]["done"].as_u64();
            // It may be in force before the test has looked.
            let (202, Some(after)) = (answer.status, after) else {
                web.settled(&path).await;
                web.ask(Method::DELETE, &path, None).await.status(204);
                continue;
            };
            seen = Some(path.clone());
            assert_eq!(answer.header("location"), path);
            let told = &answer.json["progress"];
            assert_eq!(told["state"], "preparing");
            assert_eq!(answer.json["state"], "draft", "it is not in force");
            assert!(!may, "it was not in force later");
            let before = told["done"].as_u64().unwrap();
            assert!(told["total"].as_u64().unwrap() >= before, "{told}");
            assert!(before <= after && after <= u64::try_from(SEVERAL_PIECES).unwrap() + 1, "{before} {after}");
            break;
        }
        let path = seen.expect("a rule that was slower than the test");
        assert_eq!(web.settled(&path).await["state"], "active");
        assert!(house.may(&ada, "data.act", "all").await);
        web.ask(Method::PATCH, &path, Some(json!({"state": "active"}))).await.status(200);
        seam::close(web.rooms).await;
    }

    async fn a_second_activation_is_refused_or_takes_the_place_of_the_first(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let rule = house.rule("Partners", "title pr", &[gives("analyst", "all")]).await;
        house.begin(&rule.id, "userType eq \"partner\"").await;
        let web = Web::open(&house).await;
        let path = format!("/api/v1/rules/{}", rule.id);
        let coming = rule.version + 1;
        let progress = json!({"state": "preparing", "version": coming, "done": 0, "total": 1});
        assert_eq!(web.get(&path).await["progress"], progress);
        for second in [json!({"state": "active"}), json!({"state": "active", "version": rule.version})] {
            let refused = web.ask(Method::PATCH, &path, Some(second)).await.status(409).json;
            assert_eq!((&refused["type"], &refused["pointer"]), (&json!("urn:muster:problem:conflict"), &json!("/version")));
        }
        web.ask(Method::PATCH, &path, Some(json!({"version": coming + 1}))).await.status(412);
        assert_eq!(web.get(&path).await["progress"], progress, "nobody was in its way");
        assert!(!house.may(&ada, "data.act", "all").await);
        let joined = web.ask(Method::PATCH, &path, Some(json!({"state": "active", "version": coming}))).await.status(200).json;
        assert_eq!((&joined["state"], &joined["progress"]), (&json!("active"), &Value::Null));
        assert!(house.may(&ada, "data.act", "all").await);
        seam::close(web.rooms).await;
    }
}
