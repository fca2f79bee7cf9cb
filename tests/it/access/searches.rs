use muster::service::access::decide::{Resource, actions};
use muster::service::access::grants::SubjectKind;
use muster::service::access::records::{self, RecordShown};
use muster::service::access::views::Wanted;
use muster::service::access::{Page, Paging, search, views};
use serde_json::json;

use super::house::{AccessHouse, gives, joins, record};

fn two(after: Option<String>) -> Paging {
    Paging { after, limit: Some(2) }
}

impl AccessHouse {
    /// Everyone who may, over all pages.
    async fn who_may(&self, action: &str, resource: Resource) -> Vec<String> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = search::subjects(&self.services, &self.root, action, &resource, &two(after)).await;
            let Page { items, next } = page.unwrap();
            found.extend(items.into_iter().map(|one| one.id));
            after = next;
            if after.is_none() {
                return found;
            }
        }
    }
}

each_database! {
    async fn everyone_who_may_is_found_whatever_it_comes_from(house: AccessHouse) {
        let germany = house.scope("Germany", None).await;
        let own = house.user("own", json!({})).await;
        let member = house.user("member", json!({})).await;
        let partner = house.user("partner", json!({"userType": "partner"})).await;
        let smart = house.user("smart", json!({"userType": "agent"})).await;
        let gone = house.user("gone", json!({"active": false})).await;
        house.user("nobody", json!({})).await;
        let (team, agents) = (house.group("Team", &[&member]).await, house.group("Agents", &[]).await);
        house.grant((SubjectKind::User, &own), "manager", "all").await;
        house.grant((SubjectKind::User, &gone), "manager", "all").await;
        house.grant((SubjectKind::Group, &team), "manager", &germany).await;
        house.grant((SubjectKind::Group, &agents), "manager", &germany).await;
        house.rule("Partners", "userType eq \"partner\"", &[gives("manager", &germany)]).await;
        house.rule("Agents", "userType eq \"agent\"", &[joins(&agents)]).await;
        let here = house.who_may("record.edit", Resource::Scope(germany.clone())).await;
        assert_eq!(here, [own.clone(), member, partner, smart]);
        let everywhere = house.who_may("record.edit", Resource::Tenant("acme".to_owned())).await;
        assert_eq!(everywhere, [own]);
        let page = views::of_scope(&house.services, &house.root, &germany, &Wanted::default(), &Paging::default()).await.unwrap();
        let held: Vec<_> = page.items.iter().map(|holder| &holder.user.id).collect();
        assert_eq!(held, here.iter().collect::<Vec<_>>());
        let second = &page.items[1];
        let rows = views::rows(&second.user, &second.user_name, &second.assignments);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0][1..7].join(","), "member,member,Manager,Germany,,group");
    }

    async fn who_is_in_no_group_is_found_too(house: AccessHouse) {
        let alone = house.user("alone", json!({})).await;
        let member = house.user("member", json!({})).await;
        house.group("Team", &[&member]).await;
        house.rule("Alone", "not (groups pr)", &[gives("analyst", "all")]).await;
        assert_eq!(house.who_may("data.act", Resource::Scope("all".to_owned())).await, [alone]);
    }

    async fn records_scopes_and_actions_are_found(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let emea = house.scope("EMEA", None).await;
        let germany = house.scope("Germany", Some(&emea)).await;
        let other = house.scope("APAC", None).await;
        let ada = house.user("ada", json!({})).await;
        house.grant((SubjectKind::User, &ada), "analyst", &emea).await;
        for (scope, id) in [(&germany, "1"), (&emea, "2"), (&other, "3")] {
            let lead = [RecordShown { kind: "lead".to_owned(), id: id.to_owned() }];
            records::put(services, root, scope, &lead).await.unwrap();
        }
        let leads = search::resources(services, root, &ada, "data.act", "lead", &Paging::default()).await.unwrap();
        assert_eq!(leads.items, ["1", "2"]);
        let scopes = search::resources(services, root, &ada, "data.act", "scope", &Paging::default()).await.unwrap();
        assert_eq!(scopes.items, [emea, germany]);
        let keys = actions(services, root, &ada, &record("lead", "1", &json!({}))).await.unwrap();
        assert_eq!(keys, ["data.view_anonymised", "data.view_identified", "data.act", "data.export_share"]);
        assert!(actions(services, root, &ada, &record("lead", "3", &json!({}))).await.unwrap().is_empty());
    }
}
