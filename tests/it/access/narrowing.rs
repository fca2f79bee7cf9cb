//! A filter that names a group finds what one finds that has to look at all of them.

use muster::scim::dialect::{Dialect, Hints, Setting};
use muster::scim::message::Query;
use muster::service::provision;
use serde_json::json;

use super::house::{AccessHouse, joins};

impl AccessHouse {
    /// Ids that a filter finds, in order.
    async fn found_by(&self, endpoint: &str, filter: &str) -> Vec<String> {
        let hints = Hints {
            user_agent: None,
            header: &|_| None,
        };
        let types = [self.idp.type_at(endpoint).unwrap().clone()];
        let asked = Query {
            filter: Some(filter.to_owned()),
            ..Query::default()
        };
        let dialect = Dialect::recognise(&Setting::Strict, &hints);
        let found = provision::query(&self.services, &self.idp, &dialect, &types, &asked).await;
        let items = found.unwrap_or_else(|error| panic!("{filter}: {error:?}")).items;
        items.into_iter().map(|shown| shown.id.into_string()).collect()
    }
}

each_database! {
    async fn what_names_a_group_finds_what_looks_at_all_groups(house: AccessHouse) {
        let partner = json!({"userType": "partner"});
        let ada = house.user("ada", partner.clone()).await;
        house.user("bob", json!({"title": "Boss"})).await;
        house.user("eve", json!({"userType": "partner", "title": "Boss"})).await;
        let mut groups = Vec::new();
        for (name, when) in [
            ("Partners", "userType eq \"partner\""),
            ("Bosses", "title pr"),
            ("Both", "groups.display eq \"Partners\" and groups.display eq \"Bosses\""),
            ("Rest", "not (groups.display eq \"Both\")"),
        ] {
            let group = house.group(name, &[]).await;
            house.rule(name, when, &[joins(&group)]).await;
            groups.push((group, name));
        }
        let world = house.group("World", &[&groups[2].0, &ada]).await;
        groups.push((world, "World"));
        for (group, name) in &groups {
            let below = name.to_lowercase();
            for (named, open) in [
                (format!("groups.value eq \"{group}\""), format!("groups[value sw \"{group}\"]")),
                (format!("groups.display eq \"{name}\""), format!("groups[display ge \"{below}\" and display le \"{below}\"]")),
                (format!("not (groups.value eq \"{group}\") and title pr"), format!("not (groups[value sw \"{group}\"]) and title pr")),
                (
                    format!("groups[display eq \"{name}\" and type eq \"direct\"] or groups.value eq \"none\""),
                    format!("groups[display sw \"{name}\" and type eq \"direct\"]"),
                ),
            ] {
                let (few, all) = (house.found_by("Users", &named).await, house.found_by("Users", &open).await);
                assert_eq!(few, all, "{named}");
            }
            for (named, open) in [
                (format!("id eq \"{group}\" and members.value eq \"{ada}\""), format!("id sw \"{group}\" and members.value eq \"{ada}\"")),
                (format!("displayName eq \"{name}\" and members pr"), format!("displayName sw \"{name}\" and members pr")),
            ] {
                let (few, all) = (house.found_by("Groups", &named).await, house.found_by("Groups", &open).await);
                assert_eq!(few, all, "{named}");
            }
        }
        let both = format!("groups.value eq \"{}\"", groups[2].0);
        let rest = format!("groups.value eq \"{}\"", groups[3].0);
        let found = (house.found_by("Users", &both).await.len(), house.found_by("Users", &rest).await.len());
        assert_eq!(found, (1, 2));
    }
}
