//! Runs with enforcers: asked to end what a person has open, probed, killed, restored, believed.

use std::fs;
use std::time::Duration;

use muster::event::{Certificate, Keys};
use serde_json::{Value, json};

use super::shop::{HELD, Shop, Verifier, certificate_path, honest, lying};
use crate::admin::desk::{Desk, Problems as _};
use crate::delivery::hook::Hook;
use crate::support::receiver::Reply;
use crate::support::{TestHouse, program, seam};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// How long enforcers have when nobody has decided otherwise.
const DEADLINE: Duration = Duration::from_mins(5);

/// Makes an administrator who can be reached by mail.
async fn reachable(house: &TestHouse) {
    let zoe = json!({"schemas": [USER], "userName": "zoe", "emails": [{"value": "zoe@example.com"}]});
    let zoe = house.post("/Users", zoe).await.status(201).id();
    Desk::admin(house).grant(&zoe, "admin", "all").await;
}

each_database! {
    async fn an_enforcer_is_told_and_asked_and_the_write_waits_for_neither(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        let user = house.user("wilhelmina").await;
        let off = json!([{"op": "replace", "path": "active", "value": false}]);
        house.patch(&format!("/Users/{user}"), off).await.status(200);
        seam::number(house.rooms()).await;
        assert_eq!(shop.receiver.got().len(), 0, "no enforcer is called within a request");
        house.turn().await;
        let [end, probe] = &shop.receiver.take()[..] else { panic!("two requests") };
        let run = shop.run(&user).await;
        let (id, tenant) = (run["id"].as_str().unwrap(), end.json["data"]["tenant"].as_str().unwrap());
        let data = json!({"tenant": tenant, "run": id, "user": {"id": user}, "deadline": run["deadline"]});
        assert_eq!(end.json, json!({"type": "offboarding.end", "timestamp": run["opened"], "data": data}));
        assert_eq!((probe.kind(), &probe.json["data"]), ("offboarding.probe", &data));
        assert_eq!(end.id(), format!("run_{id}_{}", shop.id));
        assert_eq!(probe.id(), format!("probe_{id}_{}_1", shop.id));
        assert_eq!((end.signed_by(&shop.secret), probe.signed_by(&shop.secret)), (Some(0), Some(0)));
        let step = shop.step(&user, "shop").await;
        assert_eq!((&step["state"], &step["attempts"], &step["next_try"]), (&json!("confirmed"), &json!(2), &Value::Null));
        assert_eq!((&step["proof"]["by"], &step["proof"]["status"]), (&json!("probe"), &json!(200)));
        assert_eq!(run["state"], "open", "Muster itself is not done");
        shop.forgotten().await;
        assert_eq!(shop.run(&user).await["state"], "confirmed");
        let told = shop.told("step.").await;
        assert_eq!(told, ["step.acknowledged", "step.acknowledged", "step.confirmed", "step.confirmed"]);
        assert_eq!(shop.receiver.got().len(), 0, "once");
        house.logs.never_say("wilhelmina");
    }

    async fn an_enforcer_killed_in_mid_run_makes_it_late_and_restored_confirms_it(house: TestHouse) {
        reachable(&house).await;
        let hook = Hook::of(&house, "hook", &["run.*"]).await;
        let shop = Shop::open(&house, "shop").await;
        // It is killed as soon as it has said that it will.
        shop.receiver.answers({
            let kill = shop.receiver.killer();
            move |_| {
                kill();
                Reply::With(202, "connection", "close".to_owned())
            }
        });
        let user = shop.leaver("ada").await;
        shop.forgotten().await;
        let step = shop.step(&user, "shop").await;
        assert_eq!((&step["state"], &step["trouble"]), (&json!("acknowledged"), &json!("its probe was not reached")));
        let run = shop.run(&user).await;
        shop.desk.get(&certificate_path(&run)).await.problem(404, "not-confirmed");
        assert_eq!((&run["state"], seam::under_way(house.rooms()).await), (&json!("open"), (1, 0)));

        shop.wait(DEADLINE).await;
        let run = shop.run(&user).await;
        assert_eq!((&run["state"], &shop.step(&user, "shop").await["state"]), (&json!("late"), &json!("late")));
        assert_eq!(seam::under_way(house.rooms()).await, (0, 1), "what the gauges show");
        assert_eq!(shop.told("run.").await, ["run.opened", "run.late"]);
        house.clock().advance(HELD);
        house.turn().await;
        assert_eq!(hook.receiver.take().iter().map(|got| got.kind().to_owned()).collect::<Vec<_>>(), ["run.opened", "run.late"]);
        let folder = house.database.folder().join("mail");
        assert_eq!(house.send_mail(&format!("file:{}", folder.display())).await, 1);
        let mail = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let mail = mail.filter(|path| path.extension().is_some_and(|end| end == "eml")).map(|path| fs::read_to_string(path).unwrap());
        let mail: String = mail.map(|text| text.replace("=\r\n", "").replace("=3D", "=")).collect();
        assert!(mail.contains("To: zoe@example.com") && mail.contains("offboarding-runs?state=late"), "{mail}");
        assert!(mail.contains(&format!("/api/v1/offboarding-runs/{}", run["id"].as_str().unwrap())), "{mail}");
        shop.desk.get(&certificate_path(&run)).await.problem(404, "not-confirmed");
        assert!(house.logs.text().contains("an offboarding run is late"));

        let before = shop.receiver.take();
        let restored = shop.receiver.restored().await;
        restored.answers(honest);
        shop.wait(DEADLINE).await;
        let after = restored.take();
        assert_eq!(after.iter().map(|got| got.kind().to_owned()).collect::<Vec<_>>(), ["offboarding.end", "offboarding.probe"]);
        assert_eq!((after[0].id(), &after[0].text), (before[0].id(), &before[0].text), "it is the same request");
        let run = shop.run(&user).await;
        assert_eq!(run["state"], "confirmed");
        assert_ne!(run["late"], Value::Null);
        assert_eq!(seam::under_way(house.rooms()).await, (0, 0));
        verified(&house, &shop, &run).await;
    }

    async fn one_that_lies_is_asked_again_and_never_believed(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        shop.receiver.answers(lying);
        let user = shop.leaver("ada").await;
        assert_eq!(shop.asked(), ["offboarding.end", "offboarding.probe"]);
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            shop.wait(Duration::from_millis(pause * 1000 - 1)).await;
            assert_eq!(shop.asked(), Vec::<String>::new(), "before {pause} s are over");
            shop.wait(Duration::from_millis(1)).await;
            assert_eq!(shop.asked(), ["offboarding.probe"], "after {pause} s");
        }
        let step = shop.step(&user, "shop").await;
        assert_eq!((&step["state"], &step["trouble"]), (&json!("acknowledged"), &json!("its probe says that 1 are open")));
        shop.wait(DEADLINE).await;
        shop.asked();
        for _ in 0..3 {
            shop.wait(Duration::from_mins(5)).await;
            assert_eq!(shop.asked(), ["offboarding.end", "offboarding.probe"], "late, it is told again");
        }
        let run = shop.run(&user).await;
        assert_eq!(run["state"], "late");
        shop.desk.get(&certificate_path(&run)).await.problem(404, "not-confirmed");
        assert_eq!(shop.told("run.").await, ["run.opened", "run.late"]);
        shop.receiver.answers(honest);
        shop.wait(Duration::from_mins(5)).await;
        assert_eq!(shop.run(&user).await["state"], "confirmed");
    }

    async fn one_that_is_believed_confirms_by_its_word_and_the_certificate_says_so(house: TestHouse) {
        let shop = Shop::believed(&house, "forum").await;
        let user = shop.leaver("ada").await;
        shop.forgotten().await;
        assert_eq!(shop.asked(), ["offboarding.end"]);
        let proof = json!({"by": "acknowledgement", "status": 202});
        assert_eq!(shop.step(&user, "forum").await["proof"], proof);
        let run = shop.run(&user).await;
        let text = shop.desk.get(&certificate_path(&run)).await.status(200).text;
        assert!(text.contains(r#""proof":{"by":"acknowledgement","status":202}"#), "{text}");
        let accept = [("accept", "text/html")];
        let path = format!("/api/v1{}", certificate_path(&run));
        let page = shop.desk.ask(axum::http::Method::GET, &path, None, &accept).await.status(200).text;
        assert!(page.contains("<td>forum</td>") && page.contains("its word: it acknowledged"), "{page}");
    }

    async fn who_comes_back_in_mid_run_withdraws_it_and_nobody_is_asked_any_more(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        shop.receiver.answers(lying);
        let user = house.user("ada").await;
        let active = |active: bool| json!([{"op": "replace", "path": "active", "value": active}]);
        house.patch(&format!("/Users/{user}"), active(false)).await.status(200);
        house.turn().await;
        assert_eq!(shop.asked().len(), 2);
        house.patch(&format!("/Users/{user}"), active(true)).await.status(200);
        shop.receiver.answers(honest);
        seam::number(house.rooms()).await;
        house.turn().await;
        shop.wait(Duration::from_hours(1)).await;
        assert_eq!(shop.asked(), Vec::<String>::new());
        let run = shop.run(&user).await;
        assert_eq!((&run["state"], &shop.step(&user, "shop").await["state"]), (&json!("withdrawn"), &json!("acknowledged")));
        assert_eq!(shop.told("run.").await, ["run.opened", "run.withdrawn"]);
        assert_eq!(shop.shown().await["waiting"], 0);
    }

    async fn who_was_back_in_between_is_proven_to_be_out_anew(house: TestHouse) {
        let (shop, forum) = (Shop::open(&house, "shop").await, Shop::open(&house, "forum").await);
        forum.receiver.answers(|_| Reply::Status(503));
        let user = house.user("kim").await;
        let active = |active: bool| json!([{"op": "replace", "path": "active", "value": active}]);
        let path = format!("/Users/{user}");
        house.patch(&path, active(false)).await.status(200);
        house.turn().await;
        shop.forgotten().await;
        let first = shop.run(&user).await["id"].clone();
        assert_eq!(shop.step(&user, "shop").await["state"], "confirmed");
        shop.asked();
        // In, with a session at the shop, and out again: all of it before anybody reads the log.
        house.patch(&path, active(true)).await.status(200);
        house.patch(&path, active(false)).await.status(200);
        house.turn().await;
        let second = shop.run(&user).await;
        assert_ne!(second["id"], first);
        assert_eq!((&second["state"], shop.told("run.").await), (&json!("open"), ["run.opened", "run.withdrawn", "run.opened"].map(str::to_owned).to_vec()));
        assert_eq!(shop.asked(), ["offboarding.end", "offboarding.probe"], "what was confirmed before counts no more");
        forum.receiver.answers(honest);
        shop.wait(DEADLINE / 2).await;
        let run = shop.run(&user).await;
        assert_eq!((&run["id"], &run["state"]), (&second["id"], &json!("confirmed")));
    }

    async fn who_was_out_and_comes_back_held_has_a_run(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        let user = house.user("kim").await;
        house.turn().await;
        shop.desk.post(&format!("/users/{user}/suspend"), json!({})).await.status(200);
        house.delete(&format!("/Users/{user}")).await.no_content();
        shop.desk.post(&format!("/users/{user}/restore"), json!({})).await.status(200);
        house.turn().await;
        assert_eq!(shop.asked(), ["offboarding.end", "offboarding.probe"]);
        shop.forgotten().await;
        assert_eq!(shop.run(&user).await["state"], "confirmed");
    }

    async fn a_clock_that_was_ahead_keeps_nobody_from_being_called(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        shop.receiver.answers(|_| Reply::Status(503));
        house.turn().await;
        let now = house.clock().now();
        house.clock().advance(Duration::from_hours(24));
        let user = shop.leaver("kim").await;
        assert_eq!(shop.asked(), ["offboarding.end"]);
        shop.turn("test").await;
        house.clock().set(now);
        shop.receiver.answers(honest);
        seam::offboard(house.rooms(), "another").await;
        let mut asked = shop.asked();
        asked.sort_unstable();
        assert_eq!(asked, ["offboarding.end", "offboarding.probe", "offboarding.test", "offboarding.test"]);
        assert_eq!(shop.step(&user, "shop").await["state"], "confirmed");
    }

    async fn who_is_back_is_not_confirmed_to_be_out_before_the_log_says_so(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        shop.receiver.answers(lying);
        let user = house.user("kim").await;
        let active = |active: bool| json!([{"op": "replace", "path": "active", "value": active}]);
        house.patch(&format!("/Users/{user}"), active(false)).await.status(200);
        house.turn().await;
        shop.forgotten().await;
        assert_eq!(shop.step(&user, "account-tokens").await["state"], "confirmed", "it waits for the shop alone");
        house.patch(&format!("/Users/{user}"), active(true)).await.status(200);
        shop.receiver.answers(honest);
        house.clock().advance(DEADLINE / 2);
        shop.asked();
        seam::enforce_once(house.rooms()).await;
        assert_eq!((shop.asked().len(), &shop.run(&user).await["state"]), (0, &json!("open")), "nobody ends what they have");
        house.turn().await;
        assert_eq!(shop.run(&user).await["state"], "withdrawn");
    }

    async fn what_a_killed_node_had_asked_is_asked_again_with_the_same_id(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        let user = house.user("ada").await;
        house.delete(&format!("/Users/{user}")).await.no_content();
        seam::number(house.rooms()).await;
        seam::open_runs(house.rooms()).await;
        assert_eq!(seam::enforce_unsettled(house.rooms()).await, 1);
        let first = shop.receiver.take();
        house.turn().await;
        assert_eq!(shop.asked(), Vec::<String>::new(), "the others leave it alone for a while");
        house.clock().advance(HELD);
        house.turn().await;
        let again = shop.receiver.take();
        assert_eq!((again[0].id(), &again[0].text), (first[0].id(), &first[0].text));
        assert_eq!(shop.run(&user).await["state"], "confirmed");
    }

    async fn two_nodes_that_ask_the_same_write_it_once(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        let user = house.user("ada").await;
        house.delete(&format!("/Users/{user}")).await.no_content();
        seam::number(house.rooms()).await;
        seam::open_runs(house.rooms()).await;
        assert_eq!(seam::enforce_twice(house.rooms()).await, [true, false]);
        assert_eq!(seam::enforce_twice(house.rooms()).await, [true, false]);
        assert_eq!(shop.step(&user, "shop").await["state"], "confirmed");
        assert_eq!(shop.told("step.acknowledged").await.len(), 2, "one of Muster itself");
        assert_eq!(shop.told("step.confirmed").await.len(), 1);

        shop.receiver.take();
        for name in ["bob", "eve", "tom"] {
            let user = house.user(name).await;
            house.delete(&format!("/Users/{user}")).await.no_content();
        }
        let rooms = house.rooms();
        seam::number(rooms).await;
        tokio::join!(seam::offboard(rooms, "one"), seam::offboard(rooms, "two"), seam::offboard(rooms, "three"));
        house.clock().advance(HELD);
        seam::offboard(rooms, "two").await;
        let mut asked = shop.asked();
        asked.sort_unstable();
        assert_eq!(asked, [["offboarding.end"; 3], ["offboarding.probe"; 3]].concat());
        let confirmed = shop.desk.get("/offboarding-runs?state=confirmed").await.status(200).json;
        assert_eq!(confirmed["items"].as_array().unwrap().len(), 4);
    }

    async fn runs_last_as_long_as_the_organisation_decides(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        for wrong in [0, 59, 604_801] {
            let change = json!({"offboarding_deadline_s": wrong});
            let problem = shop.desk.patch("/settings", change).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], "/offboarding_deadline_s");
        }
        let settings = shop.desk.patch("/settings", json!({"offboarding_deadline_s": 60})).await.status(200).json;
        assert_eq!(settings["offboarding_deadline_s"], 60);
        shop.receiver.answers(lying);
        let user = shop.leaver("ada").await;
        let run = shop.run(&user).await;
        assert_eq!(run["deadline"].as_str().unwrap()[..19], *"2026-01-01T00:01:00");
        shop.wait(Duration::from_mins(1)).await;
        assert_eq!(shop.run(&user).await["state"], "late");
    }
}

/// The certificate of a run holds for somebody who has nothing but a key, and with any byte changed it does not.
async fn verified(house: &TestHouse, shop: &Shop, run: &Value) {
    let text = shop.desk.get(&certificate_path(run)).await.status(200).text;
    let verifier = Verifier::of(house);
    let (code, said) = verifier.verify(text.as_bytes());
    assert_eq!(code, Some(0));
    assert!(
        said.contains("shop confirmed") && said.contains("by probe") && said.contains("after the deadline"),
        "{said}"
    );
    let exported = program::run(&house.database, &["keys", "export"]).stdout;
    let keys = Keys::read(&String::from_utf8(exported).unwrap()).unwrap();
    let mut bytes = text.into_bytes();
    for at in 0..bytes.len() {
        bytes[at] ^= 1;
        let read = Certificate::read(&bytes);
        assert!(read.and_then(|read| read.proven(&keys)).is_err(), "byte {at}");
        // The program itself for some of them: it takes a process each.
        if at % 199 == 0 {
            assert_ne!(verifier.verify(&bytes).0, Some(0), "byte {at}");
        }
        bytes[at] ^= 1;
    }
}
