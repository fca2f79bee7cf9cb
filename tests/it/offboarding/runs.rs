//! Runs from the event that opens them to the last step, with what Muster keeps itself.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems as _, texts, token};
use crate::support::TestHouse;

/// What every node remembers of a token at most.
const REMEMBERED: Duration = Duration::from_secs(1);

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
}
