//! What a client may say of the members of a smart group.

use muster::base::id::ResourceId;
use muster::scim::project::View;
use muster::service::access::grants::SubjectKind;
use muster::service::{Error, IfMatch, Wanted, provision};
use serde_json::{Value, json};

use super::reading::{related, set, strict};
use crate::access::house::{AccessHouse, joins};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

each_database! {
    async fn sending_a_smart_group_back_as_it_was_read_changes_nothing(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({})).await;
        let partners = house.group("Partners", &[]).await;
        house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        let put = async |members: Value| {
            let body = json!({"schemas": [GROUP], "displayName": "Partners of ours", "members": members});
            let kind = house.idp.type_at("Groups").unwrap();
            let id = ResourceId::new(partners.as_str());
            let wanted = Wanted { dialect: &strict(), kind, id: &id, if_match: &IfMatch::Absent, view: &View::default() };
            provision::replace(&house.services, &house.idp, wanted, body).await
        };
        let echoed = put(json!([{"value": ada}])).await.unwrap();
        assert_eq!(related(&echoed), [(ada.clone(), "User")].into());
        for members in [json!([{"value": ada}, {"value": bob}]), json!([{"value": bob}])] {
            let Err(Error::Protocol(refused)) = put(members).await else { panic!() };
            assert_eq!((refused.status, refused.scim_type.map(muster::scim::ScimType::as_str)), (400, Some("mutability")));
        }
        let kind = house.idp.type_at("Groups").unwrap();
        let id = ResourceId::new(partners.as_str());
        let wanted = Wanted { dialect: &strict(), kind, id: &id, if_match: &IfMatch::Absent, view: &View::default() };
        let renamed = provision::replace(&house.services, &house.idp, wanted, json!({"schemas": [GROUP], "displayName": "Ours"}));
        assert_eq!(related(&renamed.await.unwrap()), [(ada.clone(), "User")].into(), "members are left out, not taken away");
        house.join(&partners, &ada).await.expect("is there already");
        house.leave(&partners, &bob).await.expect("is not there");
        assert!(house.join(&partners, &bob).await.is_err());
        house.leave(&partners, &ada).await.expect_err("rules put her there");
    }

    async fn who_was_stored_before_the_rules_and_is_given_by_none_can_be_taken_out(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let [bob, cleo, dan] = [house.user("bob", json!({})).await, house.user("cleo", json!({})).await, house.user("dan", json!({})).await];
        let partners = house.group("Partners", &[&ada, &bob, &cleo]).await;
        house.grant((SubjectKind::Group, &partners), "analyst", "all").await;
        house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        assert_eq!(house.members_shown(&partners).await, set(&[&ada, &bob, &cleo]));
        house.leave(&partners, &ada).await.expect_err("a rule gives her, too");
        assert_eq!(house.members_shown(&partners).await, set(&[&ada, &bob, &cleo]));
        house.leave(&partners, &bob).await.expect("no rule gives him");
        assert_eq!(house.members_shown(&partners).await, set(&[&ada, &cleo]));
        assert!(!house.may(&bob, "data.act", "all").await);
        house.join(&partners, &bob).await.expect_err("nobody comes back by hand");
        let kind = house.idp.type_at("Groups").unwrap();
        let id = ResourceId::new(partners.as_str());
        let put = async |members: Value| {
            let wanted = Wanted { dialect: &strict(), kind, id: &id, if_match: &IfMatch::Absent, view: &View::default() };
            let body = json!({"schemas": [GROUP], "displayName": "Partners", "members": members});
            provision::replace(&house.services, &house.idp, wanted, body).await
        };
        put(json!([{"value": ada}, {"value": dan}])).await.expect_err("dan was not there");
        assert_eq!(house.members_shown(&partners).await, set(&[&ada, &cleo]));
        let left = put(json!([{"value": ada}])).await.unwrap();
        assert_eq!(related(&left), [(ada.clone(), "User")].into());
        assert!(!house.may(&cleo, "data.act", "all").await);
    }
}
