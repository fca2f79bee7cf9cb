//! `muster migrate`: the tables and nothing else.

use crate::cli::server::{Server, command, fails};
use crate::support::database::Database;
use crate::support::dump::Dump;
use crate::support::program::{run, run_json};

each_database! {
    async fn an_empty_database_gets_its_tables_and_no_tenant(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let output = run(&empty, &["migrate"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "the database is up to date\n"
        );
        assert_eq!(
            run_json(&empty, &["tenant", "list", "--json"])["items"],
            serde_json::json!([])
        );
        empty.drop_now().await;
    }

    async fn a_server_on_a_migrated_database_still_has_its_first_start(database: Database) {
        let empty = Database::empty(database.engine()).await;
        assert!(run(&empty, &["migrate"]).status.success());
        let server = Server::start(&empty, &[], &[]);
        assert!(server.banner.contains("bearer token"), "{}", server.banner);
        assert!(server.terminate().success());
        empty.drop_now().await;
    }

    async fn migrating_twice_changes_nothing(database: Database) {
        let before = Dump::of(&database).await;
        for _ in 0..2 {
            assert!(run(&database, &["migrate"]).status.success());
        }
        before.assert_same(&Dump::of(&database).await);
    }

    async fn migrating_beside_a_running_server_disturbs_nobody(database: Database) {
        let server = Server::start(&database, &[], &[]);
        assert!(run(&database, &["migrate"]).status.success());
        let client = server.client(&database.keys().await.token);
        client.ask("GET", "/Users", None).await.unwrap().status(200);
    }

    async fn four_migrations_at_once_all_end_well(database: Database) {
        for _ in 0..5 {
            let empty = Database::empty(database.engine()).await;
            let mut all = [(); 4].map(|()| command(&empty).arg("migrate").spawn().unwrap());
            for one in &mut all {
                assert!(one.wait().unwrap().success());
            }
            assert!(run(&empty, &["migrate"]).status.success());
            empty.drop_now().await;
        }
    }

    async fn a_database_that_cannot_be_opened_is_exit_code_2(database: Database) {
        for url in [
            "sqlite:/no/such/folder/muster.db",
            "postgres://nobody@127.0.0.1:1/muster",
        ] {
            let complaint = fails(command(&database).args(["migrate", "--database", url]), 2);
            assert!(complaint.starts_with("muster: "), "{complaint}");
        }
    }
}
