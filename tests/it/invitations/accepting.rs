//! Coming in: once, in time, and only who still waits.

use std::time::Duration;

use serde_json::json;

use super::Scene;
use crate::admin::desk::{Desk, Problems};
use crate::support::TestHouse;

each_database! {
    async fn whoever_has_the_token_comes_in_once(house: TestHouse) {
        let scene = Scene::of(&house);
        let (lin, _, token) = scene.invited("lin@acme.test").await;
        let nobody = Desk::nobody(&house);
        let accept = || nobody.post("/invitations/accept", json!({"token": token}));
        let (here, there) = tokio::join!(accept(), accept());
        let mut told = [here.status, there.status];
        told.sort_unstable();
        assert!(told == [200, 404] || told == [200, 409], "{told:?}");
        let first = if here.status == 200 { here } else { there };
        assert_eq!(first.json, json!({"user": {"id": lin, "name": "lin@acme.test"}, "tenant": "acme"}));
        assert_eq!(scene.status(&lin).await, "active");
        assert_eq!(house.get(&format!("/Users/{lin}")).await.json["active"], true);
        accept().await.problem(404, "not-found");
        let access = scene.desk.get(&format!("/users/{lin}/access")).await.status(200).json;
        assert_eq!(access["assignments"][0]["role"], "analyst");
        let events = scene.desk.get(&format!("/events?subject={lin}")).await.status(200).json;
        let kinds = crate::admin::desk::texts(&events, "kind");
        assert_eq!(&kinds[kinds.len() - 3..], ["user.updated", "user.activated", "invitation.accepted"]);
        let activated = events["items"].as_array().unwrap().iter().find(|event| event["kind"] == "user.activated").unwrap();
        assert_eq!((&activated["data"]["from"], &activated["actor"]), (&json!("invited"), &json!({"kind": "user", "id": lin})));
        assert_eq!(scene.states().await, ["accepted"]);
        assert_eq!(scene.invite("lin@acme.test", "analyst").await[0]["result"], "already_active");
        assert_eq!(house.dump().await.tables_with(&token), Vec::<&str>::new(), "nobody keeps the token");
    }

    async fn a_token_ends_after_two_weeks_and_sent_anew_it_counts_again(house: TestHouse) {
        let scene = Scene::of(&house);
        let (lin, id, token) = scene.invited("lin@acme.test").await;
        house.clock().advance(Duration::from_hours(24 * 14));
        let nobody = Desk::nobody(&house);
        let problem = nobody.post("/invitations/accept", json!({"token": token})).await.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("expired"));
        assert_eq!(scene.states().await, ["expired"]);
        let sent = scene.desk.post(&format!("/invitations/{id}/resend"), json!({})).await.status(200).json;
        assert_eq!((&sent["id"], &sent["state"], &sent["expires"]), (&json!(id), &json!("waiting"), &json!("2026-01-29T00:00:00.000000Z")));
        nobody.post("/invitations/accept", json!({"token": token})).await.problem(404, "not-found");
        let token = scene.token().await;
        nobody.post("/invitations/accept", json!({"token": token})).await.status(200);
        assert_eq!(scene.status(&lin).await, "active");
        scene.desk.post(&format!("/invitations/{id}/resend"), json!({})).await.problem(409, "conflict");
    }

    async fn what_is_taken_back_cannot_be_accepted_and_goes_with_whom_it_made(house: TestHouse) {
        let scene = Scene::of(&house);
        let (lin, id, token) = scene.invited("lin@acme.test").await;
        scene.desk.post(&format!("/invitations/{id}/revoke"), json!({})).await.no_content();
        let nobody = Desk::nobody(&house);
        nobody.post("/invitations/accept", json!({"token": token})).await.problem(404, "not-found");
        house.get(&format!("/Users/{lin}")).await.error(404, None);
        scene.desk.post(&format!("/invitations/{id}/revoke"), json!({})).await.problem(409, "conflict");
        assert_eq!(scene.states().await, ["revoked"]);
        // Somebody has changed this one since: they stay, without what they were invited to.
        let (tom, id, token) = scene.invited("tom@acme.test").await;
        let title = json!([{"op": "replace", "path": "title", "value": "Chief"}]);
        house.patch(&format!("/Users/{tom}"), title).await.status(200);
        scene.desk.post(&format!("/invitations/{id}/revoke"), json!({})).await.no_content();
        assert_eq!(scene.status(&tom).await, "invited");
        assert_eq!(house.dump().await.table("access_grant").len(), 0);
        nobody.post("/invitations/accept", json!({"token": token})).await.problem(404, "not-found");
        let again = scene.invite("tom@acme.test, lin@acme.test", "analyst").await;
        assert_eq!((&again[0]["result"], &again[1]["result"]), (&json!("invited_again"), &json!("invited")));
        assert_ne!(again[1]["user"], json!(lin));
        assert_eq!(scene.told("invitation.revoked").await, 2);
    }

    async fn a_revocation_that_stops_half_way_has_taken_the_role_and_can_be_finished(house: TestHouse) {
        let scene = Scene::of(&house);
        let (lin, id, token) = scene.invited("lin@acme.test").await;
        let path = format!("/invitations/{id}/revoke");
        // The user cannot be deleted just now.
        house.database.execute("ALTER TABLE tombstone RENAME TO hidden").await;
        scene.desk.post(&path, json!({})).await.status(500);
        house.database.execute("ALTER TABLE hidden RENAME TO tombstone").await;
        assert_eq!((scene.status(&lin).await.as_str(), scene.states().await), ("invited", vec!["revoked".to_owned()]));
        assert_eq!(house.dump().await.table("access_grant").len(), 0, "whoever takes them in now takes them in without it");
        Desk::nobody(&house).post("/invitations/accept", json!({"token": token})).await.problem(404, "not-found");
        scene.desk.post(&path, json!({})).await.no_content();
        house.get(&format!("/Users/{lin}")).await.error(404, None);
        assert_eq!(scene.told("invitation.revoked").await, 1);
    }

    async fn the_mail_goes_where_the_invitation_goes_whatever_address_provisioning_writes(house: TestHouse) {
        let scene = Scene::of(&house);
        let told = scene.invite("lin@acme.test", "admin").await.remove(0);
        let user = format!("/Users/{}", told["user"].as_str().unwrap());
        let emails = json!([{"op": "replace", "path": "emails", "value": [{"value": "eve@acme.test", "primary": true}]}]);
        house.patch(&user, emails).await.status(200);
        let invitation = told["invitation"].as_str().unwrap();
        for again in [false, true] {
            if again {
                scene.desk.post(&format!("/invitations/{invitation}/resend"), json!({})).await.status(200);
            }
            let mails = scene.mails().await;
            let [mail] = &mails[..] else { panic!("one mail: {mails:?}") };
            assert!(mail.contains("To: lin@acme.test") && !mail.contains("eve@acme.test"), "{mail}");
        }
    }

    async fn who_is_invited_again_has_what_they_are_invited_to_and_by_whom(house: TestHouse) {
        let scene = Scene::of(&house);
        let (lin, id, _) = scene.invited("lin@acme.test").await;
        let grants = scene.desk.get(&format!("/grants?subject={lin}")).await.status(200).json;
        scene.desk.delete(&format!("/grants/{}", grants["items"][0]["id"].as_str().unwrap())).await.no_content();
        scene.desk.post(&format!("/invitations/{id}/resend"), json!({})).await.status(200);
        let access = scene.desk.get(&format!("/grants?subject={lin}")).await.status(200).json;
        assert_eq!((&access["items"][0]["role"], &access["items"][0]["origin"]), (&json!("analyst"), &json!("invitation")));
        let mia = house.user("mia").await;
        scene.desk.grant(&mia, "admin", "all").await;
        let as_mia = Desk::user(&house, &mia);
        as_mia.post("/invitations", json!({"emails": "lin@acme.test", "role": "manager"})).await.status(200);
        let shown = scene.desk.get("/invitations").await.status(200).json;
        assert_eq!((&shown["items"][0]["role"], &shown["items"][0]["by"]), (&json!("manager"), &json!(mia)), "{shown}");
    }

    async fn an_invitation_lifts_nothing_that_somebody_decided_since(house: TestHouse) {
        let scene = Scene::of(&house);
        let nobody = Desk::nobody(&house);
        for (address, how, status) in [("lin@acme.test", "suspend", "suspended"), ("tom@acme.test", "deactivate", "deactivated")] {
            let (user, id, token) = scene.invited(address).await;
            scene.desk.post(&format!("/users/{user}/{how}"), json!({})).await.status(200);
            nobody.post("/invitations/accept", json!({"token": token})).await.problem(409, "conflict");
            assert_eq!(scene.status(&user).await, status);
            scene.desk.post(&format!("/invitations/{id}/resend"), json!({})).await.problem(409, "conflict");
        }
        let (user, _, token) = scene.invited("pia@acme.test").await;
        house.delete(&format!("/Users/{user}")).await.no_content();
        nobody.post("/invitations/accept", json!({"token": token})).await.problem(404, "not-found");
        assert_eq!(scene.states().await, ["overtaken"; 3]);
    }

    async fn who_guesses_has_the_budget_of_wrong_tokens(house: TestHouse) {
        let nobody = Desk::nobody(&house);
        let mut told = Vec::new();
        for n in 0..60 {
            told.push(nobody.post("/invitations/accept", json!({"token": format!("msi_{n}")})).await.status);
        }
        assert_eq!(told[0], 404);
        assert!(told.contains(&429), "{told:?}");
    }

    async fn the_token_of_a_mail_that_waits_is_sealed(house: TestHouse) {
        let scene = Scene::of(&house);
        scene.invite("lin@acme.test", "analyst").await;
        assert_eq!(house.dump().await.tables_with("msi_"), Vec::<&str>::new());
        let token = scene.token().await;
        assert!(token.starts_with("msi_"));
        Desk::nobody(&house).post("/invitations/accept", json!({"token": token})).await.status(200);
    }

    async fn nobody_comes_in_while_the_organisation_is_suspended(house: TestHouse) {
        let scene = Scene::of(&house);
        let (lin, _, token) = scene.invited("lin@acme.test").await;
        scene.desk.post("/tenant/suspend", json!({"users": "suspend"})).await.status(202);
        house.turn().await;
        let nobody = Desk::nobody(&house);
        nobody.post("/invitations/accept", json!({"token": token})).await.problem(409, "conflict");
        assert_eq!(scene.status(&lin).await, "invited");
        scene.desk.post("/tenant/resume", json!({})).await.status(202);
        nobody.post("/invitations/accept", json!({"token": token})).await.status(200);
        assert_eq!(scene.status(&lin).await, "active");
    }
}
