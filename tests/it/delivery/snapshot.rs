//! `GET /api/v1/snapshot`: everything there is, and from where to go on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems};
use crate::support::TestHouse;

/// Who knows an organisation by its snapshot and what happened after it.
#[derive(Default)]
struct Follower {
    /// Id, version and what it is.
    resources: BTreeMap<String, (i64, String)>,
    /// Group and member.
    members: BTreeSet<(String, String)>,
}

impl Follower {
    fn take(&mut self, item: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        if item["type"] == "member" {
            self.members.insert((text(&item["group"]), text(&item["member"]["id"])));
        } else {
            let is = (item["version"].as_i64().unwrap(), text(&item["type"]));
            assert_eq!(item["resource"]["id"], item["id"]);
            assert_eq!(item["resource"]["meta"]["version"], format!("W/\"{}\"", is.0));
            self.resources.insert(text(&item["id"]), is);
        }
    }

    fn hear(&mut self, event: &Value) {
        let Some(id) = event["subject"]["id"].as_str() else {
            return;
        };
        let (noun, verb) = event["kind"].as_str().unwrap().split_once('.').unwrap();
        if !matches!(noun, "user" | "group") {
            return;
        }
        if verb == "deleted" {
            self.resources.remove(id);
            self.members.retain(|(group, member)| group != id && member != id);
            return;
        }
        let version = event["data"]["version"].as_i64().unwrap();
        let known = self.resources.get(id).map_or(0, |known| known.0);
        self.resources
            .insert(id.to_owned(), (version.max(known), noun.to_owned()));
        let moved = |name: &str| event["data"][name].as_array().cloned().unwrap_or_default();
        for member in moved("members_removed") {
            self.members
                .remove(&(id.to_owned(), member.as_str().unwrap().to_owned()));
        }
        for member in moved("members_added") {
            self.members
                .insert((id.to_owned(), member.as_str().unwrap().to_owned()));
        }
    }
}

/// A page of two, and what to ask for next.
async fn page(desk: &Desk, of: &str, after: Option<&str>) -> (Value, Option<String>) {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    let page = desk
        .get(&format!("/snapshot?type={of}&limit=2{after}"))
        .await
        .status(200)
        .json;
    let next = page["next"].as_str().map(str::to_owned);
    (page, next)
}

/// What the organisation is, by a snapshot of now.
async fn now(desk: &Desk) -> Follower {
    let mut follower = Follower::default();
    for of in ["user", "group", "member"] {
        let (mut found, mut next) = page(desk, of, None).await;
        loop {
            found["items"]
                .as_array()
                .unwrap()
                .iter()
                .for_each(|item| follower.take(item));
            let Some(after) = next else { break };
            (found, next) = page(desk, of, Some(&after)).await;
        }
    }
    follower
}

async fn retitle(house: &TestHouse, id: &str, title: &str) {
    let replace = json!([{"op": "replace", "path": "title", "value": title}]);
    house.patch(&format!("/Users/{id}"), replace).await.status(200);
}

each_database! {
    async fn who_takes_a_snapshot_and_follows_the_log_misses_nothing(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mut users = Vec::new();
        for number in 0..7 {
            users.push(house.user(&format!("u{number}")).await);
        }
        let (sales, north) = (house.group("Sales").await, house.group("North").await);
        house.join(&sales, &users[0]).await;
        house.join(&sales, &users[1]).await;
        house.join(&north, &sales).await;

        // Between any two pages the world moves: behind the reader, before it, and where it is.
        let mut follower = Follower::default();
        let mut position = None;
        let mut step = 0;
        for of in ["user", "group", "member"] {
            let mut after = None;
            loop {
                let (found, next) = page(&desk, of, after.as_deref()).await;
                found["items"].as_array().unwrap().iter().for_each(|item| follower.take(item));
                assert_eq!(found["position"].is_i64(), after.is_none(), "on the first page");
                position = position.or(found["position"].as_i64());
                match step {
                    0 => house.delete(&format!("/Users/{}", users[1])).await.no_content(),
                    1 => retitle(&house, &users[0], "Behind").await,
                    2 => retitle(&house, &users[6], "Before").await,
                    3 => house.join(&north, &house.user("late").await).await,
                    4 => house.delete(&format!("/Groups/{sales}")).await.no_content(),
                    _ => {}
                }
                step += 1;
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        assert!(step > 5, "every move was made: {step}");

        let path = format!("/events?limit=500&after={}", position.unwrap());
        for event in desk.get(&path).await.status(200).json["items"].as_array().unwrap() {
            follower.hear(event);
        }
        let is = now(&desk).await;
        assert_eq!(follower.resources, is.resources);
        assert_eq!(follower.members, is.members);
        assert_eq!(is.resources.len(), 8);
        assert_eq!(is.members.len(), 1);
    }

    async fn a_snapshot_is_of_ones_own_organisation(house: TestHouse) {
        house.user("mia").await;
        let eve = house.second_tenant().user("eve").await;
        let theirs = now(&Desk::neighbour(&house)).await;
        assert_eq!(theirs.resources.keys().collect::<Vec<_>>(), [&eve]);
    }

    async fn what_cannot_be_asked_for_is_refused(house: TestHouse) {
        let desk = Desk::admin(&house);
        for wrong in ["?type=role", "?type=user&after=x", "?type=member&after=bm8", "?type=user&limit=0"] {
            desk.get(&format!("/snapshot{wrong}")).await.status(400);
        }
        let mia = house.user("mia").await;
        Desk::user(&house, &mia).get("/snapshot?type=user").await.problem(403, "forbidden");
    }
}
