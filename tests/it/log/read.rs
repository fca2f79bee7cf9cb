//! What is found in a log, and what cannot be read in it.

use std::time::Duration;

use muster::base::clock::Timestamp;
use muster::service::credentials::{self, Holder};
use muster::service::log::{self, Event, Wanted};
use serde_json::json;

use crate::access::house::AccessHouse;
use crate::support::database::Engine;

async fn read(house: &AccessHouse, wanted: Wanted) -> Vec<Event> {
    let wanted = Wanted {
        limit: Some(500),
        ..wanted
    };
    let found = log::read(&house.services, &house.root, &wanted).await.unwrap();
    assert_eq!(found.next, None);
    found.items
}

async fn unguarded(house: &AccessHouse) {
    let drop = match house.database.engine() {
        Engine::Sqlite => "DROP TRIGGER event_update",
        Engine::Postgres => "DROP TRIGGER event_stays ON event",
    };
    house.database.execute(drop).await;
}

each_database! {
    async fn every_filter_finds_what_is_found_by_reading_everything(house: AccessHouse) {
        let mut users = Vec::new();
        for number in 0..6 {
            users.push(house.user(&format!("user-{number}"), json!({})).await);
            house.clock.advance(Duration::from_secs(7));
            house.set(&users[number / 2], "title", json!(number.to_string())).await.unwrap();
            house.clock.advance(Duration::from_secs(number as u64 % 3));
        }
        let all = read(&house, Wanted::default()).await;
        let kinds = [None, Some("user.updated"), Some("user.created"), Some("no.such")];
        let subjects = [None, Some(users[1].as_str()), Some("nobody")];
        let near = |at: Timestamp| [Timestamp(at.0 - 1), at, Timestamp(at.0 + 1)];
        let mut instants: Vec<Option<Timestamp>> = all.iter().flat_map(|event| near(event.at)).map(Some).collect();
        instants.extend([None, Some(Timestamp(0)), Some(Timestamp(i64::MAX))]);
        for (number, from) in instants.iter().enumerate() {
            let to = instants[(number * 7 + 5) % instants.len()];
            let (kind, subject) = (kinds[number % kinds.len()], subjects[number % subjects.len()]);
            let after = i64::try_from(number % 5).unwrap();
            let fits = |event: &&Event| {
                event.seq > after
                    && kind.is_none_or(|kind| event.kind == kind)
                    && subject.is_none_or(|id| event.subject.as_ref().is_some_and(|subject| subject.1 == id))
                    && from.is_none_or(|from| event.at >= from)
                    && to.is_none_or(|to| event.at < to)
            };
            let expected: Vec<Event> = all.iter().filter(fits).cloned().collect();
            let wanted = Wanted {
                after,
                kind: kind.map(str::to_owned),
                subject: subject.map(str::to_owned),
                from: *from,
                to,
                ..Wanted::default()
            };
            assert_eq!(read(&house, wanted.clone()).await, expected, "{wanted:?}");
        }
    }

    async fn a_value_that_does_not_open_keeps_nobody_from_reading_the_others(house: AccessHouse) {
        let users = [
            house.user("ada", json!({})).await,
            house.user("bob", json!({})).await,
            house.user("kim", json!({})).await,
            house.user("zoe", json!({})).await,
        ];
        log::settled(&house.services, &house.root).await.unwrap();
        unguarded(&house).await;
        for damage in [
            // What is sealed, the key, and the wrapping key that is not there any more.
            format!("UPDATE event SET sealed = 'x' || sealed WHERE subject_id = '{}'", users[0]),
            format!("UPDATE resource SET seal = seal || 'x' WHERE id = '{}'", users[1]),
            format!("UPDATE resource SET seal = 'gone' || substr(seal, 5) WHERE id = '{}'", users[2]),
        ] {
            assert_eq!(house.database.execute(&damage).await, 1, "{damage}");
        }
        let wanted = Wanted { kind: Some("user.created".to_owned()), ..Wanted::default() };
        let made = read(&house, wanted).await;
        let told: Vec<_> = made.iter().map(|one| (one.values.unreadable, one.values.erased, one.values.after.is_some())).collect();
        assert_eq!(told, [(true, false, false), (true, false, false), (false, true, false), (false, false, true)]);
    }

    async fn tokens_that_end_with_a_user_are_told_each(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let issued = credentials::issue(&house.services, "acme", &Holder::User(ada.clone()), None).await.unwrap();
            tokens.push(issued.id);
        }
        house.delete("Users", &ada).await.unwrap();
        let revoked = read(&house, Wanted { kind: Some("token.revoked".to_owned()), ..Wanted::default() }).await;
        let mut told: Vec<String> = revoked.iter().map(|one| one.subject.as_ref().unwrap().1.clone()).collect();
        told.sort();
        tokens.sort();
        assert_eq!(told, tokens);
        assert!(revoked.iter().all(|one| one.data == json!({ "token": one.subject.as_ref().unwrap().1 })));
    }
}
