//! `DELETE /Users/{id}`, `DELETE /Groups/{id}` (RFC 7644 §3.6). What becomes of memberships is in `nesting`.

use serde_json::json;

use crate::api::bodies::{group, search, user};
use crate::support::TestHouse;

each_database! {
    async fn a_deleted_user_is_gone_for_every_method(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        house.delete(&path).await.no_content();
        let after = house.dump().await;
        house.get(&path).await.error(404, None);
        house.put(&path, user("ada", json!({}))).await.error(404, None);
        house
            .patch(&path, json!([{"op": "add", "path": "title", "value": "x"}]))
            .await
            .error(404, None);
        house.delete(&path).await.error(404, None);
        after.assert_same(&house.dump().await);
    }

    async fn a_deleted_user_is_in_no_list(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        house.delete(&format!("/Users/{ada}")).await.no_content();
        assert_eq!(house.get("/Users").await.ids(), [bob.as_str()]);
        assert_eq!(house.get("/Users").await.total(), 1);
        assert_eq!(house.find("/Users", &format!("id eq \"{ada}\"")).await.total(), 0);
        assert_eq!(house.find("/Users", "userName eq \"ada\"").await.total(), 0);
        let all = house
            .post("/.search", search(json!({"filter": "meta.resourceType eq \"User\""})))
            .await;
        assert_eq!((all.ids(), all.total()), (vec![bob], 1));
    }

    async fn names_of_the_deleted_are_free_again(house: TestHouse) {
        let ada = house
            .post("/Users", user("ada", json!({"externalId": "E-1"})))
            .await
            .status(201)
            .id();
        let sales = house.group("Sales").await;
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.delete(&format!("/Groups/{sales}")).await.no_content();
        let again = house
            .post("/Users", user("ADA", json!({"externalId": "E-1"})))
            .await
            .status(201)
            .id();
        assert_ne!(again, ada, "an id is never given twice");
        assert_eq!(house.find("/Users", "externalId eq \"E-1\"").await.ids(), [again]);
        assert_ne!(house.group("sales").await, sales);
    }

    async fn a_deleted_group_leaves_its_members(house: TestHouse) {
        let ada = house.user("ada").await;
        let sales = house.post("/Groups", group("Sales", &[&ada])).await.status(201).id();
        house.delete(&format!("/Groups/{sales}")).await.no_content();
        assert_eq!(
            house.get(&format!("/Users/{ada}")).await.status(200).json.get("groups"),
            None
        );
        assert_eq!(house.get("/Groups").await.total(), 0);
    }

    async fn the_wrong_endpoint_deletes_nothing(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let before = house.dump().await;
        house.delete(&format!("/Groups/{ada}")).await.error(404, None);
        house.delete(&format!("/Users/{sales}")).await.error(404, None);
        before.assert_same(&house.dump().await);
    }

    async fn of_a_deleted_person_nothing_stays_but_what_they_are_restored_from(house: TestHouse) {
        let ada = house
            .post(
                "/Users",
                user(
                    "ada-lovelace",
                    json!({"title": "countess-of-l", "emails": [{"value": "ada@l.test"}]}),
                ),
            )
            .await
            .id();
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let dump = house.dump().await;
        for value in ["ada-lovelace", "countess-of-l", "ada@l.test"] {
            assert_eq!(dump.tables_with(value), ["tombstone"], "{value}");
        }
    }
}
