//! Enforcers that have a time of their own.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{Shop, certificate_path, honest, lying};
use crate::admin::desk::Problems as _;
use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::program::{run, run_json};

/// Gives an enforcer so many seconds, or as many as all have.
async fn given(shop: &Shop, seconds: Value) {
    let changed = shop.desk.patch(&shop.path(""), json!({"deadline_s": seconds})).await;
    assert_eq!(changed.status(200).json["deadline_s"], seconds);
}

async fn states(shop: &Shop, user: &str) -> [Value; 3] {
    let (quick, slow) = (shop.step(user, "quick").await, shop.step(user, "slow").await);
    [
        shop.run(user).await["state"].clone(),
        quick["state"].clone(),
        slow["state"].clone(),
    ]
}

each_database! {
    async fn a_step_is_late_at_its_own_deadline_and_the_run_with_the_first(house: TestHouse) {
        let (quick, slow) = (Shop::open(&house, "quick").await, Shop::open(&house, "slow").await);
        given(&quick, json!(60)).await;
        given(&slow, json!(3600)).await;
        quick.receiver.answers(lying);
        slow.receiver.answers(lying);
        let user = slow.leaver("ada").await;
        let until = |step: &Value| step["deadline"].as_str().unwrap()[11..19].to_owned();
        assert_eq!(until(&quick.step(&user, "quick").await), "00:01:00");
        assert_eq!(until(&quick.step(&user, "account-tokens").await), "00:05:00");
        assert_eq!(until(&quick.step(&user, "slow").await), "01:00:00");
        assert_eq!(until(&quick.run(&user).await), "01:00:00");
        let told: Value = serde_json::from_str(&quick.receiver.take()[0].text).unwrap();
        assert_eq!(told["data"]["deadline"].as_str().unwrap()[11..19], *"00:01:00", "each is told its own");
        quick.wait(Duration::from_secs(59)).await;
        assert_eq!(states(&quick, &user).await[0], "open");
        quick.wait(Duration::from_secs(1)).await;
        assert_eq!(states(&quick, &user).await, ["late", "late", "acknowledged"]);
        quick.receiver.answers(honest);
        quick.wait(Duration::from_mins(5)).await;
        assert_eq!(states(&quick, &user).await, ["late", "confirmed", "acknowledged"]);
        slow.wait(Duration::from_hours(1)).await;
        assert_eq!(states(&quick, &user).await, ["late", "confirmed", "late"]);
        assert_eq!(quick.told("run.late").await.len(), 1);
        slow.receiver.answers(honest);
        slow.wait(Duration::from_mins(5)).await;
        let confirmed = quick.run(&user).await;
        assert_eq!(confirmed["state"], "confirmed");
        let certificate = quick.desk.get(&certificate_path(&confirmed)).await.status(200).json;
        assert_eq!(certificate["late"], true);
    }

    async fn whoever_has_longer_makes_nothing_late_until_then(house: TestHouse) {
        let (quick, slow) = (Shop::open(&house, "quick").await, Shop::open(&house, "slow").await);
        given(&slow, json!(3600)).await;
        slow.receiver.answers(lying);
        let user = slow.leaver("ada").await;
        slow.forgotten().await;
        slow.wait(Duration::from_mins(30)).await;
        assert_eq!(states(&quick, &user).await, ["open", "confirmed", "acknowledged"]);
        // A change is for runs that come after it.
        given(&slow, Value::Null).await;
        slow.receiver.answers(honest);
        slow.wait(Duration::from_mins(10)).await;
        let confirmed = quick.run(&user).await;
        assert_eq!((&confirmed["state"], &confirmed["late"]), (&json!("confirmed"), &Value::Null));
        let certificate = quick.desk.get(&certificate_path(&confirmed)).await.status(200).json;
        assert_eq!(certificate["late"], false);
        slow.receiver.answers(lying);
        let other = slow.leaver("bob").await;
        slow.wait(Duration::from_mins(5)).await;
        assert_eq!(states(&quick, &other).await, ["late", "confirmed", "late"]);
    }

    async fn a_step_that_was_confirmed_after_its_time_makes_the_run_late_also_where_nobody_looked(house: TestHouse) {
        let quick = Shop::open(&house, "quick").await;
        let slow = Shop::open(&house, "slow").await;
        given(&quick, json!(60)).await;
        quick.receiver.answers(lying);
        slow.receiver.answers(lying);
        let user = quick.leaver("ada").await;
        quick.receiver.answers(honest);
        house.clock().advance(Duration::from_secs(90));
        crate::support::seam::enforce_once(house.rooms()).await;
        house.turn().await;
        assert_eq!(states(&quick, &user).await, ["late", "confirmed", "acknowledged"]);
    }

    async fn a_time_that_is_none_is_refused_and_the_command_line_gives_one(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        assert_eq!(shop.shown().await["deadline_s"], Value::Null);
        for wrong in [0, 59, 604_801] {
            let body = json!({"deadline_s": wrong});
            assert_eq!(shop.desk.patch(&shop.path(""), body).await.problem(400, "invalid-value")["pointer"], "/deadline_s");
            let body = json!({"name": "other", "url": shop.receiver.url(), "probe": shop.receiver.url(), "deadline_s": wrong});
            assert_eq!(shop.desk.post("/enforcers", body).await.problem(400, "invalid-value")["pointer"], "/deadline_s");
        }
        let words = ["enforcer", "deadline", "shop", "--tenant", "acme"];
        run(&house.database, &[&words[..], &["--seconds", "120"]].concat());
        assert_eq!(shop.shown().await["deadline_s"], 120);
        let told = shop.desk.get("/events?kind=enforcer.changed").await.json["items"][0].clone();
        assert_eq!(told["data"]["attributes"], json!(["deadline_s"]));
        let shown = run_json(&house.database, &["enforcer", "show", "shop", "--tenant", "acme", "--json"]);
        assert_eq!(shown["deadline_s"], 120);
        fails(command(&house.database).args([&words[..], &["--seconds", "1"]].concat()), 1);
        run(&house.database, &words);
        assert_eq!(shop.shown().await["deadline_s"], Value::Null);
        let url = "https://example.com/end";
        let made = ["enforcer", "create", "--tenant", "acme", "--name", "two", "--url", url, "--probe", url, "--deadline", "600"];
        run(&house.database, &made);
        let shown = run_json(&house.database, &["enforcer", "show", "two", "--tenant", "acme", "--json"]);
        assert_eq!(shown["deadline_s"], 600);
    }
}
