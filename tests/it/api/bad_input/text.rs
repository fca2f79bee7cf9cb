//! Text that no database holds and no client means: U+0000, unpaired surrogates, percent signs that decode to nothing.

use axum::http::Method;
use serde_json::json;

use crate::api::asks::{post_bytes, raw, refused};
use crate::api::bodies::{USER, search, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;

const SECRET: &str = "secret-of-ada";

each_database! {
    async fn a_nul_in_a_string_is_invalid_value(house: TestHouse) {
        let nul = format!("{SECRET}\0");
        let bodies = [
            user(&nul, json!({})),
            user("ada", json!({"title": nul})),
            user("ada", json!({"externalId": nul})),
            user("ada", json!({"name": {"familyName": nul}})),
            user("ada", json!({"emails": [{"value": nul}]})),
            user("ada", json!({crate::api::bodies::ENTERPRISE: {"department": nul}})),
        ];
        for body in bodies {
            refused(&house, SECRET, house.post("/Users", body))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn a_nul_in_a_patch_is_invalid_value(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let nul = format!("{SECRET}\0");
        for operation in [
            json!({"op": "add", "path": "title", "value": nul}),
            json!({"op": "replace", "value": {"nickName": nul}}),
            json!({"op": "replace", "path": "externalId", "value": nul}),
        ] {
            refused(&house, SECRET, house.patch(&path, json!([operation])))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn a_nul_in_a_member_is_invalid_value(house: TestHouse) {
        let path = format!("/Groups/{}", house.group("Sales").await);
        let add = json!([{"op": "add", "path": "members", "value": [{"value": format!("{SECRET}\0")}]}]);
        refused(&house, SECRET, house.patch(&path, add))
            .await
            .error(400, Some("invalidValue"));
    }

    async fn a_nul_in_a_filter_matches_nothing_or_is_refused_and_never_fails(house: TestHouse) {
        house.user("ada").await;
        let filters = [
            format!(r#"userName eq "{SECRET}\u0000""#),
            format!(r#"title co "{SECRET}\u0000""#),
            format!(r#"emails.value sw "\u0000{SECRET}""#),
            format!(r#"externalId eq "{SECRET}\u0000""#),
            format!(r#"id eq "{SECRET}\u0000""#),
            format!(r#"meta.created gt "{SECRET}\u0000""#),
        ];
        for filter in filters {
            let before = house.dump().await;
            found_nothing(&house.find("/Users", &filter).await);
            found_nothing(&house.post("/Users/.search", search(json!({"filter": filter}))).await);
            before.assert_same(&house.dump().await);
            house.logs.never_say(SECRET);
        }
    }

    async fn a_nul_in_the_url_is_refused(house: TestHouse) {
        let id = house.user("ada").await;
        for method in [Method::GET, Method::DELETE] {
            for path in [
                format!("/Users/{id}%00"),
                "/Users/%00".into(),
                format!("/Users/%00{SECRET}"),
            ] {
                refused(&house, SECRET, house.scim(method.clone(), &path, None, &[]))
                    .await
                    .error(404, None);
            }
        }
        for query in [
            format!("filter=userName%20eq%20%22{SECRET}%00%22"),
            "attributes=%00".into(),
            "%00=1".into(),
        ] {
            refused(&house, SECRET, house.get(&format!("/Users?{query}")))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn percent_signs_that_are_no_utf_8_are_refused(house: TestHouse) {
        house.user("ada").await;
        let path = format!("/Users?filter=userName%20eq%20%22{SECRET}%ff%22");
        refused(&house, SECRET, house.get(&path))
            .await
            .error(400, Some("invalidValue"));
        refused(&house, SECRET, house.get(&format!("/Users/{SECRET}%ff")))
            .await
            .error(404, None);
    }

    async fn an_unpaired_surrogate_is_invalid_syntax(house: TestHouse) {
        let id = house.user("ada").await;
        for escape in [r"\ud800", r"\udc00", r"\ud800\ud800", r"\ud83d "] {
            let body = format!(r#"{{"schemas":["{USER}"],"userName":"{SECRET}{escape}"}}"#);
            refused(&house, SECRET, post_bytes(&house, "/Users", body.clone()))
                .await
                .error(400, Some("invalidSyntax"));
            let json = [("content-type", "application/json")];
            let line = format!("PUT /scim/v2/Users/{id}");
            refused(&house, SECRET, raw(&house, &line, &json, body))
                .await
                .error(400, Some("invalidSyntax"));
        }
    }

    async fn an_unpaired_surrogate_in_a_filter_is_an_invalid_filter(house: TestHouse) {
        house.user("ada").await;
        let filter = format!(r#"userName eq "{SECRET}\ud800""#);
        refused(&house, SECRET, house.find("/Users", &filter))
            .await
            .error(400, Some("invalidFilter"));
    }

    async fn a_user_name_that_precis_forbids_is_invalid_value(house: TestHouse) {
        for name in [
            " secret-of-ada",
            "secret-of-ada ",
            "secret-of-ada\n",
            "secret-of-ada\u{7f}",
            "secret-of-ada\u{202e}x",
            "",
            " ",
        ] {
            let ask = house.post("/Users", user(name, json!({})));
            refused(&house, SECRET, ask).await.error(400, Some("invalidValue"));
        }
    }
}

/// Either the filter is refused, or it finds nobody.
#[track_caller]
fn found_nothing(answer: &Answer) {
    match answer.status {
        200 => assert_eq!(answer.total(), 0),
        _ => drop(answer.clone().error(400, Some("invalidFilter"))),
    }
}
