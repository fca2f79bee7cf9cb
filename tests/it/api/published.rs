//! `/Roles`, `/Entitlements` and `/RoleAssignments`: what the organisation decides by, to be read by provisioning.

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::api::bodies::{LIST_RESPONSE, search, user};
use crate::cli::server::Server;
use crate::support::TestHouse;
use crate::support::database::Database;

const ROLE: &str = "urn:ietf:params:scim:schemas:core:2.0:Role";
const ENTITLEMENT: &str = "urn:ietf:params:scim:schemas:core:2.0:Entitlement";
const ASSIGNMENT: &str = "urn:muster:scim:schemas:2.0:RoleAssignment";

fn named<'a>(list: &'a Value, value: &str) -> &'a Value {
    let resources = list["Resources"].as_array().unwrap();
    let found = resources.iter().find(|one| one["value"] == value);
    found.unwrap_or_else(|| panic!("no {value} in {list}"))
}

async fn custom(desk: &Desk, name: &str, permissions: &[&str]) -> String {
    let role = json!({"name": name, "permissions": permissions});
    desk.post("/roles", role).await.status(201).id()
}

each_database! {
    async fn roles_are_those_of_the_organisation_without_the_owners(house: TestHouse) {
        let desk = Desk::admin(&house);
        let looker = custom(&desk, "Looker", &["data.view_anonymised", "data.labels.manage"]).await;
        let list = house.get("/Roles").await.status(200);
        assert_eq!(list.json["schemas"], json!([LIST_RESPONSE]));
        assert_eq!(list.ids(), ["admin", "manager", "analyst", "read-only", &looker]);
        let resources = list.json["Resources"].as_array().unwrap();
        let supported: Vec<_> = resources.iter().map(|one| one["supported"].as_bool().unwrap()).collect();
        assert_eq!(supported, [false, true, true, true, true]);
        let analyst = named(&list.json, "Analyst");
        assert_eq!(analyst["schemas"], json!([ROLE]));
        assert_eq!(analyst["contains"], json!(["Read-Only"]));
        assert_eq!(analyst["containedBy"], json!(["Admin", "Manager"]));
        assert_eq!((&analyst["type"], &analyst["limitedAssignmentsPermitted"]), (&json!("predefined"), &json!(false)));
        assert_eq!(named(&list.json, "Looker")["type"], "custom");
        assert_eq!(named(&list.json, "Looker")["contains"], json!(["Read-Only"]));
        assert_eq!(named(&list.json, "Read-Only").get("contains"), None, "what has no value is absent");
        for one in resources {
            let id = one["id"].as_str().unwrap();
            assert_eq!(house.get(&format!("/Roles/{id}")).await.status(200).json, *one);
            assert!(one["meta"]["location"].as_str().unwrap().ends_with(&format!("/scim/v2/Roles/{id}")));
            assert_eq!(one["meta"]["resourceType"], "Role");
            assert_eq!(one["meta"].get("created").is_some(), id == looker);
        }
        house.get("/Roles/owner").await.error(404, None);
        house.second_tenant().get(&format!("/Roles/{looker}")).await.error(404, None);
    }

    async fn they_are_queried_like_any_other_resource(house: TestHouse) {
        let ids = async |query: &str| house.get(&format!("/Roles?{query}")).await.status(200).ids();
        assert_eq!(ids("filter=value%20eq%20%22MANAGER%22").await, ["manager"]);
        assert_eq!(ids("filter=supported%20eq%20true%20and%20not%20(contains%20pr)").await, ["read-only"]);
        assert_eq!(ids("filter=containedBy%20eq%20%22Analyst%22").await, ["read-only"]);
        assert_eq!(ids("sortBy=display&sortOrder=descending").await, ["read-only", "manager", "analyst", "admin"]);
        let page = house.get("/Roles?startIndex=2&count=2&sortBy=value").await.status(200);
        assert_eq!((page.ids(), page.total()), (vec!["analyst".to_owned(), "manager".to_owned()], 4));
        assert_eq!((&page.json["startIndex"], &page.json["itemsPerPage"]), (&json!(2), &json!(2)));
        let past = house.get("/Roles?startIndex=99").await.status(200);
        assert_eq!((past.ids(), past.total()), (vec![], 4));
        assert_eq!(house.get("/Roles?count=0").await.status(200).total(), 4);
        let seen = house.get("/Roles/analyst?attributes=value").await.status(200).json;
        assert_eq!(seen, json!({"schemas": [ROLE], "id": "analyst", "value": "Analyst"}));
        let found = house.post("/Roles/.search", search(json!({"filter": "type eq \"custom\""}))).await.status(200);
        assert_eq!(found.total(), 0);
        house.get("/Roles?filter=displayName%20pr").await.error(400, Some("invalidFilter"));
        house.get("/Roles?sortBy=userName").await.error(400, Some("invalidPath"));
    }

    async fn a_tag_changes_with_what_it_is_a_tag_of(house: TestHouse) {
        let desk = Desk::admin(&house);
        let looker = custom(&desk, "Looker", &["data.act"]).await;
        let path = format!("/Roles/{looker}");
        let tag = house.get(&path).await.status(200).header("etag").to_owned();
        let again = house.scim(Method::GET, &path, None, &[("if-none-match", &tag)]).await;
        assert_eq!(again.status, 304);
        desk.patch(&format!("/roles/{looker}"), json!({"name": "Viewer"})).await.status(200);
        let changed = house.scim(Method::GET, &path, None, &[("if-none-match", &tag)]).await.status(200);
        assert_eq!(changed.json["value"], "Viewer");
        assert_eq!(changed.json["meta"]["version"], changed.header("etag"));
    }

    async fn entitlements_are_the_catalogue_and_none_is_given_by_itself(house: TestHouse) {
        let list = house.get("/Entitlements").await.status(200);
        assert_eq!(list.total(), 18);
        let edit = named(&list.json, "record.edit");
        let said = (&edit["id"], &edit["type"], &edit["supported"]);
        assert_eq!(said, (&json!("record.edit"), &json!("scope"), &json!(false)));
        assert_eq!(house.get("/Entitlements/record.edit").await.status(200).json, *edit);
        let organisation = house.find("/Entitlements", "type eq \"organisation\" and value sw \"org.\"").await;
        assert_eq!(organisation.total(), 8);
        house.get("/Entitlements/record.edti").await.error(404, None);
    }

    async fn assignments_are_the_grants(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, team) = (house.user("ada").await, house.group("Team").await);
        let emea = desk.scope("territory", "EMEA").await;
        let restricted = json!({
            "subject": {"type": "group", "id": team}, "role": "analyst", "scope": emea,
            "valid_from": "2026-01-01T00:00:00Z", "valid_to": "2027-01-01T00:00:00Z",
            "restrict": {"tier": ["gold", "silver"]},
        });
        let first = desk.post("/grants", restricted).await.status(201).id();
        let holder = json!({"type": "user", "id": ada});
        let record = json!({"subject": holder, "role": "read-only", "record": {"kind": "lead", "id": "7"}});
        let second = desk.post("/grants", record).await.status(201).id();
        let bob = user("bob", json!({"roles": [{"value": "Manager"}]}));
        let bob = house.post("/Users", bob).await.status(201).id();
        let list = house.get("/RoleAssignments").await.status(200);
        assert_eq!((list.total(), &list.ids()[..2]), (3, &[first.clone(), second.clone()][..]));
        let one = &list.json["Resources"][0];
        assert_eq!((&one["schemas"], &one["meta"]["resourceType"]), (&json!([ASSIGNMENT]), &json!("role-assignment")));
        assert_eq!(one["subject"]["value"], team.as_str());
        assert_eq!((&one["subject"]["type"], &one["subject"]["display"]), (&json!("Group"), &json!("Team")));
        assert!(one["subject"]["$ref"].as_str().unwrap().ends_with(&format!("/scim/v2/Groups/{team}")), "{one}");
        assert!(one["role"]["$ref"].as_str().unwrap().ends_with("/scim/v2/Roles/analyst"), "{one}");
        assert_eq!(one["scope"], json!({"value": emea, "display": "EMEA", "type": "territory"}));
        let tier = |value: &str| json!({"property": "tier", "value": value});
        assert_eq!(one["restrictions"], json!([tier("gold"), tier("silver")]));
        assert_eq!((&one["validFrom"], &one["origin"]), (&json!("2026-01-01T00:00:00.000000Z"), &json!("manual")));
        assert_eq!(list.json["Resources"][1]["scope"], json!({"value": "lead:7", "type": "record"}));
        assert_eq!(list.json["Resources"][2]["scope"]["value"], "all");
        let path = format!("/RoleAssignments/{first}");
        assert_eq!(house.get(&path).await.status(200).json, *one);
        assert_eq!(house.get(&format!("{path}?attributes=role.value")).await.json["role"], json!({"value": "analyst"}));
        for (filter, found) in [
            (format!("subject.value eq \"{bob}\""), 1),
            (format!("subject.value eq \"{ada}\" and role.value eq \"read-only\""), 1),
            (format!("subject.value eq \"{ada}\" and role.value eq \"analyst\""), 0),
            (format!("subject.value eq \"{ada}\" and subject.value eq \"{bob}\""), 0),
            (format!("scope.value eq \"{emea}\""), 1),
            ("scope.value eq \"all\" and origin eq \"provisioned\"".to_owned(), 1),
            ("scope.value eq \"lead:7\"".to_owned(), 1),
            ("role.value eq \"nonsense\"".to_owned(), 0),
            ("origin eq \"nonsense\"".to_owned(), 0),
            (format!("id eq \"{second}\""), 1),
        ] {
            let found_here = house.find("/RoleAssignments", &filter).await.status(200);
            assert_eq!((found_here.total(), found_here.ids().len() as u64), (found, found), "{filter}");
        }
        for filter in [
            "role.display eq \"Analyst\"",
            "not (origin eq \"manual\")",
            "role.value sw \"a\"",
            "origin eq \"manual\" or id pr",
        ] {
            house.find("/RoleAssignments", filter).await.error(400, Some("invalidFilter"));
        }
        let neighbour = house.second_tenant();
        assert_eq!(neighbour.get("/RoleAssignments").await.total(), 0);
        neighbour.get(&path).await.error(404, None);
    }

    async fn assignments_are_paged_and_sorted_by_the_store(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let mut made = Vec::new();
        for role in ["manager", "analyst", "read-only"] {
            made.push(desk.grant(&ada, role, "all").await);
        }
        let page = house.get("/RoleAssignments?startIndex=2&count=1").await.status(200);
        assert_eq!((page.ids(), page.total()), (vec![made[1].clone()], 3));
        let last = house.get("/RoleAssignments?count=1&sortBy=meta.created&sortOrder=descending").await.status(200);
        assert_eq!(last.ids(), [made[2].as_str()]);
        assert_eq!(house.get("/RoleAssignments?startIndex=9").await.status(200).ids().len(), 0);
        house.get("/RoleAssignments?sortBy=origin").await.error(400, Some("invalidPath"));
    }

    async fn the_owner_is_shown_by_a_role_that_nobody_can_ask_for(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        let found = house.find("/RoleAssignments", "role.value eq \"owner\"").await.status(200);
        assert_eq!(found.json["Resources"][0]["role"], json!({"value": "owner", "display": "Owner"}));
    }

    async fn they_can_only_be_read(house: TestHouse) {
        let before = house.dump().await;
        let body = || Some(json!({"schemas": [ROLE], "value": "Boss"}));
        for (method, path) in [
            (Method::POST, "/Roles"),
            (Method::PUT, "/Roles/admin"),
            (Method::PATCH, "/Roles/admin"),
            (Method::DELETE, "/Roles/admin"),
            (Method::POST, "/Entitlements"),
            (Method::DELETE, "/Entitlements/record.edit"),
            (Method::POST, "/RoleAssignments"),
            (Method::PUT, "/RoleAssignments/none"),
        ] {
            let answer = house.scim(method.clone(), path, body(), &[]).await;
            assert_eq!(answer.header("allow"), "GET,HEAD", "{method} {path}");
            answer.error(405, None);
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_query_of_everything_is_about_users_and_groups(house: TestHouse) {
        let ada = house.user("ada").await;
        assert_eq!(house.get("?filter=id%20pr").await.status(200).ids(), [ada.as_str()]);
        house.get("?filter=supported%20pr").await.error(400, Some("invalidFilter"));
    }

    async fn what_drafts_define_is_found_by_name_and_listed_on_demand(database: Database) {
        let listed = async |arguments: &[&str]| {
            let server = Server::start(&database, arguments, &[]);
            let client = server.client(&database.keys().await.token);
            let get = async |path: &str| client.ask("GET", path, None).await.unwrap().status(200).json;
            for (kind, urn) in [("Role", ROLE), ("Entitlement", ENTITLEMENT), ("role-assignment", ASSIGNMENT)] {
                assert_eq!(get(&format!("/ResourceTypes/{kind}")).await["schema"], urn);
                assert_eq!(get(&format!("/Schemas/{urn}")).await["id"], urn);
            }
            let config = get("/ServiceProviderConfig").await;
            let types = get("/ResourceTypes").await["totalResults"].clone();
            let schemas = get("/Schemas").await["totalResults"].clone();
            (config.get("RolesAndEntitlements").cloned(), types, schemas)
        };
        let (told, types, schemas) = listed(&[]).await;
        assert_eq!((told, types), (None, json!(2)));
        let (told, all_types, all_schemas) = listed(&["--advertise-roles"]).await;
        assert_eq!(told.unwrap()["roles"]["supported"], true);
        assert_eq!((all_types, all_schemas.as_u64()), (json!(5), schemas.as_u64().map(|n| n + 3)));
    }
}
