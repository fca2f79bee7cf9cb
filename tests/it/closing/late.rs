//! What was under way when something was suspended, resumed or deleted.

use axum::http::Method;
use serde_json::{Value, json};

use super::town::{another, statuses, told, work};
use crate::admin::desk::{Desk, Problems as _, token};
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::program::run;
use crate::support::seam::close_late;

/// What a PATCH says that puts somebody into a group.
fn adding(member: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": "members", "value": [{ "value": member }] }],
    })
}

/// How many users there are.
async fn users(desk: &Desk) -> usize {
    desk.get("/users").await.status(200).json["items"]
        .as_array()
        .unwrap()
        .len()
}

each_database! {
    async fn who_is_kept_out_by_somebody_while_a_suspension_ends_stays_out(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob, cyd) = (okta.user("ada").await, okta.user("bob").await, okta.user("cyd").await);
        desk.post(&format!("/connections/{id}/suspend"), json!({ "users": "suspend" })).await.status(202);
        work(&house).await;
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        house.clock().advance(std::time::Duration::from_secs(5));
        close_late(house.rooms(), async {
            desk.post(&format!("/users/{ada}/deactivate"), json!({})).await.status(200);
            desk.post(&format!("/users/{bob}/suspend"), json!({})).await.status(200);
        }).await;
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada, &bob, &cyd]).await, ["deactivated", "suspended", "active"]);
    }

    async fn who_comes_back_behind_the_place_of_a_resumption_comes_in_as_well(house: TestHouse) {
        let desk = Desk::admin(&house);
        desk.patch("/settings", json!({ "rehire": "link" })).await.status(200);
        let (id, okta) = another(&house, "okta").await;
        let called = || {
            let mut body = user("bob", json!({ "active": true }));
            body["externalId"] = "b-1".into();
            body
        };
        let (ada, bob) = (okta.user("ada").await, okta.post("/Users", called()).await.status(201).id());
        let cyd = okta.user("cyd").await;
        desk.post(&format!("/connections/{id}/suspend"), json!({ "users": "suspend" })).await.status(202);
        work(&house).await;
        for user in [&ada, &bob] {
            house.delete(&format!("/Users/{user}")).await.no_content();
        }
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        house.clock().advance(std::time::Duration::from_secs(5));
        close_late(house.rooms(), async {}).await;
        assert_eq!(statuses(&desk, &[&cyd]).await, ["active"]);
        tokio::time::sleep(muster::service::credentials::REMEMBERED_FOR).await;
        desk.post(&format!("/users/{ada}/restore"), json!({})).await.status(200);
        assert_eq!(okta.post("/Users", called()).await.status(201).id(), bob);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada, &bob, &cyd]).await, ["active"; 3]);
    }

    async fn a_request_that_a_connection_was_let_in_with_is_not_saved_once_it_is_shut(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, staff) = (okta.user("ada").await, okta.group("staff").await);
        let suspend = async || drop(desk.post(&format!("/connections/{id}/suspend"), json!({ "users": "keep" })).await.status(202));
        let answer = okta.late(Method::POST, "/scim/v2/Users", user("bob", json!({})), suspend()).await;
        let detail = answer.error(403, None);
        assert!(detail.contains("while the request was on its way"), "{detail}");
        assert_eq!(users(&desk).await, 1);
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        let path = format!("/scim/v2/Groups/{staff}");
        let answer = okta.late(Method::PATCH, &path, adding(&ada), suspend()).await;
        answer.error(403, None);
        let rename = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "title", "value": "Countess" }],
        });
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        let path = format!("/scim/v2/Users/{ada}");
        let gone = async { drop(desk.delete(&format!("/connections/{id}?users=keep")).await.status(202)) };
        okta.late(Method::PATCH, &path, rename, gone).await.error(403, None);
        let seen = house.get(&format!("/Users/{ada}")).await.status(200).json;
        assert_eq!(seen.get("title"), None);
        let staff = house.get(&format!("/Groups/{staff}")).await.status(200).json;
        assert_eq!(staff.get("members"), None);
        // Others are not asked what became of it.
        house.user("dora").await;
    }

    async fn a_request_that_was_let_in_is_not_saved_once_the_organisation_is_shut(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, staff) = (house.user("ada").await, house.group("staff").await);
        let suspend = async || drop(desk.post("/tenant/suspend", json!({ "users": "keep" })).await.status(202));
        house.late(Method::POST, "/scim/v2/Users", user("bob", json!({})), suspend()).await.error(403, None);
        assert_eq!(users(&desk).await, 1);
        desk.post("/tenant/resume", json!({})).await.status(202);
        let path = format!("/scim/v2/Groups/{staff}");
        house.late(Method::PATCH, &path, adding(&ada), suspend()).await.error(403, None);
        let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "more" });
        desk.post("/tenant/resume", json!({})).await.status(202);
        house.late(Method::POST, "/scim/v2/Groups", group, suspend()).await.error(403, None);
        desk.post("/tenant/resume", json!({})).await.status(202);
        let groups = house.get("/Groups").await.status(200).json;
        assert_eq!((&groups["totalResults"], groups["Resources"][0].get("members")), (&json!(1), None));
    }

    async fn whoever_was_let_in_before_an_organisation_was_deleted_does_not_bring_it_back(house: TestHouse) {
        let desk = Desk::admin(&house);
        let admin = house.with_token(Some(&token(&house, "acme", &["--admin"])));
        let delete = async || drop(desk.ask(Method::DELETE, "/api/v1/tenant?users=keep&confirm=acme", None, &[]).await.status(202));
        let suspension = json!({ "users": "suspend" });
        let answer = admin.late(Method::POST, "/api/v1/tenant/suspend", suspension, delete()).await;
        let problem = answer.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("was deleted"), "{problem}");
        house.get("/Users").await.status(401);
        run(&house.database, &["tenant", "restore", "acme"]);
        run(&house.database, &["tenant", "resume", "acme"]);
        tokio::time::sleep(muster::service::credentials::REMEMBERED_FOR).await;
        let seen = told(&desk).await;
        assert_eq!((seen["tenant.deleted"], seen["tenant.restored"], seen.get("tenant.suspended")), (1, 1, None));
    }
}
