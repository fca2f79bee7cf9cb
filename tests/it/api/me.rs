//! `/Me`: the account of the user whom a token belongs to (RFC 7644 §3.11).

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::{Desk, token};
use crate::api::bodies::{patch_op, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// The house as this user sees it.
fn of(house: &TestHouse, id: &str) -> TestHouse {
    house.with_token(Some(&token(house, "acme", &["--user", id])))
}

/// A user who holds this role on everything.
async fn with_role(house: &TestHouse, name: &str, role: &str) -> String {
    let id = house
        .post("/Users", user(name, json!({"title": "Guide", "active": true})))
        .await
        .status(201)
        .id();
    let grant = json!({"subject": {"type": "user", "id": id}, "role": role, "scope": "all"});
    Desk::admin(house).post("/grants", grant).await.status(201);
    id
}

/// `/t/acme/scim/v2` in place of `/scim/v2`.
async fn by_slug(house: &TestHouse, path: &str, token: &str) -> Answer {
    let request = axum::http::Request::builder().uri(format!("/t/acme/scim/v2{path}"));
    let request = request.header("authorization", format!("Bearer {token}"));
    house.send(request.body(axum::body::Body::empty()).unwrap()).await
}

each_database! {
    async fn everybody_reads_their_own_account_under_its_permanent_address(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let group = house.group("Sales").await;
        house.join(&group, &ada).await;
        let me = of(&house, &ada);
        let answer = me.get("/Me").await.status(200);
        assert_eq!((answer.id(), &answer.json["userName"]), (ada.clone(), &json!("ada")));
        assert_eq!(answer.values_of("groups"), [group]);
        let at = answer.json["meta"]["location"].as_str().unwrap();
        assert!(at.ends_with(&format!("/scim/v2/Users/{ada}")), "{at}");
        assert_eq!([answer.header("location"), answer.header("content-location")], [at, at]);
        assert_eq!(me.get(&format!("/Users/{ada}")).await.status(200).json, answer.json, "the address leads there");
        let tag = [("if-none-match", answer.header("etag"))];
        assert_eq!(me.scim(Method::GET, "/Me", None, &tag).await.status, 304);
        let seen = me.get("/Me?attributes=userName").await.status(200).json;
        let names: Vec<_> = seen.as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "schemas", "userName"]);
        assert_eq!(of(&house, &bob).get("/Me").await.status(200).id(), bob);
        let slugged = by_slug(&house, "/Me", &token(&house, "acme", &["--user", &ada])).await.status(200);
        assert!(slugged.header("location").ends_with(&format!("/t/acme/scim/v2/Users/{ada}")));
    }

    async fn a_user_has_nothing_else_of_provisioning(house: TestHouse) {
        let ada = with_role(&house, "ada", "admin").await;
        let bob = house.user("bob").await;
        let me = of(&house, &ada);
        let before = house.dump().await;
        for path in ["/Users", "/Groups", "/", "/Roles", &format!("/Users/{bob}"), &format!("/Groups/{ada}"), "/Users/none"] {
            me.get(path).await.error(403, None);
        }
        me.post("/Users", user("carl", json!({}))).await.error(403, None);
        me.post("/.search", json!({})).await.error(403, None);
        me.post("/Bulk", json!({})).await.error(403, None);
        me.delete(&format!("/Users/{ada}")).await.error(403, None);
        me.patch(&format!("/Users/{ada}"), json!([{"op": "add", "path": "title", "value": "x"}])).await.error(403, None);
        for path in ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes"] {
            me.get(path).await.status(200);
        }
        before.assert_same(&house.dump().await);
    }

    async fn who_may_change_accounts_changes_their_own(house: TestHouse) {
        let ada = with_role(&house, "ada", "admin").await;
        with_role(&house, "second", "admin").await;
        let me = of(&house, &ada);
        let patched = me.patch("/Me", json!([{"op": "replace", "path": "title", "value": "Chief"}])).await.status(200);
        assert_eq!(patched.json["title"], "Chief");
        assert!(patched.header("content-location").ends_with(&format!("/scim/v2/Users/{ada}")));
        let stale = [("if-match", "W/\"1\"")];
        me.scim(Method::PUT, "/Me", Some(user("ada", json!({}))), &stale).await.error(412, None);
        let put = me.put("/Me", user("ada", json!({"title": "Head"}))).await.status(200);
        assert_eq!((put.id(), &put.json["title"]), (ada.clone(), &json!("Head")));
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["title"], "Head");
        me.patch("/Me", json!([{"op": "replace", "path": "nonsense", "value": 1}])).await.status(400);
        me.delete("/Me").await.no_content();
        house.get(&format!("/Users/{ada}")).await.error(404, None);
        // A token that was just used is remembered for a second.
        assert!([401, 404].contains(&me.get("/Me").await.status));
    }

    async fn who_may_not_is_refused_and_nothing_changes(house: TestHouse) {
        let (plain, manager) = (house.user("plain").await, with_role(&house, "mia", "manager").await);
        let both = [of(&house, &plain), of(&house, &manager)];
        let before = house.dump().await;
        for me in both {
            let body = patch_op(&json!([{"op": "replace", "path": "active", "value": true}]));
            for (method, body) in [(Method::PATCH, Some(body)), (Method::PUT, Some(user("x", json!({})))), (Method::DELETE, None)] {
                let told = me.scim(method, "/Me", body, &[]).await.error(403, None);
                assert!(told.contains("org.users.manage"), "{told}");
            }
        }
        before.assert_same(&house.dump().await);
    }

    async fn the_last_administrator_does_not_end_their_own_account(house: TestHouse) {
        let ada = with_role(&house, "ada", "admin").await;
        let me = of(&house, &ada);
        me.delete("/Me").await.status(409);
        me.patch("/Me", json!([{"op": "replace", "path": "active", "value": false}])).await.status(409);
        assert_eq!(me.get("/Me").await.status(200).json["active"], Value::Bool(true));
    }

    async fn a_token_of_nobody_finds_nobody(house: TestHouse) {
        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
            house.scim(method, "/Me", Some(json!({})), &[]).await.error(404, None);
        }
        house.scim(Method::POST, "/Me", Some(json!({})), &[]).await.error(405, None);
        house.with_token(None).get("/Me").await.error(401, None);
        let admin = house.with_token(Some(&token(&house, "acme", &["--admin"])));
        admin.get("/Me").await.error(403, None);
    }

    async fn who_is_switched_off_is_nobody(house: TestHouse) {
        let ada = house.user("ada").await;
        let me = of(&house, &ada);
        house.patch(&format!("/Users/{ada}"), json!([{"op": "replace", "path": "active", "value": false}])).await.status(200);
        me.get("/Me").await.error(401, None);
    }

    async fn a_name_that_is_taken_is_no_matter_of_sources(house: TestHouse) {
        let ada = with_role(&house, "ada", "admin").await;
        house.user("bob").await;
        let me = of(&house, &ada);
        let told = me.put("/Me", user("BOB", json!({"active": true}))).await.error(409, Some("uniqueness"));
        assert!(told.contains("already used by another user") && !told.contains("source"), "{told}");
    }
}
