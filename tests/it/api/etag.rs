//! Versions: `ETag`, `If-Match`, `If-None-Match` (RFC 7644 §3.14). Stale tags are in `bad_input::conflict`.

use axum::http::Method;
use serde_json::json;

use crate::api::bodies::{group, patch_op, refs, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;

async fn read_if_none_match(house: &TestHouse, path: &str, tag: &str) -> Answer {
    house.scim(Method::GET, path, None, &[("if-none-match", tag)]).await
}

each_database! {
    async fn a_current_version_is_not_sent_again(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let tag = house.get(&path).await.header("etag").to_owned();
        let strong = tag.trim_start_matches("W/").to_owned();
        for current in [tag.clone(), strong, "*".into(), format!("W/\"other\", {tag}")] {
            let answer = read_if_none_match(&house, &path, &current).await.status(304);
            assert_eq!(
                (answer.text.as_str(), answer.header("etag")),
                ("", tag.as_str()),
                "{current}"
            );
        }
        for other in ["W/\"other\"", "W/\"0\"", "W/\"999\""] {
            read_if_none_match(&house, &path, other).await.status(200);
        }
    }

    async fn every_change_makes_another_version(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let mut seen = vec![house.get(&path).await.header("etag").to_owned()];
        seen.push(
            house
                .put(&path, user("ada", json!({"title": "a"})))
                .await
                .status(200)
                .header("etag")
                .to_owned(),
        );
        let change = json!([{"op": "replace", "path": "title", "value": "b"}]);
        seen.push(house.patch(&path, change).await.status(200).header("etag").to_owned());
        for (n, tag) in seen.iter().enumerate() {
            assert!(!seen[n + 1..].contains(tag), "{seen:?}");
        }
        assert_eq!(house.get(&path).await.header("etag"), seen[2]);
        read_if_none_match(&house, &path, &seen[1]).await.status(200);
    }

    async fn a_change_of_members_is_a_change_of_the_group(house: TestHouse) {
        let (ada, path) = (
            house.user("ada").await,
            format!("/Groups/{}", house.group("Sales").await),
        );
        let mut tag = house.get(&path).await.header("etag").to_owned();
        for operation in [
            json!({"op": "add", "path": "members", "value": refs(&[&ada])}),
            json!({"op": "remove", "path": format!("members[value eq \"{ada}\"]")}),
            json!({"op": "replace", "path": "members", "value": refs(&[&ada])}),
            json!({"op": "remove", "path": "members"}),
        ] {
            let answer = house.patch(&path, json!([operation])).await.status(200);
            assert_ne!(answer.header("etag"), tag, "{operation}");
            answer.header("etag").clone_into(&mut tag);
            assert_eq!(house.get(&path).await.header("etag"), tag);
            let again = house.patch(&path, json!([operation])).await.status(200);
            assert_eq!(
                again.header("etag"),
                tag,
                "a change that is made already changes nothing: {operation}"
            );
        }
    }

    async fn the_current_tag_lets_changes_through(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let tag = house.get(&path).await.header("etag").to_owned();
        let answer = house
            .scim(
                Method::PUT,
                &path,
                Some(user("ada", json!({"title": "a"}))),
                &[("if-match", &tag)],
            )
            .await
            .status(200);
        let body = patch_op(&json!([{"op": "replace", "path": "title", "value": "b"}]));
        let listed = format!("W/\"77\", {}", answer.header("etag"));
        let answer = house
            .scim(Method::PATCH, &path, Some(body.clone()), &[("if-match", &listed)])
            .await
            .status(200);
        let strong = answer.header("etag").trim_start_matches("W/").to_owned();
        house
            .scim(Method::DELETE, &path, None, &[("if-match", &strong)])
            .await
            .no_content();
    }

    async fn a_star_lets_changes_of_what_exists_through(house: TestHouse) {
        let path = format!("/Groups/{}", house.group("Sales").await);
        let star = [("if-match", "*")];
        house
            .scim(Method::PUT, &path, Some(group("Ops", &[])), &star)
            .await
            .status(200);
        let body = patch_op(&json!([{"op": "replace", "path": "displayName", "value": "b"}]));
        house.scim(Method::PATCH, &path, Some(body), &star).await.status(200);
        house.scim(Method::DELETE, &path, None, &star).await.no_content();
        house.scim(Method::DELETE, &path, None, &star).await.error(404, None);
    }

    async fn a_read_of_another_version_than_wanted_is_412(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let tag = house.get(&path).await.header("etag").to_owned();
        let read = async |headers: &[(&str, &str)]| house.scim(Method::GET, &path, None, headers).await;
        for stale in ["W/\"99\"", "\"x\", W/\"99\""] {
            read(&[("if-match", stale)]).await.error(412, None);
            // If-Match is looked at first (RFC 9110 §13.2.2).
            read(&[("if-match", stale), ("if-none-match", &tag)]).await.error(412, None);
        }
        for current in [tag.as_str(), "*"] {
            read(&[("if-match", current)]).await.status(200);
            read(&[("if-match", current), ("if-none-match", &tag)]).await.status(304);
        }
        house.scim(Method::GET, "/Users/gone", None, &[("if-match", "W/\"99\"")]).await.error(404, None);
    }

    async fn a_version_that_may_not_be_is_not_changed(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let tag = house.get(&path).await.header("etag").to_owned();
        let requests = [
            (Method::PUT, Some(user("ada", json!({"title": "x"})))),
            (Method::PATCH, Some(patch_op(&json!([{"op": "add", "path": "title", "value": "x"}])))),
            (Method::DELETE, None),
        ];
        let before = house.dump().await;
        for (method, body) in &requests {
            for none in ["*", tag.as_str()] {
                let headers = [("if-none-match", none)];
                house.scim(method.clone(), &path, body.clone(), &headers).await.error(412, None);
                let headers = [("if-match", tag.as_str()), ("if-none-match", none)];
                house.scim(method.clone(), &path, body.clone(), &headers).await.error(412, None);
            }
        }
        before.assert_same(&house.dump().await);
        let mut other = vec![("if-none-match", "W/\"99\", \"x\"")];
        house.scim(Method::PUT, &path, requests[0].1.clone(), &other).await.status(200);
        let now = house.get(&path).await.header("etag").to_owned();
        other.push(("if-match", &now));
        house.scim(Method::DELETE, &path, None, &other).await.no_content();
        // What is not there has no version that could be forbidden; a PUT makes nothing.
        house.scim(Method::PUT, &path, requests[0].1.clone(), &[("if-none-match", "*")]).await.error(404, None);
    }

    async fn a_stale_tag_on_what_is_gone_is_404(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        house.delete(&path).await.no_content();
        house
            .scim(
                Method::PUT,
                &path,
                Some(user("ada", json!({}))),
                &[("if-match", "W/\"1\"")],
            )
            .await
            .error(404, None);
    }

    async fn a_tag_of_one_resource_says_nothing_of_another(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        house
            .put(&format!("/Users/{bob}"), user("bob", json!({"title": "x"})))
            .await
            .status(200);
        let tag = house.get(&format!("/Users/{bob}")).await.header("etag").to_owned();
        house
            .scim(Method::DELETE, &format!("/Users/{ada}"), None, &[("if-match", &tag)])
            .await
            .error(412, None);
    }

    async fn what_others_see_of_a_user_and_its_tag_change_together(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let path = format!("/Users/{ada}");
        let before = house.get(&path).await;
        house.join(&sales, &ada).await;
        let after = house.get(&path).await;
        assert_ne!(before.json["groups"], after.json["groups"]);
        let conditional = read_if_none_match(&house, &path, before.header("etag")).await;
        let expected = if before.header("etag") == after.header("etag") {
            304
        } else {
            200
        };
        assert_eq!(conditional.status, expected, "304 exactly when the tag is the same");
    }
}
