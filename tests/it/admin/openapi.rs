//! `/api/openapi.json` and `/api/docs`: what can be asked, for programs and for people.

use axum::http::Method;
use serde_json::Value;

use super::desk::Desk;
use crate::support::TestHouse;

/// Every `$ref` below a value.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(target) if name == "$ref" => found.push(target.to_owned()),
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

each_database! {
    async fn the_document_is_openapi_3_1_and_every_reference_leads_somewhere(house: TestHouse) {
        let answer = Desk::nobody(&house).ask(Method::GET, "/api/openapi.json", None, &[]).await.status(200);
        assert_eq!(answer.header("content-type"), "application/json");
        let document = answer.json;
        assert_eq!(document["openapi"], "3.1.0");
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20);
        for target in found {
            let pointer = target.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
        }
    }

    async fn every_operation_says_what_it_does_under_a_name_of_its_own(house: TestHouse) {
        let document = Desk::nobody(&house).ask(Method::GET, "/api/openapi.json", None, &[]).await.json;
        let mut ids = Vec::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                assert_ne!(operation["summary"].as_str().unwrap(), "");
                ids.push(operation["operationId"].as_str().unwrap().to_owned());
            }
        }
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    async fn the_page_shows_every_route(house: TestHouse) {
        let nobody = Desk::nobody(&house);
        let page = nobody.ask(Method::GET, "/api/docs", None, &[]).await.status(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let document = nobody.ask(Method::GET, "/api/openapi.json", None, &[]).await.json;
        for path in document["paths"].as_object().unwrap().keys() {
            assert!(page.text.contains(path.as_str()), "{path}");
        }
    }
}
