//! Administrators are told by mail of what needs them.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::server::{MailServer, Recipients};
use crate::admin::desk::Desk;
use crate::delivery::hook::Hook;
use crate::fuse::words::Fused;
use crate::support::TestHouse;
use crate::support::receiver::Reply;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Two ways of taking away are too much from the first; `ada` is an administrator with an address, `bob` one without.
async fn furnished(house: TestHouse) -> (Fused, Vec<String>) {
    let none = json!({"percent": 0, "least": 0});
    let fused = Fused::with(house, json!({"deletions": none, "renames": none})).await;
    let ada = json!({"schemas": [USER], "userName": "ada", "emails": [{"value": "ada@example.com", "primary": true}]});
    let ada = fused.house.post("/Users", ada).await.status(201).id();
    let bob = fused.house.user("bob").await;
    for admin in [&ada, &bob] {
        fused.desk.grant(admin, "admin", "all").await;
    }
    (fused, vec![ada, bob])
}

/// Every file in the folder, as text.
fn files(folder: &std::path::Path) -> Vec<String> {
    let Ok(found) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mails = found
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "eml"));
    mails.map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn message_id(mail: &str) -> &str {
    mail.lines().find(|line| line.starts_with("Message-ID: ")).unwrap()
}

async fn rename(fused: &Fused, user: &str) {
    let rename = json!([{"op": "replace", "path": "userName", "value": "renamed"}]);
    fused
        .house
        .patch(&format!("/Users/{user}"), rename)
        .await
        .error(429, None);
}

/// An administrator with an address, and where mail goes.
async fn administered(house: &TestHouse) -> (Desk, PathBuf) {
    let desk = Desk::admin(house);
    let ada = json!({"schemas": [USER], "userName": "ada", "emails": [{"value": "ada@example.com", "primary": true}]});
    let ada = house.post("/Users", ada).await.status(201).id();
    desk.grant(&ada, "admin", "all").await;
    (desk, house.database.folder().join("mail"))
}

fn sink(folder: &Path) -> String {
    format!("file:{}", folder.display())
}

each_database! {
    async fn a_tripped_fuse_is_told_to_administrators_with_an_address_once_in_ten_minutes(house: TestHouse) {
        let (fused, users) = furnished(house).await;
        let folder = fused.house.database.folder().join("mail");
        let sink = format!("file:{}", folder.display());
        let user = fused.house.user("carl").await;
        fused.house.delete(&format!("/Users/{user}")).await.error(429, None);
        rename(&fused, &user).await;
        assert_eq!(fused.events("fuse.tripped").await, 2);
        assert_eq!(fused.house.send_mail("off").await, 0, "it waits until it is switched on");
        assert_eq!(fused.house.send_mail(&sink).await, 1);
        let [mail] = &files(&folder)[..] else { panic!("one mail") };
        // Long lines are broken for the way (RFC 2045 §6.7).
        let mail = mail.replace("=\r\n", "");
        let holds = fused.desk.get("/holds").await.status(200).json;
        for part in [
            "From: Muster <muster@localhost>",
            "To: ada@example.com",
            "Subject: acme: a connection wants to take away more than it may",
            "has used up its budget of deletions",
            &format!("https://muster.example/api/v1/holds/{}", holds["items"][0]["id"].as_str().unwrap()),
        ] {
            assert!(mail.contains(part), "{part} is not in {mail}");
        }
        assert_eq!((fused.events("mail.sent").await, fused.events("mail.failed").await), (1, 1), "bob has no address");
        assert_eq!(fused.house.send_mail(&sink).await, 0);
        assert_eq!(fused.house.dump().await.table("mail").len(), 0);
        fused.house.logs.never_say("ada@example.com");

        // A later one is told again.
        fused.house.clock().advance(Duration::from_mins(10));
        let hold = |at: usize| format!("/holds/{}/reject", holds["items"][at]["id"].as_str().unwrap());
        fused.desk.post(&hold(1), json!({})).await.status(200);
        rename(&fused, &users[1]).await;
        assert_eq!(fused.house.send_mail(&sink).await, 1);
        assert_eq!(files(&folder).len(), 2);
    }

    async fn a_mail_that_a_server_does_not_take_is_tried_again_as_the_same(house: TestHouse) {
        let (fused, users) = furnished(house).await;
        rename(&fused, &users[1]).await;
        let (refuses, takes) = (MailServer::start(Recipients::Refused).await, MailServer::start(Recipients::Taken).await);
        assert_eq!(fused.house.send_mail(&refuses.url).await, 0);
        assert_eq!(fused.house.send_mail(&takes.url).await, 0, "it rests before it is tried again");
        fused.house.clock().advance(Duration::from_mins(2));
        assert_eq!(fused.house.send_mail("smtp://127.0.0.1:1").await, 0, "nobody is there");
        fused.house.clock().advance(Duration::from_mins(10));
        assert_eq!(fused.house.send_mail(&takes.url).await, 1);
        let [mail] = &takes.taken()[..] else { panic!("one mail") };
        let id = message_id(mail).to_owned();
        assert!(mail.contains("To: ada@example.com") && id.ends_with("@localhost>"), "{mail}");
        assert_eq!(refuses.taken(), Vec::<String>::new());
        fused.house.logs.never_say("ada@example.com");
    }

    async fn what_nobody_takes_for_more_than_a_day_is_given_up(house: TestHouse) {
        let (fused, users) = furnished(house).await;
        rename(&fused, &users[1]).await;
        for _ in 0..7 {
            assert!(!fused.house.dump().await.table("mail").is_empty());
            assert_eq!(fused.house.send_mail("smtp://127.0.0.1:1").await, 0);
            fused.house.clock().advance(Duration::from_hours(12));
        }
        assert_eq!(fused.house.dump().await.table("mail").len(), 0);
        let events = fused.desk.get("/events?kind=mail.failed").await.status(200).json;
        let attempts: Vec<&Value> = events["items"].as_array().unwrap().iter().map(|event| &event["data"]["attempts"]).collect();
        assert_eq!(attempts, [0, 7], "bob has no address, ada no server");
        assert!(!events.to_string().contains("example.com"));
    }

    async fn of_two_workers_at_once_one_sends(house: TestHouse) {
        let (fused, users) = furnished(house).await;
        rename(&fused, &users[1]).await;
        let server = MailServer::start(Recipients::Taken).await;
        let (one, other) = tokio::join!(fused.house.send_mail(&server.url), fused.house.send_mail(&server.url));
        assert_eq!((one + other, server.taken().len()), (1, 1));
    }
    async fn a_receiver_that_is_paused_by_itself_is_told(house: TestHouse) {
        let (desk, folder) = administered(&house).await;
        let hook = Hook::new(&house).await;
        hook.receiver.answers(|_| Reply::Status(410));
        house.user("carl").await;
        house.turn().await;
        assert_eq!(hook.shown().await["state"], "paused");
        assert_eq!(house.send_mail(&sink(&folder)).await, 1);
        let [mail] = &files(&folder)[..] else { panic!("one mail") };
        let mail = mail.replace("=\r\n", "");
        for part in ["Subject: acme: hook is sent nothing any more", "is paused (gone)", &format!("https://muster.example/api/v1/webhooks/{}", hook.id)] {
            assert!(mail.contains(part), "{part} is not in {mail}");
        }
        // Who pauses it themselves need not be told.
        house.clock().advance(Duration::from_mins(10));
        hook.turn("resume").await;
        hook.turn("pause").await;
        house.turn().await;
        assert_eq!(house.send_mail(&sink(&folder)).await, 0);
        assert_eq!(desk.get("/events?kind=receiver.paused").await.json["items"].as_array().unwrap().len(), 2);
    }

    async fn what_was_planned_and_could_not_be_done_is_told(house: TestHouse) {
        let (desk, folder) = administered(&house).await;
        let eve = house.user("eve").await;
        let plan = json!({"deactivate_at": "2026-01-01T00:00:10Z"});
        desk.ask("PUT".parse().unwrap(), &format!("/api/v1/users/{eve}/schedule"), Some(plan), &[]).await.status(200);
        desk.post("/ownership", json!({"to": eve, "break_glass": "a test"})).await.status(200);
        house.clock().advance(Duration::from_secs(10));
        house.turn().await;
        assert_eq!(house.send_mail(&sink(&folder)).await, 1);
        let [mail] = &files(&folder)[..] else { panic!("one mail") };
        let mail = mail.replace("=\r\n", "");
        for part in ["It was planned to deactivate a user of acme", &format!("/api/v1/users/{eve}/status")] {
            assert!(mail.contains(part), "{part} is not in {mail}");
        }
    }

    async fn a_log_that_cannot_go_on_is_told_once_a_day(house: TestHouse) {
        let (_, folder) = administered(&house).await;
        house.turn().await;
        let acme = "tenant_id = (SELECT id FROM tenant WHERE slug = 'acme')";
        house.database.execute(&format!("UPDATE log_head SET hash = 'damaged' WHERE {acme}")).await;
        let mut sent = Vec::new();
        for hours in [0, 1, 24] {
            house.clock().advance(Duration::from_hours(hours));
            house.user(&format!("user{hours}")).await;
            house.turn().await;
            sent.push(house.send_mail(&sink(&folder)).await);
        }
        assert_eq!(sent, [1, 0, 1]);
        assert!(files(&folder)[0].contains("Subject: acme: the log cannot go on"));
    }
    async fn a_key_of_the_log_that_does_not_open_is_told(house: TestHouse) {
        let (desk, folder) = administered(&house).await;
        house.turn().await;
        house.database.execute("UPDATE signing_key SET sealed = 'damaged' WHERE purpose = 'log'").await;
        // By then the key is looked up again.
        house.clock().advance(Duration::from_mins(2));
        house.user("eve").await;
        house.turn().await;
        assert_eq!(house.send_mail(&sink(&folder)).await, 1);
        assert!(files(&folder)[0].contains("Subject: acme: the log cannot go on"));
        assert_eq!(desk.get("/events").await.status(200).json["behind"], true, "what has numbers can be read");
    }
}
