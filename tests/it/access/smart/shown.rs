//! Who rules put into a group is shown and found there, as long as they do.

use muster::scim::project::View;
use muster::service::access::grants::SubjectKind;
use muster::service::access::{State, Validity, rules};
use muster::service::{IfMatch, Wanted, provision};
use serde_json::json;
use std::time::Duration;

use super::reading::{related, set, strict, to};
use crate::access::house::{AccessHouse, START, joins, new_rule};

each_database! {
    async fn members_by_rule_are_shown_and_found(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({})).await;
        let partners = house.group("Partners", &[]).await;
        let world = house.group("World", &[&partners, &bob]).await;
        let rule = house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        assert_eq!(house.members_shown(&partners).await, set(&[&ada]));
        assert_eq!(house.groups_shown(&ada).await, [(partners.clone(), "direct"), (world.clone(), "indirect")].into());
        let listed = house.filtered("Users", "userName eq \"ada\"").await;
        assert_eq!(related(&listed[0]), house.groups_shown(&ada).await);
        for (filter, found) in [
            (format!("groups.value eq \"{partners}\""), set(&[&ada])),
            (format!("groups.value eq \"{world}\""), set(&[&ada, &bob])),
            ("groups.display eq \"partners\" and userName sw \"a\"".to_owned(), set(&[&ada])),
            (format!("not (groups.value eq \"{partners}\")"), set(&[&bob])),
            (format!("groups[value eq \"{world}\" and type eq \"direct\"]"), set(&[&bob])),
            (format!("groups[value eq \"{world}\" and type eq \"indirect\"]"), set(&[&ada])),
            ("groups.type eq \"direct\"".to_owned(), set(&[&ada, &bob])),
            ("groups pr".to_owned(), set(&[&ada, &bob])),
        ] {
            assert_eq!(house.ids("Users", &filter).await, found, "{filter}");
        }
        for (filter, found) in [
            (format!("members.value eq \"{ada}\""), set(&[&partners])),
            (format!("displayName eq \"Partners\" and members[value eq \"{ada}\" and type eq \"User\"]"), set(&[&partners])),
            (format!("not (members.value eq \"{ada}\")"), set(&[&world])),
            ("members pr".to_owned(), set(&[&partners, &world])),
        ] {
            assert_eq!(house.ids("Groups", &filter).await, found, "{filter}");
        }
        house.change_rule(&rule.id, to(State::Retired)).await.unwrap();
        assert!(house.members_shown(&partners).await.is_empty());
        assert!(house.groups_shown(&ada).await.is_empty());
        assert!(house.ids("Users", &format!("groups.value eq \"{partners}\"")).await.is_empty());
    }

    async fn a_user_is_shown_with_the_groups_that_the_change_gave(house: AccessHouse) {
        let partners = house.group("Partners", &[]).await;
        house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        let kind = house.idp.type_at("Users").unwrap();
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "userType": "partner"});
        let made = provision::create(&house.services, &house.idp, &strict(), kind, body, &View::default()).await.unwrap();
        assert_eq!(related(&made), [(partners.clone(), "direct")].into());
        let patch = |value: &str| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "userType", "value": value}]});
        let mut seen = Vec::new();
        for value in ["guest", "partner"] {
            let wanted = Wanted { dialect: &strict(), kind, id: &made.id, if_match: &IfMatch::Absent, view: &View::default() };
            let changed = provision::patch(&house.services, &house.idp, wanted, patch(value)).await.unwrap();
            seen.push(related(&changed).len());
        }
        assert_eq!(seen, [0, 1]);
    }

    async fn a_rule_begins_and_ends_by_itself(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let partners = house.group("Partners", &[]).await;
        house.grant((SubjectKind::Group, &partners), "analyst", "all").await;
        let mut new = new_rule("Fill", "userType eq \"partner\"", &[joins(&partners)]);
        let second = |n| START.plus(Duration::from_secs(n));
        new.validity = Validity { from: Some(second(10)), to: Some(second(20)) };
        rules::create(&house.services, &house.root, &new).await.unwrap();
        let mut seen = Vec::new();
        for at in [second(9), second(10), second(19), second(20)] {
            house.clock.set(at);
            let member = house.members_shown(&partners).await.contains(&ada);
            let listed = !house.groups_shown(&ada).await.is_empty();
            let found = !house.ids("Users", &format!("groups.value eq \"{partners}\"")).await.is_empty();
            let may = house.may(&ada, "data.act", "all").await;
            assert!([member, listed, found].iter().all(|one| *one == may), "{at}: {member} {listed} {found} {may}");
            seen.push(may);
        }
        assert_eq!(seen, [false, true, true, false]);
    }
}
