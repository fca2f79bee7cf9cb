//! What was deleted comes back: with the same id, memberships, grants and names, as far as they are there.

use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems, texts};
use crate::api::bodies::{group, user};
use crate::support::TestHouse;
use crate::support::program::run;

/// What a client sees of a resource, without what every change moves.
async fn seen(house: &TestHouse, path: &str) -> Value {
    let mut seen = house.get(path).await.status(200).json;
    let meta = seen["meta"].as_object_mut().unwrap();
    meta.remove("version");
    meta.remove("lastModified");
    if let Some(members) = seen["members"].as_array_mut() {
        members.sort_by_key(|member| member["value"].to_string());
    }
    seen
}

/// What a user has, without the version of the policy.
async fn access(desk: &Desk, id: &str) -> Value {
    let mut access = desk.get(&format!("/users/{id}/access")).await.status(200).json;
    access.as_object_mut().unwrap().remove("policy_version");
    access
}

async fn delete(house: &TestHouse, path: &str) {
    house.delete(path).await.no_content();
    house.get(path).await.error(404, None);
}

each_database! {
    async fn a_user_comes_back_as_they_were(house: TestHouse) {
        let desk = Desk::admin(&house);
        let body = user("ada", json!({"externalId": "hr-7", "title": "Chief", "emails": [{"value": "ada@acme.test"}]}));
        let ada = house.post("/Users", body).await.status(201).id();
        let path = format!("/Users/{ada}");
        for name in ["Sales", "Berlin"] {
            let group = house.group(name).await;
            house.join(&group, &ada).await;
        }
        desk.grant(&ada, "analyst", "all").await;
        let rule = json!({"name": "Chiefs", "when": "title eq \"Chief\"", "then": [{"role": "manager", "scope": "all"}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let (before, had) = (seen(&house, &path).await, access(&desk, &ada).await);
        let version = house.get(&path).await.header("etag").to_owned();
        delete(&house, &path).await;
        assert_eq!(house.find("/Users", "title eq \"Chief\"").await.total(), 0);
        let kept = desk.get("/tombstones").await.status(200).json;
        assert_eq!((texts(&kept, "id"), texts(&kept, "user_name")), (vec![ada.clone()], vec!["ada".to_owned()]));
        let restored = desk.post(&format!("/users/{ada}/restore"), json!({})).await.status(200).json;
        assert_eq!(restored, json!({"id": ada, "left_out": []}));
        assert_eq!(seen(&house, &path).await, before);
        assert_eq!(access(&desk, &ada).await, had);
        assert_ne!(house.get(&path).await.header("etag"), version, "no client takes it for what it knew");
        for filter in ["title eq \"Chief\"", "emails.value eq \"ada@acme.test\"", "externalId eq \"hr-7\""] {
            assert_eq!(house.find("/Users", filter).await.ids(), std::slice::from_ref(&ada), "{filter}");
        }
        assert_eq!(texts(&desk.get("/tombstones").await.json, "id"), Vec::<String>::new());
        let events = desk.get(&format!("/events?subject={ada}&kind=user.restored")).await.status(200).json;
        assert_eq!(events["items"].as_array().unwrap().len(), 1);
    }

    async fn a_group_comes_back_with_its_members_its_place_and_what_it_gave(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let inner = house.post("/Groups", group("Inner", &[&bob])).await.status(201).id();
        let sales = house.post("/Groups", group("Sales", &[&ada, &inner])).await.status(201).id();
        let all = house.post("/Groups", group("All", &[&sales])).await.status(201).id();
        desk.grant_to("group", &sales, "analyst", "all").await;
        desk.grant_to("group", &all, "read-only", "all").await;
        let (sales_path, all_path) = (format!("/Groups/{sales}"), format!("/Groups/{all}"));
        let before = (seen(&house, &sales_path).await, seen(&house, &all_path).await);
        let had = (access(&desk, &ada).await, access(&desk, &bob).await);
        delete(&house, &sales_path).await;
        assert_ne!(access(&desk, &bob).await, had.1);
        assert_eq!(desk.post(&format!("/groups/{sales}/restore"), json!({})).await.status(200).json["left_out"], json!([]));
        assert_eq!((seen(&house, &sales_path).await, seen(&house, &all_path).await), before);
        assert_eq!((access(&desk, &ada).await, access(&desk, &bob).await), had);
        assert_eq!(house.get(&format!("/Users/{bob}")).await.values_of("groups").len(), 3, "through nesting, too");
    }

    async fn what_is_gone_or_taken_is_left_out_and_named(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.post("/Users", user("ada", json!({"externalId": "hr-7"}))).await.status(201).id();
        let (sales, berlin) = (house.group("Sales").await, house.group("Berlin").await);
        house.join(&sales, &ada).await;
        house.join(&berlin, &ada).await;
        let role = desk.post("/roles", json!({"name": "Reviewer"})).await.status(201).id();
        let scope = desk.scope("territory", "Germany").await;
        let grants = [desk.grant(&ada, &role, "all").await, desk.grant(&ada, "analyst", &scope).await];
        desk.grant(&ada, "read-only", "all").await;
        delete(&house, &format!("/Users/{ada}")).await;
        delete(&house, &format!("/Groups/{sales}")).await;
        desk.delete(&format!("/roles/{role}")).await.no_content();
        desk.delete(&format!("/scopes/{scope}")).await.no_content();
        house.post("/Users", user("eve", json!({"externalId": "hr-7"}))).await.status(201);
        let restored = desk.post(&format!("/users/{ada}/restore"), json!({})).await.status(200).json;
        let left: Vec<_> = restored["left_out"].as_array().unwrap().iter()
            .map(|left| (left["what"].as_str().unwrap(), left["id"].as_str().unwrap()))
            .collect();
        let expected = [("grant", grants[0].as_str()), ("grant", &grants[1]), ("membership", &sales), ("external_id", "hr-7")];
        assert_eq!(left, expected);
        let ada = house.get(&format!("/Users/{ada}")).await.status(200);
        assert_eq!((ada.values_of("groups"), ada.json.get("externalId")), (vec![berlin], None));
    }

    async fn a_name_that_is_taken_is_told_with_the_ways_out(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let sales = house.group("Sales").await;
        house.join(&sales, &ada).await;
        let grant = desk.grant(&ada, "analyst", "all").await;
        delete(&house, &format!("/Users/{ada}")).await;
        let other = house.user("ADA").await;
        let path = format!("/users/{ada}/restore");
        let problem = desk.post(&path, json!({})).await.problem(409, "conflict");
        assert_eq!(problem["pointer"], "/user_name");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&other) && detail.contains("`into`"), "{detail}");
        desk.post(&path, json!({"user_name": "ada"})).await.problem(409, "conflict");
        desk.post(&path, json!({"user_name": ""})).await.status(400);
        desk.post(&path, json!({"into": "nobody"})).await.problem(400, "invalid-value");
        desk.post(&path, json!({"into": other, "user_name": "x"})).await.problem(400, "invalid-value");
        let given = desk.post(&path, json!({"into": other})).await.status(200).json;
        assert_eq!(given, json!({"id": other, "left_out": []}));
        assert_eq!(house.get(&format!("/Users/{other}")).await.values_of("groups"), [sales]);
        assert_eq!(access(&desk, &other).await["assignments"][0]["why"][0]["grant"], json!(grant));
        assert_eq!(texts(&desk.get("/tombstones?type=user").await.json, "state"), ["superseded"]);
        desk.post(&path, json!({"user_name": "ada-2"})).await.problem(409, "conflict");
    }

    async fn another_name_lets_a_user_and_a_group_back_beside_who_has_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        delete(&house, &format!("/Users/{ada}")).await;
        delete(&house, &format!("/Groups/{sales}")).await;
        house.user("ada").await;
        house.group("Sales").await;
        desk.post(&format!("/groups/{sales}/restore"), json!({})).await.problem(409, "conflict");
        desk.post(&format!("/users/{ada}/restore"), json!({"user_name": "ada-2"})).await.status(200);
        desk.post(&format!("/groups/{sales}/restore"), json!({"display_name": "Sales 2"})).await.status(200);
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["userName"], "ada-2");
        assert_eq!(house.find("/Groups", "displayName eq \"Sales 2\"").await.ids(), [sales]);
    }

    async fn only_what_was_deleted_comes_back_and_once(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let path = format!("/users/{ada}/restore");
        desk.post(&path, json!({})).await.problem(409, "conflict");
        delete(&house, &format!("/Users/{ada}")).await;
        desk.post(&format!("/groups/{ada}/restore"), json!({})).await.problem(404, "not-found");
        for how in ["activate", "suspend", "deactivate"] {
            let problem = desk.post(&format!("/users/{ada}/{how}"), json!({})).await.problem(409, "conflict");
            assert!(problem["detail"].as_str().unwrap().contains("restore"), "{problem}");
        }
        house.delete(&format!("/Users/{ada}")).await.error(404, None);
        let (here, there) = tokio::join!(desk.post(&path, json!({})), desk.post(&path, json!({})));
        let mut told = [here.status, there.status];
        told.sort_unstable();
        assert_eq!(told, [200, 409]);
    }

    async fn who_was_kept_out_still_is_and_who_comes_back_can_be_kept_out(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.post(&format!("/users/{ada}/suspend"), json!({"reason": "a case"})).await.status(200);
        for id in [&ada, &bob] {
            delete(&house, &format!("/Users/{id}")).await;
        }
        desk.post(&format!("/users/{ada}/restore"), json!({})).await.status(200);
        desk.post(&format!("/users/{bob}/restore"), json!({"active": false})).await.status(200);
        let status = async |id: &str| desk.get(&format!("/users/{id}/status")).await.status(200).json;
        assert_eq!(status(&ada).await["hold"]["reason"], "a case");
        assert_eq!((&status(&ada).await["status"], &status(&bob).await["status"]), (&json!("suspended"), &json!("deactivated")));
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], false);
    }

    async fn nobody_brings_back_more_than_they_hold(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, mia) = (house.user("ada").await, house.user("mia").await);
        let role = desk.post("/roles", json!({"name": "Keeper", "permissions": ["org.users.manage"]})).await.status(201).id();
        desk.grant(&mia, &role, "all").await;
        desk.grant(&ada, "admin", "all").await;
        desk.grant(&house.user("bob").await, "admin", "all").await;
        delete(&house, &format!("/Users/{ada}")).await;
        let path = format!("/users/{ada}/restore");
        Desk::user(&house, &mia).post(&path, json!({})).await.problem(403, "forbidden");
        house.get(&format!("/Users/{ada}")).await.error(404, None);
        desk.post(&path, json!({})).await.status(200);
    }

    async fn nobody_brings_back_who_held_more_by_a_group_or_takes_their_place(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, mia) = (house.user("ada").await, house.user("mia").await);
        let role = desk.post("/roles", json!({"name": "Keeper", "permissions": ["org.users.manage"]})).await.status(201).id();
        desk.grant(&mia, &role, "all").await;
        desk.grant(&house.user("bob").await, "admin", "all").await;
        let (inner, admins) = (house.group("Inner").await, house.group("Admins").await);
        desk.grant_to("group", &admins, "admin", "all").await;
        house.join(&admins, &inner).await;
        house.join(&inner, &ada).await;
        delete(&house, &format!("/Users/{ada}")).await;
        let (path, keeper) = (format!("/users/{ada}/restore"), Desk::user(&house, &mia));
        keeper.post(&path, json!({})).await.problem(403, "forbidden");
        keeper.post(&path, json!({"into": mia})).await.problem(403, "forbidden");
        desk.post(&path, json!({})).await.status(200);
    }

    async fn who_comes_back_active_is_held_by_nothing(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let path = format!("/users/{ada}");
        desk.post(&format!("{path}/suspend"), json!({})).await.status(200);
        delete(&house, &format!("/Users/{ada}")).await;
        desk.post(&format!("{path}/restore"), json!({"active": true})).await.status(200);
        assert_eq!(desk.get(&format!("{path}/status")).await.json["status"], "active");
        assert!(house.dump().await.table("user_status").is_empty());
        desk.post(&format!("{path}/deactivate"), json!({})).await.status(200);
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], false);
    }

    async fn the_command_line_lists_and_restores(house: TestHouse) {
        let ada = house.user("ada").await;
        delete(&house, &format!("/Users/{ada}")).await;
        let listed = run(&house.database, &["user", "deleted", "--tenant", "acme"]).stdout;
        assert!(String::from_utf8_lossy(&listed).contains(&ada));
        run(&house.database, &["user", "restore", "--tenant", "acme", &ada, "--user-name", "ada-2"]);
        assert_eq!(house.get(&format!("/Users/{ada}")).await.status(200).json["userName"], "ada-2");
    }
}
