//! What addresses come to.

use serde_json::{Value, json};

use super::Scene;
use crate::admin::desk::{Desk, Problems};
use crate::support::TestHouse;
use crate::support::program::run_json;

/// Address and result of each.
fn results(told: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    told.iter()
        .map(|one| text(&one["address"]) + " " + &text(&one["result"]))
        .collect()
}

each_database! {
    async fn each_address_has_its_own_result_and_a_mail(house: TestHouse) {
        let scene = Scene::of(&house);
        house.user("pia@acme.test").await;
        let told = scene.invite(" Lin@Acme.test, nonsense, pia@acme.test,lin@acme.test ,tom@acme.test", "analyst").await;
        let expected = [
            "lin@acme.test invited",
            "nonsense invalid",
            "pia@acme.test already_active",
            "tom@acme.test invited",
        ];
        assert_eq!(results(&told), expected);
        let lin = told[0]["user"].as_str().unwrap();
        assert_eq!(scene.status(lin).await, "invited");
        let seen = house.get(&format!("/Users/{lin}")).await.status(200).json;
        assert_eq!((&seen["userName"], &seen["active"]), (&json!("lin@acme.test"), &json!(false)));
        assert_eq!(seen["emails"], json!([{"value": "lin@acme.test", "primary": true}]));
        let grants = scene.desk.get(&format!("/grants?subject={lin}")).await.status(200).json;
        assert_eq!((&grants["items"][0]["role"], &grants["items"][0]["origin"]), (&json!("analyst"), &json!("invitation")));
        let mut mails = scene.mails().await;
        mails.sort_unstable_by_key(|mail| mail.contains("tom@acme.test"));
        assert_eq!(mails.len(), 2);
        for part in ["To: lin@acme.test", "Subject: You are invited to acme", "https://muster.example/account/invitation?token=msi_", "2026-01-15T00:00:00"] {
            assert!(mails[0].contains(part), "{part} is not in {}", mails[0]);
        }
        assert_eq!(scene.mails().await, Vec::<String>::new(), "once");
        assert_eq!((scene.told("invitation.sent").await, scene.told("mail.sent").await), (2, 2));
        let created = scene.desk.get(&format!("/events?subject={lin}&kind=user.created")).await.json;
        assert_eq!(created["items"][0]["data"]["via"], "invitation");
        house.logs.never_say("lin@acme.test");
    }

    async fn who_is_invited_again_is_the_same_user_with_another_token(house: TestHouse) {
        let scene = Scene::of(&house);
        let (lin, invitation, token) = scene.invited("lin@acme.test").await;
        let again = scene.invite("LIN@acme.test", "analyst").await.remove(0);
        let expected = json!({"address": "lin@acme.test", "result": "invited_again", "user": lin, "invitation": invitation});
        assert_eq!(again, expected);
        let second = scene.token().await;
        assert_ne!(second, token);
        assert_eq!(house.dump().await.table("access_grant").len(), 1, "nothing is given twice");
        scene.invite("lin@acme.test", "manager").await;
        let grants = scene.desk.get(&format!("/grants?subject={lin}")).await.status(200).json;
        let [grant] = &grants["items"].as_array().unwrap()[..] else { panic!("one grant: {grants}") };
        assert_eq!(grant["role"], "manager", "what they are invited to now");
        let stored = house.dump().await.table("invitation").len();
        assert_eq!(stored, 1);
        let nobody = Desk::nobody(&house);
        for dead in [token, second] {
            nobody.post("/invitations/accept", json!({"token": dead})).await.problem(404, "not-found");
        }
    }

    async fn who_is_kept_out_is_not_invited(house: TestHouse) {
        let scene = Scene::of(&house);
        let pia = house.user("pia@acme.test").await;
        scene.desk.post(&format!("/users/{pia}/suspend"), json!({})).await.status(200);
        let told = scene.invite("pia@acme.test, lin@acme.test", "analyst").await;
        assert_eq!(results(&told), ["pia@acme.test refused", "lin@acme.test invited"]);
        assert!(told[0]["reason"].as_str().unwrap().contains("suspended"));
        assert_eq!(scene.status(&pia).await, "suspended");
    }

    async fn what_cannot_be_meant_is_refused_as_a_whole(house: TestHouse) {
        let scene = Scene::of(&house);
        let many: Vec<String> = (0..501).map(|n| format!("u{n}@acme.test")).collect();
        let before = house.dump().await;
        let lin = "lin@acme.test";
        for (body, pointer) in [
            (json!({"emails": many.join(","), "role": "analyst"}), "/emails"),
            (json!({"emails": " , ", "role": "analyst"}), "/emails"),
            (json!({"emails": lin, "role": "none"}), "/role"),
            (json!({"emails": lin, "role": "analyst", "scope": "none"}), "/scope"),
        ] {
            let problem = scene.desk.post("/invitations", body).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer);
        }
        scene.desk.post("/invitations", json!({"emails": lin, "role": "owner"})).await.problem(409, "conflict");
        scene.desk.post("/invitations", json!({"emails": lin})).await.problem(400, "missing-field");
        before.assert_same(&house.dump().await);
    }

    async fn nobody_invites_to_more_than_they_hold(house: TestHouse) {
        let scene = Scene::of(&house);
        let keeper = json!({"name": "Keeper", "permissions": ["org.users.manage"]});
        let keeper = scene.desk.post("/roles", keeper).await.status(201).id();
        scene.desk.grant(&house.user("root").await, "admin", "all").await;
        let mia = house.user("mia").await;
        scene.desk.grant(&mia, &keeper, "all").await;
        let as_mia = Desk::user(&house, &mia);
        let body = |role: &str| json!({"emails": "lin@acme.test", "role": role});
        as_mia.post("/invitations", body("admin")).await.problem(403, "forbidden");
        let told = as_mia.post("/invitations", body(&keeper)).await.status(200).json;
        let id = told["items"][0]["invitation"].as_str().unwrap();
        let more = json!({"permissions": ["org.users.manage", "org.roles.manage"]});
        scene.desk.patch(&format!("/roles/{keeper}"), more).await.status(200);
        as_mia.post(&format!("/invitations/{id}/resend"), json!({})).await.status(200);
        scene.desk.post("/invitations", body("admin")).await.status(200);
        as_mia.post(&format!("/invitations/{id}/resend"), json!({})).await.problem(403, "forbidden");
        // By an address, too: rules can give by it.
        let rule = json!({"name": "Ours", "when": "userName ew \"@boss.test\"", "then": [{"role": "admin", "scope": "all"}], "state": "active"});
        scene.desk.post("/rules", rule).await.status(201);
        let body = json!({"emails": "tom@boss.test", "role": keeper});
        let told = as_mia.post("/invitations", body).await.status(200).json;
        assert_eq!(told["items"][0]["result"], "refused");
        assert_eq!(house.find("/Users", "userName ew \"@boss.test\"").await.total(), 0);
    }

    async fn a_scope_is_where_the_role_counts_and_the_command_line_invites_too(house: TestHouse) {
        let scene = Scene::of(&house);
        let germany = scene.desk.scope("territory", "Germany").await;
        let line = ["invite", "--tenant", "acme", "--role", "analyst", "--scope", &germany, "--json", "lin@acme.test,nonsense"];
        let told = run_json(&house.database, &line);
        assert_eq!(results(told.as_array().unwrap()), ["lin@acme.test invited", "nonsense invalid"]);
        let found = scene.desk.get("/invitations").await.status(200).json;
        let one = &found["items"][0];
        assert_eq!((&one["scope"], &one["role"], &one["state"]), (&json!(germany), &json!("analyst"), &json!("waiting")));
        assert_eq!((&one["by_kind"], &one["by"]), (&json!("operator"), &json!("cli")));
        assert_eq!(one["user"]["name"], "lin@acme.test");
        let grants = scene.desk.get(&format!("/grants?scope={germany}")).await.status(200).json;
        assert_eq!(grants["items"].as_array().unwrap().len(), 1);
    }
}
