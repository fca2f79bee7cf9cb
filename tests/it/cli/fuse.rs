//! `muster fuse` and `muster hold`: budgets are set, and what goes beyond them is decided about, without the admin API.

use serde_json::json;

use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::program::{run, run_json};
use crate::support::template::CONNECTION;

fn words<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, &["--tenant", "acme"], more].concat()
}

each_database! {
    async fn budgets_are_set_and_what_is_held_is_decided_about(house: TestHouse) {
        let set = ["--deletions", "0%,1", "--renames", "off", "--beyond", "hold", "--window", "600", "--json"];
        let after = run_json(&house.database, &words(&["fuse", "set", CONNECTION], &set));
        assert_eq!((&after["deletions"], &after["renames"]), (&json!({"percent": 0, "least": 1}), &json!(null)));
        assert_eq!((&after["beyond"], &after["window_seconds"]), (&json!("hold"), &json!(600)));
        let mut users = Vec::new();
        for name in ["ada", "bob", "eve"] {
            users.push(house.user(name).await);
        }
        house.delete(&format!("/Users/{}", users[0])).await.no_content();
        for user in &users[1..] {
            house.delete(&format!("/Users/{user}")).await.status(202);
        }
        let shown = run_json(&house.database, &words(&["fuse", "show", CONNECTION], &["--json"]));
        assert_eq!((&shown["used"][0]["used"], &shown["used"][0]["tripped"]), (&json!(1), &json!(true)));
        let text = run(&house.database, &words(&["fuse", "show", CONNECTION], &[])).stdout;
        assert!(String::from_utf8_lossy(&text).contains("TRIPPED"));

        let listed = run_json(&house.database, &words(&["hold", "list"], &["--json"]));
        let hold = listed["items"][0]["id"].as_str().unwrap();
        assert_eq!(listed["items"][0]["changes"]["waiting"], 2);
        let approved = run_json(&house.database, &words(&["hold", "approve", hold], &["--json"]));
        assert_eq!((&approved["state"], &approved["changes"]["applied"]), (&json!("approved"), &json!(2)));
        house.get(&format!("/Users/{}", users[2])).await.error(404, None);
        let complaint = fails(command(&house.database).args(words(&["hold", "reject", hold], &[])), 1);
        assert!(complaint.contains("approved"), "{complaint}");
        let listed = run(&house.database, &words(&["hold", "list"], &[])).stdout;
        assert!(String::from_utf8_lossy(&listed).contains("2 made"));
    }

    async fn a_budget_that_is_none_is_refused(house: TestHouse) {
        for wrong in ["10", "10%", "ten%,1", "10%,-1"] {
            let complaint = fails(command(&house.database).args(words(&["fuse", "set", CONNECTION], &["--deletions", wrong])), 2);
            assert!(complaint.contains("10%,1000"), "{complaint}");
        }
        let too_much = words(&["fuse", "set", CONNECTION], &["--deletions", "101%,1"]);
        fails(command(&house.database).args(too_much), 1);
        fails(command(&house.database).args(words(&["fuse", "show", "nowhere"], &[])), 1);
    }
}
