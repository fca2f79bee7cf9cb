//! `roles` of a user: what names a role of the organisation gives it, everything else is data.

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::api::asks::as_connection;
use crate::api::bodies::user;
use crate::api::ledger;
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// The header that names what gives nothing.
const IGNORED: &str = "muster-ignored-attributes";
/// What only Manager and Admin may.
const MANAGES: &str = "org.scopes.manage";

/// `roles` with these values, as Entra ID sends them.
fn roles(values: &[&str]) -> Value {
    let kind = "WindowsAzureActiveDirectoryRole";
    let one = |value: &&str| json!({"primary": false, "type": kind, "value": value, "display": value});
    json!({"roles": values.iter().map(one).collect::<Vec<_>>()})
}

async fn create(house: &TestHouse, name: &str, values: &[&str]) -> Answer {
    house.post("/Users", user(name, roles(values))).await
}

async fn put(house: &TestHouse, id: &str, name: &str, more: Value) -> Answer {
    house.put(&format!("/Users/{id}"), user(name, more)).await
}

async fn patch(house: &TestHouse, id: &str, operation: Value) -> Answer {
    house.patch(&format!("/Users/{id}"), json!([operation])).await
}

/// Role, scope and origin of each grant of a user, sorted.
async fn grants(desk: &Desk, user: &str) -> Vec<String> {
    let list = desk.get(&format!("/grants?subject={user}")).await.status(200).json;
    let text = |grant: &Value| {
        format!(
            "{} {} {}",
            grant["role"].as_str().unwrap(),
            grant["scope"].as_str().unwrap(),
            grant["origin"].as_str().unwrap()
        )
    };
    let mut grants: Vec<_> = list["items"].as_array().unwrap().iter().map(text).collect();
    grants.sort();
    grants
}

/// Whether a user may do something in the organisation as a whole.
async fn may(desk: &Desk, user: &str, permission: &str) -> bool {
    let question = json!({
        "subject": {"type": "user", "id": user},
        "action": {"name": permission},
        "resource": {"type": "tenant", "id": "acme"},
    });
    desk.decide("/evaluation", question).await.status(200).json["decision"] == true
}

async fn custom(desk: &Desk, name: &str, permissions: &[&str]) -> String {
    let role = json!({"name": name, "permissions": permissions});
    desk.post("/roles", role).await.status(201).id()
}

each_database! {
    async fn a_value_gives_the_role_that_it_names_by_published_name_or_id(house: TestHouse) {
        let desk = Desk::admin(&house);
        let editor = custom(&desk, "Partner Editor", &["record.edit"]).await;
        let values = ["MANAGER", "read-only", "partner editor", "Partner Editor"];
        let made = create(&house, "ada", &values).await.status(201);
        let ada = made.id();
        assert_eq!(made.header(IGNORED), "");
        assert_eq!(made.json["roles"][0]["value"], "MANAGER", "stored as it was sent");
        let mut all = [editor.as_str(), "manager", "read-only"].map(|role| format!("{role} all provisioned"));
        all.sort();
        assert_eq!(grants(&desk, &ada).await, all);
        assert!(may(&desk, &ada, MANAGES).await);
        let bob = create(&house, "bob", &[&editor.to_uppercase()]).await.status(201).id();
        assert_eq!(grants(&desk, &bob).await, [format!("{editor} all provisioned")]);
    }

    async fn a_role_goes_with_its_value_and_by_no_other_path(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = create(&house, "ada", &["Manager", "Analyst"]).await.status(201).id();
        desk.grant(&ada, "manager", "all").await;
        // What does not speak of roles leaves them.
        patch(&house, &ada, json!({"op": "replace", "path": "title", "value": "x"})).await.status(200);
        let three = ["analyst all provisioned", "manager all manual", "manager all provisioned"];
        assert_eq!(grants(&desk, &ada).await, three);
        patch(&house, &ada, json!({"op": "remove", "path": "roles[value eq \"Analyst\"]"})).await.status(200);
        assert_eq!(grants(&desk, &ada).await, ["manager all manual", "manager all provisioned"]);
        put(&house, &ada, "ada", roles(&["Read-Only"])).await.status(200);
        assert_eq!(grants(&desk, &ada).await, ["manager all manual", "read-only all provisioned"]);
        patch(&house, &ada, json!({"op": "add", "path": "roles", "value": [{"value": "Analyst"}]})).await.status(200);
        let three = ["analyst all provisioned", "manager all manual", "read-only all provisioned"];
        assert_eq!(grants(&desk, &ada).await, three);
        put(&house, &ada, "ada", json!({})).await.status(200);
        assert_eq!(grants(&desk, &ada).await, ["manager all manual"]);
    }

    async fn a_value_that_names_no_role_is_kept_reported_and_gives_nothing(house: TestHouse) {
        let desk = Desk::admin(&house);
        let made = create(&house, "ada", &["Student", "Analyst"]).await.status(201);
        let ada = made.id();
        assert_eq!(made.header(IGNORED), "roles.value");
        assert_eq!(house.get(&format!("/Users/{ada}")).await.values_of("roles"), ["Analyst", "Student"]);
        assert_eq!(house.find("/Users", "roles.value eq \"student\"").await.ids(), [ada.as_str()]);
        assert_eq!(grants(&desk, &ada).await, ["analyst all provisioned"]);
        // A role of that name gives nothing by itself; whoever states it again means it.
        let student = custom(&desk, "Student", &["data.act"]).await;
        assert_eq!(grants(&desk, &ada).await.len(), 1);
        let stated = put(&house, &ada, "ada", roles(&["Student", "Analyst"])).await.status(200);
        assert_eq!(stated.header(IGNORED), "");
        assert_eq!(stated.json["meta"]["version"], "W/\"2\"", "what it gives has changed");
        let mut both = vec!["analyst all provisioned".to_owned(), format!("{student} all provisioned")];
        both.sort();
        assert_eq!(grants(&desk, &ada).await, both);
        // The same once more changes nothing.
        let before = house.dump().await;
        put(&house, &ada, "ada", roles(&["Student", "Analyst"])).await.status(200);
        before.assert_same(&house.dump().await);
    }

    async fn a_role_above_the_cap_is_refused_and_nothing_is_changed(house: TestHouse) {
        let desk = Desk::admin(&house);
        custom(&desk, "Gatekeeper", &["org.users.manage"]).await;
        let ada = create(&house, "ada", &["Analyst"]).await.status(201).id();
        let before = house.dump().await;
        for value in ["Admin", "owner", "GATEKEEPER"] {
            let detail = create(&house, "bob", &[value]).await.error(400, Some("invalidValue"));
            assert!(detail.contains("`Analyst`") && detail.contains("/Roles"), "{detail}");
            put(&house, &ada, "ada", roles(&["Analyst", value])).await.error(400, Some("invalidValue"));
            let add = json!({"op": "add", "path": "roles", "value": [{"value": value}]});
            patch(&house, &ada, add).await.error(400, Some("invalidValue"));
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_role_that_was_made_stronger_does_not_stand_in_the_way(house: TestHouse) {
        let desk = Desk::admin(&house);
        let role = custom(&desk, "Lead", &["data.act"]).await;
        let ada = create(&house, "ada", &["Lead", "Analyst"]).await.status(201).id();
        let stronger = json!({"permissions": ["data.act", "org.users.manage"]});
        desk.patch(&format!("/roles/{role}"), stronger).await.status(200);
        let mut without = roles(&["Lead"]);
        without["active"] = json!(false);
        let ended = put(&house, &ada, "ada", without).await.status(200);
        assert_eq!((&ended.json["active"], ended.header(IGNORED)), (&json!(false), "roles.value"));
        assert_eq!(grants(&desk, &ada).await, [format!("{role} all provisioned")], "who has it keeps it");
        create(&house, "bob", &["Lead"]).await.error(400, Some("invalidValue"));
        // Once gone it does not come back.
        put(&house, &ada, "ada", json!({})).await.status(200);
        assert!(grants(&desk, &ada).await.is_empty());
        put(&house, &ada, "ada", roles(&["Lead"])).await.error(400, Some("invalidValue"));
    }

    async fn entra_gives_roles_in_all_its_forms(house: TestHouse) {
        let desk = Desk::admin(&house);
        let entra = as_connection(&house, "entra", "entra");
        let ada = entra.post("/Users", user("ada", json!({"roles": []}))).await.status(201).id();
        let text = json!({"id": "1", "value": "Manager", "displayName": "Manager"}).to_string();
        patch(&entra, &ada, json!({"op": "Add", "path": "roles", "value": [{"value": text}]})).await.status(200);
        assert_eq!(grants(&desk, &ada).await, ["manager all provisioned"]);
        let bob = entra.post("/Users", user("bob", json!({"roles": []}))).await.status(201).id();
        let single = json!({"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Analyst"});
        patch(&entra, &bob, single).await.status(200);
        assert_eq!(grants(&desk, &bob).await, ["analyst all provisioned"]);
        let other = json!({"op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "Read-Only"});
        patch(&entra, &bob, other).await.status(200);
        assert_eq!(grants(&desk, &bob).await, ["read-only all provisioned"]);
    }

    async fn an_explanation_leads_back_to_the_request_that_asked(house: TestHouse) {
        let desk = Desk::admin(&house);
        let body = Some(user("ada", roles(&["Manager"])));
        let made = house.scim(Method::POST, "/Users", body, &[("x-request-id", "sync-17")]).await.status(201);
        let explained = desk.get(&format!("/users/{}/explain?permission={MANAGES}", made.id())).await.status(200).json;
        let support = &explained["supports"][0];
        assert_eq!((&support["role"], &support["origin"]), (&json!("manager"), &json!("provisioned")), "{explained}");
        let source = &support["source"];
        assert_eq!((&source["by"], &source["request_id"]), (&json!("connection test"), &json!("sync-17")));
        let text = explained["text"].as_str().unwrap();
        for part in ["asked for by provisioning", "connection test", "request sync-17"] {
            assert!(text.contains(part), "{text}");
        }
    }

    async fn the_ledger_says_who_gave_and_took_a_role(house: TestHouse) {
        let ada = create(&house, "ada", &["Analyst"]).await.status(201).id();
        put(&house, &ada, "ada", roles(&["Manager"])).await.status(200);
        let events = ledger::events(&house).await;
        let told: Vec<_> = events
            .iter()
            .filter(|event| event.resource == ada && event.kind.starts_with("grant."))
            .map(|event| (event.kind.as_str(), event.data["role"].as_str().unwrap(), event.connection.as_deref()))
            .collect();
        let expected = [("grant.created", "analyst"), ("grant.deleted", "analyst"), ("grant.created", "manager")];
        assert_eq!(told, expected.map(|(kind, role)| (kind, role, Some("test"))));
    }

    async fn entitlements_are_data(house: TestHouse) {
        let desk = Desk::admin(&house);
        let body = user("ada", json!({"entitlements": [{"value": "org.users.manage"}]}));
        let made = house.post("/Users", body).await.status(201);
        assert_eq!(made.values_of("entitlements"), ["org.users.manage"]);
        assert!(grants(&desk, &made.id()).await.is_empty());
        assert!(!may(&desk, &made.id(), "org.users.manage").await);
    }

    async fn a_role_of_another_organisation_is_no_role(house: TestHouse) {
        let editor = custom(&Desk::neighbour(&house), "Editor", &["record.edit"]).await;
        let made = create(&house, "ada", &["Editor", &editor]).await.status(201);
        assert_eq!(made.header(IGNORED), "roles.value");
        assert!(grants(&Desk::admin(&house), &made.id()).await.is_empty());
    }
}
