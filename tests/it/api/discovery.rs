//! `/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes` (RFC 7644 §4, RFC 7643 §5 to §7).

use serde_json::{Value, json};

use crate::api::asks::nobody;
use crate::api::bodies::{ENTERPRISE, GROUP, LIST_RESPONSE, USER, user};
use crate::support::TestHouse;

/// The definition of an attribute or sub-attribute, by dotted path.
fn attribute<'a>(schema: &'a Value, path: &str) -> &'a Value {
    let mut found = schema;
    for (depth, name) in path.split('.').enumerate() {
        let list = if depth == 0 { "attributes" } else { "subAttributes" };
        let all = found[list].as_array().unwrap_or_else(|| panic!("{path}: no {list}"));
        found = all
            .iter()
            .find(|one| one["name"] == name)
            .unwrap_or_else(|| panic!("no {path}"));
    }
    found
}

/// Calls `check` with every definition below, and its depth.
fn each_attribute(list: &Value, depth: usize, check: &mut impl FnMut(&Value, usize)) {
    for one in list.as_array().into_iter().flatten() {
        check(one, depth);
        each_attribute(&one["subAttributes"], depth + 1, check);
    }
}

each_database! {
    async fn the_configuration_says_what_is_supported(house: TestHouse) {
        let config = house.get("/ServiceProviderConfig").await.status(200).json;
        assert_eq!(
            config["schemas"],
            json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"])
        );
        for (name, supported) in [
            ("patch", true),
            ("filter", true),
            ("sort", true),
            ("etag", true),
            ("bulk", true),
        ] {
            assert_eq!(config[name]["supported"], supported, "{name}");
        }
        assert!(config["changePassword"]["supported"].is_boolean());
        assert_eq!(config["filter"]["maxResults"], 1000);
        for name in ["maxOperations", "maxPayloadSize"] {
            assert!(config["bulk"][name].is_u64(), "{name}");
        }
        assert_eq!(config.get("totalResults"), None);
    }

    async fn the_configuration_describes_how_to_authenticate(house: TestHouse) {
        let config = house.get("/ServiceProviderConfig").await.json;
        let schemes = config["authenticationSchemes"].as_array().unwrap();
        assert_eq!(schemes[0]["type"], "oauthbearertoken");
        for scheme in schemes {
            assert!(
                scheme["name"].is_string() && scheme["description"].is_string(),
                "{scheme}"
            );
        }
    }

    async fn the_configuration_is_readable_without_a_token_and_nothing_else_is(house: TestHouse) {
        let own = house.get("/ServiceProviderConfig").await.json;
        assert_eq!(
            nobody(&house, "GET /scim/v2/ServiceProviderConfig")
                .await
                .status(200)
                .json,
            own
        );
        nobody(&house, "GET /t/acme/scim/v2/ServiceProviderConfig")
            .await
            .status(200);
        for path in [
            "Schemas",
            "ResourceTypes",
            "ServiceProviderConfig/x",
            "Users/ServiceProviderConfig",
        ] {
            assert_eq!(
                nobody(&house, &format!("GET /scim/v2/{path}")).await.status,
                401,
                "{path}"
            );
        }
        house
            .with_token(Some("wrong"))
            .get("/ServiceProviderConfig")
            .await
            .error(401, None);
    }

    async fn all_schemas_are_listed_and_each_is_found(house: TestHouse) {
        let list = house.get("/Schemas").await.status(200);
        assert_eq!(list.json["schemas"], json!([LIST_RESPONSE]));
        let schemas = list.json["Resources"].as_array().unwrap();
        assert_eq!(list.total(), schemas.len() as u64);
        for urn in [USER, GROUP, ENTERPRISE] {
            assert!(list.ids().iter().any(|id| id == urn), "{urn}");
        }
        for schema in schemas {
            let urn = schema["id"].as_str().unwrap();
            assert!(!urn.starts_with("urn:ietf:params:scim:api:"), "{urn} is a message");
            assert_eq!(house.get(&format!("/Schemas/{urn}")).await.status(200).json, *schema);
            assert_eq!(
                schema["schemas"],
                json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"])
            );
            assert_eq!(schema["meta"]["resourceType"], "Schema");
            assert!(
                schema["meta"]["location"]
                    .as_str()
                    .unwrap()
                    .ends_with(&format!("/scim/v2/Schemas/{urn}"))
            );
        }
        house.get("/Schemas/urn:no:such:schema").await.error(404, None);
    }

    async fn every_attribute_says_all_about_itself(house: TestHouse) {
        for schema in house.get("/Schemas").await.json["Resources"].as_array().unwrap() {
            let nests = schema["id"].as_str().unwrap().ends_with(":Schema");
            each_attribute(&schema["attributes"], 0, &mut |one, depth| {
                let texts = ["name", "type", "description", "mutability", "returned"];
                assert!(texts.iter().all(|key| one[*key].is_string()), "{one}");
                assert!(
                    ["multiValued", "required"].iter().all(|key| one[*key].is_boolean()),
                    "{one}"
                );
                let complex = one["type"] == "complex";
                assert_eq!(complex, one["subAttributes"].is_array(), "{one}");
                assert!(!complex || depth == 0 || nests, "complex inside complex: {one}");
                assert_eq!(one["type"] == "reference", one["referenceTypes"].is_array(), "{one}");
                assert!(
                    complex || one["type"] == "boolean" || one["caseExact"].is_boolean(),
                    "{one}"
                );
            });
        }
    }

    async fn the_errata_and_our_readings_are_published(house: TestHouse) {
        let user = house.get(&format!("/Schemas/{USER}")).await.json;
        let group = house.get(&format!("/Schemas/{GROUP}")).await.json;
        let enterprise = house.get(&format!("/Schemas/{ENTERPRISE}")).await.json;
        assert_eq!(attribute(&user, "userName")["uniqueness"], "server");
        assert_eq!(attribute(&user, "userName")["required"], true);
        assert_eq!(attribute(&user, "password")["returned"], "never");
        assert_eq!(attribute(&user, "groups")["mutability"], "readOnly");
        assert_eq!(attribute(&user, "groups.value")["caseExact"], true);
        assert_eq!(attribute(&user, "addresses.primary")["type"], "boolean");
        assert_eq!(attribute(&user, "profileUrl")["caseExact"], true);
        assert_eq!(attribute(&user, "x509Certificates.value")["type"], "binary");
        assert_eq!(attribute(&group, "displayName")["required"], true);
        assert_eq!(attribute(&group, "members.value")["caseExact"], true);
        assert_eq!(attribute(&group, "members.display")["type"], "string");
        assert_eq!(attribute(&enterprise, "manager.value")["caseExact"], true);
        assert_eq!(attribute(&enterprise, "manager.displayName")["mutability"], "readOnly");
    }

    async fn resource_types_name_schemas_that_exist(house: TestHouse) {
        let list = house.get("/ResourceTypes").await.status(200);
        let schemas = house.get("/Schemas").await.ids();
        let types = list.json["Resources"].as_array().unwrap();
        assert_eq!((list.total(), types.len()), (2, 2));
        for (one, (name, endpoint)) in types.iter().zip([("User", "/Users"), ("Group", "/Groups")]) {
            assert_eq!((&one["name"], &one["endpoint"]), (&json!(name), &json!(endpoint)));
            assert!(schemas.contains(&one["schema"].as_str().unwrap().to_owned()));
            for extension in one["schemaExtensions"].as_array().unwrap() {
                assert!(schemas.contains(&extension["schema"].as_str().unwrap().to_owned()));
                assert_eq!(extension["required"], false);
            }
            assert_eq!(
                house.get(&format!("/ResourceTypes/{name}")).await.status(200).json,
                *one
            );
            assert_eq!(one["meta"]["resourceType"], "ResourceType");
            house.get(endpoint).await.status(200);
        }
        house.get("/ResourceTypes/Thing").await.error(404, None);
    }

    async fn discovery_cannot_be_filtered(house: TestHouse) {
        for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
            house.find(path, "id pr").await.error(403, None);
        }
    }

    async fn discovery_ignores_pages_and_orders(house: TestHouse) {
        for path in ["/Schemas", "/ResourceTypes"] {
            let whole = house.get(path).await.json;
            let asked = house
                .get(&format!("{path}?count=1&startIndex=2&sortBy=id&sortOrder=descending"))
                .await
                .status(200);
            assert_eq!(asked.json["Resources"], whole["Resources"]);
        }
    }

    async fn every_urn_of_a_resource_has_its_schema(house: TestHouse) {
        let known = house.get("/Schemas").await.ids();
        let person = house
            .post("/Users", user("ada", json!({ENTERPRISE: {"department": "x"}})))
            .await
            .status(201);
        let group = house.get(&format!("/Groups/{}", house.group("Sales").await)).await;
        for resource in [person.json, group.json, house.get("/ServiceProviderConfig").await.json] {
            for urn in resource["schemas"].as_array().unwrap() {
                assert!(known.iter().any(|id| id == urn), "{urn}");
            }
        }
    }

    async fn locations_follow_the_prefix_they_were_asked_under(house: TestHouse) {
        let config = nobody(&house, "GET /t/acme/scim/v2/ServiceProviderConfig").await.json;
        let location = config["meta"]["location"].as_str().unwrap();
        assert!(
            location.ends_with("/t/acme/scim/v2/ServiceProviderConfig"),
            "{location}"
        );
    }
}
