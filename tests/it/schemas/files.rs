//! `muster schema`, and the schemas of every tenant in a folder.

use serde_json::json;

use super::words::{BADGE, badge, extends, set};
use crate::admin::desk::Desk;
use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::program::run;

each_database! {
    async fn a_schema_is_set_shown_listed_and_removed(house: TestHouse) {
        let file = house.database.folder().join("badge.json");
        let path = file.to_str().unwrap();
        std::fs::write(&file, json!([badge(), extends("User", &[(BADGE, false)])]).to_string()).unwrap();
        let said = |words: &[&str]| {
            let done = run(&house.database, &[&["schema"], words].concat());
            assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8(done.stdout).unwrap()
        };
        said(&["set", "--tenant", "acme", path]);
        let listed = said(&["list", "--tenant", "acme"]);
        assert!(listed.contains(BADGE) && listed.contains(&format!("User: {BADGE}")), "{listed}");
        assert!(said(&["show", "--tenant", "acme", BADGE]).contains("\"canonicalValues\""));
        assert!(said(&["show", "--tenant", "acme", "User"]).contains(BADGE));
        std::fs::write(&file, badge().to_string()).unwrap();
        assert!(said(&["preview", "--tenant", "acme", path]).contains("nothing would change"));
        said(&["remove", "--tenant", "acme", BADGE]);
        assert_eq!(said(&["list", "--tenant", "acme"]), "");
        fails(command(&house.database).args(["schema", "remove", "--tenant", "acme", BADGE]), 1);
        std::fs::write(&file, "{").unwrap();
        fails(command(&house.database).args(["schema", "set", "--tenant", "acme", path]), 1);
    }

    async fn files_of_a_folder_count_for_every_tenant(house: TestHouse) {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a-user.json", &extends("User", &[(BADGE, false)]).to_string());
        write("b-badge.json", &badge().to_string());
        write("notes.txt", "of no meaning");
        let given = folder.path().to_str().unwrap();
        // What the files define is not the tenant's to define.
        let file = house.database.folder().join("badge.json");
        std::fs::write(&file, badge().to_string()).unwrap();
        let set_it = ["schema", "set", "--tenant", "acme", file.to_str().unwrap(), "--schemas", given];
        let told = fails(command(&house.database).args(set_it), 1);
        assert!(told.contains("already in use"), "{told}");
        write("c-wrong.json", "{\"id\": \"x\"}");
        let told = fails(command(&house.database).args(["schema", "list", "--tenant", "acme", "--schemas", given]), 2);
        assert!(told.contains("c-wrong.json"), "{told}");
        write("c-wrong.json", &extends("User", &[("urn:example:none:1.0", false)]).to_string());
        let told = fails(command(&house.database).args(["schema", "list", "--tenant", "acme", "--schemas", given]), 2);
        assert!(told.contains("there is no schema"), "{told}");
        set(&Desk::admin(&house), &badge()).await.status(200);
    }
}
