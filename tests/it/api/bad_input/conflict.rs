//! Names that are taken, and versions that have passed.

use axum::http::Method;
use serde_json::json;

use crate::api::asks::{as_connection, refused};
use crate::api::bodies::{group, patch_op, user};
use crate::support::TestHouse;

const SECRET: &str = "secret-of-ada";

each_database! {
    async fn a_user_name_in_another_letter_case_is_taken(house: TestHouse) {
        house.user("Ada@acme.test").await;
        for name in ["Ada@acme.test", "ada@acme.test", "ADA@ACME.TEST"] {
            let detail = refused(&house, name, house.post("/Users", user(name, json!({"title": SECRET}))));
            let detail = detail.await.error(409, Some("uniqueness"));
            assert!(detail.contains("`userName`"), "{detail}");
        }
    }

    async fn a_user_name_in_full_width_letters_is_taken(house: TestHouse) {
        house.user("ada").await;
        let wide = "\u{ff21}\u{ff44}\u{ff41}";
        refused(&house, wide, house.post("/Users", user(wide, json!({}))))
            .await
            .error(409, Some("uniqueness"));
        house.user("\u{ff42}\u{ff4f}\u{ff42}").await;
        refused(&house, SECRET, house.post("/Users", user("BOB", json!({}))))
            .await
            .error(409, Some("uniqueness"));
    }

    async fn a_user_name_composed_in_another_way_is_taken(house: TestHouse) {
        let (composed, decomposed) = ("jos\u{e9}", "jose\u{301}");
        house.user(composed).await;
        refused(&house, decomposed, house.post("/Users", user(decomposed, json!({}))))
            .await
            .error(409, Some("uniqueness"));
        house.user("zoe\u{308}").await;
        refused(&house, "zo\u{eb}", house.post("/Users", user("ZO\u{cb}", json!({}))))
            .await
            .error(409, Some("uniqueness"));
    }

    async fn a_taken_user_name_is_refused_by_put_and_patch_too(house: TestHouse) {
        house.user("ada").await;
        let path = format!("/Users/{}", house.user("bob").await);
        refused(&house, SECRET, house.put(&path, user("ADA", json!({"title": SECRET}))))
            .await
            .error(409, Some("uniqueness"));
        let rename = json!([
            {"op": "replace", "path": "title", "value": SECRET},
            {"op": "replace", "path": "userName", "value": "ADA"},
        ]);
        refused(&house, SECRET, house.patch(&path, rename))
            .await
            .error(409, Some("uniqueness"));
    }

    async fn a_resource_does_not_clash_with_itself(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let answer = house
            .put(&format!("/Users/{ada}"), user("ADA", json!({})))
            .await
            .status(200);
        assert_eq!(answer.json["userName"], "ADA");
        house
            .put(&format!("/Groups/{sales}"), group("SALES", &[]))
            .await
            .status(200);
        house
            .patch(
                &format!("/Groups/{sales}"),
                json!([{"op": "replace", "path": "displayName", "value": "sales"}]),
            )
            .await
            .status(200);
    }

    async fn a_group_name_in_another_letter_case_is_taken(house: TestHouse) {
        house.group("Sales").await;
        let path = format!("/Groups/{}", house.group("Ops").await);
        let detail = refused(&house, SECRET, house.post("/Groups", group("sALES", &[])))
            .await
            .error(409, Some("uniqueness"));
        assert!(detail.contains("`displayName`"), "{detail}");
        refused(&house, SECRET, house.put(&path, group("SALES", &[])))
            .await
            .error(409, Some("uniqueness"));
        let rename = json!([{"op": "replace", "value": {"displayName": "sales"}}]);
        refused(&house, SECRET, house.patch(&path, rename))
            .await
            .error(409, Some("uniqueness"));
    }

    async fn a_user_and_a_group_may_share_a_name(house: TestHouse) {
        house.user("sales").await;
        house.group("sales").await;
    }

    async fn a_user_name_held_by_another_connection_says_so_and_not_whose(house: TestHouse) {
        let workday = as_connection(&house, "workday-prod", "auto");
        workday.user("ada").await;
        let answer = refused(&house, "workday", house.post("/Users", user("ADA", json!({})))).await;
        let elsewhere = answer.error(409, Some("uniqueness"));
        let own = refused(&workday, SECRET, workday.post("/Users", user("ADA", json!({}))))
            .await
            .error(409, Some("uniqueness"));
        assert!(elsewhere.contains("another source"), "{elsewhere}");
        assert_ne!(elsewhere, own, "one's own duplicate is another situation");
    }

    async fn a_stale_tag_is_412_on_every_change(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let old = house.get(&path).await.header("etag").to_owned();
        house
            .patch(&path, json!([{"op": "add", "path": "title", "value": "Countess"}]))
            .await
            .status(200);
        let change = patch_op(&json!([{"op": "replace", "path": "title", "value": SECRET}]));
        for tag in [old.as_str(), "W/\"stale\"", "\"no-such-tag\"", "W/\"9999\", W/\"9998\""] {
            let only_if = [("if-match", tag)];
            let replaced = house.scim(
                Method::PUT,
                &path,
                Some(user("ada", json!({"title": SECRET}))),
                &only_if,
            );
            refused(&house, SECRET, replaced).await.error(412, None);
            let changed = house.scim(Method::PATCH, &path, Some(change.clone()), &only_if);
            refused(&house, SECRET, changed).await.error(412, None);
            refused(&house, SECRET, house.scim(Method::DELETE, &path, None, &only_if))
                .await
                .error(412, None);
        }
    }

    async fn a_stale_tag_keeps_the_members_of_a_group(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        house.join(&sales, &ada).await;
        let path = format!("/Groups/{sales}");
        let clear = patch_op(&json!([{"op": "remove", "path": "members"}]));
        let stale = [("if-match", "W/\"1\"")];
        refused(&house, SECRET, house.scim(Method::PATCH, &path, Some(clear), &stale))
            .await
            .error(412, None);
        refused(
            &house,
            SECRET,
            house.scim(Method::PUT, &path, Some(group("Sales", &[])), &stale),
        )
        .await
        .error(412, None);
        refused(&house, SECRET, house.scim(Method::DELETE, &path, None, &stale))
            .await
            .error(412, None);
        assert_eq!(house.get(&path).await.values_of("members"), [ada]);
    }
}
