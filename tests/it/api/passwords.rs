//! Passwords (RFC 7643 §4.1.1, §9.2): kept as slow hashes, and seen nowhere.

use serde_json::{Value, json};

use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// What is kept of passwords.
async fn kept(house: &TestHouse) -> Vec<String> {
    house.dump().await.table("password").to_vec()
}

async fn ada(house: &TestHouse) -> Answer {
    let body = user("ada", json!({"password": "correct horse battery", "title": "Countess"}));
    house.post("/Users", body).await.status(201)
}

fn set(password: &str) -> Value {
    json!([{"op": "replace", "path": "password", "value": password}])
}

each_database! {
    async fn a_password_is_kept_as_a_slow_hash(house: TestHouse) {
        let ada = ada(&house).await;
        assert_eq!(ada.header("muster-ignored-attributes"), "");
        let rows = kept(&house).await;
        assert_eq!(rows.len(), 1);
        assert!(rows[0].contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{rows:?}");
    }

    async fn one_that_is_sent_again_is_hashed_anew_and_moves_the_version(house: TestHouse) {
        let ada = ada(&house).await;
        let (path, first) = (format!("/Users/{}", ada.id()), kept(&house).await);
        let changed = house.patch(&path, set("another horse")).await.status(200);
        assert_ne!(changed.header("etag"), ada.header("etag"));
        assert_eq!(changed.json["title"], "Countess");
        let second = kept(&house).await;
        assert_ne!(first, second);
        let whole = user("ada", json!({"password": "a third horse"}));
        house.put(&path, whole).await.status(200);
        let third = kept(&house).await;
        assert_ne!(second, third);
        // Nobody can read it back to send it again.
        house.put(&path, user("ada", json!({"title": "Lady"}))).await.status(200);
        assert_eq!(kept(&house).await, third);
    }

    async fn the_log_says_that_it_was_set_and_nothing_of_what_it_is(house: TestHouse) {
        let ada = ada(&house).await;
        house.patch(&format!("/Users/{}", ada.id()), set("another horse")).await.status(200);
        let names = |row: &String| row.contains("password");
        let dump = house.dump().await;
        let told: Vec<_> = ["event", "entry"].into_iter().flat_map(|table| dump.table(table)).filter(|row| names(row)).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        for secret in ["correct horse", "another horse"] {
            assert_eq!(dump.tables_with(secret), Vec::<&str>::new());
            house.logs.never_say(secret);
        }
        house.logs.never_say("$argon2id$");
    }

    async fn one_that_is_too_weak_is_refused_and_nothing_happens(house: TestHouse) {
        let path = format!("/Users/{}", ada(&house).await.id());
        let before = house.dump().await;
        for weak in ["", "a", "seven77", "\u{1f511}\u{1f511}\u{1f511}", "a\u{0}bell in it", &"x".repeat(1025)] {
            let refused = [
                house.post("/Users", user("eve", json!({"password": weak}))).await,
                house.put(&path, user("ada", json!({"password": weak}))).await,
                house.patch(&path, set(weak)).await,
            ];
            for answer in refused {
                let detail = answer.error(400, Some("invalidValue"));
                assert!(detail.contains("password") && !detail.contains("seven77"), "{detail}");
            }
        }
        before.assert_same(&house.dump().await);
    }

    async fn it_goes_with_the_user(house: TestHouse) {
        let id = ada(&house).await.id();
        house.delete(&format!("/Users/{id}")).await.no_content();
        assert_eq!(kept(&house).await, Vec::<String>::new());
    }

    async fn the_configuration_says_that_it_can_be_changed(house: TestHouse) {
        let config = house.get("/ServiceProviderConfig").await.status(200);
        assert_eq!(config.json["changePassword"]["supported"], true);
    }
}
