//! Roles that provisioning gives, where the organisation lets it give Admin.

use muster::access::Settings;
use muster::access::invariant::Cap;
use muster::service::access::grants::SubjectKind;
use serde_json::{Value, json};

use super::house::{AccessHouse, conflict};

/// What only administrators may.
const ADMINISTERS: &str = "org.users.manage";

fn roles(values: &[&str]) -> Value {
    values.iter().map(|value| json!({"value": value})).collect()
}

async fn lets_admin(house: &AccessHouse) {
    let cap = Cap::Admin;
    house
        .decide(&Settings {
            cap,
            ..Settings::default()
        })
        .await;
}

each_database! {
    async fn admin_is_given_as_soon_as_the_organisation_allows_it(house: AccessHouse) {
        let ada = house.user("ada", json!({"roles": [{"value": "Analyst"}]})).await;
        assert!(house.set(&ada, "roles", roles(&["Admin"])).await.is_err());
        lets_admin(&house).await;
        house.set(&ada, "roles", roles(&["Admin"])).await.unwrap();
        assert!(house.may(&ada, ADMINISTERS, "all").await);
        assert!(house.set(&ada, "roles", roles(&["Admin", "Owner"])).await.is_err(), "never the owner");
    }

    async fn the_last_administrator_by_provisioning_stays(house: AccessHouse) {
        lets_admin(&house).await;
        let ada = house.user("ada", json!({"roles": [{"value": "Admin"}]})).await;
        conflict(house.set(&ada, "roles", roles(&["Analyst"])).await);
        let remove = json!([{"op": "remove", "path": "roles"}]);
        conflict(house.patch("Users", &ada, remove.clone()).await);
        assert!(house.may(&ada, ADMINISTERS, "all").await, "refused as a whole");
        let bob = house.user("bob", json!({})).await;
        house.grant((SubjectKind::User, &bob), "admin", "all").await;
        house.patch("Users", &ada, remove).await.unwrap();
        assert!(!house.may(&ada, ADMINISTERS, "all").await);
    }

    async fn a_lower_cap_takes_nothing_and_gives_nothing_new(house: AccessHouse) {
        lets_admin(&house).await;
        let ada = house.user("ada", json!({"roles": [{"value": "Admin"}]})).await;
        house.decide(&Settings::default()).await;
        house.set(&ada, "title", json!("x")).await.unwrap();
        house.set(&ada, "roles", roles(&["Admin", "Analyst"])).await.unwrap();
        assert!(house.may(&ada, ADMINISTERS, "all").await, "who has it keeps it");
        let bob = house.user("bob", json!({})).await;
        assert!(house.set(&bob, "roles", roles(&["Admin"])).await.is_err());
    }

    async fn a_role_that_goes_takes_what_provisioning_gave_of_it(house: AccessHouse) {
        use muster::service::access::roles::{self as shelf, Holding, NewRole};
        let new = NewRole { name: "Editor".to_owned(), permissions: vec!["record.edit".to_owned()] };
        let role = shelf::create(&house.services, &house.root, &new).await.unwrap();
        let ada = house.user("ada", json!({"roles": [{"value": "Editor"}]})).await;
        assert!(house.may(&ada, "record.edit", "all").await);
        shelf::delete(&house.services, &house.root, &role.id, Holding::Detach).await.unwrap();
        assert!(!house.may(&ada, "record.edit", "all").await);
        // The value stays, as data; a write that says so again is no error.
        house.set(&ada, "roles", roles(&["Editor"])).await.unwrap();
        assert!(!house.may(&ada, "record.edit", "all").await);
    }
}
