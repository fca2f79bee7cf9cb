//! What is refused, or told, rather than lost: two values for one attribute, names that mean nothing, members that
//! contradict themselves.

use serde_json::json;

use crate::api::asks::as_connection;
use crate::api::bodies::{ENTERPRISE, NOBODY, group, user};
use crate::support::TestHouse;

/// Names of the header that lists what was ignored.
const IGNORED: &str = "muster-ignored-attributes";
const TOLERATED: &str = "muster-tolerated";

each_database! {
    async fn a_path_as_the_name_of_a_member_is_a_habit(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        let profile = as_connection(&house, "profile", "interop-profile");
        let path = format!("/Users/{}", house.user("ada").await);
        let department = format!("{ENTERPRISE}:department");
        for flat in [json!({"name.givenName": "G"}), json!({&department: "Lab"}), json!({ENTERPRISE: {"manager.value": NOBODY}})] {
            let before = house.dump().await;
            for one in [&strict, &profile] {
                one.post("/Users", user("eve", flat.clone())).await.error(400, Some("invalidSyntax"));
                one.put(&path, user("ada", flat.clone())).await.error(400, Some("invalidSyntax"));
            }
            strict.patch(&path, json!([{"op": "add", "value": flat}])).await.error(400, Some("invalidSyntax"));
            before.assert_same(&house.dump().await);
            let put = house.put(&path, user("ada", flat.clone())).await.status(200);
            assert_eq!(put.header(TOLERATED), "flat-keys-nested");
            house.put(&path, user("ada", json!({}))).await.status(200);
            let patched = house.patch(&path, json!([{"op": "add", "value": flat}])).await.status(200);
            assert_eq!(patched.header(TOLERATED), "flat-keys-nested");
            for part in ["name", ENTERPRISE] {
                assert_eq!(patched.json[part], put.json[part], "both say the same");
            }
            assert!(patched.json["name"]["givenName"] == "G" || patched.json[ENTERPRISE].is_object());
        }
    }

    async fn one_attribute_with_two_values_is_refused(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let department = format!("{ENTERPRISE}:department");
        let twice = json!({ENTERPRISE: {"department": "a"}, &department: "b"});
        let before = house.dump().await;
        house.post("/Users", user("eve", twice.clone())).await.error(400, Some("invalidSyntax"));
        house.put(&path, user("ada", twice.clone())).await.error(400, Some("invalidSyntax"));
        house.patch(&path, json!([{"op": "add", "value": twice}])).await.error(400, Some("invalidSyntax"));
        before.assert_same(&house.dump().await);
        // The same one twice is one.
        let same = json!({ENTERPRISE: {"department": "a"}, &department: "a"});
        let answer = house.put(&path, user("ada", same)).await.status(200);
        assert_eq!(answer.json[ENTERPRISE]["department"], "a");
    }

    async fn a_key_that_selects_elements_is_read_where_that_is_tolerated(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        let emails = json!({"emails": [{"type": "work", "value": "a@x.test"}]});
        let path = format!("/Users/{}", house.post("/Users", user("ada", emails)).await.status(201).id());
        let operation = json!([{"op": "replace", "value": {"emails[type eq \"work\"].value": "b@x.test"}}]);
        let answer = strict.patch(&path, operation.clone()).await.status(200);
        assert_eq!(answer.json["emails"][0]["value"], "a@x.test");
        assert_eq!(answer.header("muster-operations"), "already-true;ignored=1");
        assert_eq!(answer.header(IGNORED), "emails%5Btype%20eq%20%22work%22%5D.value");
        let answer = house.patch(&path, operation).await.status(200);
        assert_eq!(answer.json["emails"][0]["value"], "b@x.test");
        assert_eq!(answer.header(TOLERATED), "flat-keys-nested");
    }

    async fn every_name_that_means_nothing_is_told(house: TestHouse) {
        let strange = json!({"é": 1, "a b": 1, "x,y": 1});
        let made = house.post("/Users", user("ada", strange)).await.status(201);
        assert_eq!(made.header(IGNORED), "%C3%A9, a%20b, x%2Cy");
        let path = format!("/Users/{}", made.id());
        let operation = json!([{"op": "add", "path": "title", "value": "T", "foo": 1}]);
        let answer = house.patch(&path, operation.clone()).await.status(200);
        assert_eq!((answer.header(IGNORED), answer.header("muster-operations")), ("foo", "applied;ignored=1"));
        let profile = as_connection(&house, "profile", "interop-profile");
        profile.patch(&path, operation).await.error(400, Some("invalidSyntax"));
    }

    async fn names_in_members_that_mean_nothing_are_told_or_refused(house: TestHouse) {
        let profile = as_connection(&house, "profile", "interop-profile");
        let ada = house.user("ada").await;
        let member = json!([{"value": ada, "foo": 1}]);
        let body = |name: &str| {
            let mut body = group(name, &[]);
            body["members"] = member.clone();
            body
        };
        let made = house.post("/Groups", body("Sales")).await.status(201);
        assert_eq!(made.header(IGNORED), "members.foo");
        let path = format!("/Groups/{}", made.id());
        assert_eq!(house.put(&path, body("Sales")).await.status(200).header(IGNORED), "members.foo");
        let before = house.dump().await;
        profile.post("/Groups", body("Ops")).await.error(400, Some("invalidSyntax"));
        profile.put(&path, body("Ops")).await.error(400, Some("invalidSyntax"));
        for verb in ["add", "replace"] {
            let operation = json!([{"op": verb, "path": "members", "value": member}]);
            profile.patch(&path, operation.clone()).await.error(400, Some("invalidSyntax"));
            let answer = house.patch(&path, operation).await.status(200);
            assert_eq!(answer.header("muster-operations"), "already-true;ignored=1");
        }
        before.assert_same(&house.dump().await);
        let gone = house.patch(&path, json!([{"op": "remove", "path": "members", "value": member}])).await.status(200);
        assert_eq!((gone.header(IGNORED), gone.header(TOLERATED)), ("members.foo", "remove-by-value"));
        assert!(gone.values_of("members").is_empty());
    }

    async fn a_member_that_contradicts_itself_is_refused(house: TestHouse) {
        let (ada, bob, sales) = (house.user("ada").await, house.user("bob").await, house.group("Sales").await);
        let path = format!("/Groups/{sales}");
        let before = house.dump().await;
        for member in [
            json!({"value": ada, "$ref": format!("https://x.test/scim/v2/Users/{bob}")}),
            json!({"$ref": format!("https://x.test/scim/v2/Groups/{ada}")}),
            json!({"value": ada, "$ref": format!("../Groups/{ada}")}),
            json!({"value": ada, "type": "Robot"}),
            json!({"value": ada, "type": "Group"}),
        ] {
            let mut body = group("Sales", &[]);
            body["members"] = json!([member]);
            house.put(&path, body).await.error(400, Some("invalidValue"));
            for verb in ["add", "replace"] {
                let operation = json!([{"op": verb, "path": "members", "value": [member]}]);
                house.patch(&path, operation).await.error(400, Some("invalidValue"));
            }
        }
        before.assert_same(&house.dump().await);
        let told = house.get(&format!("/Users/{ada}")).await.json["meta"]["location"].clone();
        let member = json!([{"value": ada, "$ref": told, "type": "User"}, {"$ref": format!("Users/{bob}")}]);
        let answer = house.patch(&path, json!([{"op": "add", "path": "members", "value": member}])).await.status(200);
        assert_eq!(answer.values_of("members").len(), 2);
    }

    async fn a_removal_with_a_value_is_a_habit(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        house.join(&sales, &ada).await;
        let before = house.dump().await;
        let operation = json!([{"op": "remove", "path": "members", "value": [{"value": ada}]}]);
        let path = format!("/Groups/{sales}");
        strict.patch(&path, operation.clone()).await.error(400, Some("invalidSyntax"));
        before.assert_same(&house.dump().await);
        let answer = house.patch(&path, operation).await.status(200);
        assert_eq!(answer.header(TOLERATED), "remove-by-value");
        assert!(answer.values_of("members").is_empty());
        let plain = json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}]);
        strict.patch(&path, plain).await.status(200);
    }

    async fn a_null_is_added_by_nobody(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        for operation in [
            json!({"op": "add", "path": "title", "value": null}),
            json!({"op": "add", "value": {"title": null}}),
        ] {
            let answer = house.patch(&path, json!([operation])).await.status(200);
            assert_eq!(answer.header("muster-operations"), "already-true");
        }
        house.patch(&path, json!([{"op": "add", "path": "title"}])).await.error(400, Some("invalidValue"));
    }
}
