//! Extensions that no schema declares: what clients say of them is kept beside the resource, told, shown to administrators,
//! and goes with the resource.

use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems as _};
use crate::api::bodies::{GROUP, NOBODY, USER, group, patch_op, user};
use crate::closing::town::{another, own};
use crate::schemas::words::{BADGE, attach, badge, badges, extends, robot, robots, set};
use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::program::run_json;

const ACME: &str = "urn:example:acme:2.0:User";
const RULE: &str = "undeclared-extension-kept";
const IGNORED: &str = "muster-ignored-attributes";
const OPERATIONS: &str = "muster-operations";
const TOLERATED: &str = "muster-tolerated";

/// What is kept of a user: `{urn: attributes}` of each connection.
async fn kept(house: &TestHouse, id: &str) -> Value {
    let list = Desk::admin(house)
        .get(&format!("/users/{id}/aside"))
        .await
        .status(200)
        .json;
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| (item["urn"].as_str().unwrap().to_owned(), item["attributes"].clone()))
        .collect()
}

/// The names of the rules that an answer tells.
fn tolerated(answer: &Answer) -> Vec<&str> {
    answer
        .header(TOLERATED)
        .split(", ")
        .filter(|rule| !rule.is_empty())
        .collect()
}

async fn strict(house: &TestHouse, dialect: &str) -> TestHouse {
    let made = Desk::admin(house)
        .post("/connections", json!({"name": dialect, "dialect": dialect}))
        .await;
    made.status(201);
    house.with_token(Some(&crate::admin::desk::token(
        house,
        "acme",
        &["--connection", dialect],
    )))
}

each_database! {
    async fn what_no_schema_declares_is_kept_beside_the_user_and_told(house: TestHouse) {
        let body = user("ada", json!({"schemas": [USER, ACME], ACME: {"shoe": {"size": 38}, "tags": ["a"]}, "title": "Lady"}));
        let made = house.post("/Users", body).await.status(201);
        assert_eq!(tolerated(&made), ["unknown-schemas-dropped", RULE]);
        assert_eq!((made.header(IGNORED), &made.json["schemas"], &made.json[ACME]), ("", &json!([USER]), &Value::Null));
        assert_eq!(kept(&house, &made.id()).await, json!({ACME: {"shoe": {"size": 38}, "tags": ["a"]}}));
        let shown = house.get(&format!("/Users/{}", made.id())).await.json;
        assert!(!shown.to_string().contains("shoe"), "{shown}");
        house.find("/Users", &format!("{ACME}:shoe pr")).await.error(400, Some("invalidFilter"));
        let list = Desk::admin(&house).get(&format!("/users/{}/aside", made.id())).await.json;
        assert_eq!((&list["items"][0]["connection"]["name"], &list["items"][0]["declared"]), (&json!("test"), &json!(false)));
    }

    async fn a_patch_changes_it_attribute_by_attribute_and_says_so(house: TestHouse) {
        let id = house.user("ada").await;
        let path = format!("/Users/{id}");
        let told = async |operations: Value| {
            let answer = house.patch(&path, operations).await.status(200);
            assert!(tolerated(&answer).contains(&RULE), "{:?}", answer.headers);
            (answer.header(OPERATIONS).to_owned(), answer.header("etag").to_owned())
        };
        let add = |value: Value| json!([{"op": "add", "value": value}]);
        let (said, first) = told(add(json!({ACME: {"shoe": 38, "tags": ["a"]}}))).await;
        assert_eq!(said, "applied;kept=1");
        let (said, same) = told(add(json!({ACME: {"SHOE": 38, "tags": ["a"]}}))).await;
        assert_eq!((said.as_str(), &same), ("already-true;kept=1", &first));
        let (said, _) = told(json!([
            {"op": "add", "path": format!("{ACME}:tags"), "value": ["a", "b"]},
            {"op": "replace", "path": format!("{ACME}:desk.floor"), "value": 4},
            {"op": "remove", "path": format!("{ACME}:shoe")},
            {"op": "remove", "path": format!("{ACME}:never")},
            {"op": "replace", "value": {"title": "Lady", format!("{ACME}:room"): "12"}},
        ])).await;
        assert_eq!(said, "applied;kept=1, applied;kept=1, applied;kept=1, already-true;kept=1, applied;kept=1");
        assert_eq!(kept(&house, &id).await, json!({ACME: {"tags": ["a", "b"], "desk": {"floor": 4}, "room": "12"}}));
        assert_eq!(house.get(&path).await.json["title"], "Lady");
        told(json!([{"op": "remove", "path": ACME}])).await;
        assert_eq!(kept(&house, &id).await, json!({}));
        assert_eq!(house.dump().await.table("aside"), [""; 0]);
    }

    async fn a_new_whole_replaces_what_it_speaks_of_and_nothing_else(house: TestHouse) {
        let other = "urn:example:other:1.0";
        let whole = |more: Value| user("ada", more);
        let made = house.post("/Users", whole(json!({ACME: {"a": 1, "b": 2}, other: {"c": 3}}))).await.status(201);
        let (id, path) = (made.id(), format!("/Users/{}", made.id()));
        house.put(&path, whole(json!({ACME: {"a": 5}}))).await.status(200);
        assert_eq!(kept(&house, &id).await, json!({ACME: {"a": 5}, other: {"c": 3}}));
        let tag = house.get(&path).await.header("etag").to_owned();
        let same = house.put(&path, whole(json!({ACME: {"a": 5}}))).await.status(200);
        assert_eq!(same.header("etag"), tag);
        house.put(&path, whole(json!({ACME: null}))).await.status(200);
        assert_eq!(kept(&house, &id).await, json!({other: {"c": 3}}));
    }

    async fn groups_have_it_too(house: TestHouse) {
        let urn = "urn:okta:acme:1.0:Group:custom";
        let mut body = group("Sales", &[]);
        body[urn] = json!({"description": "Who sells"});
        let id = house.post("/Groups", body).await.status(201).id();
        let again = json!([{"op": "replace", "value": {"displayName": "Sales", urn: {"description": "All of them"}}}]);
        house.patch(&format!("/Groups/{id}"), again).await.status(200);
        let list = Desk::admin(&house).get(&format!("/groups/{id}/aside")).await.status(200).json;
        assert_eq!(list["items"][0]["attributes"], json!({"description": "All of them"}));
        assert_eq!(house.get(&format!("/Groups/{id}")).await.json["schemas"], json!([GROUP]));
        Desk::admin(&house).get(&format!("/users/{id}/aside")).await.problem(404, "not-found");
    }

    async fn each_connection_has_its_own(house: TestHouse) {
        let (_, hr) = another(&house, "hr").await;
        let id = house.post("/Users", user("ada", json!({ACME: {"from": "idp"}}))).await.status(201).id();
        let say = |from: &str| json!([{"op": "add", "value": {ACME: {"from": from}}}]);
        hr.patch(&format!("/Users/{id}"), say("hr")).await.status(200);
        let list = Desk::admin(&house).get(&format!("/users/{id}/aside")).await.json;
        let of = |at: usize| (list["items"][at]["connection"]["name"].clone(), list["items"][at]["attributes"]["from"].clone());
        assert_eq!((of(0), of(1)), ((json!("test"), json!("idp")), (json!("hr"), json!("hr"))));
    }

    async fn strict_connections_keep_nothing_aside(house: TestHouse) {
        let strict_one = strict(&house, "strict").await;
        let made = strict_one.post("/Users", user("ada", json!({ACME: {"shoe": 38}}))).await.status(201);
        assert_eq!((made.header(IGNORED), made.header(TOLERATED)), (ACME, ""));
        let path = format!("/Users/{}", made.id());
        let set = json!([{"op": "add", "path": format!("{ACME}:shoe"), "value": 38}]);
        strict_one.patch(&path, set).await.error(400, Some("invalidPath"));
        let profile = strict(&house, "interop-profile").await;
        profile.post("/Users", user("bob", json!({ACME: {"shoe": 38}}))).await.error(400, Some("invalidSyntax"));
        assert_eq!(house.dump().await.table("aside"), [""; 0]);
    }

    async fn what_is_too_much_is_ignored_and_named(house: TestHouse) {
        let large = json!({ACME: {"text": "x".repeat(20_000)}, "urn:example:small:1.0": {"a": 1}});
        let made = house.post("/Users", user("ada", large)).await.status(201);
        assert_eq!(made.header(IGNORED), ACME);
        let id = made.id();
        assert_eq!(kept(&house, &id).await, json!({"urn:example:small:1.0": {"a": 1}}));
        let many: Value = (0..30).map(|n| (format!("urn:example:many{n}:1.0"), json!({"a": n}))).collect();
        let answer = house.patch(&format!("/Users/{id}"), json!([{"op": "add", "value": many}])).await.status(200);
        assert_eq!(answer.header(IGNORED).split(", ").count(), 15);
        assert_eq!(answer.header(OPERATIONS), "applied;ignored=15;kept=15");
        assert_eq!(house.dump().await.table("aside").len(), 16);
        // A password is none of it, wherever it is.
        let secret = json!([{"op": "add", "value": {ACME: {"password": "hunter2hunter2", "a": {"Password": "hunter2hunter2"}}}}]);
        let bob = house.user("bob").await;
        house.patch(&format!("/Users/{bob}"), secret).await.status(200);
        let set = json!([{"op": "add", "path": format!("{ACME}:password"), "value": "hunter2hunter2"}]);
        let answer = house.patch(&format!("/Users/{bob}"), set).await.status(200);
        assert!(answer.header(IGNORED).ends_with(":password"), "{}", answer.header(IGNORED));
        let beneath = json!([
            {"op": "add", "path": format!("{ACME}:vpn.password"), "value": "hunter2hunter2"},
            {"op": "add", "value": {format!("{ACME}:vpn.password"): "hunter2hunter2"}},
            {"op": "add", "value": {ACME: {"vpn.password": "hunter2hunter2"}}},
        ]);
        house.patch(&format!("/Users/{bob}"), beneath).await.status(200);
        assert_eq!(house.dump().await.tables_with("hunter2"), [""; 0]);
    }

    async fn it_goes_with_the_resource(house: TestHouse) {
        let id = house.post("/Users", user("ada", json!({ACME: {"shoe": 38}}))).await.status(201).id();
        house.delete(&format!("/Users/{id}")).await.no_content();
        assert_eq!(house.dump().await.table("aside"), [""; 0]);
        let desk = Desk::admin(&house);
        desk.get(&format!("/users/{id}/aside")).await.problem(404, "not-found");
        desk.post(&format!("/users/{id}/restore"), json!({})).await.status(200);
        assert_eq!(kept(&house, &id).await, json!({}));
    }

    async fn a_refused_request_keeps_nothing(house: TestHouse) {
        let id = house.user("ada").await;
        house.user("bob").await;
        let before = house.dump().await;
        house.post("/Users", user("bob", json!({ACME: {"shoe": 38}}))).await.error(409, Some("uniqueness"));
        let rename = json!([{"op": "add", "value": {ACME: {"shoe": 38}}}, {"op": "replace", "path": "userName", "value": "bob"}]);
        house.patch(&format!("/Users/{id}"), rename).await.error(409, Some("uniqueness"));
        let filtered = json!([{"op": "add", "path": format!("{ACME}:tags[value eq \"a\"]"), "value": "b"}]);
        house.patch(&format!("/Users/{id}"), filtered).await.error(400, Some("invalidPath"));
        let stale = house.scim("PATCH".parse().unwrap(), &format!("/Users/{id}"),
            Some(patch_op(&json!([{"op": "add", "value": {ACME: {"shoe": 38}}}]))), &[("if-match", "W/\"99\"")]).await;
        stale.error(412, None);
        before.assert_same(&house.dump().await);
    }

    async fn a_schema_that_is_declared_later_takes_it_over_with_the_next_request(house: TestHouse) {
        let body = |more: Value| user("ada", json!({BADGE: more}));
        let id = house.post("/Users", body(json!({"color": "red"}))).await.status(201).id();
        let (desk, path) = (Desk::admin(&house), format!("/Users/{id}"));
        set(&desk, &badge()).await.status(200);
        attach(&desk, &extends("User", &[(BADGE, false)])).await.status(200);
        let list = desk.get(&format!("/users/{id}/aside")).await.json;
        assert_eq!((&list["items"][0]["attributes"], &list["items"][0]["declared"]), (&json!({"color": "red"}), &json!(true)));
        assert_eq!(house.get(&path).await.json[BADGE], Value::Null);
        house.put(&path, body(json!({"color": "blue"}))).await.status(200);
        assert_eq!(house.get(&path).await.json[BADGE], json!({"color": "blue"}));
        assert_eq!(kept(&house, &id).await, json!({}));
    }

    async fn a_patch_brings_what_it_names_and_leaves_the_rest_aside(house: TestHouse) {
        let worn = json!({"color": "red", "code": "x", "level": 3, "doors": [{"value": "1"}, {"value": "2"}]});
        let id = house.post("/Users", user("ada", json!({BADGE: worn}))).await.status(201).id();
        let (desk, path) = (Desk::admin(&house), format!("/Users/{id}"));
        badges(&desk).await;
        let set = json!([{"op": "replace", "path": format!("{BADGE}:color"), "value": "blue"}]);
        let changed = house.patch(&path, set).await.status(200);
        assert_eq!(changed.json[BADGE], json!({"color": "blue"}));
        let rest = json!({"code": "x", "level": 3, "doors": [{"value": "1"}, {"value": "2"}]});
        assert_eq!(kept(&house, &id).await, json!({BADGE: rest}));
        // What an operation adds to a list is all that it brings of it.
        let add = json!([
            {"op": "add", "path": format!("{BADGE}:doors"), "value": [{"value": "1"}]},
            {"op": "replace", "value": {BADGE: {"level": 4}}},
        ]);
        house.patch(&path, add).await.status(200);
        assert_eq!(kept(&house, &id).await, json!({BADGE: {"code": "x", "doors": [{"value": "2"}]}}));
        house.patch(&path, json!([{"op": "remove", "path": BADGE}])).await.status(200);
        assert_eq!(house.dump().await.table("aside"), [""; 0]);
        house.turn().await;
        let told = crate::log::folded::events(&desk).await;
        let about = told.iter().filter(|event| event["subject"]["id"] == *id && event["kind"] == "user.updated");
        let said: Vec<&Value> = about.map(|event| &event["data"]["aside"]).collect();
        assert_eq!(said, [&json!(1), &json!(1), &json!(1)]);
    }

    async fn what_is_brought_is_kept_no_longer_also_where_somebody_else_has_brought_the_same(house: TestHouse) {
        let id = house.post("/Users", user("ada", json!({BADGE: {"color": "red", "code": "x"}}))).await.status(201).id();
        let path = format!("/Users/{id}");
        badges(&Desk::admin(&house)).await;
        let (_, hr) = another(&house, "hr").await;
        let set = json!([{"op": "replace", "path": format!("{BADGE}:color"), "value": "red"}]);
        let first = hr.patch(&path, set.clone()).await.status(200);
        assert_eq!(kept(&house, &id).await, json!({BADGE: {"color": "red", "code": "x"}}));
        let second = house.patch(&path, set.clone()).await.status(200);
        assert_eq!((second.header(OPERATIONS), second.json[BADGE].clone()), ("", json!({"color": "red"})));
        assert_ne!(second.header("etag"), first.header("etag"));
        assert_eq!(kept(&house, &id).await, json!({BADGE: {"code": "x"}}));
        let third = house.patch(&path, set).await.status(200);
        assert_eq!((third.header(OPERATIONS), third.header("etag")), ("already-true", second.header("etag")));
        // A new whole brings all of it, also what it leaves out.
        house.put(&path, user("ada", json!({"schemas": [USER, BADGE], BADGE: {"color": "red"}}))).await.status(200);
        assert_eq!(kept(&house, &id).await, json!({}));
    }

    async fn what_is_kept_of_a_resource_of_an_own_type_is_shown_and_told(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        let mut body = robot("Marvin", 2);
        body[ACME] = json!({"mood": "low"});
        let made = house.post("/Robots", body).await.status(201);
        assert_eq!((made.header(IGNORED), made.json.get(ACME)), ("", None));
        let shown = |ty: &str, id: &str| format!("/resource-types/{ty}/resources/{id}/aside");
        let list = desk.get(&shown("Robot", &made.id())).await.status(200).json;
        assert_eq!((&list["items"][0]["urn"], &list["items"][0]["attributes"]), (&json!(ACME), &json!({"mood": "low"})));
        let id = house.user("ada").await;
        for path in [shown("Robot", &id), shown("Drone", &made.id()), shown("User", &made.id())] {
            desk.get(&path).await.problem(404, "not-found");
        }
        house.turn().await;
        let told = crate::log::folded::events(&desk).await;
        let event = told.iter().find(|event| event["subject"]["id"] == made.id().as_str()).unwrap();
        assert_eq!((&event["kind"], &event["data"]["aside"]), (&json!("resource.created"), &json!(1)));
    }

    async fn an_operation_with_nothing_else_in_it_is_about_nothing_else(house: TestHouse) {
        let id = house.post("/Users", user("ada", json!({ACME: {"a": 1}}))).await.status(201).id();
        Desk::admin(&house).post(&format!("/users/{id}/suspend"), json!({"reason": "audit"})).await.status(200);
        let answer = house.patch(&format!("/Users/{id}"), json!([
            {"op": "add", "value": {ACME: {"a": 1}}},
            {"op": "replace", "path": "active", "value": true},
        ])).await.status(200);
        assert!(answer.header(OPERATIONS).starts_with("already-true;kept=1, ignored"), "{}", answer.header(OPERATIONS));
    }

    async fn the_log_says_that_it_changed_and_never_what_it_is(house: TestHouse) {
        let made = house.post("/Users", user("ada", json!({ACME: {"shoe": "canary-one"}}))).await.status(201);
        let change = json!([{"op": "replace", "path": format!("{ACME}:shoe"), "value": "canary-two"}]);
        house.patch(&format!("/Users/{}", made.id()), change).await.status(200);
        house.turn().await;
        let told = crate::log::folded::events(&Desk::admin(&house)).await;
        let about: Vec<&Value> = told.iter().filter(|event| event["subject"]["id"] == made.id().as_str()).collect();
        let said: Vec<_> = about.iter().map(|event| (event["kind"].as_str().unwrap(), &event["data"]["aside"])).collect();
        assert_eq!(said, [("user.created", &json!(1)), ("user.updated", &json!(1))]);
        assert!(!json!(told).to_string().contains("canary"));
        house.logs.never_say("canary");
        assert_eq!(house.dump().await.tables_with("canary"), ["aside"]);
    }

    async fn a_connection_shows_what_it_needed_tolerated_and_what_it_says_undeclared(house: TestHouse) {
        let desk = Desk::admin(&house);
        let id = own(&desk).await;
        let path = format!("/connections/{id}");
        let clean = desk.get(&path).await.status(200).json;
        assert_eq!((&clean["dialect"], &clean["tolerances"], &clean["undeclared"]), (&json!("auto"), &json!([]), &json!([])));
        for name in ["ada", "bob"] {
            house.post("/Users", user(name, json!({ACME: {"shoe": 38}, "active": "true"}))).await.status(201);
        }
        house.post("/Users", user("cyd", json!({"urn:example:rare:1.0": {"a": 1}}))).await.status(201);
        house.count_tolerances().await;
        let shown = desk.get(&path).await.status(200).json;
        let tolerances: Vec<_> = shown["tolerances"].as_array().unwrap().iter().map(|one| (one["rule"].as_str().unwrap(), one["count"].as_u64().unwrap())).collect();
        assert_eq!(tolerances, [(RULE, 3), ("string-booleans", 2)]);
        let undeclared: Vec<_> = shown["undeclared"].as_array().unwrap().iter().map(|one| (one["urn"].as_str().unwrap(), one["resources"].as_u64().unwrap())).collect();
        assert_eq!(undeclared, [("urn:example:acme:2.0:user", 2), ("urn:example:rare:1.0", 1)]);
        assert!(shown["counts"]["users"].is_u64() && shown["state"] == "active", "{shown}");
        let told = run_json(&house.database, &["connection", "show", "--tenant", "acme", "test", "--json"]);
        assert_eq!((&told["tolerances"], &told["undeclared"]), (&shown["tolerances"], &shown["undeclared"]));
    }

    async fn only_who_cares_for_connections_or_access_sees_it(house: TestHouse) {
        let ada = house.user("ada").await;
        let desk = Desk::admin(&house);
        desk.grant(&ada, "analyst", "all").await;
        Desk::user(&house, &ada).get(&format!("/users/{ada}/aside")).await.problem(403, "forbidden");
        desk.get(&format!("/users/{NOBODY}/aside")).await.problem(404, "not-found");
    }
}
