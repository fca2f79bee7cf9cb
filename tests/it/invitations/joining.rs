//! Provisioning speaks of somebody who is invited.

use serde_json::json;

use super::Scene;
use crate::admin::desk::{Desk, Problems};
use crate::api::bodies::user;
use crate::fuse::words::Fused;
use crate::support::TestHouse;

each_database! {
    async fn provisioning_takes_nobody_in_by_the_address_alone(house: TestHouse) {
        let scene = Scene::of(&house);
        let (lin, _, token) = scene.invited("lin@acme.test").await;
        let body = user("lin@acme.test", json!({"externalId": "hr-7", "active": true}));
        let refused = house.post("/Users", body).await.error(409, Some("uniqueness"));
        assert!(refused.contains("invited"), "{refused}");
        let on = json!([{"op": "replace", "path": "active", "value": true}]);
        let answer = house.patch(&format!("/Users/{lin}"), on).await.status(200);
        assert_eq!(answer.header("muster-ignored-attributes"), "active");
        assert_eq!(scene.status(&lin).await, "invited");
        Desk::nobody(&house).post("/invitations/accept", json!({"token": token})).await.status(200);
        assert_eq!(scene.status(&lin).await, "active");
    }

    async fn where_it_is_decided_so_they_join_as_the_same_user(house: TestHouse) {
        let scene = Scene::of(&house);
        let settings = scene.desk.patch("/settings", json!({"invitation_link": "join"})).await.status(200).json;
        assert_eq!(settings["invitation_link"], "join");
        let (lin, _, token) = scene.invited("lin@acme.test").await;
        let body = user("Lin@acme.test", json!({"externalId": "hr-7", "title": "Chief"}));
        let joined = house.post("/Users", body.clone()).await.status(201);
        assert_eq!(joined.id(), lin);
        assert_eq!((&joined.json["active"], &joined.json["externalId"]), (&json!(true), &json!("hr-7")));
        assert_eq!(scene.status(&lin).await, "active");
        assert_eq!(house.find("/Users", "externalId eq \"hr-7\"").await.ids(), std::slice::from_ref(&lin));
        let access = scene.desk.get(&format!("/users/{lin}/access")).await.status(200).json;
        assert_eq!(access["assignments"][0]["role"], "analyst", "what they were invited to");
        Desk::nobody(&house).post("/invitations/accept", json!({"token": token})).await.problem(409, "conflict");
        assert_eq!(scene.states().await, ["overtaken"]);
        house.post("/Users", body).await.error(409, Some("uniqueness"));
        // A client that looks first finds them, and says so.
        let (tom, ..) = scene.invited("tom@acme.test").await;
        let on = json!([{"op": "replace", "path": "active", "value": true}]);
        let answer = house.patch(&format!("/Users/{tom}"), on).await.status(200);
        assert_eq!((answer.header("muster-ignored-attributes"), &answer.json["active"]), ("", &json!(true)));
        assert_eq!(scene.status(&tom).await, "active");
        let events = scene.desk.get(&format!("/events?subject={tom}&kind=user.activated")).await.status(200).json;
        assert_eq!(events["items"][0]["data"]["from"], "invited");
    }

    async fn whoever_joins_under_a_name_that_is_spelled_otherwise_is_not_renamed(house: TestHouse) {
        let none = json!({"percent": 0, "least": 0});
        let fused = Fused::with(house, json!({"renames": none, "beyond": "hold"})).await;
        let scene = Scene::of(&fused.house);
        scene.desk.patch("/settings", json!({"invitation_link": "join"})).await.status(200);
        let (lin, ..) = scene.invited("lin@acme.test").await;
        let joined = fused.house.post("/Users", user("Lin@Acme.test", json!({"active": true}))).await.status(201);
        assert_eq!((joined.id(), &joined.json["userName"]), (lin.clone(), &json!("Lin@Acme.test")));
        let rename = json!([{"op": "replace", "path": "userName", "value": "eve@acme.test"}]);
        fused.house.patch(&format!("/Users/{lin}"), rename).await.status(202);
    }

    async fn who_joins_inactive_is_kept_out_by_provisioning(house: TestHouse) {
        let scene = Scene::of(&house);
        scene.desk.patch("/settings", json!({"invitation_link": "join"})).await.status(200);
        let (lin, ..) = scene.invited("lin@acme.test").await;
        let body = user("lin@acme.test", json!({"active": false}));
        assert_eq!(house.post("/Users", body).await.status(201).id(), lin);
        assert_eq!(scene.status(&lin).await, "deactivated");
    }
}
