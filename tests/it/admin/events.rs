//! `GET /api/v1/events`: what happened, numbered.

use serde_json::{Value, json};

use super::desk::Desk;
use crate::support::TestHouse;

async fn items(desk: &Desk, query: &str) -> Vec<Value> {
    let page = desk.get(&format!("/events{query}")).await.status(200).json;
    page["items"].as_array().unwrap().clone()
}

each_database! {
    async fn what_was_committed_is_told_at_once_with_numbers_and_without_a_gap(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = items(&desk, "?limit=500").await.len();
        let ada = house.user("ada").await;
        let sales = house.group("Sales").await;
        house.join(&sales, &ada).await;
        let all = items(&desk, "?limit=500").await;
        let seqs: Vec<i64> = all.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, (1..).take(seqs.len()).collect::<Vec<_>>());
        let new: Vec<_> = all[before..].iter().map(|event| (event["kind"].as_str().unwrap(), &event["subject"])).collect();
        let (ada, sales) = (json!({"kind": "user", "id": ada}), json!({"kind": "group", "id": sales}));
        assert_eq!(new, [("user.created", &ada), ("group.created", &sales), ("group.updated", &sales)]);
        let last = &all[all.len() - 1];
        assert_eq!(last["actor"], json!({"kind": "connection", "id": "test"}));
        assert_eq!(last["cause"], json!({"by": "scim"}));
        assert_eq!(last["data"]["members_added"], json!([ada["id"]]));
    }

    async fn pages_follow_each_other_and_filters_narrow_them(house: TestHouse) {
        let desk = Desk::admin(&house);
        for number in 0..5 {
            house.user(&format!("u{number}")).await;
        }
        let all = items(&desk, "?limit=500").await;
        let (mut walked, mut after) = (Vec::new(), "0".to_owned());
        loop {
            let page = desk.get(&format!("/events?limit=2&after={after}")).await.status(200).json;
            walked.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        assert_eq!(walked, all);
        let made = items(&desk, "?kind=user.created").await;
        assert_eq!(made.len(), 5);
        let id = made[3]["subject"]["id"].as_str().unwrap();
        assert_eq!(items(&desk, &format!("?subject={id}")).await, [made[3].clone()]);
        assert_eq!(items(&desk, "?connection=test").await, made);
        let at = made[3]["at"].as_str().unwrap();
        assert_eq!(items(&desk, &format!("?kind=user.created&from={at}")).await, made[3..]);
        assert_eq!(items(&desk, &format!("?kind=user.created&to={at}")).await, made[..3]);
        for wrong in ["after=-1", "after=x", "limit=501", "from=yesterday", "connection=nobody", "sort=seq"] {
            desk.get(&format!("/events?{wrong}")).await.status(400);
        }
    }

    async fn each_tenant_reads_its_own_log(house: TestHouse) {
        house.user("ada").await;
        let theirs = house.second_tenant().user("eve").await;
        let neighbour = Desk::neighbour(&house);
        let made = items(&neighbour, "?kind=user.created").await;
        assert_eq!(made.iter().map(|event| event["subject"]["id"].as_str().unwrap()).collect::<Vec<_>>(), [theirs]);
        assert_eq!(items(&neighbour, "").await[0]["seq"], json!(1));
    }
}
