//! Asking people to come: what each address comes to, the mail, coming in once, and what provisioning makes of it.
//!
//! May use `support` and the words of `admin` and `api`; must never name a function of the crate above `base`.

mod accepting;
mod asking;
mod joining;

use std::fs;

use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::support::TestHouse;

/// Who invites, and where mail goes.
struct Scene {
    house: TestHouse,
    desk: Desk,
}

impl Scene {
    fn of(house: &TestHouse) -> Self {
        Self {
            desk: Desk::admin(house),
            house: house.clone(),
        }
    }

    /// What came of each address.
    async fn invite(&self, emails: &str, role: &str) -> Vec<Value> {
        let body = json!({"emails": emails, "role": role});
        let told = self.desk.post("/invitations", body).await.status(200).json;
        told["items"].as_array().unwrap().clone()
    }

    /// Somebody who waits, with the id of their invitation and the token of the mail.
    async fn invited(&self, address: &str) -> (String, String, String) {
        let told = self.invite(address, "analyst").await.remove(0);
        assert_eq!(told["result"], "invited", "{told}");
        let text = |member: &str| told[member].as_str().unwrap().to_owned();
        (text("user"), text("invitation"), self.token().await)
    }

    /// The token of the one mail that is to be sent now.
    async fn token(&self) -> String {
        let mails = self.mails().await;
        let [mail] = &mails[..] else {
            panic!("one mail: {mails:?}")
        };
        let (_, behind) = mail.split_once("/account/invitation?token=").unwrap();
        behind.split_whitespace().next().unwrap().to_owned()
    }

    /// What is to be sent now, without the line breaks that are for the way (RFC 2045 §6.7).
    async fn mails(&self) -> Vec<String> {
        let folder = self.house.database.folder().join("mail");
        let _ = fs::remove_dir_all(&folder);
        self.house.send_mail(&format!("file:{}", folder.display())).await;
        let Ok(found) = fs::read_dir(&folder) else {
            return Vec::new();
        };
        let files = found.map(|file| file.unwrap().path());
        let mails = files.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        mails
            .map(|path| {
                let text = fs::read_to_string(path).unwrap();
                text.replace("=\r\n", "").replace("=3D", "=")
            })
            .collect()
    }

    async fn status(&self, user: &str) -> String {
        let found = self.desk.get(&format!("/users/{user}/status")).await.status(200).json;
        found["status"].as_str().unwrap().to_owned()
    }

    /// What has become of each invitation, in the order of time.
    async fn states(&self) -> Vec<String> {
        let found = self.desk.get("/invitations").await.status(200).json;
        crate::admin::desk::texts(&found, "state")
    }

    /// How many events of a kind there are.
    async fn told(&self, kind: &str) -> usize {
        let found = self
            .desk
            .get(&format!("/events?kind={kind}&limit=500"))
            .await
            .status(200)
            .json;
        found["items"].as_array().unwrap().len()
    }
}
