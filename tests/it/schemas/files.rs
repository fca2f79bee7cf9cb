//! `muster schema`, and the schemas of every tenant in a folder.

use serde_json::{Value, json};

use super::words::{
    BADGE, DEVICE_FILE, TESTRESOURCE_FILE, badge, extends, own_type, robot, robots, schema, set, test_resource,
};
use crate::admin::desk::Desk;
use crate::cli::server::{Server, command, fails};
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

    async fn a_resource_type_of_a_file_is_served_to_every_tenant(house: TestHouse) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test.json"), TESTRESOURCE_FILE).unwrap();
        std::fs::write(folder.path().join("device.json"), DEVICE_FILE).unwrap();
        let given = folder.path().to_str().unwrap();
        let server = Server::start(&house.database, &["--schemas", given], &[]);
        let client = server.client(&house.token(&[]));
        let ask = async |method: &str, path: &str, body: Option<&Value>| client.ask(method, path, body).await.unwrap();
        let made = ask("POST", "/TestResources", Some(&test_resource("one", &json!({"integerAttr": 1})))).await.status(201);
        let path = format!("/TestResources/{}", made.id());
        let change = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "integerAttr", "value": 2}]});
        assert_eq!(ask("PATCH", &path, Some(&change)).await.status(200).json["integerAttr"], 2);
        assert_eq!(ask("GET", "/TestResources?filter=integerAttr%20eq%202", None).await.status(200).ids(), [made.id()]);
        ask("POST", "/TestResources", Some(&test_resource("ONE", &json!({})))).await.error(409, Some("uniqueness"));
        assert_eq!(ask("GET", "/ResourceTypes/Device", None).await.status(200).json["endpoint"], "/Devices");
        ask("DELETE", &path, None).await.no_content();
        // Who was started without the folder knows nothing of it.
        house.get("/TestResources").await.error(404, None);
    }

    async fn a_definition_that_files_leave_no_room_for_stays_in_nobodys_way(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        house.post("/Robots", robot("Marvin", 2)).await.status(201);
        let folder = tempfile::tempdir().unwrap();
        let droid = "urn:example:droid:1.0:Droid";
        let other = json!([schema(droid, &json!([{"name": "a", "type": "string"}])), own_type("Droid", "/Robots", droid)]);
        std::fs::write(folder.path().join("droid.json"), other.to_string()).unwrap();
        let beside = ["--tenant", "acme", "--schemas", folder.path().to_str().unwrap()];
        let file = house.database.folder().join("badge.json");
        std::fs::write(&file, badge().to_string()).unwrap();
        // The old one is as unusable as before, and no reason to refuse a new one.
        let set_it = [&["schema", "set", file.to_str().unwrap()], &beside[..]].concat();
        let done = run(&house.database, &set_it);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::write(&file, own_type("Machine", "/Robots", BADGE).to_string()).unwrap();
        assert!(fails(command(&house.database).args(&set_it), 1).contains("`/Robots` is already in use"));
        // What was made of it does not come back with another definition.
        let remove = [&["schema", "remove", "Robot"], &beside[..]].concat();
        let told = fails(command(&house.database).args(&remove), 1);
        assert!(told.contains("1 stored resources of the type `Robot`"), "{told}");
        let done = run(&house.database, &[&remove[..], &["--discard"]].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        for table in ["resource", "attribute", "unique_value"] {
            assert_eq!(house.dump().await.table(table), [""; 0], "{table}");
        }
    }

    async fn the_command_line_defines_a_type_and_ends_it_with_its_resources(house: TestHouse) {
        let file = house.database.folder().join("device.json");
        std::fs::write(&file, DEVICE_FILE).unwrap();
        let device = "urn:ietf:params:scim:schemas:core:2.0:Device";
        let set = ["schema", "set", "--tenant", "acme", file.to_str().unwrap()];
        assert!(run(&house.database, &set).status.success());
        let listed = run(&house.database, &["schema", "list", "--tenant", "acme"]);
        assert!(String::from_utf8(listed.stdout).unwrap().contains(&format!("Device: {device}, ")));
        house.post("/Devices", json!({"schemas": [device], "active": true})).await.status(201);
        let remove = ["schema", "remove", "--tenant", "acme", "Device"];
        let told = fails(command(&house.database).args(remove), 1);
        assert!(told.contains("1 stored resources of the type `Device`"), "{told}");
        assert!(run(&house.database, &[&remove[..], &["--discard"]].concat()).status.success());
        house.get("/Devices").await.error(404, None);
        assert!(run(&house.database, &["schema", "remove", "--tenant", "acme", device]).status.success());
    }
}
