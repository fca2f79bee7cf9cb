//! Rules that keep people out because of what is known of them: whom they hold, whom they let go, and who stays.

use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems};
use crate::api::bodies::{ENTERPRISE, USER, user};
use crate::fuse::words::Fused;
use crate::log::folded::events;
use crate::offboarding::runs::runs_of;
use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::seam;

/// The name of the rule of most tests.
pub const LEFT: &str = "left the sales";

/// Whoever is in the department `left` is this.
pub fn left(status: &str) -> Value {
    json!({"name": LEFT, "when": format!("{ENTERPRISE}:department eq \"left\""), "status": status})
}

/// Decides about rules, for everybody who is there as well.
pub async fn decide(house: &TestHouse, desk: &Desk, rules: Value) {
    let settings = desk
        .patch("/settings", json!({"status_rules": rules}))
        .await
        .status(200);
    assert_eq!(settings.json["status_rules"], rules);
    house.turn().await;
}

/// Somebody of a department.
pub fn of(name: &str, department: &str) -> Value {
    let more = json!({"schemas": [USER, ENTERPRISE], "active": true, ENTERPRISE: {"department": department}});
    user(name, more)
}

/// Somebody new of a department.
pub async fn made(house: &TestHouse, name: &str, department: &str) -> String {
    house.post("/Users", of(name, department)).await.status(201).id()
}

/// Provisioning moves somebody to another department.
pub async fn moved(house: &TestHouse, id: &str, department: &str) -> Answer {
    let change = json!([{"op": "replace", "path": format!("{ENTERPRISE}:department"), "value": department}]);
    house.patch(&format!("/Users/{id}"), change).await
}

/// Provisioning says whether an account is active; gives what is shown of that, and what is ignored.
async fn says(house: &TestHouse, id: &str, active: bool) -> (Value, String) {
    let change = json!([{"op": "replace", "path": "active", "value": active}]);
    let answer = house.patch(&format!("/Users/{id}"), change).await.status(200);
    let ignored = answer.header("muster-ignored-attributes").to_owned();
    (answer.json["active"].clone(), ignored)
}

/// What somebody is, and the rule that holds them if one does.
pub async fn status(desk: &Desk, id: &str) -> (String, Option<String>) {
    let found = desk.get(&format!("/users/{id}/status")).await.status(200).json;
    let by_rule = found["hold"]["by_kind"] == "rule";
    let rule = found["hold"]["by"].as_str().filter(|_| by_rule).map(str::to_owned);
    (found["status"].as_str().unwrap().to_owned(), rule)
}

pub fn held(status: &str) -> (String, Option<String>) {
    (status.to_owned(), Some(LEFT.to_owned()))
}

pub fn free(status: &str) -> (String, Option<String>) {
    (status.to_owned(), None)
}

/// Kinds of what happened to somebody since then, with why.
async fn told(desk: &Desk, id: &str, since: usize) -> Vec<String> {
    let of_them = events(desk)
        .await
        .into_iter()
        .filter(|event| event["subject"]["id"] == id);
    let word = |event: Value| {
        let (kind, by) = (event["kind"].as_str().unwrap(), event["cause"]["by"].as_str().unwrap());
        format!("{kind} {by}")
    };
    of_them.map(word).skip(since).collect()
}

each_database! {
    async fn whoever_matches_is_kept_out_from_the_write_on_until_they_do_not(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&house, &desk, json!([left("suspended")])).await;
        let ada = made(&house, "ada", "sales").await;
        let answer = moved(&house, &ada, "left").await.status(200);
        assert_eq!((&answer.json["active"], answer.header("etag")), (&json!(false), "W/\"2\""), "at once, in one version");
        assert_eq!(status(&desk, &ada).await, held("suspended"));
        let by_rule = ["user.updated scim", "user.updated rule", "user.suspended rule"];
        assert_eq!(told(&desk, &ada, 1).await, by_rule);
        let last = desk.get(&format!("/events?subject={ada}&kind=user.suspended")).await.status(200).json["items"][0].clone();
        assert_eq!(last["data"], json!({"from": "active", "to": "suspended", "version": 2, "rule": LEFT}));
        assert_eq!((&last["cause"], &last["actor"]["kind"]), (&json!({"by": "rule", "of": LEFT}), &json!("connection")));
        assert_eq!(moved(&house, &ada, "sales").await.status(200).json["active"], true);
        assert_eq!(status(&desk, &ada).await, free("active"));
        assert_eq!(told(&desk, &ada, 4).await, ["user.updated scim", "user.updated rule", "user.activated rule"]);
        // A whole says the same as a part.
        assert_eq!(house.put(&format!("/Users/{ada}"), of("ada", "left")).await.status(200).json["active"], false);
        assert_eq!(status(&desk, &ada).await, held("suspended"));
        assert_eq!(house.put(&format!("/Users/{ada}"), of("ada", "sales")).await.status(200).json["active"], true);
    }

    async fn provisioning_does_not_lift_it_and_its_word_against_them_counts(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&house, &desk, json!([left("deactivated")])).await;
        let ada = made(&house, "ada", "sales").await;
        moved(&house, &ada, "left").await.status(200);
        assert_eq!(status(&desk, &ada).await, held("deactivated"));
        assert_eq!(says(&house, &ada, true).await, (json!(false), "active".to_owned()));
        let refused = desk.get(&format!("/events?subject={ada}&kind=user.activation_refused")).await.json["items"][0].clone();
        assert_eq!(refused["data"], json!({"status": "deactivated", "rule": LEFT}));
        assert_eq!(says(&house, &ada, false).await, (json!(false), String::new()));
        assert_eq!(status(&desk, &ada).await, free("deactivated"));
        moved(&house, &ada, "sales").await.status(200);
        assert_eq!(status(&desk, &ada).await, free("deactivated"), "a rule that holds no more lets nobody in whom another one keeps out");
        moved(&house, &ada, "left").await.status(200);
        assert_eq!(says(&house, &ada, true).await, (json!(false), "active".to_owned()));
        assert_eq!(status(&desk, &ada).await, held("deactivated"));
        moved(&house, &ada, "sales").await.status(200);
        assert_eq!(status(&desk, &ada).await, free("active"));
    }

    async fn whoever_is_new_is_kept_out_from_the_first(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&house, &desk, json!([left("suspended")])).await;
        let answer = house.post("/Users", of("ada", "left")).await.status(201);
        assert_eq!((&answer.json["active"], answer.header("muster-ignored-attributes")), (&json!(false), "active"));
        let ada = answer.id();
        assert_eq!(status(&desk, &ada).await, held("suspended"));
        assert_eq!(told(&desk, &ada, 0).await, ["user.created scim", "user.suspended rule", "user.activation_refused rule"]);
        moved(&house, &ada, "sales").await.status(200);
        assert_eq!(status(&desk, &ada).await, free("active"));
        let mut off = of("bob", "left");
        off["active"] = json!(false);
        let bob = house.post("/Users", off).await.status(201).id();
        assert_eq!(status(&desk, &bob).await, free("deactivated"));
        // Whoever is made after somebody who is kept out is in the same department.
        moved(&house, &ada, "left").await.status(200);
        let lin = desk.post(&format!("/users/{ada}/clone"), json!({"userName": "lin"})).await.status(201);
        assert_eq!(lin.json["active"], false);
        assert_eq!(status(&desk, &lin.id()).await, held("suspended"));
    }

    async fn of_several_the_strongest_counts_and_deactivation_opens_a_run(house: TestHouse) {
        let desk = Desk::admin(&house);
        let titled = json!({"name": "Titled", "when": "title pr", "status": "suspended"});
        decide(&house, &desk, json!([titled, left("deactivated")])).await;
        let ada = made(&house, "ada", "sales").await;
        let title = json!([{"op": "add", "path": "title", "value": "Chief"}]);
        house.patch(&format!("/Users/{ada}"), title).await.status(200);
        assert_eq!(status(&desk, &ada).await, ("suspended".to_owned(), Some("Titled".to_owned())));
        moved(&house, &ada, "left").await.status(200);
        assert_eq!(status(&desk, &ada).await, held("deactivated"));
        house.turn().await;
        assert_eq!(runs_of(&desk, &ada).await.len(), 1);
        moved(&house, &ada, "sales").await.status(200);
        assert_eq!(status(&desk, &ada).await, ("suspended".to_owned(), Some("Titled".to_owned())));
    }

    async fn what_an_administrator_decides_is_theirs(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&house, &desk, json!([left("suspended")])).await;
        let ada = made(&house, "ada", "left").await;
        let activate = format!("/users/{ada}/activate");
        let detail = desk.post(&activate, json!({})).await.problem(409, "conflict")["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(LEFT), "{detail}");
        desk.post(&format!("/users/{ada}/suspend"), json!({"reason": "mine"})).await.status(200);
        assert_eq!(status(&desk, &ada).await, free("suspended"));
        moved(&house, &ada, "sales").await.status(200);
        moved(&house, &ada, "left").await.status(200);
        assert_eq!(status(&desk, &ada).await, free("suspended"), "neither does a rule lift it nor take its place");
        desk.post(&activate, json!({})).await.problem(409, "conflict");
        assert_eq!(status(&desk, &ada).await, free("suspended"), "nothing was changed");
        moved(&house, &ada, "sales").await.status(200);
        desk.post(&activate, json!({})).await.status(200);
        assert_eq!(status(&desk, &ada).await, free("active"));
    }

    async fn whoever_must_stay_stays(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob, eve) = (made(&house, "ada", "sales").await, made(&house, "bob", "sales").await, made(&house, "eve", "left").await);
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        desk.grant(&bob, "admin", "all").await;
        desk.patch("/settings", json!({"break_glass": ["bob"]})).await.status(200);
        decide(&house, &desk, json!([left("deactivated")])).await;
        for id in [&ada, &bob] {
            let answer = moved(&house, id, "left").await.status(200);
            assert_eq!(answer.json["active"], true, "the rest of the request is done");
            assert_eq!(status(&desk, id).await, free("active"));
        }
        assert_eq!(status(&desk, &eve).await, held("deactivated"));
        // Another rule comes to everybody, and they stay again.
        decide(&house, &desk, json!([left("suspended")])).await;
        let shown = desk.get("/status-rules").await.status(200).json;
        assert_eq!((&shown["change"]["turned"], &shown["change"]["stayed"]), (&json!(1), &json!(2)), "{shown}");
        assert_eq!((status(&desk, &ada).await, status(&desk, &eve).await), (free("active"), held("suspended")));
        desk.patch("/settings", json!({"break_glass": []})).await.status(200);
        assert_eq!(moved(&house, &bob, "away").await.status(200).json["active"], true);
        assert_eq!(moved(&house, &bob, "left").await.status(200).json["active"], false, "the owner is left");
    }

    async fn who_stayed_because_they_had_to_goes_when_they_do_not_have_to(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob, eve) = (made(&house, "ada", "left").await, made(&house, "bob", "sales").await, made(&house, "eve", "left").await);
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        desk.grant(&eve, "admin", "all").await;
        desk.patch("/settings", json!({"break_glass": ["eve"]})).await.status(200);
        decide(&house, &desk, json!([left("deactivated")])).await;
        assert_eq!([status(&desk, &ada).await, status(&desk, &eve).await], [free("active"), free("active")]);
        Desk::user(&house, &ada).post("/ownership", json!({"to": bob})).await.status(200);
        house.turn().await;
        assert_eq!([status(&desk, &ada).await, status(&desk, &eve).await], [held("deactivated"), free("active")]);
        desk.patch("/settings", json!({"break_glass": []})).await.status(200);
        house.turn().await;
        assert_eq!(status(&desk, &eve).await, held("deactivated"));
    }

    async fn a_change_is_looked_at_before_and_comes_to_everybody_who_is_there(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (made(&house, "ada", "left").await, made(&house, "bob", "sales").await);
        let mut off = of("eve", "left");
        off["active"] = json!(false);
        let eve = house.post("/Users", off).await.status(201).id();
        let before = house.dump().await;
        let asked = json!({"status_rules": [left("suspended")]});
        let preview = desk.post("/status-rules/preview", asked.clone()).await.status(200).json;
        let out = json!([{"user": {"id": ada, "name": "ada"}, "rule": LEFT, "status": "suspended"}]);
        assert_eq!(preview, json!({"out": 1, "first_out": out, "back": 0, "first_back": []}));
        before.assert_same(&house.dump().await);
        let changed = desk.patch("/settings", asked.clone()).await.status(200).json;
        assert_eq!(changed["status_rules"], asked["status_rules"]);
        let shown = desk.get("/status-rules").await.status(200).json;
        assert_eq!((&shown["change"]["state"], &shown["items"][0]["held"]), (&json!("running"), &json!(0)));
        house.turn().await;
        let shown = desk.get("/status-rules").await.status(200).json;
        assert_eq!((&shown["change"]["state"], &shown["change"]["turned"], &shown["items"][0]["held"]), (&json!("done"), &json!(1), &json!(1)));
        assert_eq!((status(&desk, &ada).await, status(&desk, &bob).await, status(&desk, &eve).await), (held("suspended"), free("active"), free("deactivated")));
        let last = desk.get(&format!("/events?subject={ada}&kind=user.suspended")).await.json["items"][0].clone();
        assert_eq!((&last["actor"], &last["cause"]["of"]), (&json!({"kind": "system", "id": "status-rules"}), &json!(LEFT)));
        let done = desk.get("/events?kind=status_rules.applied").await.json["items"][0].clone();
        assert_eq!(done["data"], json!({"turned": 1, "stayed": 0, "failed": 0}));
        let preview = desk.post("/status-rules/preview", json!({"status_rules": []})).await.status(200).json;
        assert_eq!((&preview["out"], &preview["back"], &preview["first_back"][0]["id"]), (&json!(0), &json!(1), &json!(ada)));
        decide(&house, &desk, json!([])).await;
        assert_eq!((status(&desk, &ada).await, status(&desk, &eve).await), (free("active"), free("deactivated")));
    }

    async fn who_cannot_be_changed_keeps_nobody_else_in(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mut users = Vec::new();
        for name in ["ada", "bob", "eve", "lin"] {
            users.push(made(&house, name, "left").await);
        }
        let [ada, bob, eve, lin] = &users[..] else { panic!("four users") };
        for (column, user) in [("seal", ada), ("doc", eve)] {
            let damage = format!("UPDATE resource SET {column} = 'test.x' WHERE id = '{user}'");
            assert_eq!(house.database.execute(&damage).await, 1);
        }
        decide(&house, &desk, json!([left("deactivated")])).await;
        let change = desk.get("/status-rules").await.status(200).json["change"].clone();
        assert_eq!([&change["state"], &change["turned"], &change["failed"]], [&json!("done"), &json!(2), &json!(2)]);
        assert_eq!([status(&desk, ada).await, status(&desk, bob).await, status(&desk, lin).await], [free("active"), held("deactivated"), held("deactivated")]);
        let done = desk.get("/events?kind=status_rules.applied").await.json["items"][0]["data"].clone();
        assert_eq!(done, json!({"turned": 2, "stayed": 0, "failed": 2}));
    }

    async fn however_many_organisations_cannot_go_on_the_others_do(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = made(&house, "ada", "left").await;
        for number in 0..20 {
            for statement in [
                format!("INSERT INTO tenant (uid, slug, name, created) VALUES ('t-{number}', 't-{number}', 't-{number}', 0)"),
                format!("INSERT INTO policy (tenant_id, version, settings) SELECT id, 1, '{{' FROM tenant WHERE uid = 't-{number}'"),
                format!("INSERT INTO ruling (tenant_id, uid, state, after_pk, turned, stayed, created) SELECT id, 'r', 'running', 0, 0, 0, 0 FROM tenant WHERE uid = 't-{number}'"),
            ] {
                assert_eq!(house.database.execute(&statement).await, 1);
            }
        }
        decide(&house, &desk, json!([left("deactivated")])).await;
        assert_eq!(status(&desk, &ada).await, held("deactivated"));
    }

    async fn a_server_that_stops_is_followed_by_another_one_and_two_at_once_do_each_once(house: TestHouse) {
        let desk = Desk::admin(&house);
        for number in 0..130 {
            house.post("/Users", of(&format!("user{number}"), "left")).await.status(201);
        }
        desk.patch("/settings", json!({"status_rules": [left("suspended")]})).await.status(200);
        seam::rule_once(house.rooms()).await;
        let shown = desk.get("/status-rules").await.status(200).json;
        assert_eq!((&shown["change"]["state"], &shown["items"][0]["held"]), (&json!("running"), &json!(100)), "in the middle");
        let other = seam::open(house.database.url()).await;
        seam::rule_at_once(house.rooms(), &other).await;
        let shown = desk.get("/status-rules").await.status(200).json;
        assert_eq!((&shown["change"]["state"], &shown["change"]["turned"]), (&json!("done"), &json!(130)), "{shown}");
        house.turn().await;
        let told = events(&desk).await.into_iter().filter(|event| event["kind"] == "user.suspended").count();
        assert_eq!(told, 130);
        seam::close(other).await;
    }

    async fn a_write_that_ends_an_account_by_a_rule_counts_as_one_and_the_rule_itself_does_not(house: TestHouse) {
        let fused = Fused::with(house, json!({"deactivations": {"percent": 0, "least": 1}})).await;
        let (house, desk) = (&fused.house, &fused.desk);
        let (ada, bob) = (made(house, "ada", "sales").await, made(house, "bob", "sales").await);
        for name in ["eve", "lin", "mia"] {
            made(house, name, "left").await;
        }
        decide(house, desk, json!([left("suspended")])).await;
        let shown = desk.get("/status-rules").await.status(200).json;
        assert_eq!(shown["items"][0]["held"], 3, "nobody counts whom a decision about rules keeps out");
        moved(house, &ada, "left").await.status(200);
        moved(house, &bob, "left").await.error(429, None);
        assert_eq!((status(desk, &ada).await, status(desk, &bob).await), (held("suspended"), free("active")));
    }

    async fn rules_that_are_none_are_refused(house: TestHouse) {
        let desk = Desk::admin(&house);
        let rule = |name: &str, when: &str| json!({"name": name, "when": when, "status": "suspended"});
        for (rules, pointer) in [
            (json!([rule(" ", "title pr")]), "/status_rules/0/name"),
            (json!([rule(&"x".repeat(101), "title pr")]), "/status_rules/0/name"),
            (json!([rule("a", "title pr"), rule("A", "userType pr")]), "/status_rules/1/name"),
            (json!([rule("a", "title")]), "/status_rules/0/when"),
            (json!([rule("a", "groups.display eq \"x\"")]), "/status_rules/0/when"),
            (json!([rule("a", "active eq true")]), "/status_rules/0/when"),
            (json!([rule("a", "meta.created pr")]), "/status_rules/0/when"),
            (json!([rule("a", "externalId pr")]), "/status_rules/0/when"),
            (json!([{"name": "a", "when": "title pr", "status": "deleted"}]), "/status_rules/0/status"),
        ] {
            let body = json!({"status_rules": rules});
            assert_eq!(desk.patch("/settings", body.clone()).await.problem(400, "invalid-value")["pointer"], pointer, "{rules}");
            desk.post("/status-rules/preview", body).await.problem(400, "invalid-value");
        }
        let many: Vec<Value> = (0..21).map(|number| rule(&number.to_string(), "title pr")).collect();
        desk.patch("/settings", json!({"status_rules": many})).await.problem(400, "invalid-value");
        assert_eq!(desk.get("/status-rules").await.status(200).json, json!({"items": []}));
        let mia = house.user("mia").await;
        desk.grant(&mia, "manager", "all").await;
        let mia = Desk::user(&house, &mia);
        mia.patch("/settings", json!({"status_rules": []})).await.problem(403, "forbidden");
        mia.post("/status-rules/preview", json!({"status_rules": []})).await.problem(403, "forbidden");
    }
}
