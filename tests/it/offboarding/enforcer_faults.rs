//! Enforcers that do not do what they should: nothing but a number that is none confirms anything.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{Shop, certificate_path, honest};
use crate::admin::desk::Problems as _;
use crate::support::receiver::{Receiver, Reply};
use crate::support::{TestHouse, seam};

const UNCLEAR: &str = "its probe does not say how many are open";
const REDIRECT: &str = "its URL answered with a redirect, which is not followed";

/// Answers so to the request, and to the probe.
fn answering(shop: &Shop, hook: Reply, probe: Reply) {
    shop.receiver.answers(move |got| match got.kind() {
        "offboarding.probe" => probe.clone(),
        _ => hook.clone(),
    });
}

fn text(text: &str) -> Reply {
    Reply::Text(text.to_owned())
}

each_database! {
    async fn an_answer_that_is_not_a_number_of_none_confirms_nothing(house: TestHouse) {
        let (shop, trap) = (Shop::open(&house, "shop").await, Receiver::at("127.0.0.2").await);
        let (well, link_local) = (|| Reply::Status(200), "http://169.254.169.254/latest/meta-data".to_owned());
        let mut users = Vec::new();
        for (hook, probe, trouble) in [
            (Reply::Status(500), text(r#"{"open":0}"#), "its URL answered 500"),
            (Reply::Status(404), text(r#"{"open":0}"#), "its URL answered 404"),
            (Reply::With(302, "location", link_local.clone()), well(), REDIRECT),
            (Reply::With(307, "location", trap.url()), well(), REDIRECT),
            (well(), Reply::With(302, "location", link_local), "its probe answered with a redirect, which is not followed"),
            (well(), Reply::Status(500), "its probe answered 500"),
            (well(), Reply::Status(204), UNCLEAR),
            (Reply::Bytes(10 << 20), Reply::Bytes(10 << 20), UNCLEAR),
            (well(), text(&format!("{{\"open\":0}}{}", " ".repeat(1 << 20))), UNCLEAR),
            (well(), text(r#"{"open":-1}"#), UNCLEAR),
            (well(), text("nothing is open"), UNCLEAR),
            (well(), text(r#"{"open":"0"}"#), UNCLEAR),
            (well(), text("[0]"), UNCLEAR),
            (well(), text(r#"{"open":99999999999999999999999999}"#), UNCLEAR),
            (well(), text(r#"{"open":1e400}"#), UNCLEAR),
            (well(), text(r#"{"open":18446744073709551615}"#), "its probe says that 18446744073709551615 are open"),
        ] {
            answering(&shop, hook, probe);
            let user = shop.leaver(&format!("user-{}", users.len())).await;
            let step = shop.step(&user, "shop").await;
            assert_eq!(step["trouble"], trouble);
            assert!(["requested", "acknowledged"].contains(&step["state"].as_str().unwrap()), "{step}");
            users.push(user);
        }
        assert_eq!(trap.got().len(), 0);
        shop.wait(Duration::from_mins(5)).await;
        let late = shop.desk.get("/offboarding-runs?state=late").await.status(200).json;
        assert_eq!(late["items"].as_array().unwrap().len(), users.len());
        shop.receiver.answers(honest);
        shop.wait(Duration::from_mins(5)).await;
        let confirmed = shop.desk.get("/offboarding-runs?state=confirmed").await.status(200).json;
        assert_eq!(confirmed["items"].as_array().unwrap().len(), users.len());
    }

    async fn one_that_hangs_delays_no_other_one(house: TestHouse) {
        let (stuck, shop) = (Shop::open(&house, "stuck").await, Shop::open(&house, "shop").await);
        stuck.receiver.answers(|_| Reply::Never);
        let user = house.user("ada").await;
        house.delete(&format!("/Users/{user}")).await.no_content();
        seam::number(house.rooms()).await;
        seam::offboard_hastily(house.rooms()).await;
        assert_eq!(shop.step(&user, "stuck").await["trouble"], "its URL did not answer in time");
        assert_eq!(shop.step(&user, "shop").await["state"], "confirmed");
        stuck.receiver.answers(honest);
        stuck.wait(Duration::from_mins(1)).await;
        assert_eq!(stuck.run(&user).await["state"], "confirmed");
    }

    async fn one_that_is_paused_is_not_called_and_what_waits_for_it_is_late(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        shop.receiver.answers(|_| Reply::Status(503));
        let ada = shop.leaver("ada").await;
        shop.asked();
        shop.turn("pause").await;
        shop.turn("pause").await;
        assert_eq!(shop.shown().await["waiting"], 1);
        shop.receiver.answers(honest);
        let bob = shop.leaver("bob").await;
        shop.wait(Duration::from_mins(5)).await;
        assert_eq!(shop.asked(), Vec::<String>::new());
        let (of_ada, of_bob) = (shop.run(&ada).await, shop.run(&bob).await);
        assert_eq!((&of_ada["state"], &of_bob["state"]), (&json!("late"), &json!("confirmed")));
        assert_eq!(of_bob["steps"].as_array().unwrap().len(), 1, "a run that is opened meanwhile goes without it");
        shop.turn("resume").await;
        house.turn().await;
        assert_eq!(shop.run(&ada).await["state"], "confirmed");
        assert_eq!(shop.told("enforcer.").await, ["enforcer.created", "enforcer.paused", "enforcer.resumed"]);
    }

    async fn one_that_is_removed_leaves_its_runs_and_their_certificates_say_so(house: TestHouse) {
        let (shop, forum) = (Shop::open(&house, "shop").await, Shop::open(&house, "forum").await);
        forum.receiver.answers(|_| Reply::Status(503));
        let ada = shop.leaver("ada").await;
        shop.forgotten().await;
        let run = shop.run(&ada).await;
        assert_eq!(run["state"], "open");
        shop.desk.delete(&forum.path("")).await.status(204);
        house.turn().await;
        let (run, step) = (shop.run(&ada).await, shop.step(&ada, "forum").await);
        assert_eq!((&run["state"], &step["state"], &step["proof"]), (&json!("confirmed"), &json!("removed"), &Value::Null));
        let text = shop.desk.get(&certificate_path(&run)).await.status(200).text;
        let certificate: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(certificate["removed"][0]["name"], "forum");
        assert_eq!(certificate["removed"][0]["removed"], step["removed"]);
        let proven: Vec<&Value> = certificate["steps"].as_array().unwrap().iter().map(|step| &step["name"]).collect();
        assert_eq!(proven, ["account-tokens", "shop"]);
        let (code, said) = super::shop::Verifier::of(&house).verify(text.as_bytes());
        assert_eq!(code, Some(0));
        assert!(said.contains("forum removed") && said.contains("nothing is proven of it"), "{said}");
        assert_eq!(shop.told("step.removed").await.len(), 1);
        shop.desk.delete(&forum.path("")).await.problem(404, "not-found");
        // Who is left waits for the others as before.
        let bob = shop.leaver("bob").await;
        assert_eq!(shop.run(&bob).await["steps"].as_array().unwrap().len(), 2);
    }
}
