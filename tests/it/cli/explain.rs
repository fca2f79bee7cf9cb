//! `muster explain`.

use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::program::run;

each_database! {
    async fn what_a_user_may_is_told_as_a_tree(house: TestHouse) {
        let ada = house.user("ada@example.com").await;
        let said = |arguments: &[&str]| {
            let line = [&["explain", "--tenant", "acme"], arguments].concat();
            String::from_utf8(run(&house.database, &line).stdout).unwrap()
        };
        let text = said(&[&ada, "record.edit"]);
        assert!(text.starts_with(&format!("user {ada} does not have record.edit in the organisation")), "{text}");
        assert_eq!(said(&["ADA@example.com", "record.edit"]), text);
    }

    async fn what_does_not_exist_is_refused(house: TestHouse) {
        let ada = house.user("ada").await;
        for arguments in [&["nobody"][..], &[&ada, "record.edti"], &[&ada, "record.edit", "nowhere"]] {
            fails(command(&house.database).args(["explain", "--tenant", "acme"]).args(arguments), 1);
        }
        fails(command(&house.database).args(["explain", "--tenant", "elsewhere", &ada]), 1);
    }
}
