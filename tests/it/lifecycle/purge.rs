//! Who is purged is gone: from every answer, from the log, from the files of the database and from what is taken out of it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

use crate::admin::desk::{Desk, Problems, texts};
use crate::api::bodies::{ENTERPRISE, user};
use crate::delivery::hook::Hook;
use crate::fuse::words::Fused;
use crate::support::TestHouse;
use crate::support::database::{Database, Engine};
use crate::support::program::run;

const DAY: Duration = Duration::from_hours(24);

/// Texts that occur nowhere but in what is said of one person, each with where it was said.
#[derive(Default)]
struct Canaries(Vec<(String, String)>);

impl Canaries {
    /// Another one.
    fn of(&mut self, place: &str) -> String {
        let text: String = (0..24).map(|_| rand::random_range(b'a'..=b'z') as char).collect();
        self.0.push((place.to_owned(), text.clone()));
        text
    }

    /// A user who has one in every attribute.
    fn person(&mut self) -> Value {
        let body = json!({
            "externalId": self.of("externalId"), "displayName": self.of("displayName"), "nickName": self.of("nickName"),
            "title": self.of("title"), "userType": self.of("userType"), "password": self.of("password"),
            "profileUrl": format!("https://example.com/{}", self.of("profileUrl")),
            "name": {
                "formatted": self.of("formatted"), "givenName": self.of("givenName"), "familyName": self.of("familyName"),
                "middleName": self.of("middleName"), "honorificPrefix": self.of("prefix"), "honorificSuffix": self.of("suffix"),
            },
            "emails": [{"value": format!("{}@example.com", self.of("email")), "display": self.of("email.display")}],
            "phoneNumbers": [{"value": self.of("phone")}],
            "ims": [{"value": self.of("im")}],
            "photos": [{"value": format!("https://example.com/{}", self.of("photo"))}],
            "addresses": [{
                "formatted": self.of("address"), "streetAddress": self.of("street"), "locality": self.of("locality"),
                "region": self.of("region"), "postalCode": self.of("postalCode"),
            }],
            "entitlements": [{"value": self.of("entitlement")}],
            "urn:example:acme:2.0:User": {"shoe": self.of("undeclared"), "desk": {"room": self.of("undeclared part")}},
            ENTERPRISE: {
                "employeeNumber": self.of("employeeNumber"), "costCenter": self.of("costCenter"),
                "organization": self.of("organization"), "division": self.of("division"), "department": self.of("department"),
            },
        });
        user(&self.of("userName"), body)
    }

    /// The places of those that are in some bytes, in any case of letters.
    fn among(&self, bytes: &[u8]) -> Vec<&str> {
        let bytes = bytes.to_ascii_lowercase();
        let text = String::from_utf8_lossy(&bytes);
        let there = self.0.iter().filter(|(_, canary)| text.contains(canary.as_str()));
        there.map(|(place, _)| place.as_str()).collect()
    }
}

/// What somebody finds who takes the database away: its files, or a dump of it.
pub fn taken(database: &Database) -> Vec<u8> {
    match database.engine() {
        Engine::Sqlite => {
            let file = |name: &str| fs::read(database.folder().join(name)).unwrap_or_default();
            [file("muster.db"), file("muster.db-wal"), file("muster.db-journal")].concat()
        }
        Engine::Postgres => {
            let dumped = Command::new("pg_dump").arg(database.url()).output().unwrap();
            assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
            dumped.stdout
        }
    }
}

/// Does everything with a person that leaves something behind; answers their id.
async fn lived(house: &TestHouse, desk: &Desk, canaries: &mut Canaries) -> String {
    let body = canaries.person();
    let id = house.post("/Users", body.clone()).await.status(201).id();
    let path = format!("/Users/{id}");
    let title = json!([{"op": "replace", "path": "title", "value": canaries.of("new title")}]);
    house.patch(&path, title).await.status(200);
    house.put(&path, body.clone()).await.status(200);
    let groups = [house.group("Sales").await, house.group("Berlin").await];
    for group in &groups {
        house.join(group, &id).await;
    }
    desk.grant(&id, "analyst", "all").await;
    let grant = json!({"subject": {"type": "user", "id": id}, "role": "manager", "scope": "all"});
    desk.post("/preview", json!({"changes": [{"grant": grant}]}))
        .await
        .status(200);

    let said = |canary: String| Some(json!({"reason": canary}));
    for verb in ["suspend", "activate"] {
        let (path, reason) = (format!("/api/v1/users/{id}/{verb}"), said(canaries.of(verb)));
        let keyed = [("idempotency-key", verb)];
        desk.ask("POST".parse().unwrap(), &path, reason, &keyed)
            .await
            .status(200);
    }
    let planned = json!({"deactivate_at": "2030-01-01T00:00:00Z", "reason": canaries.of("schedule")});
    desk.ask(
        "PUT".parse().unwrap(),
        &format!("/api/v1/users/{id}/schedule"),
        Some(planned),
        &[],
    )
    .await
    .status(200);
    let leave =
        json!({"from": "2029-01-01T00:00:00Z", "until": "2029-02-01T00:00:00Z", "reason": canaries.of("leave")});
    desk.ask(
        "PUT".parse().unwrap(),
        &format!("/api/v1/users/{id}/leave"),
        Some(leave),
        &[],
    )
    .await
    .status(200);

    held(house, canaries, (&id, &body), &groups).await;

    house.delete(&path).await.no_content();
    desk.post(&format!("/users/{id}/restore"), json!({})).await.status(200);
    desk.post(
        &format!("/users/{id}/suspend"),
        json!({"reason": canaries.of("last reason")}),
    )
    .await
    .status(200);
    house.delete(&path).await.no_content();
    id
}

/// Has requests about somebody held: beyond the budgets, they are kept.
async fn held(house: &TestHouse, canaries: &mut Canaries, (id, body): (&str, &Value), groups: &[String; 2]) {
    let path = format!("/Users/{id}");
    // Beyond the budget, and kept: the whole document, and a group that calls them by their name.
    let mut off = body.clone();
    off["active"] = json!(false);
    house.put(&path, off).await.status(202);
    let others = house.user("other").await;
    let without = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Berlin",
        "members": [{"value": others, "display": "Other"}, {"value": id, "display": canaries.of("member.display")}],
    });
    house.put(&format!("/Groups/{}", groups[1]), without).await.status(200);
    let emptied =
        json!([{"op": "remove", "path": "members", "value": [{"value": id, "display": canaries.of("held display")}]}]);
    house
        .patch(&format!("/Groups/{}", groups[0]), emptied)
        .await
        .status(202);
}

/// Has the database refuse every change of a row of which this holds.
pub async fn refuse(database: &Database, table: &str, holds: &str) {
    match database.engine() {
        Engine::Sqlite => {
            let trigger = format!(
                "CREATE TRIGGER refused BEFORE UPDATE ON {table} WHEN {holds} BEGIN SELECT RAISE(ABORT, 'refused'); END"
            );
            database.execute(&trigger).await;
        }
        Engine::Postgres => {
            let refused = "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS \
                           $$ BEGIN RAISE EXCEPTION 'refused'; END $$";
            database.execute(refused).await;
            let trigger = format!(
                "CREATE TRIGGER refused BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({holds}) EXECUTE FUNCTION refused()"
            );
            database.execute(&trigger).await;
        }
    }
}

each_database! {
    async fn nothing_that_was_said_of_somebody_is_left_when_they_are_purged(house: TestHouse) {
        let none = json!({"percent": 0, "least": 0});
        let fused = Fused::with(house, json!({"deactivations": none, "departures": none, "beyond": "hold"})).await;
        let (house, desk) = (&fused.house, &fused.desk);
        let hook = Hook::new(house).await;
        let mut canaries = Canaries::default();
        let id = lived(house, desk, &mut canaries).await;
        house.turn().await;
        assert!(hook.receiver.take().len() > 10);

        // The search finds what is there: everything but the password, in the tombstone and elsewhere.
        let there = canaries.among(&taken(&house.database));
        for place in ["userName", "externalId", "email", "street", "department", "schedule", "leave", "last reason", "held display"] {
            assert!(there.contains(&place), "{place} is not found before: {there:?}");
        }
        assert!(!there.contains(&"password"));
        // An older copy has the log, and its values are sealed: who has no key file reads nothing in it.
        let older = house.dump().await;
        let log: Vec<&str> = ["event", "entry", "event_about"].into_iter().flat_map(|table| older.table(table)).map(String::as_str).collect();
        assert!(log.iter().any(|row| row.contains(&id)));
        assert_eq!(canaries.among(log.join("\n").as_bytes()), Vec::<&str>::new());

        let purged = desk.post(&format!("/users/{id}/purge"), json!({})).await.status(202).json;
        assert_eq!(purged, json!({"id": id, "state": "purging"}));
        assert_eq!(texts(&desk.get("/tombstones?type=user").await.json, "state"), ["purging"]);
        desk.post(&format!("/users/{id}/restore"), json!({})).await.problem(404, "not-found");
        desk.post(&format!("/users/{id}/activate"), json!({})).await.problem(404, "not-found");
        desk.post(&format!("/users/{id}/purge"), json!({})).await.status(202);
        house.turn().await;
        assert_eq!(texts(&desk.get("/tombstones?type=user").await.json, "id"), Vec::<String>::new());
        desk.post(&format!("/users/{id}/purge"), json!({})).await.problem(404, "not-found");

        assert_eq!(canaries.among(&taken(&house.database)), Vec::<&str>::new());
        let export = run(&house.database, &["audit", "export", "--tenant", "acme"]);
        assert!(String::from_utf8_lossy(&export.stdout).contains(&id));
        assert_eq!(canaries.among(&export.stdout), Vec::<&str>::new());
        // The chain still holds, and says that there were values.
        let verified = run(&house.database, &["audit", "verify", "--tenant", "acme"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        let events = desk.get(&format!("/events?subject={id}&limit=500")).await.status(200);
        assert_eq!(canaries.among(events.text.as_bytes()), Vec::<&str>::new());
        let events = events.json["items"].as_array().unwrap().clone();
        assert_eq!(events.iter().filter(|event| event["kind"] == "user.purged").count(), 1, "asked for twice, done once");
        let created = events.iter().find(|event| event["kind"] == "user.created").unwrap();
        assert_eq!((&created["erased"], created.get("after")), (&json!(true), None));
        // What was answered before is not answered again, nor done again.
        let path = format!("/api/v1/users/{id}/suspend");
        let again = desk.ask("POST".parse().unwrap(), &path, Some(json!({"reason": canaries.0.iter().find(|(place, _)| place == "suspend").unwrap().1})), &[("idempotency-key", "suspend")]).await;
        assert_eq!(again.status, 409, "{}", again.text);
        // What waits about others can still be made.
        fused.house.turn().await;
        let waiting: Vec<Value> = fused.desk.get("/pending").await.status(200).json["items"].as_array().unwrap().clone();
        assert!(waiting.iter().all(|one| one["resource"]["id"] != json!(id)), "{waiting:?}");
    }

    async fn only_who_is_deleted_is_purged_unless_it_is_said(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let path = format!("/users/{ada}/purge");
        let problem = desk.post(&path, json!({})).await.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("force"), "{problem}");
        assert_eq!(house.get(&format!("/Users/{ada}")).await.status, 200);
        desk.post(&path, json!({"force": true})).await.status(202);
        house.get(&format!("/Users/{ada}")).await.error(404, None);
        house.turn().await;
        assert_eq!(texts(&desk.get("/tombstones").await.json, "id"), Vec::<String>::new());
        // A name is free, and who has it next has nothing of theirs.
        let other = house.user("ada").await;
        assert_ne!(other, ada);
        // Whoever must stay is not purged either.
        let eve = house.user("eve").await;
        desk.grant(&eve, "admin", "all").await;
        desk.post(&format!("/users/{eve}/purge"), json!({"force": true})).await.status(409);
        assert_eq!(house.get(&format!("/Users/{eve}")).await.status, 200);
        // Both permissions are needed.
        let (mia, max) = (house.user("mia").await, house.user("max").await);
        house.delete(&format!("/Users/{max}")).await.no_content();
        let role = desk.post("/roles", json!({"name": "People", "permissions": ["org.users.manage", "org.users.view"]})).await.status(201).id();
        desk.grant(&mia, &role, "all").await;
        let refused = Desk::user(&house, &mia).post(&format!("/users/{max}/purge"), json!({})).await.problem(403, "forbidden");
        assert!(refused["detail"].as_str().unwrap().contains("org.settings.manage"), "{refused}");
    }

    async fn the_command_line_purges_for_good(house: TestHouse) {
        let ada = house.user("ada-lovelace").await;
        let asked = ["user", "purge", "--tenant", "acme", &ada];
        let refused = run(&house.database, &asked);
        assert_eq!(refused.status.code(), Some(1));
        let done = run(&house.database, &[&asked[..], &["--force"]].concat());
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && said.contains("nothing of it is left"), "{said}{}", String::from_utf8_lossy(&done.stderr));
        let left = taken(&house.database);
        assert!(!String::from_utf8_lossy(&left).contains("ada-lovelace"));
    }

    async fn who_was_deleted_is_purged_when_their_time_is_over(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.clock().advance(DAY * 30);
        house.delete(&format!("/Users/{bob}")).await.no_content();
        desk.patch("/settings", json!({"retention_days": 0})).await.problem(400, "invalid-value");
        desk.patch("/settings", json!({"retention_days": null})).await.status(200);
        house.clock().advance(DAY * 70);
        house.turn().await;
        assert_eq!(texts(&desk.get("/tombstones").await.json, "id"), [ada.clone(), bob.clone()], "for ever");
        let settings = desk.patch("/settings", json!({"retention_days": 90})).await.status(200).json;
        assert_eq!(settings["retention_days"], 90);
        house.turn().await;
        assert_eq!(texts(&desk.get("/tombstones").await.json, "id"), std::slice::from_ref(&bob));
        let events = desk.get("/events?kind=user.purged").await.status(200).json;
        assert_eq!((&events["items"][0]["subject"]["id"], &events["items"][0]["actor"]["id"]), (&json!(ada), &json!("retention")));
        desk.post(&format!("/users/{bob}/restore"), json!({})).await.status(200);
        house.clock().advance(DAY * 365);
        house.turn().await;
        assert_eq!(house.get(&format!("/Users/{bob}")).await.status, 200, "who came back stays");
    }

    async fn one_who_cannot_be_purged_keeps_nobody_else(house: TestHouse) {
        let (desk, other) = (Desk::admin(&house), Desk::neighbour(&house));
        let mut gone = Vec::new();
        for name in ["damaged", "stuck", "plain"] {
            let id = house.user(name).await;
            house.delete(&format!("/Users/{id}")).await.no_content();
            gone.push(id);
        }
        let theirs = house.second_tenant().user("theirs").await;
        house.second_tenant().delete(&format!("/Users/{theirs}")).await.no_content();
        house.database.execute(&format!("UPDATE tombstone SET doc = '{{' WHERE id = '{}'", gone[0])).await;
        refuse(&house.database, "tombstone", &format!("NEW.state = 'purging' AND OLD.id = '{}'", gone[1])).await;
        house.clock().advance(DAY * 100);
        house.turn().await;
        assert_eq!(texts(&desk.get("/tombstones").await.json, "id"), [gone[1].clone()]);
        assert_eq!(texts(&other.get("/tombstones").await.json, "id"), Vec::<String>::new());
    }

    async fn answers_that_are_forgotten_are_not_written_again(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        for key in 0..10 {
            let role = Some(json!({"name": format!("Role {key}")}));
            let keyed = [("idempotency-key", &*format!("key-{key}"))];
            desk.ask("POST".parse().unwrap(), "/api/v1/roles", role, &keyed).await.status(201);
        }
        desk.post(&format!("/users/{ada}/purge"), json!({"force": true})).await.status(202);
        refuse(&house.database, "idempotency", "OLD.status IS NULL AND OLD.state = 2").await;
        desk.post(&format!("/users/{bob}/purge"), json!({"force": true})).await.status(202);
    }

    async fn it_is_done_only_when_nothing_is_left_on_disk(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        if house.database.engine() == Engine::Sqlite {
            let mut reader = SqliteConnection::connect(house.database.url()).await.unwrap();
            let mut reading = reader.begin().await.unwrap();
            sqlx::query("SELECT count(*) FROM resource").execute(&mut *reading).await.unwrap();
            desk.post(&format!("/users/{ada}/purge"), json!({"force": true})).await.status(202);
            house.turn().await;
            assert_eq!(texts(&desk.get("/tombstones").await.json, "state"), ["purging"], "somebody still reads");
            reading.rollback().await.unwrap();
        } else {
            desk.post(&format!("/users/{ada}/purge"), json!({"force": true})).await.status(202);
        }
        // As a server that was killed in between finds it.
        let said = run(&house.database, &["user", "deleted", "--tenant", "acme"]);
        assert!(String::from_utf8_lossy(&said.stdout).contains("purging"));
        house.turn().await;
        assert_eq!(texts(&desk.get("/tombstones").await.json, "id"), Vec::<String>::new());
    }
}
