//! Administrators are told by mail that a fuse has tripped.

use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

use super::server::{MailServer, Recipients};
use crate::fuse::words::Fused;
use crate::support::TestHouse;

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
            assert_eq!(fused.house.send_mail("smtp://127.0.0.1:1").await, 0);
            fused.house.clock().advance(Duration::from_hours(12));
        }
        assert_eq!(fused.house.dump().await.table("mail").len(), 0);
        let events = fused.desk.get("/events?kind=mail.failed").await.status(200).json;
        let attempts: Vec<&Value> = events["items"].as_array().unwrap().iter().map(|event| &event["data"]["attempts"]).collect();
        assert_eq!(attempts, [0, 6], "bob has no address, ada no server");
        assert!(!events.to_string().contains("example.com"));
    }

    async fn of_two_workers_at_once_one_sends(house: TestHouse) {
        let (fused, users) = furnished(house).await;
        rename(&fused, &users[1]).await;
        let server = MailServer::start(Recipients::Taken).await;
        let (one, other) = tokio::join!(fused.house.send_mail(&server.url), fused.house.send_mail(&server.url));
        assert_eq!((one + other, server.taken().len()), (1, 1));
    }
}
