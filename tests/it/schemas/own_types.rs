//! A resource type that an organisation defines is served like users and groups are.

use axum::http::Method;
use serde_json::{Value, json};

use super::words::{ROBOT, attach, badges, own_type, robot, robots, schema, set};
use crate::admin::desk::Desk;
use crate::api::bodies::{NOBODY, group, search, user};
use crate::log::folded::events;
use crate::support::TestHouse;

fn turn(wheels: i64) -> Value {
    json!([{"op": "replace", "path": "wheels", "value": wheels}])
}

each_database! {
    async fn it_is_served_from_the_next_request_on(house: TestHouse) {
        house.get("/Robots").await.error(404, None);
        robots(&Desk::admin(&house)).await;
        let made = house.post("/Robots", robot("Marvin", 2)).await.status(201);
        let (id, meta) = (made.id(), &made.json["meta"]);
        assert_eq!(meta["resourceType"], "Robot");
        let location = meta["location"].as_str().unwrap();
        assert!(location.ends_with(&format!("/scim/v2/Robots/{id}")), "{location}");
        assert_eq!((made.header("location"), made.header("etag")), (location, "W/\"1\""));
        let path = format!("/Robots/{id}");
        assert_eq!(house.get(&path).await.status(200).json, made.json);
        let turned = house.patch(&path, turn(3)).await.status(200);
        assert_eq!((&turned.json["wheels"], turned.header("etag")), (&json!(3), "W/\"2\""));
        let same = house.patch(&path, turn(3)).await.status(200);
        assert_eq!((same.header("muster-operations"), same.header("etag")), ("already-true", "W/\"2\""));
        let put = house.put(&path, robot("Marvin", 4)).await.status(200);
        assert_eq!((&put.json["wheels"], &put.json["meta"]["version"]), (&json!(4), &json!("W/\"3\"")));
        house.scim(Method::PUT, &path, Some(robot("Marvin", 5)), &[("if-match", "W/\"2\"")]).await.status(412);
        house.scim(Method::GET, &path, None, &[("if-none-match", "W/\"3\"")]).await.status(304);
        house.delete(&path).await.no_content();
        house.get(&path).await.error(404, None);
        house.put(&path, robot("Marvin", 5)).await.error(404, None);
        assert_eq!(house.get("/Robots").await.status(200).total(), 0);
    }

    async fn discovery_tells_of_it(house: TestHouse) {
        robots(&Desk::admin(&house)).await;
        let ty = house.get("/ResourceTypes/Robot").await.status(200).json;
        assert_eq!((&ty["endpoint"], &ty["schema"], &ty["id"]), (&json!("/Robots"), &json!(ROBOT), &json!("Robot")));
        let types = house.get("/ResourceTypes").await.status(200).json;
        assert!(types["Resources"].as_array().unwrap().contains(&ty));
        let shown = house.get(&format!("/Schemas/{ROBOT}")).await.status(200).json;
        assert_eq!(shown["attributes"][0]["uniqueness"], "server");
        let neighbour = house.second_tenant();
        neighbour.get("/ResourceTypes/Robot").await.error(404, None);
        neighbour.get("/Robots").await.error(404, None);
    }

    async fn it_is_listed_filtered_sorted_and_paged(house: TestHouse) {
        robots(&Desk::admin(&house)).await;
        let mut ids = Vec::new();
        for (name, wheels) in [("Marvin", 2), ("bender", 0), ("R2", 3), ("Wall-E", 2)] {
            ids.push(house.post("/Robots", robot(name, wheels)).await.status(201).id());
        }
        assert_eq!(house.get("/Robots").await.status(200).ids(), ids);
        let found = async |filter: &str| house.find("/Robots", filter).await.status(200).ids();
        assert_eq!(found("name eq \"BENDER\"").await, [&*ids[1]]);
        assert_eq!(found(&format!("{ROBOT}:wheels ge 2 and not (name sw \"r\")")).await, [&*ids[0], &*ids[3]]);
        assert_eq!(found(&format!("id eq \"{}\"", ids[2])).await, [&*ids[2]]);
        assert_eq!(found("meta.resourceType eq \"Robot\"").await.len(), 4);
        assert_eq!(found("meta.version eq \"W/\\\"1\\\"\"").await.len(), 4);
        assert_eq!(found(&format!("meta.location ew \"/Robots/{}\"", ids[3])).await, [&*ids[3]]);
        house.find("/Robots", "userName eq \"x\"").await.error(400, Some("invalidFilter"));
        let sorted = house.get("/Robots?sortBy=name&sortOrder=descending").await.status(200);
        assert_eq!(sorted.ids(), [&*ids[3], &*ids[2], &*ids[0], &*ids[1]]);
        let page = house.get("/Robots?startIndex=2&count=2&sortBy=wheels&attributes=name").await.status(200);
        assert_eq!((page.total(), page.json["Resources"].as_array().unwrap().len()), (4, 2));
        assert!(page.json["Resources"][0].get("wheels").is_none(), "{}", page.text);
        let less = house.get(&format!("/Robots/{}?excludedAttributes=wheels", ids[0])).await.status(200);
        assert_eq!((&less.json["name"], less.json.get("wheels")), (&json!("Marvin"), None));
        let posted = house.post("/Robots/.search", search(json!({"filter": "wheels eq 0"}))).await.status(200);
        assert_eq!(posted.ids(), [&*ids[1]]);
        for sort in ["meta.location", "meta.resourceType", "meta.created", "id"] {
            assert_eq!(house.get(&format!("/Robots?sortBy={sort}")).await.status(200).ids().len(), 4, "{sort}");
        }
    }

    async fn a_walk_by_cursor_shows_each_once(house: TestHouse) {
        robots(&Desk::admin(&house)).await;
        for number in 0..7 {
            house.post("/Robots", robot(&format!("robot {number}"), number % 2)).await.status(201);
        }
        for query in ["", "&sortBy=wheels", "&sortBy=name&filter=wheels%20ge%200"] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = house.get(&format!("/Robots?count=3&cursor={cursor}{query}")).await.status(200);
                seen.extend(page.ids());
                match page.json["nextCursor"].as_str() {
                    Some(next) => next.clone_into(&mut cursor),
                    None => break,
                }
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 7, "{query}");
        }
    }

    async fn a_search_from_the_root_finds_every_type(house: TestHouse) {
        robots(&Desk::admin(&house)).await;
        let ada = house.post("/Users", user("ada", json!({"active": true}))).await.status(201).id();
        let crew = house.group("crew").await;
        let marvin = house.post("/Robots", robot("Marvin", 2)).await.status(201).id();
        let all = house.get("/").await.status(200);
        assert_eq!((all.total(), all.ids()), (3, vec![ada.clone(), crew.clone(), marvin.clone()]));
        let found = async |filter: &str| house.post("/.search", search(json!({"filter": filter}))).await.status(200).ids();
        assert_eq!(found("meta.resourceType eq \"Robot\"").await, [&*marvin]);
        assert_eq!(found("meta.resourceType ne \"Robot\"").await, [&*ada, &*crew]);
        assert_eq!(found("meta.location co \"/Robots/\" or userName eq \"ada\"").await, [&*ada, &*marvin]);
        assert_eq!(found("wheels eq 2").await, [&*marvin]);
        assert_eq!(found("active eq true").await, [&*ada]);
        assert_eq!(found("not (active eq true)").await, [&*crew, &*marvin]);
        assert_eq!(found(&format!("id eq \"{marvin}\" or id eq \"{crew}\"")).await, [&*crew, &*marvin]);
        let sorted = house.get("/?sortBy=meta.resourceType").await.status(200);
        assert_eq!(sorted.ids(), [&*crew, &*marvin, &*ada]);
        let walked = house.get("/?cursor=&count=2").await.status(200);
        let next = walked.json["nextCursor"].as_str().unwrap();
        assert_eq!(house.get(&format!("/?count=2&cursor={next}")).await.status(200).ids(), [&*marvin]);
    }

    async fn attributes_may_be_called_as_those_of_users_are(house: TestHouse) {
        let desk = Desk::admin(&house);
        let attributes = json!([
            {"name": "userName", "type": "string"},
            {"name": "active", "type": "boolean"},
            {"name": "roles", "type": "string", "multiValued": true},
            {"name": "emails", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value", "type": "string"}]},
        ]);
        set(&desk, &schema(ROBOT, &attributes)).await.status(200);
        attach(&desk, &own_type("Robot", "/Robots", ROBOT)).await.status(200);
        let ada = house.post("/Users", user("ada", json!({"active": true}))).await.status(201).id();
        let body = json!({"schemas": [ROBOT], "userName": "ada", "active": true, "roles": ["owner"], "emails": [{"value": "r@example.com"}]});
        let one = house.post("/Robots", body.clone()).await.status(201).id();
        let two = house.post("/Robots", body).await.status(201).id();
        let found = async |at: &str, filter: &str| house.find(at, filter).await.status(200).ids();
        for filter in ["userName eq \"ada\"", "active eq true", "roles eq \"OWNER\"", "emails.value sw \"r@\"", "emails[value ew \".com\"]"] {
            assert_eq!(found("/Robots", filter).await, [&*one, &*two], "{filter}");
        }
        for filter in ["userName eq \"ada\"", "active eq true", "userName eq \"ada\" or userName eq \"bob\"", "active eq true and userName pr"] {
            assert_eq!(found("/", filter).await, [&*ada, &*one, &*two], "{filter}");
        }
        let off = json!([{"op": "replace", "path": "active", "value": false}, {"op": "remove", "path": "roles"}]);
        let turned = house.patch(&format!("/Robots/{one}"), off).await.status(200);
        assert_eq!((&turned.json["active"], turned.json.get("roles")), (&json!(false), None));
        assert_eq!(found("/Robots", "active eq false").await, [&*one]);
        let bare = house.put(&format!("/Robots/{one}"), json!({"schemas": [ROBOT]})).await.status(200);
        assert!(bare.json.get("active").is_none(), "a PUT clears it: {}", bare.text);
        assert_eq!(desk.get("/users").await.status(200).json["items"].as_array().unwrap().len(), 1);
    }

    async fn the_log_tells_what_happened_to_it_and_hides_what_nobody_is_shown(house: TestHouse) {
        let desk = Desk::admin(&house);
        let attributes = json!([
            {"name": "name", "type": "string"},
            {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
        ]);
        set(&desk, &schema(ROBOT, &attributes)).await.status(200);
        attach(&desk, &own_type("Robot", "/Robots", ROBOT)).await.status(200);
        let body = json!({"schemas": [ROBOT], "externalId": "r-1", "name": "Marvin", "pin": "42-secret"});
        let id = house.post("/Robots", body).await.status(201).id();
        house.patch(&format!("/Robots/{id}"), json!([{"op": "replace", "value": {"name": "Arvin", "pin": "43-secret"}}])).await.status(200);
        house.delete(&format!("/Robots/{id}")).await.no_content();
        house.turn().await;
        let told: Vec<Value> = events(&desk).await.into_iter().filter(|event| event["subject"]["id"] == *id).collect();
        let kinds: Vec<&str> = told.iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["resource.created", "resource.updated", "resource.deleted"]);
        for event in &told {
            assert_eq!((&event["subject"]["kind"], &event["data"]["type"]), (&json!("resource"), &json!("Robot")), "{event}");
            assert!(!event.to_string().contains("secret"), "{event}");
        }
        let names = told[1]["data"]["attributes"].as_array().unwrap();
        assert!(names.contains(&json!("name")) && names.contains(&json!("pin")), "{:?}", told[1]);
        assert!(told[1].to_string().contains("Arvin") && told[2].to_string().contains("r-1"), "{told:?}");
    }

    async fn what_is_gone_leaves_nothing_and_its_values_are_free(house: TestHouse) {
        robots(&Desk::admin(&house)).await;
        let mut body = robot("Marvin", 2);
        body["externalId"] = "r-1".into();
        let id = house.post("/Robots", body.clone()).await.status(201).id();
        assert_eq!(house.find("/Robots", "externalId eq \"r-1\"").await.status(200).ids(), [&*id]);
        house.post("/Robots", robot("MARVIN", 1)).await.error(409, Some("uniqueness"));
        house.delete(&format!("/Robots/{id}")).await.no_content();
        let dump = house.dump().await;
        for table in ["resource", "attribute", "unique_value", "external_id", "tombstone"] {
            assert!(dump.table(table).is_empty(), "{table}: {:?}", dump.table(table));
        }
        let again = house.post("/Robots", body).await.status(201).id();
        assert_ne!(again, id);
    }

    async fn it_is_no_member_and_nobody_of_another_type(house: TestHouse) {
        robots(&Desk::admin(&house)).await;
        let marvin = house.post("/Robots", robot("Marvin", 2)).await.status(201).id();
        let crew = house.post("/Groups", group("crew", &[&marvin])).await;
        if crew.status == 201 {
            assert!(house.get(&format!("/Groups/{}", crew.id())).await.values_of("members").is_empty());
        } else {
            assert_eq!(crew.status, 400, "{crew:?}");
        }
        for path in [format!("/Users/{marvin}"), format!("/Groups/{marvin}"), format!("/Robots/{NOBODY}")] {
            house.get(&path).await.error(404, None);
            house.delete(&path).await.error(404, None);
        }
        let ada = house.user("ada").await;
        house.get(&format!("/Robots/{ada}")).await.error(404, None);
        let grant = json!({"subject": {"type": "user", "id": marvin}, "role": "analyst", "scope": "all"});
        let refused = Desk::admin(&house).post("/grants", grant).await;
        assert!([400, 404].contains(&refused.status), "{refused:?}");
    }

    async fn extensions_work_on_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        badges(&desk).await;
        let arm = "urn:example:arm:1.0:Robot";
        set(&desk, &schema(arm, &json!([{"name": "reach", "type": "decimal"}, {"name": "serial", "type": "string", "uniqueness": "global"}]))).await.status(200);
        let mut definition = own_type("Robot", "/Robots", ROBOT);
        definition["schemaExtensions"] = json!([{"schema": arm, "required": true}]);
        house.post("/Robots", robot("Marvin", 2)).await.status(201);
        attach(&desk, &definition).await.status(409);
        definition["schemaExtensions"][0]["required"] = false.into();
        attach(&desk, &definition).await.status(200);
        let with = |name: &str, serial: &str| {
            let mut body = robot(name, 1);
            body["schemas"] = json!([ROBOT, arm]);
            body[arm] = json!({"reach": 1.5, "serial": serial});
            body
        };
        let bender = house.post("/Robots", with("Bender", "B-1")).await.status(201).id();
        house.post("/Robots", with("Flexo", "b-1")).await.error(409, Some("uniqueness"));
        assert_eq!(house.find("/Robots", &format!("{arm}:reach gt 1.25")).await.status(200).ids(), [&*bender]);
        desk.delete(&format!("/schemas/{arm}")).await.status(409);
        desk.delete(&format!("/schemas/{arm}?discard=true")).await.no_content();
        let shown = house.get(&format!("/Robots/{bender}")).await.status(200);
        assert!(!shown.text.contains("arm") && shown.json["name"] == "Bender", "{}", shown.text);
        assert_eq!(house.get("/ResourceTypes/Robot").await.status(200).json["schemaExtensions"], json!([]));
    }
}
