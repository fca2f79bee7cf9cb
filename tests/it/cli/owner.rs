//! `muster owner`.

use serde_json::json;
use std::io::Write as _;
use std::process::Stdio;

use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::program::{run, run_json};

each_database! {
    async fn the_first_owner_is_made_without_more_ado_and_by_user_name(house: TestHouse) {
        let (ada, bob) = (house.user("ada@acme.test").await, house.user("bob").await);
        assert_eq!(run_json(&house.database, &["owner", "show", "--tenant", "acme", "--json"]), json!({"owner": null}));
        let made = run_json(&house.database, &["owner", "set", "--tenant", "acme", "ADA@acme.test", "--json"]);
        assert_eq!(made, json!({"owner": {"id": ada, "name": "ada@acme.test"}, "former": null}));
        fails(command(&house.database).args(["owner", "set", "--tenant", "acme", &bob]), 1);
        fails(command(&house.database).args(["owner", "set", "--tenant", "acme", "nobody"]), 1);
        let shown = run_json(&house.database, &["owner", "show", "--tenant", "acme", "--json"]);
        assert_eq!(shown["owner"]["id"], json!(ada));
    }

    async fn break_glass_needs_a_second_confirmation(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        run(&house.database, &["owner", "set", "--tenant", "acme", &ada]);
        let emergency = ["owner", "set", "--tenant", "acme", "bob", "--break-glass", "ada has left", "--json"];
        for (typed, code) in [("", 1), ("ada\n", 1), ("bob\n", 0)] {
            let line = command(&house.database).args(emergency).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut line = line.unwrap();
            line.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
            assert_eq!(line.wait().unwrap().code(), Some(code), "{typed:?}");
        }
        let shown = run_json(&house.database, &["owner", "show", "--tenant", "acme", "--json"]);
        assert_eq!(shown["owner"]["id"], json!(bob));
        let back = ["owner", "set", "--tenant", "acme", "ada", "--break-glass", "bob has left, too", "--yes", "--json"];
        let made = run_json(&house.database, &back);
        assert_eq!((&made["owner"]["id"], &made["former"]["id"]), (&json!(ada), &json!(bob)));
        fails(command(&house.database).args(["owner", "set", "--tenant", "acme", "bob", "--break-glass", " ", "--yes"]), 1);
    }
}
