//! Runs from the event that opens them to the last step, with what Muster keeps itself.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use muster::service::access::Paging;
use muster::service::credentials::{self, Holder};
use muster::service::log::sequence;
use muster::service::offboarding;
use serde_json::{Value, json};

use crate::access::house::AccessHouse;
use crate::admin::desk::{Desk, Problems as _, texts, token};
use crate::support::{TestHouse, seam};

/// What every node remembers of a token at most.
const REMEMBERED: Duration = Duration::from_secs(1);

/// More runs than one round takes up.
const MORE_THAN_A_ROUND: usize = 65;

/// Has the log of a tenant go on no more, as one that is not what was signed.
async fn break_log(house: &TestHouse, slug: &str) {
    let spoil =
        format!("UPDATE log_head SET hash = 'x' WHERE tenant_id = (SELECT n.id FROM tenant n WHERE n.slug = '{slug}')");
    assert_eq!(house.database.execute(&spoil).await, 1);
}

/// The runs of a person, newest first.
pub async fn runs_of(desk: &Desk, user: &str) -> Vec<Value> {
    let list = desk
        .get(&format!("/offboarding-runs?user={user}"))
        .await
        .status(200)
        .json;
    list["items"].as_array().unwrap().clone()
}

async fn set_active(house: &TestHouse, user: &str, active: bool) {
    let change = json!([{"op": "replace", "path": "active", "value": active}]);
    house.patch(&format!("/Users/{user}"), change).await;
}

/// Kinds of the events about runs, in order.
async fn told(desk: &Desk) -> Vec<String> {
    let events = desk.get("/events?limit=500").await.status(200).json;
    let kinds = texts(&events, "kind");
    kinds
        .into_iter()
        .filter(|kind| kind.starts_with("run.") || kind.starts_with("step."))
        .collect()
}

each_database! {
    async fn a_run_is_opened_by_the_end_of_an_account_and_ends_when_its_tokens_are_gone(house: TestHouse) {
        let (desk, ada) = (Desk::admin(&house), house.user("ada").await);
        let tokens = [token(&house, "acme", &["--user", &ada]), token(&house, "acme", &["--user", &ada])];
        house.turn().await;
        assert_eq!(runs_of(&desk, &ada).await, Vec::<Value>::new());

        set_active(&house, &ada, false).await;
        house.turn().await;
        let run = runs_of(&desk, &ada).await.remove(0);
        assert_eq!((&run["state"], &run["late"], &run["closed"]), (&json!("open"), &Value::Null, &Value::Null));
        assert_eq!(run["user"], json!({"id": ada, "name": "ada"}));
        assert_eq!(run["asked_by"]["actor_kind"], "connection");
        assert_eq!(run["deadline"].as_str().unwrap()[..19], *"2026-01-01T00:05:00");
        let step = &run["steps"][0];
        assert_eq!((&step["name"], &step["state"]), (&json!("account-tokens"), &json!("acknowledged")));

        house.clock().advance(REMEMBERED);
        house.turn().await;
        let run = runs_of(&desk, &ada).await.remove(0);
        assert_eq!((&run["state"], &run["late"]), (&json!("confirmed"), &Value::Null));
        assert_eq!(run["steps"][0]["proof"], json!({"by": "built-in", "tokens": 2}));
        let path = format!("/offboarding-runs/{}", run["id"].as_str().unwrap());
        assert_eq!(desk.get(&path).await.status(200).json, run);
        assert_eq!(told(&desk).await, ["run.opened", "step.acknowledged", "step.confirmed", "run.confirmed"]);
        set_active(&house, &ada, true).await;
        for old in &tokens {
            Desk::with(&house, old).get("/roles").await.problem(401, "unauthorized");
        }
    }

    async fn every_way_out_opens_a_run_and_other_changes_open_none(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob, eve) = (house.user("ada").await, house.user("bob").await, house.user("eve").await);
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "active": false});
        house.put(&format!("/Users/{ada}"), user).await.status(200);
        house.delete(&format!("/Users/{bob}")).await.no_content();
        let title = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
        house.patch(&format!("/Users/{eve}"), title).await;
        house.turn().await;
        let run = runs_of(&desk, &ada).await.remove(0);
        let of_bob = runs_of(&desk, &bob).await.remove(0);
        assert_eq!((&of_bob["user"], &of_bob["state"]), (&json!({"id": bob}), &json!("open")));
        assert!(run["opened_seq"].as_i64() < of_bob["opened_seq"].as_i64());
        assert_eq!(runs_of(&desk, &eve).await, Vec::<Value>::new());
        // Whoever is kept out already has the run that is under way.
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.turn().await;
        assert_eq!(texts(&json!({"items": runs_of(&desk, &ada).await}), "id"), [run["id"].as_str().unwrap()]);
    }

    async fn who_comes_back_in_time_has_nothing_to_prove(house: TestHouse) {
        let (desk, ada) = (Desk::admin(&house), house.user("ada").await);
        set_active(&house, &ada, false).await;
        set_active(&house, &ada, true).await;
        house.turn().await;
        assert_eq!(runs_of(&desk, &ada).await, Vec::<Value>::new());
        set_active(&house, &ada, false).await;
        house.turn().await;
        set_active(&house, &ada, true).await;
        house.turn().await;
        let run = runs_of(&desk, &ada).await.remove(0);
        assert_eq!((&run["state"], &run["steps"][0]["next_try"]), (&json!("withdrawn"), &Value::Null));
        house.clock().advance(Duration::from_hours(1));
        house.turn().await;
        assert_eq!(runs_of(&desk, &ada).await, [run]);
        assert_eq!(told(&desk).await, ["run.opened", "step.acknowledged", "run.withdrawn"]);
        set_active(&house, &ada, false).await;
        house.turn().await;
        let states = runs_of(&desk, &ada).await;
        assert_eq!(texts(&json!({"items": states}), "state"), ["open", "withdrawn"]);
    }

    async fn a_run_that_nobody_drove_in_time_is_late_and_can_still_be_confirmed(house: TestHouse) {
        let (desk, ada) = (Desk::admin(&house), house.user("ada").await);
        set_active(&house, &ada, false).await;
        house.turn().await;
        // Nobody looks until the deadline has passed.
        house.clock().advance(Duration::from_mins(5));
        house.turn().await;
        let run = runs_of(&desk, &ada).await.remove(0);
        assert_eq!(run["state"], "confirmed");
        assert_eq!(run["late"].as_str().unwrap()[..19], *"2026-01-01T00:05:00");
        assert_eq!(
            told(&desk).await,
            ["run.opened", "step.acknowledged", "run.late", "step.confirmed", "run.confirmed"]
        );
        assert!(house.logs.text().contains("an offboarding run is late"));
        house.logs.never_say("ada");
    }

    async fn two_nodes_that_do_the_same_do_it_once(house: TestHouse) {
        let desk = Desk::admin(&house);
        for name in ["ada", "bob", "eve"] {
            let user = house.user(name).await;
            token(&house, "acme", &["--user", &user]);
            set_active(&house, &user, false).await;
        }
        for _ in 0..3 {
            tokio::join!(house.turn(), house.turn(), house.turn());
            house.clock().advance(REMEMBERED);
        }
        let list = desk.get("/offboarding-runs?state=confirmed").await.status(200).json;
        assert_eq!(texts(&list, "state"), ["confirmed"; 3]);
        let mut kinds = told(&desk).await;
        kinds.sort_unstable();
        let each = ["run.confirmed", "run.opened", "step.acknowledged", "step.confirmed"];
        let expected: Vec<&str> = each.into_iter().flat_map(|kind| [kind; 3]).collect();
        assert_eq!(kinds, expected);
    }

    async fn runs_are_paged_and_asked_for_strictly(house: TestHouse) {
        let desk = Desk::admin(&house);
        for name in ["ada", "bob", "eve"] {
            let user = house.user(name).await;
            house.delete(&format!("/Users/{user}")).await.no_content();
        }
        house.turn().await;
        let all = texts(&desk.get("/offboarding-runs").await.status(200).json, "id");
        let first = desk.get("/offboarding-runs?limit=2").await.status(200).json;
        let next = first["next"].as_str().unwrap();
        let second = desk.get(&format!("/offboarding-runs?limit=2&after={next}")).await.status(200).json;
        assert_eq!([texts(&first, "id"), texts(&second, "id")].concat(), all);
        assert_eq!((all.len(), &second["next"]), (3, &Value::Null));
        let problem = desk.get("/offboarding-runs?state=lat").await.problem(400, "invalid-value");
        assert_eq!(problem["parameter"], "state");
        desk.ask(Method::GET, "/api/v1/offboarding-runs/nobody", None, &[]).await.problem(404, "not-found");
    }

    async fn a_run_is_opened_by_what_ended_the_account_and_never_by_what_let_somebody_in(house: TestHouse) {
        let (desk, ada) = (Desk::admin(&house), house.user("ada").await);
        house.turn().await;
        set_active(&house, &ada, false).await;
        set_active(&house, &ada, true).await;
        seam::number(house.rooms()).await;
        // The end is there and has no number yet.
        desk.post(&format!("/users/{ada}/deactivate"), json!({})).await.status(200);
        seam::look_once(house.rooms()).await;
        assert_eq!(runs_of(&desk, &ada).await, Vec::<Value>::new());
        house.turn().await;
        let run = runs_of(&desk, &ada).await.remove(0);
        let events = desk.get("/events?limit=500").await.status(200).json;
        let opened = events["items"].as_array().unwrap().iter().find(|event| event["seq"] == run["opened_seq"]).unwrap();
        assert_eq!((&opened["kind"], &run["asked_by"]["actor_kind"]), (&json!("user.deactivated"), &json!("admin")));
    }

    async fn who_is_in_again_is_not_confirmed_to_be_out_and_keeps_new_tokens(house: AccessHouse) {
        let (services, ada) = (&house.services, house.user("ada", json!({})).await);
        house.set(&ada, "active", json!(false)).await.unwrap();
        sequence::pass(services).await.unwrap();
        offboarding::pass(services).await.unwrap();
        house.clock.advance(REMEMBERED);
        // They come back, and who follows the log does not know it yet.
        house.set(&ada, "active", json!(true)).await.unwrap();
        let issued = credentials::issue(services, "acme", &Holder::User(ada.clone()), None).await.unwrap();
        for _ in 0..2 {
            offboarding::pass(services).await.unwrap();
            house.clock.advance(REMEMBERED * 2);
            let caller = credentials::authenticate(services, issued.token.expose(), Arc::from("req-1")).await.unwrap();
            assert!(caller.is_some(), "the token is no part of what ended");
        }
        let states = async || {
            let wanted = offboarding::Wanted { user: Some(ada.clone()), ..offboarding::Wanted::default() };
            let runs = offboarding::list(services, &house.root, &wanted, &Paging::default()).await.unwrap().items;
            runs.into_iter().map(|run| run.state).collect::<Vec<_>>()
        };
        assert_eq!(states().await, ["open"]);
        sequence::pass(services).await.unwrap();
        offboarding::pass(services).await.unwrap();
        assert_eq!(states().await, ["withdrawn"]);
    }

    async fn a_log_that_is_not_what_was_signed_certifies_nothing_and_holds_up_no_other_tenant(house: TestHouse) {
        let both = [(house.clone(), Desk::admin(&house)), (house.second_tenant(), Desk::neighbour(&house))];
        let mut paths = Vec::new();
        for (house, desk) in &both {
            let user = house.user("kim").await;
            house.delete(&format!("/Users/{user}")).await.no_content();
            house.turn().await;
            let run = runs_of(desk, &user).await.remove(0);
            paths.push(format!("/offboarding-runs/{}/certificate", run["id"].as_str().unwrap()));
        }
        house.clock().advance(REMEMBERED);
        // Confirmed, and numbered; certified is nothing yet.
        seam::look_once(house.rooms()).await;
        seam::number(house.rooms()).await;
        let acme = "tenant_id = (SELECT n.id FROM tenant n WHERE n.slug = 'acme')";
        house.database.execute(&format!("CREATE TABLE kept AS SELECT hash FROM log_head WHERE {acme}")).await;
        house.database.execute(&format!("UPDATE log_head SET hash = 'x' WHERE {acme}")).await;
        seam::look_once(house.rooms()).await;
        both[0].1.get(&paths[0]).await.problem(404, "not-confirmed");
        both[1].1.get(&paths[1]).await.status(200);
        house.database.execute(&format!("UPDATE log_head SET hash = (SELECT k.hash FROM kept k) WHERE {acme}")).await;
        house.clock().advance(REMEMBERED);
        seam::look_once(house.rooms()).await;
        both[0].1.get(&paths[0]).await.status(200);
    }

    async fn a_log_that_does_not_go_on_holds_up_no_certificate_of_others(house: TestHouse) {
        let (desk, neighbour) = (Desk::admin(&house), Desk::neighbour(&house));
        let second = house.second_tenant();
        let mut last = String::new();
        for number in 0..MORE_THAN_A_ROUND {
            last = house.user(&format!("user{number}")).await;
            house.delete(&format!("/Users/{last}")).await.no_content();
        }
        let theirs = second.user("kim").await;
        second.delete(&format!("/Users/{theirs}")).await.no_content();
        seam::number(house.rooms()).await;
        seam::open_runs(house.rooms()).await;
        house.clock().advance(REMEMBERED);
        break_log(&house, "acme").await;
        seam::open_runs(house.rooms()).await;
        let states = [runs_of(&desk, &last).await, runs_of(&neighbour, &theirs).await].map(|runs| runs[0]["state"].clone());
        assert_eq!(states, ["confirmed", "confirmed"]);
        house.clock().advance(REMEMBERED);
        for _ in 0..2 {
            seam::number(house.rooms()).await;
            seam::look_once(house.rooms()).await;
        }
        let run = runs_of(&neighbour, &theirs).await.remove(0);
        neighbour.get(&format!("/offboarding-runs/{}/certificate", run["id"].as_str().unwrap())).await.status(200);
    }

    async fn whoever_is_back_while_a_log_does_not_go_on_holds_up_no_step_of_others(house: TestHouse) {
        let neighbour = Desk::neighbour(&house);
        let second = house.second_tenant();
        let mut users = Vec::new();
        for number in 0..MORE_THAN_A_ROUND {
            let user = house.user(&format!("user{number}")).await;
            set_active(&house, &user, false).await;
            users.push(user);
        }
        seam::number(house.rooms()).await;
        seam::open_runs(house.rooms()).await;
        for user in &users {
            set_active(&house, user, true).await;
        }
        break_log(&house, "acme").await;
        house.clock().advance(REMEMBERED);
        let theirs = second.user("kim").await;
        second.delete(&format!("/Users/{theirs}")).await.no_content();
        seam::number(house.rooms()).await;
        seam::look_once(house.rooms()).await;
        assert_eq!(runs_of(&neighbour, &theirs).await[0]["steps"][0]["state"], "acknowledged");
    }

    async fn a_step_that_was_put_off_by_a_clock_that_was_ahead_is_tried_at_once(house: TestHouse) {
        let (desk, ada) = (Desk::admin(&house), house.user("ada").await);
        house.turn().await;
        let now = house.clock().now();
        house.clock().advance(Duration::from_hours(24));
        set_active(&house, &ada, false).await;
        house.turn().await;
        assert_eq!(runs_of(&desk, &ada).await[0]["steps"][0]["state"], "acknowledged");
        house.clock().set(now);
        house.turn().await;
        assert_eq!(runs_of(&desk, &ada).await[0]["state"], "confirmed");
    }
}
