//! `muster audit` and `muster keys`: a log is taken out, kept, and proved without a server.

use std::fs;

use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::program::{run, run_json};

each_database! {
    async fn an_export_is_proved_with_nothing_but_the_file_and_the_keys(house: TestHouse) {
        let ada = house.user("ada-lovelace").await;
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.turn().await;
        let folder = house.database.folder();
        let file = |name: &str| folder.join(name).display().to_string();
        let done = run(&house.database, &["audit", "export", "--tenant", "acme", "--output", &file("log.jsonl")]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        fs::write(file("keys.json"), run(&house.database, &["keys", "export"]).stdout).unwrap();
        fs::write(file("kept.jsonl"), run(&house.database, &["audit", "checkpoint", "--tenant", "acme"]).stdout).unwrap();
        let text = fs::read_to_string(file("log.jsonl")).unwrap();
        assert!(text.contains(&ada) && !text.contains("ada-lovelace"), "{text}");

        let offline = |export: &str| {
            let mut command = command(&house.database);
            // No database, no keys: they are not asked for.
            command.env("MUSTER_DATABASE", "sqlite:/nowhere/muster.db").env_remove("MUSTER_KEY");
            command.args(["audit", "verify", "--export", &file(export), "--key", &file("keys.json")]);
            command.args(["--since", &file("kept.jsonl")]);
            command
        };
        let found = offline("log.jsonl").output().unwrap();
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(found.status.success() && said.starts_with("good: tenant "), "{said}");
        fs::write(file("forged.jsonl"), text.replacen("user.deleted", "user.defeated", 1)).unwrap();
        let complaint = fails(&mut offline("forged.jsonl"), 1);
        assert!(complaint.contains("position ") && complaint.contains("the hash does not fit"), "{complaint}");
        fs::write(file("forged.jsonl"), &text[..text.len() / 2]).unwrap();
        assert!(fails(&mut offline("forged.jsonl"), 1).contains("missing"));
    }

    async fn a_live_log_is_proved_and_the_keys_are_changed(house: TestHouse) {
        house.user("ada").await;
        let live = run(&house.database, &["audit", "verify", "--tenant", "acme"]);
        assert!(live.status.success(), "{}", String::from_utf8_lossy(&live.stderr));
        let before = run_json(&house.database, &["keys", "list", "--json"]);
        assert_eq!(before["items"].as_array().unwrap().len(), 1);
        assert!(run(&house.database, &["keys", "rotate", "log"]).status.success());
        let after = run_json(&house.database, &["keys", "list", "--json"]);
        assert_eq!(after["items"][1]["id"], before["items"][0]["id"]);
        assert!(after["items"][1]["retired"].is_string() && after["items"][0]["retired"].is_null());
        house.user("bob").await;
        let live = run(&house.database, &["audit", "verify", "--tenant", "acme"]);
        assert!(live.status.success(), "{}", String::from_utf8_lossy(&live.stderr));
        house.database.execute("UPDATE log_head SET hash = 'x'").await;
        let complaint = fails(command(&house.database).args(["audit", "verify", "--tenant", "acme"]), 1);
        assert!(complaint.contains("position "), "{complaint}");
        fails(command(&house.database).args(["audit", "verify"]), 2);
    }
}
