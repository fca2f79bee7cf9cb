//! Rules whose way into force was begun by a server that stopped.

use muster::base::id::RuleKey;
use muster::service::access::State;
use muster::service::access::rules::{self, OutcomeAsked, Rule};
use muster::store::access::rules::{RuleContent, StoredRule};
use muster::store::{By, Db, Options, Unit, tenants};

use super::house::{AccessHouse, new_rule};

impl AccessHouse {
    pub async fn draft(&self, name: &str, when: &str, then: &[OutcomeAsked]) -> Rule {
        let mut new = new_rule(name, when, then);
        new.state = State::Draft;
        rules::create(&self.services, &self.root, &new).await.unwrap()
    }

    /// Begins to prepare a version of a rule that says this beside what the rule says, and leaves it behind; gives
    /// which rule and version it is.
    pub async fn leave_behind(&self, id: &str, say: impl FnOnce(&mut StoredRule)) -> (RuleKey, i64) {
        let db = Db::open(self.database.url(), &Options::default()).await.unwrap();
        let tenant = tenants::find(&db, "acme").await.unwrap().unwrap();
        let by = By {
            actor_kind: "operator",
            actor_name: "test",
            cause: self.clock.now().into(),
        };
        let mut unit = Unit::begin(&db, tenant.id).await.unwrap();
        let mut row = unit.rules().find(id).await.unwrap().unwrap();
        say(&mut row);
        let content = RuleContent {
            name: &row.name,
            when: &row.when,
            then: &row.then,
            validity: row.validity,
            examples: &row.examples,
        };
        let version = unit.rules().prepare((row.key, row.version), content, by).await.unwrap();
        unit.save().await.unwrap();
        db.close().await;
        (row.key, version)
    }
}
