//! Tenants never see each other, and connections of one tenant see their own `externalId` only.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::asks::as_connection;
use crate::api::bodies::{NOBODY, group, patch_op, refs, search, user};
use crate::api::surface::{Ask, SURFACE};
use crate::support::TestHouse;

/// Status and body of an answer about an id, with the id taken out, so that two of them can be compared.
async fn told(house: &TestHouse, ask: &Ask, id: &str) -> (u16, String) {
    let body = ask.body.map(|body| body(id));
    let answer = house
        .scim(ask.method.clone(), &ask.path.replace("{id}", id), body, &[])
        .await;
    (answer.status, answer.text.replace(id, "ID"))
}

each_database! {
    async fn on_every_route_a_neighbours_id_is_answered_like_a_missing_one(house: TestHouse) {
        let neighbour = house.second_tenant();
        let theirs = [neighbour.user("nina").await, neighbour.group("Night").await];
        neighbour.join(&theirs[1], &theirs[0]).await;
        house.user("own").await;
        let before = house.dump().await;
        for route in SURFACE {
            for ask in (route.asks)() {
                let missing = told(&house, &ask, NOBODY).await;
                for id in &theirs {
                    assert_eq!(told(&house, &ask, id).await, missing, "{} {}", ask.method, ask.path);
                }
            }
        }
        before.assert_same(&house.dump().await);
    }

    async fn lists_totals_filters_and_orders_leak_nothing(house: TestHouse) {
        let neighbour = house.second_tenant();
        let nina = neighbour
            .post("/Users", user("nina", json!({"title": "x", "externalId": "E-1"})))
            .await
            .status(201)
            .id();
        let night = neighbour
            .post("/Groups", group("Night", &[&nina]))
            .await
            .status(201)
            .id();
        for path in ["/Users", "/Groups", "/"] {
            assert_eq!(house.get(path).await.status(200).total(), 0);
        }
        let filters = [
            "userName eq \"nina\"".to_owned(),
            "title pr".into(),
            "externalId eq \"E-1\"".into(),
            format!("id eq \"{nina}\""),
            format!("groups.value eq \"{night}\""),
            "not (title eq \"y\")".into(),
            "meta.created pr".into(),
        ];
        for filter in filters {
            assert_eq!(house.find("/Users", &filter).await.status(200).total(), 0, "{filter}");
            assert_eq!(house.find("/", &filter).await.status(200).total(), 0, "{filter}");
        }
        assert_eq!(
            house
                .find("/Groups", &format!("members.value eq \"{nina}\""))
                .await
                .total(),
            0
        );
        assert_eq!(
            house.post("/.search", search(json!({"sortBy": "title"}))).await.total(),
            0
        );
        assert_eq!(neighbour.get("/").await.total(), 2);
    }

    async fn a_member_of_another_tenant_is_an_unknown_member(house: TestHouse) {
        let neighbour = house.second_tenant();
        let (nina, night) = (neighbour.user("nina").await, neighbour.group("Night").await);
        let path = format!("/Groups/{}", house.group("Sales").await);
        let before = house.dump().await;
        for theirs in [&nina, &night] {
            let add = |id: &str| json!([{"op": "add", "path": "members", "value": refs(&[id])}]);
            let missing = house.patch(&path, add(NOBODY)).await.error(400, Some("invalidValue"));
            let crossed = house.patch(&path, add(theirs)).await.error(400, Some("invalidValue"));
            assert_eq!(crossed.replace(theirs.as_str(), "ID"), missing.replace(NOBODY, "ID"));
            house
                .post("/Groups", group("Ops", &[theirs]))
                .await
                .error(400, Some("invalidValue"));
            house
                .put(&path, group("Sales", &[theirs]))
                .await
                .error(400, Some("invalidValue"));
        }
        before.assert_same(&house.dump().await);
    }

    async fn names_are_unique_in_their_tenant_alone(house: TestHouse) {
        let neighbour = house.second_tenant();
        for one in [&house, &neighbour] {
            one.user("ada").await;
            one.group("Sales").await;
            one.post("/Users", user("ADA", json!({})))
                .await
                .error(409, Some("uniqueness"));
        }
    }

    async fn a_deletion_stays_in_its_tenant(house: TestHouse) {
        let neighbour = house.second_tenant();
        let (own, theirs) = (house.user("ada").await, neighbour.user("ada").await);
        house.delete(&format!("/Users/{theirs}")).await.error(404, None);
        house.delete(&format!("/Users/{own}")).await.no_content();
        assert_eq!(neighbour.get("/Users").await.ids(), [theirs]);
    }

    async fn each_connection_sees_and_filters_its_own_external_id(house: TestHouse) {
        let hr = as_connection(&house, "hr", "auto");
        let id = house
            .post("/Users", user("ada", json!({"externalId": "okta-1"})))
            .await
            .status(201)
            .id();
        let path = format!("/Users/{id}");
        assert_eq!(hr.get(&path).await.status(200).json.get("externalId"), None);
        hr.patch(&path, json!([{"op": "add", "path": "externalId", "value": "hr-1"}]))
            .await
            .status(200);
        for (one, own, other) in [(&house, "okta-1", "hr-1"), (&hr, "hr-1", "okta-1")] {
            assert_eq!(one.get(&path).await.json["externalId"], own);
            assert_eq!(one.get("/Users").await.json["Resources"][0]["externalId"], own);
            assert_eq!(
                one.find("/Users", &format!("externalId eq \"{own}\"")).await.ids(),
                [id.as_str()]
            );
            assert_eq!(
                one.find("/Users", &format!("externalId eq \"{other}\"")).await.total(),
                0
            );
            assert_eq!(
                one.find("/Users", &format!("not (externalId eq \"{other}\")"))
                    .await
                    .total(),
                1
            );
            assert_eq!(one.find("/", "externalId pr").await.total(), 1);
        }
    }

    async fn a_put_of_one_connection_leaves_the_external_id_of_another(house: TestHouse) {
        let hr = as_connection(&house, "hr", "auto");
        let path = format!(
            "/Users/{}",
            house
                .post("/Users", user("ada", json!({"externalId": "okta-1"})))
                .await
                .id()
        );
        hr.put(&path, user("ada", json!({"externalId": "hr-1"})))
            .await
            .status(200);
        hr.put(&path, user("ada", json!({"title": "x"}))).await.status(200);
        assert_eq!(hr.get(&path).await.json.get("externalId"), None);
        let own = house.get(&path).await.json;
        assert_eq!((&own["externalId"], &own["title"]), (&json!("okta-1"), &json!("x")));
        assert_eq!(hr.find("/Users", "externalId pr").await.total(), 0);
    }

    async fn groups_have_an_external_id_for_each_connection_too(house: TestHouse) {
        let hr = as_connection(&house, "hr", "auto");
        let mut body = group("Sales", &[]);
        body["externalId"] = json!("okta-g");
        let path = format!("/Groups/{}", house.post("/Groups", body).await.status(201).id());
        assert_eq!(hr.get(&path).await.json.get("externalId"), None);
        assert_eq!(hr.find("/Groups", "externalId eq \"okta-g\"").await.total(), 0);
        assert_eq!(house.find("/Groups", "externalId eq \"okta-g\"").await.total(), 1);
    }

    async fn connections_of_one_tenant_share_its_resources(house: TestHouse) {
        let hr = as_connection(&house, "hr", "auto");
        let (ada, sales) = (house.user("ada").await, hr.group("Sales").await);
        house.join(&sales, &ada).await;
        assert_eq!(hr.get(&format!("/Users/{ada}")).await.values_of("groups"), [sales]);
    }

    async fn a_stale_tag_does_not_tell_a_neighbours_resource_apart(house: TestHouse) {
        let nina = house.second_tenant().user("nina").await;
        let body = patch_op(&json!([{"op": "add", "path": "title", "value": "x"}]));
        for tag in ["W/\"1\"", "W/\"77\"", "*"] {
            let ask = async |id: &str, method: Method, body: Option<Value>| {
                let answer = house
                    .scim(
                        method,
                        &format!("/Users/{id}"),
                        body,
                        &[("if-match", tag), ("if-none-match", tag)],
                    )
                    .await;
                (answer.status, answer.text)
            };
            for (method, body) in [
                (Method::GET, None),
                (Method::DELETE, None),
                (Method::PATCH, Some(body.clone())),
            ] {
                assert_eq!(
                    ask(&nina, method.clone(), body.clone()).await,
                    ask(NOBODY, method, body).await
                );
            }
        }
    }
}
