//! `/settings`: what an organisation has decided for all of it.

use serde_json::json;

use super::desk::{Desk, Problems};
use crate::support::TestHouse;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

each_database! {
    async fn nothing_is_decided_at_first_and_a_change_leaves_the_rest_alone(house: TestHouse) {
        let desk = Desk::admin(&house);
        let first = json!({
            "provisioning_may_give_admin": false, "least_admins": 1, "break_glass": [], "when_refused": "refuse", "invitation_link": "refuse", "leaving": [], "status_rules": [], "rehire": "offer", "rehire_grants": false,
            "managers_see_reports": false, "offboarding_deadline_s": 300, "retention_days": 90,
        });
        assert_eq!(desk.get("/settings").await.status(200).json, first);
        let changed = desk.patch("/settings", json!({"managers_see_reports": true})).await.status(200).json;
        assert_eq!((&changed["managers_see_reports"], &changed["least_admins"]), (&json!(true), &json!(1)));
        let changed = desk.patch("/settings", json!({"when_refused": "park"})).await.status(200).json;
        assert_eq!((&changed["managers_see_reports"], &changed["when_refused"]), (&json!(true), &json!("park")));
        assert_eq!(desk.get("/settings").await.status(200).json, changed);
        let untouched = Desk::neighbour(&house).get("/settings").await.status(200).json;
        assert_eq!(untouched, first);
    }

    async fn no_more_administrators_are_asked_for_than_there_are(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.grant(&ada, "admin", "all").await;
        for least in [0, 2, 101] {
            let problem = desk.patch("/settings", json!({"least_admins": least})).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], "/least_admins");
        }
        let until = json!({
            "subject": {"type": "user", "id": bob}, "role": "admin", "scope": "all", "valid_to": "2030-01-01T00:00:00Z",
        });
        desk.post("/grants", until).await.status(201);
        desk.patch("/settings", json!({"least_admins": 2})).await.problem(400, "invalid-value");
        desk.grant(&bob, "admin", "all").await;
        desk.patch("/settings", json!({"least_admins": 2})).await.status(200);
    }

    async fn a_break_glass_account_is_a_lasting_administrator_and_keeps_its_place_by_any_name(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.grant(&ada, "admin", "all").await;
        let unknown = desk.patch("/settings", json!({"break_glass": ["ada", "nobody"]})).await;
        assert_eq!(unknown.problem(400, "invalid-value")["pointer"], "/break_glass/1");
        let plain = desk.patch("/settings", json!({"break_glass": ["bob"]})).await;
        assert_eq!(plain.problem(400, "invalid-value")["pointer"], "/break_glass/0");
        let settings = desk.patch("/settings", json!({"break_glass": ["ADA"]})).await.status(200).json;
        assert_eq!(settings["break_glass"], json!(["ada"]));
        desk.grant(&bob, "admin", "all").await;
        house.delete(&format!("/Users/{ada}")).await.error(409, None);
        house.patch(&format!("/Users/{ada}"), json!([{"op": "replace", "path": "userName", "value": "ada2"}])).await.status(200);
        assert_eq!(desk.get("/settings").await.json["break_glass"], json!(["ada2"]));
        let detail = house.delete(&format!("/Users/{ada}")).await.error(409, None);
        assert!(detail.contains("`ada2` is a break-glass account"), "{detail}");
        house.delete(&format!("/Users/{bob}")).await.no_content();
        desk.patch("/settings", json!({"break_glass": []})).await.status(200);
        let detail = house.delete(&format!("/Users/{ada}")).await.error(409, None);
        assert!(detail.contains("0 active administrators"), "{detail}");
    }

    async fn a_manager_decides_nothing_about_administrators(house: TestHouse) {
        let mia = house.user("mia").await;
        Desk::admin(&house).grant(&mia, "manager", "all").await;
        let mia = Desk::user(&house, &mia);
        mia.get("/settings").await.status(200);
        mia.patch("/settings", json!({"managers_see_reports": false})).await.status(200);
        for change in [
            json!({"managers_see_reports": true}),
            json!({"provisioning_may_give_admin": true}),
            json!({"least_admins": 1}),
            json!({"break_glass": []}),
            json!({"when_refused": "park"}),
            json!({"invitation_link": "join"}),
            json!({"retention_days": null}),
            json!({"leaving": []}),
            json!({"status_rules": []}),
            json!({"rehire": "link"}),
        ] {
            let problem = mia.patch("/settings", change.clone()).await.problem(403, "forbidden");
            assert!(problem["detail"].as_str().unwrap().contains("org.users.manage"), "{change}: {problem}");
        }
    }

    async fn who_lets_managers_see_must_see_themselves_and_not_by_their_reports(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mia = house.user("mia").await;
        let chief = json!({"schemas": [crate::api::bodies::USER, ENTERPRISE], "userName": "chief", ENTERPRISE: {"manager": {"value": mia}}});
        let chief = house.post("/Users", chief).await.status(201).id();
        desk.grant(&chief, "admin", "all").await;
        let role = json!({"name": "Office", "permissions": ["org.settings.manage", "org.users.manage"]});
        let office = desk.post("/roles", role).await.status(201).id();
        desk.grant(&mia, &office, "all").await;
        let own = Desk::user(&house, &mia);
        let seeing = json!({"managers_see_reports": true});
        let problem = own.patch("/settings", seeing.clone()).await.problem(403, "forbidden");
        assert!(problem["detail"].as_str().unwrap().contains("data.view_identified"), "{problem}");
        desk.patch("/settings", seeing.clone()).await.status(200);
        assert!(desk.may(&mia, "data.view_identified", ("lead", "1")).await, "as a manager");
        own.patch("/settings", seeing).await.problem(403, "forbidden");
        let given = json!({"subject": {"type": "user", "id": mia}, "role": "read-only", "scope": "all"});
        own.post("/grants", given).await.problem(403, "forbidden");
    }
}
