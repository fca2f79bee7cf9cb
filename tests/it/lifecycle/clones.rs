//! Users and groups after the profile of others: what they get, what they never get, and who may make them.

use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems, texts};
use crate::api::bodies::{ENTERPRISE, USER, group, user};
use crate::support::TestHouse;
use crate::support::program::run_json;

/// What a user has, as pairs of role and scope.
async fn roles(desk: &Desk, id: &str) -> Vec<(String, String)> {
    let access = desk.get(&format!("/users/{id}/access")).await.status(200).json;
    let assignments = access["assignments"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut roles: Vec<_> = assignments
        .map(|one| (text(&one["role"]), text(&one["scope"])))
        .collect();
    roles.sort_unstable();
    roles
}

async fn names_of_groups(house: &TestHouse, id: &str) -> Vec<String> {
    let user = house.get(&format!("/Users/{id}")).await.status(200).json;
    let groups = user["groups"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<_> = groups
        .iter()
        .map(|group| group["display"].as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

each_database! {
    async fn a_clone_has_the_profile_the_groups_and_the_grants_and_nothing_that_is_one_persons(house: TestHouse) {
        let desk = Desk::admin(&house);
        let body = user("ada", json!({
            "schemas": [USER, ENTERPRISE],
            "externalId": "hr-7",
            "title": "Chief",
            "displayName": "Ada",
            "name": {"givenName": "Ada", "familyName": "King"},
            "nickName": "Countess",
            "addresses": [{"locality": "London"}],
            "emails": [{"value": "ada@acme.test"}],
            "phoneNumbers": [{"value": "tel:+49-1"}],
            "photos": [{"value": "https://acme.test/ada.png"}],
            "password": "correct horse battery",
            ENTERPRISE: {"employeeNumber": "12", "department": "Sales"},
        }));
        let ada = house.post("/Users", body).await.status(201).id();
        let (sales, berlin) = (house.group("Sales").await, house.group("Berlin").await);
        let whole = house.group("Whole").await;
        house.join(&sales, &ada).await;
        house.join(&berlin, &ada).await;
        house.join(&whole, &berlin).await;
        let scope = desk.scope("territory", "Germany").await;
        desk.grant(&ada, "analyst", &scope).await;
        desk.grant_to("group", &whole, "read-only", "all").await;
        let chiefs = house.group("Chiefs").await;
        let rule = json!({"name": "Chiefs", "when": "title eq \"Chief\"", "then": [{"role": "manager", "scope": "all"}, {"group": chiefs}], "state": "active"});
        desk.post("/rules", rule).await.status(201);

        let asked = json!({"userName": "lin", "displayName": "Lin", "emails": [{"value": "lin@acme.test", "primary": true}]});
        let answer = desk.post(&format!("/users/{ada}/clone"), asked).await.status(201);
        let lin = answer.id();
        assert_ne!(lin, ada);
        let seen = house.get(&format!("/Users/{lin}")).await.status(200).json;
        assert_eq!(answer.json["meta"]["version"], seen["meta"]["version"]);
        assert!(answer.header("location").ends_with(&format!("/Users/{lin}")));
        for (member, value) in [("userName", json!("lin")), ("displayName", json!("Lin")), ("title", json!("Chief")), ("active", json!(true))] {
            assert_eq!((&seen[member], &answer.json[member]), (&value, &value), "{member}");
        }
        assert_eq!(seen[ENTERPRISE], json!({"department": "Sales"}));
        assert_eq!(seen["emails"], json!([{"value": "lin@acme.test", "primary": true}]));
        for member in ["externalId", "name", "nickName", "addresses", "phoneNumbers", "photos"] {
            assert_eq!(seen.get(member), None, "{member}");
        }
        assert_eq!(names_of_groups(&house, &lin).await, ["Berlin", "Chiefs", "Sales", "Whole"]);
        assert_eq!(roles(&desk, &lin).await, roles(&desk, &ada).await);
        assert_eq!(house.find("/Users", "emails.value eq \"ada@acme.test\"").await.ids(), std::slice::from_ref(&ada));
        assert_eq!(house.find("/Users", "title eq \"Chief\"").await.total(), 2);
        assert_eq!(house.find("/Users", "groups.display eq \"Sales\"").await.total(), 2);
        assert!(house.get(&format!("/Groups/{sales}")).await.values_of("members").contains(&lin));
    }

    async fn a_clone_is_told_in_the_log_with_whom_it_was_made_after(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let sales = house.group("Sales").await;
        house.join(&sales, &ada).await;
        desk.grant(&ada, "analyst", "all").await;
        let lin = desk.post(&format!("/users/{ada}/clone"), json!({"userName": "lin"})).await.status(201).id();
        let events = desk.get(&format!("/events?subject={lin}")).await.status(200).json;
        assert_eq!(texts(&events, "kind"), ["user.created", "grant.created"]);
        let created = &events["items"][0];
        assert_eq!((&created["data"]["via"], &created["data"]["source"]), (&json!("clone"), &json!(ada)));
        assert_eq!(created["after"]["userName"], "lin");
        assert_eq!(created["cause"]["by"], "admin");
        let joined = desk.get(&format!("/events?subject={sales}&kind=group.updated")).await.status(200).json;
        let joined = joined["items"].as_array().unwrap().last().unwrap();
        assert_eq!(joined["data"]["members_added"], json!([lin]));
    }

    async fn ownership_holds_ended_grants_and_smart_groups_are_not_copied(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        desk.grant(&ada, "analyst", "all").await;
        let over = json!({"subject": {"type": "user", "id": ada}, "role": "manager", "scope": "all", "valid_to": "2025-06-01T00:00:00Z"});
        desk.post("/grants", over).await.status(201);
        let smart = house.group("Smart").await;
        house.join(&smart, &ada).await;
        let rule = json!({"name": "Lins", "when": "userName eq \"lin\"", "then": [{"group": smart}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let path = format!("/users/{ada}/clone");
        let mia = desk.post(&path, json!({"userName": "mia", "active": false})).await.status(201).id();
        assert_eq!(house.get(&format!("/Users/{mia}")).await.json["active"], false);
        desk.post(&format!("/users/{mia}/activate"), json!({})).await.status(200);
        assert_eq!(roles(&desk, &mia).await, [("analyst".to_owned(), "all".to_owned())]);
        assert_eq!(names_of_groups(&house, &mia).await, Vec::<String>::new());
        let lin = desk.post(&path, json!({"userName": "lin"})).await.status(201).id();
        assert_eq!(names_of_groups(&house, &lin).await, ["Smart"], "by the rule");
        let owner = desk.get("/ownership").await.status(200).json;
        assert_eq!(owner["owner"]["id"], json!(ada));
        desk.post(&format!("/users/{lin}/suspend"), json!({})).await.status(200);
        let pia = desk.post(&format!("/users/{lin}/clone"), json!({"userName": "pia"})).await.status(201).id();
        assert_eq!(desk.get(&format!("/users/{pia}/status")).await.json["status"], "active");
    }

    async fn a_name_that_is_taken_or_none_and_a_source_that_is_none_are_refused(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, lin) = (house.user("ada").await, house.user("lin").await);
        let path = format!("/users/{ada}/clone");
        let problem = desk.post(&path, json!({"userName": "LIN"})).await.problem(409, "conflict");
        assert_eq!(problem["pointer"], "/userName");
        assert!(problem["detail"].as_str().unwrap().contains(&lin));
        let before = house.dump().await;
        for body in [json!({"userName": ""}), json!({"userName": "x", "emails": [{"value": 7}]}), json!({}), json!({"userName": "x", "title": "y"})] {
            desk.post(&path, body).await.status(400);
        }
        let sales = house.group("Sales").await;
        for id in ["nobody", &sales] {
            desk.post(&format!("/users/{id}/clone"), json!({"userName": "x"})).await.problem(404, "not-found");
        }
        desk.post(&format!("/groups/{ada}/clone"), json!({"displayName": "x"})).await.problem(404, "not-found");
        house.delete(&format!("/Groups/{sales}")).await.no_content();
        assert_eq!(house.dump().await.table("resource"), before.table("resource"));
        let (here, there) = tokio::join!(
            desk.post(&path, json!({"userName": "new"})),
            desk.post(&path, json!({"userName": "new"}))
        );
        let mut told = [here.status, there.status];
        told.sort_unstable();
        assert_eq!(told, [201, 409]);
    }

    async fn nobody_makes_somebody_who_has_more_than_they_hold(house: TestHouse) {
        let desk = Desk::admin(&house);
        let keeper = desk.post("/roles", json!({"name": "Keeper", "permissions": ["org.users.manage"]})).await.status(201).id();
        let mia = house.user("mia").await;
        desk.grant(&mia, &keeper, "all").await;
        desk.grant(&house.user("root").await, "admin", "all").await;
        let (plain, granted, grouped) = (house.user("plain").await, house.user("granted").await, house.user("grouped").await);
        desk.grant(&plain, &keeper, "all").await;
        desk.grant(&granted, "admin", "all").await;
        let (inner, admins) = (house.group("Inner").await, house.group("Admins").await);
        desk.grant_to("group", &admins, "admin", "all").await;
        house.join(&admins, &inner).await;
        house.join(&inner, &grouped).await;
        let ruled = house.post("/Users", user("ruled", json!({"title": "Chief"}))).await.status(201).id();
        let rule = json!({"name": "Chiefs", "when": "title eq \"Chief\"", "then": [{"role": "admin", "scope": "all"}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let as_mia = Desk::user(&house, &mia);
        for source in [&granted, &grouped, &ruled] {
            let body = json!({"userName": "lin"});
            as_mia.post(&format!("/users/{source}/clone"), body).await.problem(403, "forbidden");
        }
        as_mia.post(&format!("/groups/{admins}/clone"), json!({"displayName": "Mine"})).await.problem(403, "forbidden");
        as_mia.post(&format!("/groups/{inner}/clone"), json!({"displayName": "Mine"})).await.problem(403, "forbidden");
        assert_eq!(house.find("/Users", "userName eq \"lin\"").await.total(), 0);
        assert_eq!(house.find("/Groups", "displayName eq \"Mine\"").await.total(), 0);
        as_mia.post(&format!("/users/{plain}/clone"), json!({"userName": "lin"})).await.status(201);
    }

    async fn nobody_gives_by_the_name_of_a_group_what_they_do_not_hold(house: TestHouse) {
        let desk = Desk::admin(&house);
        desk.grant(&house.user("root").await, "admin", "all").await;
        let mia = house.user("mia").await;
        let keeper = json!({"name": "Keeper", "permissions": ["org.users.manage"]});
        let keeper = desk.post("/roles", keeper).await.status(201).id();
        desk.grant(&mia, &keeper, "all").await;
        let sales = house.post("/Groups", group("Sales", &[&mia])).await.status(201).id();
        let admins = house.group("Admins").await;
        desk.grant_to("group", &admins, "admin", "all").await;
        let rule = json!({"name": "By name", "when": "groups.display eq \"adm-1\"", "then": [{"role": "admin", "scope": "all"}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let as_mia = Desk::user(&house, &mia);
        let path = format!("/groups/{sales}/clone");
        as_mia.post(&path, json!({"displayName": "adm-1", "members": true})).await.problem(403, "forbidden");
        as_mia.post(&path, json!({"displayName": "Sales 2", "members": true})).await.status(201);
        house.delete(&format!("/Groups/{sales}")).await.no_content();
        let path = format!("/groups/{sales}/restore");
        as_mia.post(&path, json!({"display_name": "adm-1"})).await.problem(403, "forbidden");
        as_mia.post(&path, json!({"into": admins})).await.problem(403, "forbidden");
        as_mia.post(&path, json!({})).await.status(200);
        let held = roles(&desk, &mia).await;
        assert!(held.len() == 1 && held[0].0 != "admin", "{held:?}");
    }

    async fn a_group_is_copied_with_its_grants_its_place_and_its_members_if_wanted(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let inner = house.post("/Groups", group("Inner", &[&bob])).await.status(201).id();
        let sales = house.post("/Groups", group("Sales", &[&ada, &inner])).await.status(201).id();
        let all = house.post("/Groups", group("All", &[&sales])).await.status(201).id();
        desk.grant_to("group", &sales, "analyst", "all").await;
        desk.grant_to("group", &all, "read-only", "all").await;
        let path = format!("/groups/{sales}/clone");
        let empty = desk.post(&path, json!({"displayName": "Sales 2"})).await.status(201);
        assert_eq!(empty.json["displayName"], "Sales 2");
        let empty = empty.id();
        assert_eq!(house.get(&format!("/Groups/{empty}")).await.values_of("members"), Vec::<String>::new());
        let eve = house.user("eve").await;
        house.join(&empty, &eve).await;
        assert_eq!(roles(&desk, &eve).await, roles(&desk, &ada).await);
        assert_eq!(names_of_groups(&house, &eve).await, ["All", "Sales 2"]);
        let full = desk.post(&path, json!({"displayName": "Sales 3", "members": true})).await.status(201).id();
        let mut members = house.get(&format!("/Groups/{full}")).await.values_of("members");
        let mut expected = vec![ada.clone(), inner.clone()];
        members.sort_unstable();
        expected.sort_unstable();
        assert_eq!(members, expected);
        assert_eq!(names_of_groups(&house, &bob).await, ["All", "Inner", "Sales", "Sales 3"], "through nesting, too");
        let told = desk.get(&format!("/events?subject={full}")).await.status(200).json;
        assert_eq!(texts(&told, "kind"), ["group.created", "grant.created"]);
        assert_eq!((&told["items"][0]["data"]["via"], &told["items"][0]["data"]["source"]), (&json!("clone"), &json!(sales)));
        let problem = desk.post(&path, json!({"displayName": "sales 3"})).await.problem(409, "conflict");
        assert_eq!(problem["pointer"], "/displayName");
    }

    async fn the_members_of_a_smart_group_are_not_copied_and_its_rule_does_not_fill_the_copy(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let smart = house.group("Smart").await;
        let rule = json!({"name": "Adas", "when": "userName eq \"ada\"", "then": [{"group": smart}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let path = format!("/groups/{smart}/clone");
        desk.post(&path, json!({"displayName": "Copy", "members": true})).await.problem(409, "conflict");
        let copy = desk.post(&path, json!({"displayName": "Copy"})).await.status(201).id();
        assert_eq!(house.get(&format!("/Groups/{smart}")).await.values_of("members"), std::slice::from_ref(&ada));
        assert_eq!(house.get(&format!("/Groups/{copy}")).await.values_of("members"), Vec::<String>::new());
        house.join(&copy, &ada).await;
    }

    async fn the_command_line_clones_a_user(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.grant(&ada, "analyst", "all").await;
        let line = ["user", "clone", "--tenant", "acme", "ada", "--user-name", "lin", "--email", "lin@acme.test", "--inactive", "--json"];
        let made = run_json(&house.database, &line);
        assert_eq!(made["status"], "deactivated");
        let lin = house.get(&format!("/Users/{}", made["id"].as_str().unwrap())).await.status(200).json;
        assert_eq!((&lin["userName"], &lin["emails"][0]["value"]), (&json!("lin"), &json!("lin@acme.test")));
        let events = desk.get(&format!("/events?kind=user.created&subject={}", made["id"].as_str().unwrap())).await.json;
        assert_eq!(events["items"][0]["cause"]["by"], "cli");
    }
}
