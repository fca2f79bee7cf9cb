//! `muster status-rules`: rules that keep users out, without the admin API.

use std::fs;

use serde_json::json;

use crate::cli::server::{command, fails};
use crate::lifecycle::status_rules::{LEFT, left, made};
use crate::support::TestHouse;
use crate::support::program::{run, run_json};

each_database! {
    async fn rules_are_looked_at_set_and_shown(house: TestHouse) {
        let ada = made(&house, "ada", "left").await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.json");
        fs::write(&file, json!([left("suspended")]).to_string()).unwrap();
        let path = file.to_str().unwrap();
        let said = |words: &[&str]| {
            let done = run(&house.database, &[&["status-rules"], words].concat());
            String::from_utf8(done.stdout).unwrap()
        };
        let preview = said(&["preview", "--tenant", "acme", path]);
        assert!(preview.contains("1 users would be kept out") && preview.contains(&ada), "{preview}");
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], true);
        let set = said(&["set", "--tenant", "acme", path]);
        assert!(set.contains("done, 1 changed, 0 had to stay"), "{set}");
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], false);
        let shown = said(&["show", "--tenant", "acme"]);
        assert!(shown.contains(LEFT) && shown.contains("1 kept out"), "{shown}");
        assert_eq!(run_json(&house.database, &["status-rules", "show", "--tenant", "acme", "--json"]), json!([left("suspended")]));
        fs::write(&file, "[{\"name\": \"a\", \"when\": \"title pr\", \"status\": \"gone\"}]").unwrap();
        let complaint = fails(command(&house.database).args(["status-rules", "set", "--tenant", "acme", path]), 1);
        assert!(complaint.contains("neither suspended nor deactivated"), "{complaint}");
        fs::write(&file, "{").unwrap();
        fails(command(&house.database).args(["status-rules", "set", "--tenant", "acme", path]), 1);
    }
}
