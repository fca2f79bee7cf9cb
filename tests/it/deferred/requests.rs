//! Requests whose clients do not wait (RFC 9967 §2.5.1).

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::api::bodies::{group, patch_op, refs, search, user};
use crate::closing::town::another;
use crate::delivery::polls::Stream;
use crate::delivery::token::{self, PROV, Set};
use crate::fuse::words::Fused;
use crate::log::folded::events;
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// The event that tells of them.
pub const ASYNCRESP: &str = "urn:ietf:params:scim:event:misc:asyncresp";
const PREFER: (&str, &str) = ("prefer", "respond-async, wait=10");

/// Asks for something and does not wait.
pub async fn ask(house: &TestHouse, method: &str, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[PREFER], headers].concat();
    house.scim(method.parse().unwrap(), path, body, &headers).await
}

/// The same, which is taken on; gives the id to hear of it by.
pub async fn later(house: &TestHouse, method: &str, path: &str, body: Option<Value>) -> String {
    taken_on(&ask(house, method, path, body, &[]).await)
}

fn taken_on(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.text.as_str()), (202, ""), "{answer:?}");
    assert_eq!(answer.header("preference-applied"), "respond-async");
    let txn = answer.header("set-txn");
    assert!(
        answer
            .header("location")
            .ends_with(&format!("/scim/v2/AsyncResults/{txn}")),
        "{answer:?}"
    );
    txn.to_owned()
}

/// What came of one, by a token that was proved.
pub async fn result(house: &TestHouse, txn: &str) -> Set {
    let answer = house.get(&format!("/AsyncResults/{txn}")).await.status(200);
    assert_eq!(
        (answer.header("content-type"), answer.header("set-txn")),
        ("application/secevent+jwt", txn)
    );
    let set = token::read(house, &answer.text).await;
    assert_eq!((&set.claims["txn"], set.events()), (&json!(txn), vec![ASYNCRESP]));
    set
}

/// Status, keyword and reason of what came of one.
pub async fn refused(house: &TestHouse, txn: &str) -> (String, Option<String>, String) {
    let set = result(house, txn).await;
    let payload = set.payload();
    let response = &payload["response"];
    assert_eq!(response["status"], payload["status"]);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (
        text(&payload["status"]).unwrap(),
        text(&response["scimType"]),
        text(&response["detail"]).unwrap(),
    )
}

fn title(text: &str) -> Value {
    patch_op(&json!([{"op": "replace", "path": "title", "value": text}]))
}

each_database! {
    async fn each_method_is_taken_on_done_later_and_told(house: TestHouse) {
        let post = later(&house, "POST", "/Users", Some(user("mia", json!({"title": "CEO"})))).await;
        assert_eq!(house.find("/Users", "userName eq \"mia\"").await.total(), 0, "nothing is done before");
        let waiting = house.get(&format!("/AsyncResults/{post}")).await.status(202);
        assert_eq!((waiting.header("retry-after"), waiting.header("set-txn"), waiting.text.as_str()), ("1", post.as_str(), ""));
        house.turn().await;
        let mia = house.find("/Users", "userName eq \"mia\"").await.ids().remove(0);
        let path = format!("/Users/{mia}");
        let set = result(&house, &post).await;
        let location = format!("http://localhost/scim/v2{path}");
        assert_eq!(*set.payload(), json!({"method": "POST", "status": "201", "version": "W/\"1\"", "location": location}));
        assert_eq!(set.claims["sub_id"], json!({"format": "scim", "uri": path}));
        assert_eq!((&set.claims["iss"], &set.claims["aud"]), (&json!("http://localhost"), &json!(["http://localhost/scim/v2"])));
        assert_eq!(set.header["typ"], "secevent+jwt");

        for (method, body, status, version) in [
            ("PUT", Some(user("mia", json!({"title": "CTO"}))), "200", Some("W/\"2\"")),
            ("PATCH", Some(title("CFO")), "200", Some("W/\"3\"")),
            // Already so: nothing changes, and it is told all the same.
            ("PATCH", Some(title("CFO")), "200", Some("W/\"3\"")),
            ("DELETE", None, "204", None),
        ] {
            let txn = later(&house, method, &path, body).await;
            house.turn().await;
            let told = result(&house, &txn).await;
            let payload = told.payload();
            assert_eq!((&payload["method"], &payload["status"]), (&json!(method), &json!(status)));
            assert_eq!(payload.get("version"), version.map(|text| json!(text)).as_ref(), "{method}");
            assert_eq!(payload["location"], location);
        }
        house.get(&path).await.status(404);
    }

    async fn what_is_asked_about_one_resource_is_done_in_the_order_in_which_it_came(house: TestHouse) {
        let (mia, bob) = (house.user("mia").await, house.user("bob").await);
        let sales = house.group("Sales").await;
        let (about_mia, about_sales) = (format!("/Users/{mia}"), format!("/Groups/{sales}"));
        let mut txns = Vec::new();
        for number in 0..40 {
            let body = if number % 10 == 9 { user("mia", json!({"title": number.to_string()})) } else { title(&number.to_string()) };
            let method = if number % 10 == 9 { "PUT" } else { "PATCH" };
            txns.push(later(&house, method, &about_mia, Some(body)).await);
            let op = if number % 2 == 0 { "add" } else { "remove" };
            let members = json!([{"op": op, "path": "members", "value": refs(&[&bob])}]);
            txns.push(later(&house, "PATCH", &about_sales, Some(patch_op(&members))).await);
        }
        let twice = [
            later(&house, "POST", "/Users", Some(user("eve", json!({"title": "first"})))).await,
            later(&house, "POST", "/Users", Some(user("EVE", json!({"title": "second"})))).await,
        ];
        house.turn().await;
        assert_eq!(house.get(&about_mia).await.json["title"], "39");
        assert_eq!(house.get(&about_sales).await.values_of("members"), [""; 0]);
        let mut versions = [1, 1];
        for (at, txn) in txns.iter().enumerate() {
            versions[at % 2] += 1;
            let expected = format!("W/\"{}\"", versions[at % 2]);
            assert_eq!(result(&house, txn).await.payload()["version"], expected);
        }
        assert_eq!(result(&house, &twice[0]).await.payload()["status"], "201");
        assert_eq!(refused(&house, &twice[1]).await.0, "409");
        // In the log, the change and what tells of it are one.
        let all = events(&Desk::admin(&house)).await;
        for txn in &txns {
            let saved: Vec<&str> = all.iter().filter(|event| event["txn"] == **txn).map(|event| event["kind"].as_str().unwrap()).collect();
            assert!(saved == ["user.updated", "request.answered"] || saved == ["group.updated", "request.answered"], "{saved:?}");
        }
    }

    async fn two_servers_at_once_do_each_once(house: TestHouse) {
        let mia = house.user("mia").await;
        let mut txns = Vec::new();
        for number in 0..20 {
            txns.push(later(&house, "POST", "/Users", Some(user(&format!("u{number}"), json!({})))).await);
            txns.push(later(&house, "PATCH", &format!("/Users/{mia}"), Some(title(&number.to_string()))).await);
        }
        house.do_deferred_twice().await;
        house.turn().await;
        let seen = house.get(&format!("/Users/{mia}")).await;
        assert_eq!((&seen.json["title"], &seen.json["meta"]["version"]), (&json!("19"), &json!("W/\"21\"")));
        assert_eq!(house.find("/Users", "userName sw \"u\"").await.total(), 20);
        let all = events(&Desk::admin(&house)).await;
        for txn in &txns {
            assert!(result(&house, txn).await.payload()["status"].as_str().unwrap().starts_with('2'));
            let answers = all.iter().filter(|event| event["txn"] == **txn && event["kind"] == "request.answered");
            assert_eq!(answers.count(), 1);
        }
    }

    async fn refusals_are_told_as_they_would_have_been_answered(house: TestHouse) {
        let mia = house.user("mia").await;
        let path = format!("/Users/{mia}");
        let taken = later(&house, "POST", "/Users", Some(user("mia", json!({})))).await;
        let absent = later(&house, "DELETE", "/Users/nobody", None).await;
        let broken = later(&house, "PUT", &path, Some(user("mia", json!({"emails": "none"})))).await;
        let stale = taken_on(&ask(&house, "PATCH", &path, Some(title("x")), &[("if-match", "W/\"7\"")]).await);
        let fresh = taken_on(&ask(&house, "PATCH", &path, Some(title("x")), &[("if-match", "W/\"1\"")]).await);
        house.turn().await;
        let waited = house.post("/Users", user("mia", json!({}))).await.error(409, Some("uniqueness"));
        assert_eq!(refused(&house, &taken).await, ("409".to_owned(), Some("uniqueness".to_owned()), waited));
        assert_eq!(refused(&house, &absent).await.0, "404");
        let (status, keyword, reason) = refused(&house, &broken).await;
        assert_eq!((status.as_str(), keyword.as_deref()), ("400", Some("invalidValue")));
        assert!(reason.contains("emails"), "{reason}");
        assert_eq!(refused(&house, &stale).await.0, "412");
        assert_eq!(result(&house, &fresh).await.payload()["status"], "200");
        let told = result(&house, &taken).await;
        assert_eq!(told.claims["sub_id"], json!({"format": "scim", "uri": "/Users"}), "there is nobody to name");
        // Why somebody was refused may quote them, and the log is for ever.
        let all = events(&Desk::admin(&house)).await;
        let answered = all.iter().find(|event| event["txn"] == *taken).unwrap();
        assert_eq!(answered["data"], json!({"method": "POST", "endpoint": "/Users", "status": 409, "scim_type": "uniqueness"}));
    }

    async fn what_no_request_is_is_refused_before_it_is_taken_on(house: TestHouse) {
        let dump = house.dump().await;
        ask(&house, "POST", "/Nothing", Some(json!({})), &[]).await.error(404, None);
        ask(&house, "POST", "/Roles", Some(json!({})), &[]).await.error(405, None);
        ask(&house, "POST", "/Users", Some(json!({})), &[("content-type", "text/plain")]).await.error(415, None);
        ask(&house, "PUT", "/AsyncResults/x", Some(json!({})), &[]).await.error(405, None);
        let both = "/Users?attributes=title&excludedAttributes=title";
        ask(&house, "POST", both, Some(user("mia", json!({}))), &[]).await.status(400);
        house.with_token(None).scim(Method::POST, "/Users", Some(user("mia", json!({}))), &[PREFER]).await.error(401, None);
        dump.assert_same(&house.dump().await);
        // The answer has no body, so it does not matter what the client could read.
        let accepts = [("accept", "text/html")];
        taken_on(&ask(&house, "POST", "/Users", Some(user("mia", json!({}))), &accepts).await);
    }

    async fn reads_searches_and_who_waits_are_answered_at_once(house: TestHouse) {
        let mia = ask(&house, "GET", "/Users", None, &[]).await.status(200);
        assert_eq!((mia.total(), mia.header("preference-applied")), (0, ""));
        ask(&house, "POST", "/Users/.search", Some(search(json!({}))), &[]).await.status(200);
        let minimal = [("prefer", "return=minimal")];
        house.scim(Method::POST, "/Users", Some(user("bob", json!({}))), &minimal).await.status(201);
    }

    async fn streams_that_ask_for_it_are_told_with_the_same_txn(house: TestHouse) {
        let told = Stream::new(&house, "told").await;
        let usual = Stream::new(&house, "usual").await;
        let wanted = json!({"events": [ASYNCRESP, format!("{PROV}create:notice")]});
        told.desk.patch(&told.path(""), wanted).await.status(200);
        let txn = later(&house, "POST", "/Users", Some(user("mia", json!({})))).await;
        let again = later(&house, "POST", "/Users", Some(user("mia", json!({})))).await;
        house.turn().await;
        let sets = told.fetch(json!({})).await;
        let seen: Vec<_> = sets.iter().map(|set| (set.events()[0].to_owned(), set.claims["txn"].as_str().unwrap())).collect();
        assert_eq!(seen, [(format!("{PROV}create:notice"), txn.as_str()), (ASYNCRESP.to_owned(), &txn), (ASYNCRESP.to_owned(), &again)]);
        assert_eq!(sets[1].payload(), result(&house, &txn).await.payload());
        assert_eq!(sets[1].claims["sub_id"], sets[0].claims["sub_id"]);
        let refused = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "scimType": "uniqueness", "status": "409"});
        assert_eq!(*sets[2].payload(), json!({"method": "POST", "status": "409", "response": refused}));
        assert_eq!(usual.fetch(json!({})).await.len(), 1, "who does not ask for it is not told");
    }

    async fn what_came_of_a_request_is_for_its_connection_alone_and_for_a_day(house: TestHouse) {
        let (_, okta) = another(&house, "okta").await;
        let txn = later(&house, "POST", "/Groups", Some(group("Sales", &[]))).await;
        for _ in 0..2 {
            for other in [&okta, &house.second_tenant()] {
                other.get(&format!("/AsyncResults/{txn}")).await.error(404, None);
            }
            house.turn().await;
        }
        let before = result(&house, &txn).await;
        house.clock().advance(Duration::from_hours(23));
        house.forget_old_results().await;
        assert_eq!(result(&house, &txn).await.claims, before.claims, "asked again, it says the same");
        house.clock().advance(Duration::from_hours(2));
        house.forget_old_results().await;
        house.get(&format!("/AsyncResults/{txn}")).await.error(404, None);
        for nonsense in ["nonsense", "%00", "%ff", &"x".repeat(4_000)] {
            house.get(&format!("/AsyncResults/{nonsense}")).await.error(404, None);
        }
    }

    async fn the_fuse_counts_what_is_done_later(house: TestHouse) {
        let none = json!({"percent": 0, "least": 0});
        let fused = Fused::with(house, json!({"deletions": none, "beyond": "hold"})).await;
        let mia = fused.house.user("mia").await;
        let held = later(&fused.house, "DELETE", &format!("/Users/{mia}"), None).await;
        fused.house.turn().await;
        let told = result(&fused.house, &held).await;
        assert_eq!((&told.payload()["status"], told.payload().get("response")), (&json!("202"), None));
        fused.house.get(&format!("/Users/{mia}")).await.status(200);
        assert_eq!(fused.desk.get("/holds").await.json["items"].as_array().unwrap().len(), 1);
    }

    async fn the_configuration_says_so_where_there_is_a_stream(house: TestHouse) {
        let config = house.get("/ServiceProviderConfig").await.json;
        assert_eq!(config.get("securityEvents"), None, "clients that know no such member go on reading it");
        let stream = json!({"name": "told", "delivery": "poll", "events": [format!("{PROV}delete")]});
        Desk::admin(&house).post("/streams", stream).await.status(201);
        let config = house.get("/ServiceProviderConfig").await.json;
        assert_eq!(config["securityEvents"]["asyncRequest"], "request");
        let uris = config["securityEvents"]["eventUris"].as_array().unwrap();
        assert!(uris.contains(&json!(ASYNCRESP)) && uris.contains(&json!(format!("{PROV}delete"))), "{uris:?}");
        assert!(uris.iter().all(|uri| uri.as_str().unwrap().starts_with("urn:ietf:params:scim:event:")));
    }
}
