//! A file of rules is read in while a rule is coming into force.

use muster::service::access::State;
use muster::service::access::rules::{self, Patience, Progress};
use muster::store::access::rules::RuleContent;
use muster::store::{By, Db, Options, Unit, tenants};
use serde_json::json;
use std::sync::Mutex;
use std::time::Duration;

use super::activation::LONG;
use super::house::{AccessHouse, conflict, gives};

/// A file of active rules that make somebody an analyst everywhere.
fn file(rules: &[(&str, &str)]) -> String {
    let written = rules.iter().map(|(name, when)| {
        format!("[[rule]]\nname = \"{name}\"\nstate = \"active\"\nwhen = '{when}'\n\n[[rule.then]]\nrole = \"Analyst\"\nscope = \"all\"\n\n")
    });
    written.collect()
}

impl AccessHouse {
    /// Begins to prepare a version of a rule with another condition, as a server that stopped then.
    pub(super) async fn begin(&self, id: &str, when: &str) {
        let db = Db::open(self.database.url(), &Options::default()).await.unwrap();
        let tenant = tenants::find(&db, "acme").await.unwrap().unwrap();
        let by = By {
            actor_kind: "operator",
            actor_name: "test",
            cause: self.clock.now().into(),
        };
        let mut unit = Unit::begin(&db, tenant.id).await.unwrap();
        let row = unit.rules().find(id).await.unwrap().unwrap();
        let content = RuleContent {
            name: &row.name,
            when,
            then: &row.then,
            validity: row.validity,
            examples: &row.examples,
        };
        unit.rules().prepare((row.key, row.version), content, by).await.unwrap();
        unit.save().await.unwrap();
        db.close().await;
    }

    /// Reads a file in; gives what it did and which rules it waited for. While it waits, the server that stopped counts as
    /// gone, or never does.
    async fn read_in(&self, file: &str, gone: bool) -> (Result<Vec<String>, String>, Vec<(String, Progress)>) {
        let heard = Mutex::new(Vec::new());
        let patience = Patience {
            most: Duration::from_secs(if gone { 60 } else { 2 }),
            tell: &|name, progress| {
                heard.lock().unwrap().push((name.to_owned(), progress));
                if gone {
                    self.clock.advance(LONG);
                }
            },
        };
        let done = rules::import(&self.services, &self.root, file, &patience).await;
        let done = match done {
            Ok(done) => Ok(done.iter().map(ToString::to_string).collect()),
            refused => Err(conflict(refused)),
        };
        (done, heard.into_inner().unwrap())
    }

    async fn rule_names(&self) -> Vec<String> {
        let page = rules::list(
            &self.services,
            &self.root,
            None,
            &muster::service::access::Paging::default(),
        )
        .await;
        page.unwrap().items.into_iter().map(|rule| rule.name).collect()
    }
}

each_database! {
    async fn what_is_coming_into_force_is_waited_for_and_then_changed(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({"userType": "guest"})).await;
        let rule = house.rule("Partners", "title pr", &[gives("analyst", "all")]).await;
        house.begin(&rule.id, "userType eq \"partner\"").await;
        let file = file(&[("Partners", "userType eq \"guest\""), ("Bosses", "title pr")]);
        let told = rules::diff(&house.services, &house.root, &file).await.unwrap();
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["* Partners: a change of it is coming into force, and waited for", "+ Bosses"]);
        let (done, heard) = house.read_in(&file, true).await;
        assert_eq!(done.unwrap(), ["~ Partners: when", "+ Bosses"]);
        assert_eq!(heard[0], ("Partners".to_owned(), Progress { version: rule.version + 1, done: 0, total: 2 }));
        let versions = rules::versions(&house.services, &house.root, &rule.id, &muster::service::access::Paging::default()).await;
        let states: Vec<_> = versions.unwrap().items.iter().map(|version| (version.version, version.state)).collect();
        assert_eq!(states[1], (rule.version + 1, "active"), "what was coming was in force in between: {states:?}");
        assert!(house.may(&bob, "data.act", "all").await && !house.may(&ada, "data.act", "all").await);
    }

    async fn what_comes_into_force_may_be_what_the_file_says(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let rule = house.rule("Partners", "title pr", &[gives("analyst", "all")]).await;
        house.begin(&rule.id, "userType eq \"partner\"").await;
        let (done, heard) = house.read_in(&file(&[("Partners", "userType eq \"partner\"")]), true).await;
        assert_eq!((done.unwrap().len(), heard.is_empty()), (0, false));
        assert!(house.may(&ada, "data.act", "all").await);
    }

    async fn patience_ends_and_what_came_before_is_done(house: AccessHouse) {
        house.user("ada", json!({"userType": "partner"})).await;
        let rule = house.rule("Partners", "title pr", &[gives("analyst", "all")]).await;
        house.begin(&rule.id, "userType eq \"partner\"").await;
        let file = file(&[("First", "title pr"), ("Partners", "userType eq \"guest\""), ("Last", "title pr")]);
        let (refused, heard) = house.read_in(&file, false).await;
        let refused = refused.unwrap_err();
        assert!(refused.contains("`Partners` is still coming into force, 0 of 1 users"), "{refused}");
        assert!(!heard.is_empty(), "what it waits for is told");
        assert_eq!(house.rule_names().await, ["Partners", "First"]);
        let still = rules::find(&house.services, &house.root, &rule.id).await.unwrap();
        assert_eq!((still.state, still.progress.is_some()), (State::Active, true));
        house.clock.advance(LONG);
        rules::resume(&house.services).await.unwrap();
        assert_eq!(house.read_in(&file, true).await.0.unwrap(), ["~ Partners: when", "+ Last"]);
    }
}
