//! Rules on their way into force.

use muster::access::Condition;
use muster::access::rule::condition::Atom;
use muster::base::id::Pk;
use muster::scim::filter::Checked;
use muster::service::Error;
use muster::service::access::State;
use muster::service::access::rules::{self, Progress, Rule, RuleChange};
use muster::store::{Db, Options, Unit, tenants};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use std::time::Duration;

use super::house::{AccessHouse, gives, new_rule};
use crate::support::database::Engine;

/// A rule whose activation was begun by a server that stopped when the first `done` users were looked at.
async fn left_behind(house: &AccessHouse, done: u64) -> Rule {
    let rule = house
        .draft("R", "userType eq \"partner\"", &[gives("analyst", "all")])
        .await;
    let (key, version) = house.leave_behind(&rule.id, |_| {}).await;
    if done > 0 {
        let db = Db::open(house.database.url(), &Options::default()).await.unwrap();
        let tenant = tenants::find(&db, "acme").await.unwrap().unwrap();
        let mut unit = Unit::begin(&db, tenant.id).await.unwrap();
        let (most, cause) = (u32::try_from(done).unwrap(), house.clock.now().into());
        let (range, users) = unit.matches().next_range(Pk(0), most).await.unwrap().unwrap();
        let (key, now) = ((key, version), house.clock.now());
        assert!(unit.rules().advance(key, range, users, now).await.unwrap());
        let when = Condition::compile(&rule.when, house.idp.type_at("Users").unwrap()).unwrap();
        let atoms: Vec<&Checked> = when.atoms().iter().map(Atom::checked).collect();
        unit.matches().derive(key, &atoms, range, cause).await.unwrap();
        assert!(
            !unit.rules().advance(key, range, users, now).await.unwrap(),
            "nobody does it twice"
        );
        unit.save().await.unwrap();
        db.close().await;
    }
    rule
}

async fn found(house: &AccessHouse, id: &str) -> Rule {
    rules::find(&house.services, &house.root, id).await.unwrap()
}

/// Longer than anybody counts as being at it.
pub(super) const LONG: Duration = Duration::from_secs(11);

each_database! {
    async fn what_a_server_left_behind_is_taken_up_where_it_stopped(house: AccessHouse) {
        let mut users = Vec::new();
        for name in ["ada", "bob", "eve"] {
            users.push(house.user(name, json!({"userType": "partner"})).await);
        }
        let rule = left_behind(&house, 2).await;
        let before = found(&house, &rule.id).await;
        assert_eq!((before.state, before.progress), (State::Draft, Some(Progress { version: 2, done: 2, total: 3 })));
        assert_eq!(rules::resume(&house.services).await.unwrap(), 0, "somebody may be at it");
        house.clock.advance(LONG);
        assert!(!house.may(&users[0], "data.act", "all").await);
        assert_eq!(rules::resume(&house.services).await.unwrap(), 1);
        let after = found(&house, &rule.id).await;
        assert_eq!((after.state, after.progress, after.version), (State::Active, None, 2));
        for user in &users {
            assert!(house.may(user, "data.act", "all").await);
        }
        house.clock.advance(LONG);
        assert_eq!(rules::resume(&house.services).await.unwrap(), 0);
    }

    async fn of_several_servers_one_takes_it_up(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        left_behind(&house, 0).await;
        house.clock.advance(LONG);
        let (here, there) = tokio::join!(rules::resume(&house.services), rules::resume(&house.services));
        assert_eq!(here.unwrap() + there.unwrap(), 1);
        assert!(house.may(&ada, "data.act", "all").await);
    }

    async fn who_comes_or_changes_meanwhile_counts_as_they_are_then(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({})).await;
        let rule = left_behind(&house, 2).await;
        let eve = house.user("eve", json!({"userType": "partner"})).await;
        house.set(&ada, "userType", json!("guest")).await.unwrap();
        house.set(&bob, "userType", json!("partner")).await.unwrap();
        house.clock.advance(LONG);
        rules::resume(&house.services).await.unwrap();
        assert_eq!(found(&house, &rule.id).await.state, State::Active);
        let mut may = Vec::new();
        for user in [&ada, &bob, &eve] {
            may.push(house.may(user, "data.act", "all").await);
        }
        assert_eq!(may, [false, true, true]);
    }

    async fn another_change_takes_the_place_of_what_was_left_behind(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let rule = left_behind(&house, 1).await;
        let change = RuleChange { when: Some("userType eq \"guest\"".to_owned()), state: Some(State::Active), expected: Some(2), ..RuleChange::default() };
        let changed = rules::change(&house.services, &house.root, &rule.id, &change).await.unwrap();
        assert_eq!((changed.state, changed.progress), (State::Active, None));
        house.clock.advance(LONG);
        assert_eq!(rules::resume(&house.services).await.unwrap(), 0);
        assert!(!house.may(&ada, "data.act", "all").await);
        let gone = rules::find(&house.services, &house.root, "no such rule").await;
        assert!(matches!(gone, Err(Error::NotFound)));
    }

    async fn a_rule_counts_from_its_first_second_to_its_last(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let start = house.clock.now();
        let second = |n| start.plus(Duration::from_secs(n));
        let mut new = new_rule("R", "userType eq \"partner\"", &[gives("analyst", "all")]);
        new.validity = muster::service::access::Validity { from: Some(second(5)), to: Some(second(8)) };
        rules::create(&house.services, &house.root, &new).await.unwrap();
        let mut seen = Vec::new();
        for at in [4, 5, 7, 8] {
            house.clock.set(second(at));
            seen.push(house.may(&ada, "data.act", "all").await);
        }
        assert_eq!(seen, [false, true, true, false]);
    }
}

/// Writes users past the use cases; the numbers come from a source of as many.
macro_rules! users {
    ($before:literal, $column:literal, $number:literal, $source:literal) => {
        concat!(
            $before,
            "INSERT INTO resource (",
            $column,
            "tenant_id, kind, id, name_key, name_rest, twin, label, label_fold, active, version, ",
            "created, modified, doc) SELECT ",
            $number,
            "t.id, 1, 'crowd-' || i, 'crowd' || i, '', 0, 'crowd' || i, 'crowd' || i, 1, 1, ",
            "0, 0, '{\"userName\":\"crowd\",\"userType\":\"partner\"}' FROM tenant t CROSS JOIN ",
            $source
        )
    };
}

/// So many users of the type that somebody has already.
pub(super) async fn crowd(house: &AccessHouse, many: i64) {
    const SQLITE: &str = users!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) ",
        "",
        "",
        "n"
    );
    // There a row gets its number from a sequence, not from the table.
    const POSTGRES: &str = users!(
        "",
        "pk, ",
        "nextval('resource_pk'), ",
        "generate_series(1, $1) AS n (i)"
    );
    const TYPES: &str = "INSERT INTO attribute (tenant_id, path_id, fold, resource_pk, elem, rest) \
                         SELECT r.tenant_id, p.id, 'partner', r.pk, 0, '' FROM resource r CROSS JOIN attribute_path p \
                         WHERE p.name = 'userType' AND r.id LIKE 'crowd-%'";
    match house.database.engine() {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(house.database.url()).await.unwrap();
            connection.execute(sqlx::query(SQLITE).bind(many)).await.unwrap();
            connection.execute(TYPES).await.unwrap();
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(house.database.url()).await.unwrap();
            connection.execute(sqlx::query(POSTGRES).bind(many)).await.unwrap();
            for text in [TYPES, "ANALYZE"] {
                connection.execute(text).await.unwrap();
            }
        }
    }
}
