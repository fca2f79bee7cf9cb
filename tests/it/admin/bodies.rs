//! Bodies and queries that cannot be read: a 400 that says what and where, and changes nothing.

use axum::http::Method;
use serde_json::json;

use super::desk::{Desk, Problems};
use crate::support::TestHouse;

each_database! {
    async fn a_field_that_is_unknown_missing_or_of_another_kind_is_named(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        let cases = [
            (json!({"nmae": "x"}), "unknown-field", "/nmae", "there is no field `nmae`; did you mean `name`?"),
            (json!({}), "missing-field", "/name", "the field `name` is missing"),
            (json!({"name": 7}), "invalid-value", "/name", "a number stands where a text belongs"),
            (json!({"name": "x", "permissions": ["data.act", 1]}), "invalid-value", "/permissions/1", "a number stands where a text belongs"),
            (json!(["x"]), "invalid-value", "", "a list stands where an object belongs"),
            (json!({"name": "x\u{0}"}), "invalid-value", "/name", "a text must not hold the character U+0000"),
        ];
        for (body, kind, pointer, detail) in cases {
            let problem = desk.post("/roles", body.clone()).await.problem(400, kind);
            assert_eq!((&problem["pointer"], &problem["detail"]), (&json!(pointer), &json!(detail)), "{body}");
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_body_that_is_no_json_or_no_body_is_refused(house: TestHouse) {
        let desk = Desk::admin(&house);
        for text in ["", "{", "{\"name\": \"a\", \"name\": \"b\"}"] {
            desk.raw(Method::POST, "/api/v1/roles", Some(text.to_owned()), &[]).await.problem(400, "invalid-json");
        }
        let body = Some(json!({"name": "x"}).to_string());
        let media = [("content-type", "text/plain")];
        desk.raw(Method::POST, "/api/v1/roles", body, &media).await.problem(415, "unsupported-media-type");
        let large = Some(format!("{{\"name\": \"{}\"}}", "x".repeat(20 << 20)));
        desk.raw(Method::POST, "/api/v1/roles", large, &[]).await.problem(413, "too-large");
    }

    async fn a_query_parameter_that_is_unknown_twice_or_unusable_is_named(house: TestHouse) {
        let desk = Desk::admin(&house);
        let cases = [
            ("/roles?limti=1", "unknown-parameter", "limti"),
            ("/roles?limit=0", "invalid-parameter", "limit"),
            ("/roles?limit=1&limit=1", "invalid-parameter", "limit"),
            ("/scopes?kind=planet", "invalid-parameter", "kind"),
            ("/grants?record=lead", "invalid-parameter", "record"),
            ("/roles?after=x", "invalid-value", "after"),
            ("/permissions?x=1", "unknown-parameter", "x"),
        ];
        for (path, kind, parameter) in cases {
            assert_eq!(desk.get(path).await.problem(400, kind)["parameter"], parameter, "{path}");
        }
    }

    async fn an_id_that_no_database_can_hold_is_a_missing_one(house: TestHouse) {
        let desk = Desk::admin(&house);
        for path in ["/roles/%00", "/scopes/%00", "/grants/a%00b", "/rules/%ff", "/users/%00/access"] {
            desk.get(path).await.problem(404, "not-found");
        }
        assert_eq!(desk.get("/grants?role=%00").await.status, 400);
    }

    async fn a_request_id_comes_back_in_head_and_body(house: TestHouse) {
        let asked = [("x-request-id", "ticket-7")];
        let answer = Desk::admin(&house).ask(Method::GET, "/api/v1/roles/nothing", None, &asked).await;
        assert_eq!(answer.problem(404, "not-found")["request_id"], "ticket-7");
    }
}
