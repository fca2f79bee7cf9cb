//! What an organisation defines holds in a bulk request as in single ones: references that last, values that occur once.

use serde_json::{Value, json};

use super::words::{bulk, change, create, id, statuses};
use crate::admin::desk::Desk;
use crate::api::bodies::{PATCH_OP, USER, user};
use crate::schemas::words::{BADGE, attach, badges, extends, schema, set, worn};
use crate::support::TestHouse;

const SPONSORED: &str = "urn:example:params:scim:schemas:extension:sponsored:2.0:User";

/// Users may say who vouches for them: once, and whoever says anything of it says that.
async fn sponsors(house: &TestHouse) {
    let desk = Desk::admin(house);
    let sponsor = json!({
        "name": "sponsor", "type": "complex", "required": true, "mutability": "immutable",
        "subAttributes": [
            {"name": "value", "type": "string", "required": true, "mutability": "immutable"},
            {"name": "$ref", "type": "reference", "referenceTypes": ["User"], "mutability": "immutable"},
        ],
    });
    set(&desk, &schema(SPONSORED, &json!([sponsor]))).await.status(200);
    attach(&desk, &extends("User", &[(SPONSORED, false)])).await.status(200);
}

fn sponsored(name: &str, by: &str) -> Value {
    let more = json!({"schemas": [USER, SPONSORED], SPONSORED: {"sponsor": {"value": by}}});
    create(name, "/Users", user(name, more))
}

fn numbered(name: &str, number: &str) -> Value {
    create(name, "/Users", worn(name, &json!({"number": number})))
}

each_database! {
    async fn a_circle_that_nobody_can_begin_is_409_for_each_and_nothing_is_stored(house: TestHouse) {
        sponsors(&house).await;
        let before = house.dump().await;
        for circle in [
            vec![sponsored("ada", "bulkId:ada")],
            vec![sponsored("ada", "bulkId:bob"), sponsored("bob", "bulkId:ada")],
            vec![sponsored("ada", "bulkId:bob"), sponsored("bob", "bulkId:cyd"), sponsored("cyd", "bulkId:ada")],
        ] {
            let results = bulk(&house, &circle).await;
            assert_eq!(statuses(&results), vec!["409"; circle.len()], "{results:?}");
            for result in &results {
                let detail = result["response"]["detail"].as_str().unwrap();
                assert!(detail.contains("circle of references that nobody can begin"), "{detail}");
                assert_eq!(result.get("location"), None);
            }
            before.assert_same(&house.dump().await);
        }
        // Who is there first can be begun with.
        let results = bulk(&house, &[sponsored("ada", "bulkId:bob"), create("bob", "/Users", user("bob", json!({})))]).await;
        assert_eq!(statuses(&results), ["201", "201"]);
        let shown = house.get(&format!("/Users/{}", id(&results[0]))).await.json;
        assert_eq!(shown[SPONSORED]["sponsor"]["value"], id(&results[1]));
    }

    async fn of_two_that_bring_the_same_unique_value_the_first_has_it(house: TestHouse) {
        badges(&Desk::admin(&house)).await;
        let results = bulk(&house, &[numbered("ada", "N-1"), numbered("bob", "n-1"), numbered("cyd", "N-2")]).await;
        assert_eq!(statuses(&results), ["201", "409", "201"]);
        assert_eq!(results[1]["response"]["scimType"], "uniqueness");
        let detail = results[1]["response"]["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("{BADGE}:number")), "{detail}");
        assert_eq!(house.find("/Users", "userName eq \"bob\"").await.total(), 0);
        let before = house.dump().await;
        let results = bulk(&house, &[numbered("dan", "N-1"), numbered("eve", "N-2")]).await;
        assert_eq!(statuses(&results), ["409", "409"]);
        before.assert_same(&house.dump().await);
    }

    async fn a_reference_by_name_is_found_in_the_filter_of_a_list_of_references(house: TestHouse) {
        const LINKS: &str = "urn:example:params:scim:schemas:extension:links:2.0:User";
        let desk = Desk::admin(&house);
        let links = json!({"name": "links", "type": "reference", "referenceTypes": ["User"], "multiValued": true});
        set(&desk, &schema(LINKS, &json!([links]))).await.status(200);
        attach(&desk, &extends("User", &[(LINKS, false)])).await.status(200);
        let linked = json!({"schemas": [USER, LINKS], LINKS: {"links": ["bulkId:bob"]}});
        let path = format!("{LINKS}:links[value eq \"bulkId:bob\"]");
        let moved = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": path, "value": "bulkId:ada"}]});
        let results = bulk(
            &house,
            &[
                create("bob", "/Users", user("bob", json!({}))),
                create("ada", "/Users", user("ada", linked)),
                change("PATCH", "/Users/bulkId:ada", moved),
            ],
        )
        .await;
        assert_eq!(statuses(&results), ["201", "201", "200"], "{results:?}");
        let ada = id(&results[1]);
        let shown = house.get(&format!("/Users/{ada}")).await.json;
        assert_eq!(shown[LINKS]["links"], json!([ada]));
    }
}
